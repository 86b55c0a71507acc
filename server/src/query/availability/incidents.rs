//! Finds the incident that explains an outage.

use std::collections::HashMap;
use std::sync::Arc;

use kubevitals_proto::vitals::Incident;

use crate::availability::{Outage, Second, WorkloadKey};
use crate::health::Health;

/// An incident and an outage that belong together begin at most this many seconds apart, or overlap.
const APART: u32 = 60;

/// The incidents by namespace and workload.
#[derive(Debug, Default)]
pub(super) struct Incidents(HashMap<[String; 3], Vec<Arc<Incident>>>);

impl Incidents {
    /// The incidents that health stores.
    pub(super) fn of(health: &Health) -> Self {
        let mut by_workload: HashMap<_, Vec<_>> = HashMap::new();
        for entry in health.incidents().0 {
            let involved = &entry.incident.involved;
            let Some(workload) = &involved.workload else {
                continue;
            };
            let key = [&involved.namespace, &workload.kind, &workload.name].map(String::clone);
            by_workload.entry(key).or_default().push(entry.incident);
        }
        Self(by_workload)
    }

    /// The incident whose begin is the nearest to that of the outage.
    pub(super) fn of_outage(&self, workload: &WorkloadKey, outage: Outage) -> Option<&Incident> {
        let WorkloadKey {
            namespace,
            kind,
            name,
        } = workload;
        let key = [namespace, kind, name].map(|part| part.to_string());
        let incidents = self.0.get(&key)?.iter();
        let overlapping = incidents.filter(|incident| {
            let ended = incident.ended.map_or(Second(u32::MAX), Second::from);
            let begins_before =
                Second::from(incident.began).0 <= outage.ended.0.saturating_add(APART);
            begins_before && ended.0.saturating_add(APART) >= outage.began.0
        });
        let nearest =
            overlapping.min_by_key(|it| Second::from(it.began).0.abs_diff(outage.began.0));
        nearest.map(Arc::as_ref)
    }
}
