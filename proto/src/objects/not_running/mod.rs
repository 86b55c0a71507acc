//! Why a pod or a container does not run, from its status. A container that does not run has no usage, and the
//! kubelet's log does not explain why.

mod listing;

use std::borrow::Cow;

use super::{ContainerSpec, ContainerStatus, Ended, Phase, Pod, Role, State, Waiting};
use crate::why::Explanation;

pub use listing::{container_at, listed_containers};

/// The waiting reasons of containers that are about their image (pkg/kubelet/images/types.go).
pub const IMAGE_REASONS: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

/// The largest length of a quoted status message, in bytes.
const MAX_MESSAGE: usize = 300;

const DESCRIBE: &str = "look with kubectl describe pod what it waits for";
const LOGS: &str = "look why it ends: kubectl logs --previous, and kubectl get incidents";
const INITIALIZING: &str =
    "wait for the init containers; look with kubectl describe pod if this lasts";
const NOTHING_WRONG: &str = "nothing is wrong: what has ended uses nothing";

/// Why a pod does not run according to its phase: a reason, and its explanation.
pub fn phase(pod: &Pod) -> Option<(&'static str, Explanation)> {
    Some(match pod.phase {
        Phase::Running => return None,
        Phase::Pending => ("pending", pending(pod)),
        Phase::Succeeded => (
            "succeeded",
            words(
                "It has ended well: its containers have completed",
                NOTHING_WRONG,
            ),
        ),
        Phase::Failed => ("failed", failed(pod)),
        Phase::Unknown => (
            "phase_unknown",
            words(
                "Its phase is unknown",
                "its node has most likely been lost: look with kubectl get nodes",
            ),
        ),
    })
}

/// Why no container of a pod in phase Running runs. None if a container runs, or no status has been reported.
pub fn pod(pod: &Pod) -> Option<Explanation> {
    let mut containers = pod.containers();
    if pod.phase != Phase::Running || containers.any(|(_, status)| status.is_running()) {
        return None;
    }
    if pod.deleted_seconds > 0 {
        return Some(words(
            "it is being deleted, and its containers have ended",
            "wait until it is gone; if this lasts, look with kubectl describe pod for finalizers and volumes",
        ));
    }
    let (spec, words) = trouble(pod)?;
    Some(Explanation {
        what: format!("its {} {}", named(spec), words.what),
        ..words
    })
}

/// The container that explains best why a pod does not run: containers that have not completed come before those that
/// have, and app containers and sidecars before init containers.
fn trouble(pod: &Pod) -> Option<(&ContainerSpec, Explanation)> {
    let idle = |init: bool| {
        let containers = pod.containers().filter(move |(spec, status)| {
            (spec.role == Role::Init) == init && status.is_reported()
        });
        containers.filter_map(|(spec, status)| {
            let completed = has_completed(status);
            Some((completed, spec, container(pod, spec, status)?))
        })
    };
    let staying: Vec<_> = idle(false).collect();
    let first = staying.iter().position(|(completed, ..)| !completed);
    let first = staying.into_iter().nth(first.unwrap_or_default());
    let mut inits = idle(true).filter(|(completed, ..)| !completed);
    let (_, spec, words) = first.or_else(|| inits.next())?;
    Some((spec, words))
}

/// `does not run: …`, for a container. None if it runs.
pub fn container(pod: &Pod, spec: &ContainerSpec, status: &ContainerStatus) -> Option<Explanation> {
    let Explanation { what, hint } = match &status.state {
        State::Running { .. } => return None,
        State::Waiting(waiting) => {
            let waiting = waiting.as_deref();
            let reason = waiting.and_then(|waiting| waiting.reason.as_deref());
            waits(pod, spec, status, reason, message(waiting))
        }
        State::Terminated(ended) => terminated(pod, spec, ended),
    };
    Some(Explanation {
        what: format!("does not run: {what}"),
        hint,
    })
}

fn waits(
    pod: &Pod,
    spec: &ContainerSpec,
    status: &ContainerStatus,
    reason: Option<&str>,
    message: Option<Cow<'_, str>>,
) -> Explanation {
    let with_message = |reason: &str| match &message {
        Some(message) => format!("{reason}: {message}"),
        None => reason.to_owned(),
    };
    match reason {
        Some("CrashLoopBackOff") => {
            let last = status.last.as_deref();
            let after = last.map_or_else(String::new, |last| format!(" after {}", ending(last)));
            let times = match status.terminations(pod.stays_ended(spec)) {
                0 | 1 => String::new(),
                times => format!(", {times} times"),
            };
            words(format!("CrashLoopBackOff{after}{times}"), LOGS)
        }
        Some(reason) if IMAGE_REASONS.contains(&reason) => words(
            format!("its image cannot be pulled ({})", with_message(reason)),
            "check the image's name, the pull secrets, and that the node reaches the registry: kubectl describe pod",
        ),
        Some("PodInitializing") => match initializing(pod, Some(spec)) {
            Some(what) => words(what, INITIALIZING),
            None => words("PodInitializing", DESCRIBE),
        },
        Some("ContainerCreating") => words(
            with_message("ContainerCreating"),
            "wait for it; if this lasts, look with kubectl describe pod for a volume or the network that it waits for",
        ),
        Some(reason @ ("CreateContainerConfigError" | "CreateContainerError")) => words(
            with_message(reason),
            "check the ConfigMaps, Secrets and keys that the container names: kubectl describe pod",
        ),
        Some(reason) => words(with_message(reason), DESCRIBE),
        None => match status.last.as_deref() {
            Some(last) => words(format!("ended with {}", ending(last)), LOGS),
            None => words("its kubelet has not started it yet", DESCRIBE),
        },
    }
}

fn terminated(pod: &Pod, spec: &ContainerSpec, ended: &Ended) -> Explanation {
    if ended.exit_code == 0 {
        return words("ended well (Completed)", NOTHING_WRONG);
    }
    let hint = if pod.stays_ended(spec) || pod.phase.is_over() {
        "it is not restarted: see why it ended with kubectl logs and kubectl get incidents"
    } else {
        "its kubelet is about to start it again: look why it ended with kubectl logs --previous, and kubectl get incidents"
    };
    words(format!("ended with {}", ending(ended)), hint)
}

/// The init container that a pod, or a container of it, waits for. None for the next init container: it waits for no
/// other.
fn initializing(pod: &Pod, waiting: Option<&ContainerSpec>) -> Option<String> {
    let inits = || pod.containers().filter(|(spec, _)| spec.role == Role::Init);
    let all = inits().count();
    let mut left = inits()
        .enumerate()
        .filter(|(_, (_, status))| !has_completed(status));
    let (done, (spec, status)) = left
        .next()
        .filter(|(_, (spec, _))| Some(*spec) != waiting)?;
    let place = format!("{} of {all}", done + 1);
    Some(match container(pod, spec, status) {
        Some(words) => format!("init container {} ({place}) {}", spec.name, words.what),
        None => format!("init container {} ({place}) still runs", spec.name),
    })
}

fn pending(pod: &Pod) -> Explanation {
    let what = |what: &str| format!("It has not started: {what}");
    if pod.gated {
        return words(
            what("it has scheduling gates (SchedulingGated)"),
            "look with kubectl get pod --output yaml at spec.schedulingGates, and for what is to remove them",
        );
    }
    if pod.node.is_none() {
        let hint = "look with kubectl describe pod which nodes the scheduler refuses, and why";
        let why = match pod.message().and_then(quoted) {
            Some(message) => format!("no node has been found for it: {message}"),
            None => "no node has been found for it yet".to_owned(),
        };
        return words(what(&why), hint);
    }
    if pod.deleted_seconds > 0 {
        return words(
            what("it is being deleted"),
            "wait until it is gone; if this lasts, look with kubectl describe pod for finalizers",
        );
    }
    let initializing = initializing(pod, None).filter(|_| !pod.initialized);
    if let Some(progress) = initializing {
        return words(what(&progress), INITIALIZING);
    }
    match trouble(pod) {
        Some((spec, words)) => Explanation {
            what: what(&format!("{} {}", named(spec), words.what)),
            ..words
        },
        None => words(
            what("its kubelet has reported no status of its containers yet"),
            "wait a moment; if this lasts, look with kubectl describe pod what it waits for: an image, a volume, an \
             init container",
        ),
    }
}

fn failed(pod: &Pod) -> Explanation {
    let because = |what: &str| match pod.message().and_then(quoted) {
        Some(message) => format!("{what}: {message}"),
        None => what.to_owned(),
    };
    match pod.reason() {
        Some("Evicted") => words(
            because("It was evicted"),
            "look at the node's conditions with kubectl describe node, and at kubectl get incidents",
        ),
        Some(reason) => words(
            because(&format!("It has failed: {reason}")),
            "look with kubectl describe pod why it ended",
        ),
        None => {
            let mut containers = pod.containers();
            let ended = containers.find_map(|(spec, status)| match &status.state {
                State::Terminated(ended) if ended.exit_code != 0 => {
                    let (container, ending) = (named(spec), ending(ended));
                    Some(format!("It has failed: {container} ended with {ending}"))
                }
                _ => None,
            });
            words(
                ended.unwrap_or_else(|| "It has failed for an unknown reason".to_owned()),
                "look with kubectl logs and kubectl describe pod why it ended",
            )
        }
    }
}

/// `exit 7`, or `OOMKilled (exit 137)`.
fn ending(ended: &Ended) -> String {
    match ended.reason.as_deref() {
        None | Some("" | "Error" | "Completed") => format!("exit {}", ended.exit_code),
        Some(reason) => format!("{reason} (exit {})", ended.exit_code),
    }
}

/// Whether a container has ended well.
pub fn has_completed(status: &ContainerStatus) -> bool {
    matches!(&status.state, State::Terminated(ended) if ended.exit_code == 0)
}

fn named(spec: &ContainerSpec) -> String {
    match spec.role {
        Role::Init => format!("init container {}", spec.name),
        Role::Sidecar => format!("sidecar {}", spec.name),
        Role::App => format!("container {}", spec.name),
    }
}

fn message(waiting: Option<&Waiting>) -> Option<Cow<'_, str>> {
    quoted(waiting?.message.as_deref()?)
}

/// A message on one line, cut at [`MAX_MESSAGE`]. None if it is empty.
fn quoted(message: &str) -> Option<Cow<'_, str>> {
    let message = message.trim().trim_end_matches('.');
    if message.is_empty() {
        return None;
    }
    let mut one_line = match message.contains(['\n', '\r']) {
        true => Cow::Owned(message.split_whitespace().collect::<Vec<_>>().join(" ")),
        false => Cow::Borrowed(message),
    };
    if one_line.len() > MAX_MESSAGE {
        let text = one_line.to_mut();
        text.truncate(text.floor_char_boundary(MAX_MESSAGE));
        text.push('…');
    }
    Some(one_line)
}

fn words(what: impl Into<String>, hint: &'static str) -> Explanation {
    Explanation {
        what: what.into(),
        hint,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::pod::tests::convert;
    use super::*;

    /// A pod with this spec and status.
    fn pod_of(phase: &str, spec: Value, mut status: Value) -> Pod {
        status["phase"] = json!(phase);
        let metadata = json!({"namespace": "shop", "name": "web-1", "uid": "u"});
        convert(json!({"metadata": metadata, "spec": spec, "status": status}))
    }

    /// The spec of a pod with the container `web` on a node.
    fn web() -> Value {
        json!({"nodeName": "n", "containers": [{"name": "web"}]})
    }

    /// A pod whose only container has this status.
    fn one(phase: &str, mut status: Value) -> Pod {
        status["name"] = json!("web");
        pod_of(phase, web(), json!({"containerStatuses": [status]}))
    }

    /// The status of a container that has ended.
    fn ended(exit_code: u8, reason: &str) -> Value {
        json!({"terminated": {"exitCode": exit_code, "reason": reason}})
    }

    /// The kubelet gives this reason to every init container that has not begun, the first one too.
    #[test]
    fn next_init_container_waits_for_no_other() {
        let waits =
            |name: &str| json!({"name": name, "state": {"waiting": {"reason": "PodInitializing"}}});
        let spec = json!({
            "nodeName": "n", "containers": [{"name": "web"}], "initContainers": [{"name": "a"}, {"name": "b"}],
        });
        let status = json!({
            "containerStatuses": [waits("web")], "initContainerStatuses": [waits("a"), waits("b")],
        });
        let pod = pod_of("Pending", spec, status);
        let of = |name: &str| {
            let (spec, status) = pod.container(name).unwrap();
            container(&pod, spec, status).unwrap().what
        };
        assert_eq!(of("a"), "does not run: PodInitializing");
        let waiting = "does not run: init container a (1 of 2) does not run: PodInitializing";
        assert_eq!([of("b"), of("web")], [waiting, waiting]);
    }

    #[test]
    fn running_pod_without_running_containers_is_explained() {
        let waits = |reason: &str, message: &str| json!({"state": {"waiting": {"reason": reason, "message": message}}});
        let crashes = |restarts: u32, last: Value| {
            let mut status = waits(
                "CrashLoopBackOff",
                "back-off 5m0s restarting failed container",
            );
            status["restartCount"] = json!(restarts);
            status["lastState"] = last;
            status
        };
        let secret = "secret \"db\"\nnot found";
        let pull = "Back-off pulling image \"web:2\"";
        for (state, expected) in [
            (
                crashes(7, ended(7, "Error")),
                "CrashLoopBackOff after exit 7, 8 times",
            ),
            (
                crashes(2, ended(137, "OOMKilled")),
                "CrashLoopBackOff after OOMKilled (exit 137), 3 times",
            ),
            (crashes(0, ended(1, "")), "CrashLoopBackOff after exit 1"),
            (
                waits("ImagePullBackOff", pull),
                "its image cannot be pulled (ImagePullBackOff: Back-off pulling image \"web:2\")",
            ),
            (
                waits("ErrImageNeverPull", ""),
                "its image cannot be pulled (ErrImageNeverPull)",
            ),
            (
                waits("CreateContainerConfigError", secret),
                "CreateContainerConfigError: secret \"db\" not found",
            ),
            (waits("ContainerCreating", ""), "ContainerCreating"),
            (json!({"state": ended(3, "Error")}), "ended with exit 3"),
            (
                json!({"state": ended(0, "Completed")}),
                "ended well (Completed)",
            ),
            (
                json!({"state": {"waiting": {}}, "lastState": ended(9, "")}),
                "ended with exit 9",
            ),
        ] {
            let pod = one("Running", state);
            let Explanation { what, hint } = super::pod(&pod).unwrap();
            assert_eq!(what, format!("its container web does not run: {expected}"));
            assert!(hint.len() > 20 && !hint.contains("kubelet's log"), "{hint}");
        }
    }

    #[test]
    fn running_pods_and_pods_without_status_need_no_explanation() {
        let runs = json!({"state": {"running": {"startedAt": "2026-11-29T00:00:00Z"}}});
        assert_eq!(super::pod(&one("Running", runs)), None);
        assert_eq!(super::pod(&pod_of("Running", web(), json!({}))), None);
    }

    #[test]
    fn looping_container_comes_before_a_completed_one() {
        let spec = json!({"nodeName": "n", "containers": [{"name": "done"}, {"name": "loops"}]});
        let statuses = json!({"containerStatuses": [
            {"name": "done", "state": ended(0, "Completed")},
            {"name": "loops", "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
        ]});
        let what = super::pod(&pod_of("Running", spec, statuses)).unwrap().what;
        let expected = "its container loops does not run: CrashLoopBackOff";
        assert!(what.starts_with(expected), "{what}");
    }

    #[test]
    fn pending_pod_names_what_it_waits_for() {
        let bound = json!({
            "nodeName": "n", "initContainers": [{"name": "wait"}, {"name": "migrate"}],
            "containers": [{"name": "web"}],
        });
        let free = json!({"containers": [{"name": "web"}]});
        let web = json!([{"name": "web", "state": {"waiting": {"reason": "PodInitializing"}}}]);
        let done = json!({"name": "wait", "state": {"terminated": {"exitCode": 0}}});
        let inits = |second: Value| {
            let second = json!({"name": "migrate", "state": second});
            json!({"initContainerStatuses": [done, second], "containerStatuses": web})
        };
        let scheduled = |reason: &str, message: &str| {
            let no = json!({"type": "PodScheduled", "status": "False", "reason": reason, "message": message});
            json!({"conditions": [no]})
        };
        let no_node = scheduled(
            "Unschedulable",
            "0/3 nodes are available: 3 Insufficient cpu.",
        );
        let gated = scheduled("SchedulingGated", "");
        let waiting = |reason: &str| json!({"waiting": {"reason": reason}});
        for (spec, status, expected) in [
            (
                &free,
                no_node,
                "no node has been found for it: 0/3 nodes are available: 3 Insufficient cpu",
            ),
            (&free, json!({}), "no node has been found for it yet"),
            (&free, gated, "it has scheduling gates (SchedulingGated)"),
            (
                &bound,
                inits(json!({"running": {}})),
                "init container migrate (2 of 2) still runs",
            ),
            (
                &bound,
                inits(waiting("CrashLoopBackOff")),
                "init container migrate (2 of 2) does not run: CrashLoopBackOff",
            ),
            (
                &bound,
                inits(waiting("ImagePullBackOff")),
                "init container migrate (2 of 2) does not run: its image cannot be pulled (ImagePullBackOff)",
            ),
        ] {
            let (reason, words) = phase(&pod_of("Pending", spec.clone(), status)).unwrap();
            assert_eq!(reason, "pending");
            assert_eq!(words.what, format!("It has not started: {expected}"));
        }
        let creating = json!({"state": {"waiting": {"reason": "ContainerCreating"}}});
        let (_, words) = phase(&one("Pending", creating)).unwrap();
        let expected = "It has not started: container web does not run: ContainerCreating";
        assert_eq!(words.what, expected);
    }

    #[test]
    fn ended_pod_names_how_it_ended() {
        let evicted =
            json!({"reason": "Evicted", "message": "The node was low on resource: memory."});
        let evicted = pod_of("Failed", web(), evicted);
        let failed = one("Failed", json!({"state": ended(2, "")}));
        let succeeded = one("Succeeded", json!({"state": ended(0, "")}));
        for (pod, reason, expected) in [
            (
                evicted,
                "failed",
                "It was evicted: The node was low on resource: memory",
            ),
            (
                failed,
                "failed",
                "It has failed: container web ended with exit 2",
            ),
            (
                succeeded,
                "succeeded",
                "It has ended well: its containers have completed",
            ),
        ] {
            let (found, words) = phase(&pod).unwrap();
            assert_eq!((found, words.what.as_str()), (reason, expected));
        }
    }

    #[test]
    fn deletion_is_named() {
        let metadata = json!({
            "namespace": "shop", "name": "web-1", "uid": "u", "deletionTimestamp": "2026-11-29T00:00:00Z",
        });
        let status = json!({"name": "web", "state": ended(143, "")});
        let pod = convert(json!({
            "metadata": metadata, "spec": web(),
            "status": {"phase": "Running", "containerStatuses": [status]},
        }));
        let what = super::pod(&pod).unwrap().what;
        assert!(what.starts_with("it is being deleted"), "{what}");
    }

    #[test]
    fn long_message_is_cut() {
        let long = "é".repeat(MAX_MESSAGE);
        let text = quoted(&long).unwrap();
        assert!(text.len() <= MAX_MESSAGE + '…'.len_utf8() && text.ends_with('…'));
        assert_eq!(quoted(" \n "), None);
    }
}
