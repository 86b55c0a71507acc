//! Looking for changes, for lists and watches.

use std::collections::BTreeSet;
use std::sync::Arc;

use kubevitals_proto::vitals::Incident;

use super::changes::{Incidents, LOOK, Seen};
use super::{Changes, Query};
use crate::cluster::PodKey;

/// What this process calls itself in versions: anything that another will hardly call itself.
pub(super) fn instance() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}

/// What was looked at so far.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// All had been listed: what differs since has changed.
    begun: bool,
    /// The version of what health tells.
    health: u64,
}

impl Query {
    /// What changes, and when.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Looks for changes once a second. Runs for ever.
    pub async fn watch(self: Arc<Self>) {
        loop {
            self.look();
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Looks for changes once. What is read before all has been listed is no change.
    pub fn look(&self) {
        let mut looked = self.looked.lock();
        let mut seen = self.seen();
        // What is read of health is as new as this version, or newer.
        let changed = self.health.changed_since(looked.health);
        match changed {
            Some(changed) if looked.begun && changed.version == looked.health => {}
            Some(changed) if looked.begun => {
                looked.health = changed.version;
                seen.touched = changed.pods;
                if !(changed.incidents.is_empty() && changed.forgotten.is_empty()) {
                    seen.incidents = Some(self.incidents());
                }
            }
            _ => {
                // So much has changed that it may be anything.
                looked.health = *self.health.version().borrow();
                seen.incidents = Some(self.incidents());
                if looked.begun {
                    seen.touched = seen.pods.keys().cloned().collect();
                }
            }
        }
        if looked.begun {
            self.changes.look(&seen);
        } else {
            self.changes.begin(&seen);
            looked.begun = self.watches.nodes.synced() && self.watches.pods.synced();
        }
    }

    fn seen(&self) -> Seen {
        Seen {
            pods: self.cluster.pods(),
            nodes: self.cluster.nodes(),
            cells: self.store.cells(),
            incidents: None,
            touched: BTreeSet::new(),
            retention: self.retention,
            now: self.now(),
            wall: self.wall(),
        }
    }

    fn incidents(&self) -> Incidents {
        let (told, _) = self.health.incidents();
        let keyed = |incident: Arc<Incident>| {
            let key = PodKey {
                namespace: Arc::from(&*incident.metadata.namespace),
                name: Arc::from(&*incident.metadata.name),
            };
            (key, incident)
        };
        told.into_iter().map(|told| keyed(told.incident)).collect()
    }
}
