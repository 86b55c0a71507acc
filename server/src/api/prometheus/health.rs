//! Ours: what is wrong in the cluster, and what is kept to tell why.

use std::fmt;

use kubevitals_proto::vitals::{Cause, IncidentKind, ProbeKind};

use super::Known;
use super::families::Families;
use crate::health::Counts;

pub(super) fn write(families: &mut Families<'_>, known: &Known<'_>) -> fmt::Result {
    let Counts {
        incidents,
        failing,
        failing_pods: _,
        restarts,
        restarts_seen,
        pods,
        probes,
        versions,
        unmatched_events,
        dropped_events,
        refused_events,
        dropped_incidents,
        dropped_pods,
        dropped_versions,
    } = known.query.health().counts();
    families.gauge(
        "kubevitals_incidents",
        "Incidents that are remembered, by what went wrong, why, and whether they go on or are over.",
        |family| {
            for ((reason, cause), (open, over)) in &incidents {
                for (state, count) in [("open", open), ("over", over)] {
                    let labels = [
                        ("reason", reason_name(*reason)),
                        ("cause", cause_name(*cause)),
                        ("state", state),
                    ];
                    family.value(&labels, *count)?;
                }
            }
            Ok(())
        },
    )?;
    families.gauge(
        "kubevitals_probes_failing",
        "Probes that fail, by kind: those that podvitals shows as Failing.",
        |family| {
            [
                ("liveness", ProbeKind::Liveness),
                ("readiness", ProbeKind::Readiness),
                ("startup", ProbeKind::Startup),
            ]
            .into_iter()
            .try_for_each(|(name, kind)| {
                let count = failing.get(&kind).copied().unwrap_or_default();
                family.value(&[("kind", name)], count)
            })
        },
    )?;
    families.gauge(
        "kubevitals_restarts",
        "Restarts of containers that are remembered, by cause; a cause may turn out to be another.",
        |family| {
            let mut restarts = restarts.iter();
            restarts.try_for_each(|(cause, count)| {
                family.value(&[("cause", cause_name(*cause))], *count)
            })
        },
    )?;
    families.counter(
        "kubevitals_restarts_seen",
        "Restarts of containers that were seen since the start.",
        |family| family.total(&[], restarts_seen),
    )?;
    families.gauge(
        "kubevitals_health_kept",
        "What is kept to tell what is wrong: pods that are not well or lately were not, counters of probes, earlier \
         versions of pods, and Events whose pods are not known yet.",
        |family| {
            family.value(&[("what", "pods")], pods)?;
            family.value(&[("what", "probes")], probes)?;
            family.value(&[("what", "versions")], versions)?;
            family.value(&[("what", "events")], unmatched_events)
        },
    )?;
    families.counter(
        "kubevitals_health_dropped",
        "What was forgotten before its time, or not kept at all, for want of room: incidents, pods that were not well, \
         earlier versions of pods, and Events whose pods did not come in time.",
        |family| {
            family.total(&[("what", "incidents")], dropped_incidents)?;
            family.total(&[("what", "pods")], dropped_pods)?;
            family.total(&[("what", "versions")], dropped_versions)?;
            family.total(&[("what", "events")], dropped_events)
        },
    )?;
    families.counter(
        "kubevitals_health_events_refused",
        "Events that did not count: they tell what only the kubelet of their pod knows, and are not of that kubelet.",
        |family| family.total(&[], refused_events),
    )
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
