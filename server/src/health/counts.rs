//! The counts of health, for `/metrics`.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubevitals_proto::vitals::{Cause, IncidentKind, ProbeKind};

use super::Health;
use super::engine::Engine;
use crate::telemetry::metrics::{Registry, collect};

/// The current counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
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
        for (_, record) in self.incidents.visible() {
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

impl Health {
    /// Registers its metrics.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        collect(registry, Arc::clone(self), |health, families| {
            let counts = health.counts();
            let incidents = counts.incidents.iter().flat_map(|(of, (open, over))| {
                let (reason, cause) = (reason_name(of.0), cause_name(of.1));
                [
                    ([reason, cause, "open"], *open),
                    ([reason, cause, "over"], *over),
                ]
            });
            families.gauges(
                "kubevitals_incidents",
                "Stored incidents by reason, cause and state: open, over",
                ["reason", "cause", "state"],
                incidents,
            )?;
            let kinds = [
                ("liveness", ProbeKind::Liveness),
                ("readiness", ProbeKind::Readiness),
                ("startup", ProbeKind::Startup),
            ];
            let failing = kinds.map(|(name, kind)| {
                let count = counts.failing.get(&kind).copied();
                ([name], count.unwrap_or_default())
            });
            families.gauges(
                "kubevitals_probes_failing",
                "Probes that podvitals shows as Failing, by kind",
                ["kind"],
                failing,
            )?;
            let restarts = counts.restarts.iter();
            families.gauges(
                "kubevitals_restarts",
                "Stored restarts of containers, by cause; later evidence may change a cause",
                ["cause"],
                restarts.map(|(cause, count)| ([cause_name(*cause)], *count)),
            )?;
            families.counter(
                "kubevitals_restarts_seen",
                "Restarts of containers since the start of the server",
                counts.restarts_seen,
            )?;
            families.gauges(
                "kubevitals_health_kept",
                "Evidence in memory: pods that are or were unhealthy, probe counters, earlier versions of pods, and Events \
                 whose pods are not known yet",
                ["what"],
                [
                    (["pods"], counts.pods),
                    (["probes"], counts.probes),
                    (["versions"], counts.versions),
                    (["events"], counts.unmatched_events),
                ],
            )?;
            families.counters(
                "kubevitals_health_dropped",
                "Evidence that was evicted early or not stored because of a limit: incidents, unhealthy pods, earlier versions \
                 of pods, and Events whose pods did not appear in time",
                ["what"],
                [
                    (["incidents"], counts.dropped_incidents),
                    (["pods"], counts.dropped_pods),
                    (["versions"], counts.dropped_versions),
                    (["events"], counts.dropped_events),
                ],
            )?;
            families.counter(
                "kubevitals_health_events_refused",
                "Events that were ignored: only the kubelet of their pod may report this, and another client wrote them",
                counts.refused_events,
            )
        });
    }
}

fn reason_name(reason: IncidentKind) -> &'static str {
    match reason {
        IncidentKind::Restart => "Restart",
        IncidentKind::ProbeFailing => "ProbeFailing",
        IncidentKind::PodNotReady => "PodNotReady",
        IncidentKind::NodeNotReady => "NodeNotReady",
        IncidentKind::Eviction => "Eviction",
        IncidentKind::ImagePull => "ImagePull",
        IncidentKind::PodFailed => "PodFailed",
        IncidentKind::Other => "Other",
    }
}

fn cause_name(cause: Cause) -> &'static str {
    match cause {
        Cause::OomKilled => "OomKilled",
        Cause::LivenessProbe => "LivenessProbe",
        Cause::StartupProbe => "StartupProbe",
        Cause::ReadinessProbe => "ReadinessProbe",
        Cause::Exited => "Exited",
        Cause::NodeLost => "NodeLost",
        Cause::NodePressure => "NodePressure",
        Cause::ImageUnavailable => "ImageUnavailable",
        Cause::Unknown => "Unknown",
    }
}
