//! What each user may have under way at once, so that no user can keep all others out.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::auth::User;

/// Counts of what is under way, by user. A user without anything under way takes no memory.
#[derive(Debug)]
pub(super) struct Shares {
    limit: usize,
    in_use: Mutex<HashMap<Arc<str>, usize>>,
}

impl Shares {
    /// At most `limit` things for each user.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            in_use: Mutex::default(),
        })
    }

    /// How many things each user may have under way.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// One more thing of this user, if that is within its share. Administrators have no bound: they may end what others
    /// do. Users are told apart by name, as the API server does for its flow control; through the front proxy it is the
    /// end user's.
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

/// One thing under way; given back when it is dropped.
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
