//! Limits what each user may have at the same time, so that no user can block all others.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::auth::User;

/// The number of slots in use, by user. A user without a slot takes no memory.
#[derive(Debug)]
pub(super) struct Shares {
    limit: usize,
    in_use: Mutex<HashMap<Arc<str>, usize>>,
}

impl Shares {
    /// Allows each user `limit` slots.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            in_use: Mutex::default(),
        })
    }

    /// The number of slots that each user may have.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// Takes a slot for this user, or none if the user has them all. Administrators have no limit: they must be able
    /// to stop others. Users are distinguished by name, as in the API server's flow control; behind the front proxy
    /// it is the name of the end user.
    pub(super) fn enter(self: &Arc<Self>, user: &User) -> Option<Share> {
        if user.is_master() {
            return Some(Share(None));
        }
        let mut in_use = self.in_use.lock();
        let Some(count) = in_use.get_mut(user.name.as_str()) else {
            let name: Arc<str> = Arc::from(user.name.as_str());
            in_use.insert(Arc::clone(&name), 1);
            return Some(Share(Some((Arc::clone(self), name))));
        };
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Share(Some((
            Arc::clone(self),
            Arc::from(user.name.as_str()),
        ))))
    }
}

/// A slot of one user; dropping it frees the slot.
#[derive(Debug)]
pub(super) struct Share(Option<(Arc<Shares>, Arc<str>)>);

impl Drop for Share {
    fn drop(&mut self) {
        let Some((shares, name)) = &self.0 else {
            return;
        };
        let mut in_use = shares.in_use.lock();
        if let Some(count) = in_use.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                in_use.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, groups: &[&str]) -> User {
        User {
            name: name.to_owned(),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            ..User::default()
        }
    }

    #[test]
    fn each_user_has_a_share_of_its_own() {
        let shares = Shares::new(2);
        let (eve, jane) = (user("eve", &["dev"]), user("jane", &["dev"]));
        let (first, _second) = (shares.enter(&eve), shares.enter(&eve));
        assert!(first.is_some() && shares.enter(&eve).is_none());
        assert!(shares.enter(&user("eve", &["another"])).is_none());
        let _janes = [shares.enter(&jane).unwrap(), shares.enter(&jane).unwrap()];
        assert!(shares.enter(&jane).is_none());
        drop(first);
        assert!(shares.enter(&eve).is_some());
    }

    #[test]
    fn administrators_have_no_limit() {
        let shares = Shares::new(1);
        let admin = user("admin", &["system:masters"]);
        let taken: Vec<_> = (0..10).map(|_| shares.enter(&admin)).collect();
        assert!(taken.iter().all(Option::is_some));
        assert!(shares.in_use.lock().is_empty());
    }

    #[test]
    fn idle_users_take_no_memory() {
        let shares = Shares::new(3);
        for n in 0..1_000 {
            let one = shares.enter(&user(&format!("user-{n}"), &[]));
            let two = shares.enter(&user(&format!("user-{n}"), &[]));
            drop((one, two));
        }
        assert!(shares.in_use.lock().is_empty());
    }
}
