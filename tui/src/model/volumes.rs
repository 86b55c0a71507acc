//! Claims from the API server, usage from kubevitals.io and reasons from events: together the rows of volumes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::batch::Batch;
use super::name::Key;
use super::row::{Claim, ClaimReason, VolumeRow, VolumeUsage};
use super::table::Change;

/// What the source has sent of volumes.
#[derive(Debug)]
pub enum VolumeChange {
    /// Claims.
    Claims(Batch<(Key, Claim)>),
    /// The usage of all volumes.
    Usage(Vec<(Key, VolumeUsage)>),
    /// Why claims are not bound. The latest reason of a claim counts.
    Reasons(Vec<(Key, ClaimReason)>),
}

/// The parts of the rows. A clone shares them.
#[derive(Debug, Clone, Default)]
pub(super) struct VolumeParts {
    claims: Arc<BTreeMap<Key, Arc<Claim>>>,
    usage: Arc<BTreeMap<Key, Arc<VolumeUsage>>>,
    reasons: Arc<HashMap<Key, Arc<ClaimReason>>>,
    /// Whether something has changed since the last rows.
    has_changed: bool,
}

impl VolumeParts {
    /// Applies a change.
    pub(super) fn apply(&mut self, change: VolumeChange) {
        self.has_changed = true;
        match change {
            VolumeChange::Claims(Batch::All(all)) => {
                let all = all.into_iter().map(|(key, claim)| (key, Arc::new(claim)));
                self.claims = Arc::new(all.collect());
            }
            VolumeChange::Claims(Batch::Some(changes)) => {
                let claims = Arc::make_mut(&mut self.claims);
                for change in changes {
                    match change {
                        Change::Put((key, claim)) => drop(claims.insert(key, Arc::new(claim))),
                        Change::Gone(key) => drop(claims.remove(&key)),
                    }
                }
            }
            VolumeChange::Usage(all) => {
                let all = all.into_iter().map(|(key, usage)| (key, Arc::new(usage)));
                self.usage = Arc::new(all.collect());
            }
            VolumeChange::Reasons(mut all) => {
                all.sort_by_key(|(_, reason)| reason.at);
                let all = all.into_iter().map(|(key, it)| (key, Arc::new(it)));
                self.reasons = Arc::new(all.collect());
            }
        }
    }

    /// Drops the usage: another source has none.
    pub(super) fn drop_usage(&mut self) {
        self.usage = Arc::default();
        self.has_changed = true;
    }

    /// The rows, if something has changed since the last call.
    pub(super) fn changed_rows(&mut self) -> Option<Vec<VolumeRow>> {
        if !std::mem::take(&mut self.has_changed) {
            return None;
        }
        let of_usage = self.usage.keys();
        let unread = of_usage.filter(|key| !self.claims.contains_key(*key));
        let row = |key: &Key| VolumeRow {
            namespace: Arc::clone(&key.namespace),
            name: Arc::clone(&key.name),
            claim: self.claims.get(key).cloned().unwrap_or_default(),
            usage: self.usage.get(key).cloned(),
            reason: self.reasons.get(key).cloned(),
        };
        Some(self.claims.keys().chain(unread).map(row).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row::ClaimPhase;
    use kubevitals_proto::time::Timestamp;

    fn key(name: &str) -> Key {
        Key::new(&"ns".into(), &name.into())
    }

    fn claim(name: &str, phase: ClaimPhase) -> (Key, Claim) {
        let claim = Claim {
            phase,
            ..Claim::default()
        };
        (key(name), claim)
    }

    fn reason(word: &str, at: i64) -> (Key, ClaimReason) {
        let reason = ClaimReason {
            reason: word.into(),
            at: Timestamp::from_secs(at),
            ..ClaimReason::default()
        };
        (key("a"), reason)
    }

    #[test]
    fn each_part_is_joined_by_the_name_of_the_claim() {
        let mut parts = VolumeParts::default();
        assert_eq!(parts.changed_rows(), None);
        let claims = vec![
            claim("a", ClaimPhase::Pending),
            claim("b", ClaimPhase::Bound),
        ];
        parts.apply(VolumeChange::Claims(Batch::All(claims)));
        let usage = vec![
            (key("b"), VolumeUsage::default()),
            (key("c"), VolumeUsage::default()),
        ];
        parts.apply(VolumeChange::Usage(usage));
        parts.apply(VolumeChange::Reasons(vec![
            reason("new", 2),
            reason("old", 1),
        ]));
        let rows = parts.changed_rows().unwrap();
        let texts = rows.iter().map(|row| {
            let has_usage = row.usage.is_some();
            (
                &*row.name,
                row.claim.phase.as_str(),
                has_usage,
                row.reason_text(),
            )
        });
        assert_eq!(
            Vec::from_iter(texts),
            [
                ("a", "Pending", false, "new"),
                ("b", "Bound", true, ""),
                ("c", "", true, "")
            ]
        );
        assert_eq!(parts.changed_rows(), None, "nothing has changed");
        let gone = Change::Gone(key("a"));
        let bound = Change::Put(claim("d", ClaimPhase::Bound));
        parts.apply(VolumeChange::Claims(Batch::Some(vec![gone, bound])));
        parts.drop_usage();
        let rows = parts.changed_rows().unwrap();
        assert_eq!(
            Vec::from_iter(rows.iter().map(|row| &*row.name)),
            ["b", "d"]
        );
        assert!(rows.iter().all(|row| row.usage.is_none()));
    }
}
