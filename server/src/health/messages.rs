//! The messages and the evidence of incidents, in sentences.

use kubevitals_proto::vitals::{Cause, Certainty, Incident, ProbeKind};

use super::probe_counters::ProbeReading;
use super::usage_history::{bytes, seconds};
use crate::cluster::{self, ContainerSpec, ContainerStatus, Node, Pod, Role, State};

/// `ended with exit 137 (OOMKilled) after 1m4s`.
pub(super) fn how_it_ended(ended: &cluster::Ended, lived: Option<i64>) -> String {
    let mut text = format!("ended with exit {}", ended.exit_code);
    if ended.signal != 0 {
        text.push_str(&format!(", signal {}", ended.signal));
    }
    if let Some(reason) = &ended.reason {
        text.push_str(&format!(" ({reason})"));
    }
    if let Some(lived) = lived {
        text.push_str(&format!(" after {}", seconds(lived)));
    }
    if let Some(message) = ended.message.as_deref().and_then(|it| it.lines().next()) {
        text.push_str(&format!(": {}", message.trim()));
    }
    text
}

/// `failed attempts of the liveness probe rose by 3 to 21 in 15s`.
pub(super) fn counted(kind: ProbeKind, reading: &ProbeReading) -> String {
    if reading.failed == 0 {
        let (probe, run) = (probe(kind), reading.run_before);
        return format!("the last {run} attempts of the {probe} failed; no event gives the reason");
    }
    format!(
        "failed attempts of the {} rose by {} to {} in {}; no event gives the reason",
        probe(kind),
        reading.failed,
        reading.failures,
        seconds(reading.to.since(reading.from))
    )
}

/// Evidence of terminations of which only the number is known.
pub(super) fn unknown_terminations(count: u32) -> String {
    match count {
        1 => "the restart count has 1 earlier termination, of unknown cause".to_owned(),
        count => {
            format!("the restart count has {count} earlier terminations, of unknown cause")
        }
    }
}

pub(super) fn probe(kind: ProbeKind) -> &'static str {
    match kind {
        ProbeKind::Liveness => "liveness probe",
        ProbeKind::Readiness => "readiness probe",
        ProbeKind::Startup => "startup probe",
    }
}

fn times(count: u64) -> String {
    match count {
        0 | 1 => String::new(),
        2 => " twice".to_owned(),
        count => format!(" {count} times"),
    }
}

/// The message of an incident about restarts.
pub(super) fn restarted(
    incident: &Incident,
    spec: &ContainerSpec,
    status: &ContainerStatus,
) -> String {
    let name = &spec.name;
    let times = times(incident.count);
    let is_likely = incident.certainty == Certainty::Likely;
    let likely = if is_likely { " likely" } else { "" };
    let exit = incident.last_ended.as_ref().map_or(0, |it| it.exit_code);
    let last = incident.last_ended.as_ref();
    let unstarted =
        last.is_some_and(|it| ["StartError", "ContainerCannotRun"].contains(&&*it.reason));
    let killed_for =
        |probe| format!("Container {name} was{likely} killed{times} because its {probe} failed");
    let what = match incident.cause {
        Cause::Exited if unstarted => format!("Container {name} could not be started{times}"),
        Cause::OomKilled => {
            let limit = spec.limits.memory;
            let limit = limit.map_or_else(String::new, |limit| {
                format!(" (memory limit {})", bytes(limit.0))
            });
            format!("Container {name} was{likely} OOM-killed{times}{limit}")
        }
        Cause::LivenessProbe => killed_for("liveness probe"),
        Cause::StartupProbe => killed_for("startup probe"),
        Cause::NodeLost => {
            format!("Container {name}{likely} terminated{times} together with its node")
        }
        Cause::Exited => format!("Container {name} exited{times} with code {exit}"),
        _ if last.is_none() => {
            format!("Container {name} terminated{times} for an unknown reason")
        }
        _ => format!("Container {name} was killed{times} (exit {exit}) for an unknown reason"),
    };
    let now = match &status.state {
        _ if incident.ended.is_some() => "; it is ready again",
        State::Running { .. } if status.ready => "; it is running again",
        State::Running { .. } => "; it is running again but not ready",
        State::Terminated(_) => "; it will be restarted",
        State::Waiting(waiting) => {
            let message = waiting.as_ref().and_then(|it| it.message.as_deref());
            let wait = message.and_then(|it| it.strip_prefix("back-off "));
            let wait = wait.and_then(|it| it.split(' ').next());
            let reason = status.waiting_reason().unwrap_or("waiting");
            return match wait {
                Some(wait) => format!("{what}; it waits in {reason} (back-off {wait})"),
                None => format!("{what}; it waits: {reason}"),
            };
        }
    };
    format!("{what}{now}")
}

/// The message of an incident about a failing probe.
pub(super) fn probe_fails(
    incident: &Incident,
    kind: ProbeKind,
    spec: &ContainerSpec,
    said: &str,
) -> String {
    let name = &spec.name;
    let said = match said.trim() {
        "" => String::new(),
        said => format!(": {said}"),
    };
    let again = incident.ended.is_some();
    match kind {
        _ if again => format!(
            "The {} of container {name} failed and passes again{said}",
            probe(kind)
        ),
        ProbeKind::Readiness => {
            format!("Container {name} is not ready because its readiness probe fails{said}")
        }
        kind => format!(
            "Container {name} will be killed because its {} fails{said}",
            probe(kind)
        ),
    }
}

/// The output of a probe from its Event, which has it after `… probe failed:`.
pub(super) fn output(message: &str) -> &str {
    let said = message.split_once(" probe failed:");
    said.map_or(message, |(_, said)| said).trim()
}

/// The message of an incident about an image.
pub(super) fn image(incident: &Incident, spec: &ContainerSpec, status: &ContainerStatus) -> String {
    let name = &spec.name;
    if incident.ended.is_some() {
        return format!("The image of container {name} could not be pulled at first");
    }
    let message = match &status.state {
        State::Waiting(Some(waiting)) => waiting.message.as_deref().unwrap_or_default(),
        _ => "",
    };
    let reason = status.waiting_reason().unwrap_or("waiting");
    match message {
        "" => format!("The image of container {name} cannot be pulled: {reason}"),
        message => format!("The image of container {name} cannot be pulled: {reason}: {message}"),
    }
}

/// The message of an incident about a pod that is not ready for an unknown reason.
pub(super) fn not_ready(
    incident: &Incident,
    waits: Option<(&ContainerSpec, &ContainerStatus)>,
) -> String {
    if incident.ended.is_some() {
        return "The pod was not ready and is ready again".to_owned();
    }
    let Some((spec, status)) = waits else {
        return "The pod is not ready although its containers are: a readiness gate may not be met"
            .to_owned();
    };
    let name = &spec.name;
    match (&status.state, status.waiting_reason()) {
        (State::Waiting(Some(waiting)), Some(reason)) => {
            let message = waiting.message.as_deref().unwrap_or_default();
            let colon = if message.is_empty() { "" } else { ": " };
            format!("The pod is not ready because container {name} waits: {reason}{colon}{message}")
        }
        _ => format!(
            "The pod is not ready because container {name} is not ready, for an unknown reason"
        ),
    }
}

/// The message of an incident about evicted pods.
pub(super) fn evicted(node: &str, lacked: &str, pods: u64) -> String {
    let pods = match pods {
        1 => "1 pod was evicted".to_owned(),
        pods => format!("{pods} pods were evicted"),
    };
    format!("Node {node} was low on {lacked}: {pods}")
}

/// The message of an incident about pods of one workload. `said` is the message of one of them.
pub(super) fn alike(pods: u64, (kind, name): (&str, &str), goes_on: bool, said: &str) -> String {
    let fail = if goes_on { "fail" } else { "failed" };
    format!("{pods} pods of {kind} {name} {fail} for the same reason: {said}")
}

/// The message of an incident about a node.
pub(super) fn node(incident: &Incident, node: &Node, pods: usize) -> String {
    let name = &node.name;
    let pods = match pods {
        0 => String::new(),
        1 => "; 1 pod on it is not ready because of this".to_owned(),
        pods => format!("; {pods} pods on it are not ready because of this"),
    };
    if let Some(ended) = incident.ended {
        let long = seconds(ended.since(incident.began));
        let pods = pods
            .replace(" is not ", " was not ")
            .replace(" are not ", " were not ");
        return format!("Node {name} was not ready for {long}{pods}");
    }
    let said = node.unready.as_ref().and_then(|it| it.reason.as_deref());
    let said = said.map_or_else(String::new, |said| format!(" ({said})"));
    match incident.cause {
        Cause::NodeLost => format!("Node {name} does not report its status{said}{pods}"),
        _ => format!("Node {name} is not ready{said}{pods}"),
    }
}

/// The message of an incident about a pod that has failed. `ended` is the container that failed.
pub(super) fn failure(pod: &Pod, ended: Option<(&ContainerSpec, &cluster::Ended)>) -> String {
    let said = pod.message().map(str::trim).unwrap_or_default();
    match (pod.reason(), ended) {
        (Some("Evicted"), _) => format!("The pod was evicted: {said}"),
        (Some(reason), _) if said.is_empty() => format!("The pod failed: {reason}"),
        (Some(reason), _) => format!("The pod failed: {reason}: {said}"),
        (None, Some((spec, ended))) => format!(
            "Container {} exited with code {} and is not restarted: the pod has failed",
            spec.name, ended.exit_code
        ),
        (None, None) => "The pod failed for an unknown reason".to_owned(),
    }
}

/// The status of a pod that has failed, as evidence. `ended` is the failed container's termination and lifetime.
pub(super) fn failure_status(pod: &Pod, ended: Option<(&cluster::Ended, Option<i64>)>) -> String {
    let said = pod.message().map(str::trim).unwrap_or_default();
    match (pod.reason(), ended) {
        (None, Some((ended, lifetime))) => how_it_ended(ended, lifetime),
        (Some(reason), _) => format!("{reason}: {said}"),
        (None, None) => "phase Failed".to_owned(),
    }
}

/// `container app is not ready, container sidecar is`.
pub(super) fn who_is_ready(pod: &Pod, container: &str) -> String {
    let ready = pod
        .containers()
        .filter(|(spec, status)| spec.role.stays() && status.ready);
    let ready: Vec<&str> = ready.map(|(spec, _)| &*spec.name).collect();
    match &*ready {
        [] => format!("container {container} is not ready"),
        [one] => format!("container {container} is not ready, container {one} is"),
        many => format!(
            "container {container} is not ready, containers {} are",
            many.join(", ")
        ),
    }
}

/// The first container that should be ready and is not.
pub(super) fn unready_container(pod: &Pod) -> Option<(&ContainerSpec, &ContainerStatus)> {
    let mut containers = pod.containers();
    containers.find(|(spec, status)| {
        let done = spec.role == Role::Init
            && matches!(&status.state, State::Terminated(ended) if ended.exit_code == 0);
        !done && !status.ready
    })
}
