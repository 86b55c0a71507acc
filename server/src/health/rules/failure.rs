//! Eviction and PodFailed: a pod has failed, or a container of it that is not started again. The incident ends at once.
//!
//! An eviction has the cause NodePressure if the kubelet names the resource that the node lacked. An eviction for a
//! limit of the pod itself has no known cause.

use kubevitals_proto::objects::scarce_resource;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, Ended, IncidentKind, Source};

use crate::cluster::{self, ContainerSpec, Pod, State, time};
use crate::health::container_index::ContainerIndex;
use crate::health::facts::{PodFacts, involved};
use crate::health::incident_record::{EvidenceKey, KeyedEvidence, NewIncident};
use crate::health::messages;
use crate::health::pod_events::{EventKind, PodEvent};
use crate::health::review_context::ReviewContext;
use crate::health::terminations::{finished, started};
use crate::health::thresholds::LOOK_BACK;

/// The incident of a pod that has failed.
#[derive(Debug)]
pub(in crate::health) struct Failure {
    pub(in crate::health) incident: NewIncident,
    pub(in crate::health) message: String,
    pub(in crate::health) last_ended: Option<Ended>,
    pub(in crate::health) evidence: Vec<KeyedEvidence>,
}

/// The time at which a pod failed.
pub(in crate::health) fn failed_at(
    facts: &PodFacts,
    pod: &Pod,
    context: &ReviewContext<'_>,
) -> Timestamp {
    let is_evicted = pod.reason() == Some("Evicted");
    let event = facts.events.any(EventKind::Evicted).filter(|_| is_evicted);
    let unready = time(pod.ready.since_seconds);
    last_termination(pod)
        .or(event.map(|event| event.last))
        .or(unready)
        .unwrap_or(context.now)
}

/// The incident of a pod that failed at `at`. None if it exists, or if the failure is too old.
pub(in crate::health) fn review(
    facts: &PodFacts,
    pod: &Pod,
    at: Timestamp,
    context: &ReviewContext<'_>,
) -> Option<Failure> {
    if context.incidents.has_failure(facts.uid) || context.now.since(at) > LOOK_BACK {
        return None;
    }
    let failed = failed_container(pod);
    let ended = failed.map(|(_, spec, ended)| (spec, ended));
    let (kind, cause) = kind_and_cause(pod, ended.map(|(_, ended)| ended));
    let certainty = match cause {
        Cause::Unknown => Certainty::Unknown,
        _ => Certainty::Direct,
    };
    let lacked = pod.message().and_then(scarce_resource);
    let (cause, certainty, shared_detail) = match kind {
        // For example, the pod exceeded a limit of its own.
        IncidentKind::Eviction if lacked.is_none() && pod.message().is_some() => {
            (Cause::Unknown, Certainty::Unknown, None)
        }
        IncidentKind::Eviction => (cause, certainty, lacked.map(Box::from)),
        _ => (cause, certainty, shared_by_job(pod)),
    };
    let container = failed.filter(|_| pod.reason().is_none());
    let container = container.map(|(index, ..)| index);
    let event = facts.events.any(EventKind::Evicted);
    let mut evidence: Vec<KeyedEvidence> = event.into_iter().map(PodEvent::evidence).collect();
    evidence.push(KeyedEvidence::new(
        EvidenceKey::of("status"),
        at,
        Source::Status,
        messages::failure_status(pod, ended.map(|(_, ended)| (ended, lifetime(ended)))),
    ));
    Some(Failure {
        incident: NewIncident {
            reason: kind,
            cause,
            certainty,
            involved: involved(pod, container),
            labels: pod.labels.clone(),
            began: at,
            shared_detail,
        },
        message: messages::failure(pod, ended),
        last_ended: ended.map(|(_, ended)| ended.to_api()),
        evidence,
    })
}

/// Whether a container has failed that is not started again, so that the pod will fail with its last container.
pub(in crate::health) fn will_fail(pod: &Pod) -> bool {
    pod.containers().any(|(spec, status)| {
        let failed = matches!(&status.state, State::Terminated(ended) if ended.exit_code != 0);
        failed && pod.stays_ended(spec)
    })
}

/// The time at which the last of a pod's containers terminated.
pub(in crate::health) fn last_termination(pod: &Pod) -> Option<Timestamp> {
    let statuses = pod.containers.iter();
    let finished = statuses.filter_map(|status| match &status.state {
        State::Terminated(ended) => finished(ended),
        State::Waiting(_) | State::Running { .. } => None,
    });
    finished.max()
}

fn kind_and_cause(pod: &Pod, ended: Option<&cluster::Ended>) -> (IncidentKind, Cause) {
    let is_oom = ended.is_some_and(|it| it.reason.as_deref() == Some("OOMKilled"));
    match pod.reason() {
        Some("Evicted") => (IncidentKind::Eviction, Cause::NodePressure),
        Some("NodeLost" | "NodeShutdown" | "Shutdown" | "Terminated") => {
            (IncidentKind::PodFailed, Cause::NodeLost)
        }
        Some(_) => (IncidentKind::PodFailed, Cause::Unknown),
        None if is_oom => (IncidentKind::PodFailed, Cause::OomKilled),
        None if ended.is_some() => (IncidentKind::PodFailed, Cause::Exited),
        None => (IncidentKind::PodFailed, Cause::Unknown),
    }
}

fn failed_container(pod: &Pod) -> Option<(ContainerIndex, &ContainerSpec, &cluster::Ended)> {
    let mut containers = ContainerIndex::enumerate(pod.containers());
    containers.find_map(|(index, (spec, status))| match &status.state {
        State::Terminated(ended) if ended.exit_code != 0 => Some((index, spec, &**ended)),
        _ => None,
    })
}

fn lifetime(ended: &cluster::Ended) -> Option<i64> {
    Some(finished(ended)?.since(started(ended)?))
}

/// What a failed pod shares with other pods of its Job.
fn shared_by_job(pod: &Pod) -> Option<Box<str>> {
    let owner = pod.owner.as_ref().filter(|owner| &*owner.kind != "Node")?;
    Some(Box::from(pod.reason().unwrap_or(&owner.kind)))
}
