//! What health counts of its own work.

use std::collections::BTreeMap;

use kubevitals_proto::vitals::{Cause, IncidentKind, ProbeKind};

use super::engine::Engine;

/// What is known now, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Incidents that are remembered, by what went wrong and why: going on, and over.
    pub incidents: BTreeMap<(IncidentKind, Cause), (u64, u64)>,
    /// Probes that fail, by kind: those whose status is [`ProbeStatus::Failing`](kubevitals_proto::vitals::ProbeStatus).
    pub failing: BTreeMap<ProbeKind, u64>,
    /// Pods of which a probe fails.
    pub failing_pods: u64,
    /// Restarts that are remembered, by cause.
    pub restarts: BTreeMap<Cause, u64>,
    /// Restarts that were seen since the start.
    pub restarts_seen: u64,
    /// Pods of which something is kept.
    pub pods: u64,
    /// Probes whose counters are kept.
    pub probes: u64,
    /// Earlier versions of pods that are kept.
    pub versions: u64,
    /// Incidents forgotten for want of room.
    pub dropped_incidents: u64,
    /// Events that wait for their pods.
    pub unmatched_events: u64,
    /// Events whose pods did not come.
    pub dropped_events: u64,
    /// Events about what only the kubelet of their pod knows that were not of that kubelet.
    pub refused_events: u64,
    /// Pods of which nothing was kept for want of room.
    pub dropped_pods: u64,
    /// Earlier versions of pods forgotten for want of room.
    pub dropped_versions: u64,
}

impl Engine {
    pub(super) fn counts(&self) -> Counts {
        let size = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
        let mut counts = Counts {
            restarts_seen: self.totals.restarts,
            pods: size(self.pods.len()),
            probes: size(self.counters.len()),
            versions: size(self.log.len()),
            dropped_incidents: self.incidents.dropped,
            unmatched_events: size(self.unmatched.len()),
            dropped_events: self.unmatched.dropped,
            refused_events: self.totals.refused_events,
            dropped_pods: self.totals.dropped_pods,
            dropped_versions: self.log.dropped,
            ..Counts::default()
        };
        for (_, record) in self.incidents.told() {
            let key = (record.incident.reason, record.incident.cause);
            let (open, over) = counts.incidents.entry(key).or_default();
            *(if record.incident.ended.is_none() {
                open
            } else {
                over
            }) += 1;
        }
        for facts in self.pods.values().flat_map(|pod| &pod.containers) {
            for restart in &facts.restarts {
                *counts.restarts.entry(restart.cause).or_default() += 1;
            }
        }
        counts
    }
}
