//! Which incidents have been announced outside the cluster's API, so that another process does not announce them again.
//!
//! They are stored by name and not in the records: a joint incident is computed again after a restart, and has its name.

use std::collections::BTreeMap;

use kubevitals_proto::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The largest number of stored announcements: as many as there can be incidents.
pub(super) const MAX_ANNOUNCEMENTS: usize = 4096;

/// The largest length of a name in Kubernetes.
const MAX_NAME: usize = 253;

/// The last announcement about an incident. Of two, the greater one is the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Announcement {
    /// That it is open.
    Opened,
    /// That it ended at this time.
    Resolved(Timestamp),
}

/// An announcement in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct SavedAnnouncement {
    namespace: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolved: Option<Timestamp>,
}

/// The announcements by namespace and name.
#[derive(Debug, Default)]
pub(super) struct Announcements(BTreeMap<(String, String), Announcement>);

impl Announcements {
    pub(super) fn get(&self, namespace: &str, name: &str) -> Option<Announcement> {
        let key = (namespace.to_owned(), name.to_owned());
        self.0.get(&key).copied()
    }

    /// Replaces or removes an announcement. Returns whether it differs. Above the limit, nothing is added: the incident may be
    /// announced again after a restart.
    pub(super) fn set(
        &mut self,
        namespace: &str,
        name: &str,
        announcement: Option<Announcement>,
    ) -> bool {
        let key = (namespace.to_owned(), name.to_owned());
        match announcement {
            None => self.0.remove(&key).is_some(),
            Some(_) if self.0.len() >= MAX_ANNOUNCEMENTS && !self.0.contains_key(&key) => false,
            Some(it) => self.0.insert(key, it) != Some(it),
        }
    }

    /// Removes those whose incident is not stored.
    pub(super) fn retain(&mut self, is_stored: impl Fn(&(String, String)) -> bool) {
        self.0.retain(|key, _| is_stored(key));
    }

    pub(super) fn save(&self) -> Vec<SavedAnnouncement> {
        let all = self.0.iter();
        let saved = all.map(|((namespace, name), it)| SavedAnnouncement {
            namespace: namespace.clone(),
            name: name.clone(),
            resolved: match it {
                Announcement::Opened => None,
                Announcement::Resolved(at) => Some(*at),
            },
        });
        saved.collect()
    }

    /// Adds those of another process. Of two about one incident, the later one stays.
    pub(super) fn merge(&mut self, saved: Vec<SavedAnnouncement>) {
        let is_name = |text: &str| text.len() <= MAX_NAME;
        for it in saved {
            if !is_name(&it.namespace) || !is_name(&it.name) {
                continue;
            }
            let theirs = it
                .resolved
                .map_or(Announcement::Opened, Announcement::Resolved);
            if self.get(&it.namespace, &it.name) < Some(theirs) {
                self.set(&it.namespace, &it.name, Some(theirs));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_announcement_of_two_processes_stays() {
        let end = Announcement::Resolved(Timestamp::from_secs(9));
        let mut one = Announcements::default();
        let mut other = Announcements::default();
        one.set("n", "a", Some(Announcement::Opened));
        one.set("n", "b", Some(end));
        other.set("n", "a", Some(end));
        other.set("n", "b", Some(Announcement::Opened));
        other.set("n", "c", Some(Announcement::Opened));
        one.merge(other.save());
        let all = ["a", "b", "c", "d"].map(|name| one.get("n", name));
        assert_eq!(
            all,
            [Some(end), Some(end), Some(Announcement::Opened), None]
        );
    }

    #[test]
    fn their_number_is_limited() {
        let mut all = Announcements::default();
        for n in 0..=MAX_ANNOUNCEMENTS {
            all.set("n", &n.to_string(), Some(Announcement::Opened));
        }
        assert_eq!(all.save().len(), MAX_ANNOUNCEMENTS);
    }
}
