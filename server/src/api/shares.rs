//! What each user may have under way at once, so that no user can keep all others out.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::auth::User;

/// Counts of what is under way, by user. A user without anything under way takes no memory.
#[derive(Debug)]
pub(super) struct Shares {
    most: usize,
    under_way: Mutex<HashMap<Arc<str>, usize>>,
}

impl Shares {
    /// At most `most` things for each user.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            under_way: Mutex::default(),
        })
    }

    /// How many things each user may have under way.
    pub(super) const fn most(&self) -> usize {
        self.most
    }

    /// One more thing of this user, if that is within its share. Administrators have no bound: they may end what others
    /// do. Users are told apart by name, as the API server does for its flow control; through the front proxy it is the
    /// end user's.
    pub(super) fn enter(self: &Arc<Self>, user: &User) -> Option<Share> {
        if user.is_master() {
            return Some(Share(None));
        }
        let mut under_way = self.under_way.lock();
        let Some(count) = under_way.get_mut(user.name.as_str()) else {
            let name: Arc<str> = Arc::from(user.name.as_str());
            under_way.insert(Arc::clone(&name), 1);
            return Some(Share(Some((Arc::clone(self), name))));
        };
        if *count >= self.most {
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
        let mut under_way = shares.under_way.lock();
        if let Some(count) = under_way.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(name);
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
    fn administrators_have_no_bound() {
        let shares = Shares::new(1);
        let admin = user("admin", &["system:masters"]);
        let held: Vec<_> = (0..10).map(|_| shares.enter(&admin)).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(shares.under_way.lock().is_empty());
    }

    #[test]
    fn nothing_is_remembered_of_a_user_that_has_nothing_under_way() {
        let shares = Shares::new(3);
        for n in 0..1_000 {
            let one = shares.enter(&user(&format!("user-{n}"), &[]));
            let two = shares.enter(&user(&format!("user-{n}"), &[]));
            drop((one, two));
        }
        assert!(shares.under_way.lock().is_empty());
    }
}
