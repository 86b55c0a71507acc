//! The metrics of health.

use std::collections::BTreeMap;
use std::fmt;

use kubevitals_proto::vitals::{Cause, IncidentKind, ProbeKind};

use super::engine::Engine;
use crate::telemetry::metrics::Families;

/// The current values of the metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HealthMetrics {
    /// The numbers of open and of ended incidents, by kind and cause.
    pub incidents: BTreeMap<(IncidentKind, Cause), (u64, u64)>,
    /// Failing probes by kind: those whose status is [`ProbeStatus::Failing`](kubevitals_proto::vitals::ProbeStatus).
    pub failing: BTreeMap<ProbeKind, u64>,
    /// Pods with a failing probe.
    pub failing_pods: u64,
    /// Stored restarts by cause.
    pub restarts: BTreeMap<Cause, u64>,
    /// Restarts recorded since the start.
    pub restarts_seen: u64,
    /// Pods with facts.
    pub pods: u64,
    /// Probes with counters.
    pub probes: u64,
    /// Stored earlier versions of pods.
    pub versions: u64,
    /// Incidents dropped because of the limit.
    pub dropped_incidents: u64,
    /// Events that wait for their pods.
    pub unmatched_events: u64,
    /// Events that were dropped because their pods did not appear.
    pub dropped_events: u64,
    /// Events that only the pod's kubelet may write, from another source.
    pub refused_events: u64,
    /// Unhealthy pods without facts, because the limit was reached.
    pub dropped_pods: u64,
    /// Earlier versions of pods dropped because of the limit.
    pub dropped_versions: u64,
}

impl Engine {
    /// The metrics that need no time and no other objects.
    pub(super) fn metrics(&self) -> HealthMetrics {
        let size = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
        let mut metrics = HealthMetrics {
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
            ..HealthMetrics::default()
        };
        for (_, record) in self.incidents.visible() {
            let key = (record.incident.reason, record.incident.cause);
            let (open, over) = metrics.incidents.entry(key).or_default();
            let is_over = record.incident.ended.is_some();
            *if is_over { over } else { open } += 1;
        }
        for facts in self.pods.values().flat_map(|pod| &pod.containers) {
            for restart in &facts.restarts {
                *metrics.restarts.entry(restart.cause).or_default() += 1;
            }
        }
        metrics
    }
}

impl HealthMetrics {
    /// Writes the families of health.
    pub(super) fn write(&self, families: &mut Families<'_>) -> fmt::Result {
        // The names of reasons, causes and kinds of probes are those of the API.
        let incidents = self
            .incidents
            .iter()
            .map(|((reason, cause), counts)| (format!("{reason:?}"), format!("{cause:?}"), counts));
        let incidents: Vec<_> = incidents.collect();
        let samples = incidents.iter().flat_map(|(reason, cause, (open, over))| {
            [
                ([&**reason, &**cause, "open"], *open),
                ([&**reason, &**cause, "over"], *over),
            ]
        });
        families.gauges(
            "kubevitals_incidents",
            "Stored incidents by reason, cause and state: open, over",
            ["reason", "cause", "state"],
            samples,
        )?;
        let kinds = [
            ProbeKind::Liveness,
            ProbeKind::Readiness,
            ProbeKind::Startup,
        ];
        let failing = kinds.map(|kind| {
            let count = self.failing.get(&kind).copied();
            ([kind.word()], count.unwrap_or_default())
        });
        families.gauges(
            "kubevitals_probes_failing",
            "Probes that podvitals shows as Failing, by kind",
            ["kind"],
            failing,
        )?;
        let restarts = self.restarts.iter();
        let restarts: Vec<_> = restarts.map(|it| (format!("{:?}", it.0), *it.1)).collect();
        families.gauges(
            "kubevitals_restarts",
            "Stored restarts of containers, by cause; later evidence may change a cause",
            ["cause"],
            restarts.iter().map(|(cause, count)| ([&**cause], *count)),
        )?;
        families.counter(
            "kubevitals_restarts_seen",
            "Restarts of containers since the start of the server",
            self.restarts_seen,
        )?;
        families.gauges(
            "kubevitals_health_kept",
            "Evidence in memory: pods that are or were unhealthy, probe counters, earlier versions of pods, and Events \
             whose pods are not known yet",
            ["what"],
            [
                (["pods"], self.pods),
                (["probes"], self.probes),
                (["versions"], self.versions),
                (["events"], self.unmatched_events),
            ],
        )?;
        families.counters(
            "kubevitals_health_dropped",
            "Evidence that was evicted early or not stored because of a limit: incidents, unhealthy pods, earlier versions \
             of pods, and Events whose pods did not appear in time",
            ["what"],
            [
                (["incidents"], self.dropped_incidents),
                (["pods"], self.dropped_pods),
                (["versions"], self.dropped_versions),
                (["events"], self.dropped_events),
            ],
        )?;
        families.counter(
            "kubevitals_health_events_refused",
            "Events that were ignored: only the kubelet of their pod may report this, and another client wrote them",
            self.refused_events,
        )
    }
}
