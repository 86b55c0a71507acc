//! A pod in a line of `kubectl get pods`.

use kubevitals_proto::pod::{ContainerView, PodView, StateView, Summary};

use super::pod::{ContainerStatus, SlimPod};
use super::{count, read};

fn word(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// The line of a pod.
pub(super) fn summary(pod: &SlimPod) -> Summary<'_> {
    let status = &pod.status;
    let condition = |kind: &str| status.conditions.iter().find(|it| it.r#type == kind);
    let is_true = |kind: &str| condition(kind).is_some_and(|it| it.status == "True");
    let scheduled = condition("PodScheduled");
    let unscheduled = scheduled.filter(|it| it.status == "False");
    let view = PodView {
        phase: &status.phase,
        reason: word(&status.reason),
        message: word(&status.message).or_else(|| word(&unscheduled?.message)),
        gated: scheduled.is_some_and(|it| it.reason == "SchedulingGated"),
        initialized: is_true("Initialized"),
        ready: is_true("Ready"),
        deleted: pod.metadata.deletion_timestamp.is_some(),
        init_containers: pod.spec.init_containers.len(),
    };
    let stays = |name: &str| {
        let mut specs = pod.spec.init_containers.iter();
        specs.any(|spec| spec.name == name && spec.restart_policy == "Always")
    };
    let inits = status.init_container_statuses.iter().enumerate();
    let inits = inits.map(|(index, it)| container(index, it, stays(&it.name)));
    let regular = status.container_statuses.iter().enumerate();
    let regular = regular.map(|(index, it)| container(index, it, false));
    Summary::of(&view, inits, regular)
}

fn container(index: usize, status: &ContainerStatus, sidecar: bool) -> ContainerView<'_> {
    let state = &status.state;
    let last = status.last_state.terminated.as_ref();
    ContainerView {
        index,
        sidecar,
        ready: status.ready,
        started: status.started == Some(true),
        restarts: count(Some(status.restart_count)),
        state: if let Some(waiting) = &state.waiting {
            StateView::Waiting {
                reason: word(&waiting.reason),
                message: word(&waiting.message),
            }
        } else if let Some(ended) = &state.terminated {
            StateView::Terminated {
                exit_code: ended.exit_code,
                signal: ended.signal,
                reason: word(&ended.reason),
                message: word(&ended.message),
            }
        } else if state.running.is_some() {
            StateView::Running
        } else {
            StateView::default()
        },
        last_finished: last.and_then(|last| read(last.finished_at.as_ref())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_kubectls() {
        for (json, expected) in [
            (r#"{"status":{"phase":"Pending"}}"#, "Pending"),
            (
                r#"{"status":{"phase":"Failed","reason":"Evicted"}}"#,
                "Evicted",
            ),
            (
                r#"{"status":{"phase":"Running","containerStatuses":[{"name":"a","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}}"#,
                "CrashLoopBackOff",
            ),
            (
                r#"{"status":{"phase":"Running","containerStatuses":[{"name":"a","state":{"terminated":{"exitCode":7,"reason":"Error"}}},
                    {"name":"b","ready":true,"state":{"running":{}}}]}}"#,
                "Error",
            ),
            (
                r#"{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[
                    {"name":"a","state":{"terminated":{"exitCode":0,"reason":"Completed"}}},{"name":"b","ready":true,"state":{"running":{}}}]}}"#,
                "Running",
            ),
            (
                r#"{"spec":{"initContainers":[{"name":"i"},{"name":"j"}]},"status":{"phase":"Pending","initContainerStatuses":[
                    {"name":"i","state":{"terminated":{"exitCode":0}}},{"name":"j","state":{"running":{}}}]}}"#,
                "Init:1/2",
            ),
            (
                r#"{"spec":{"initContainers":[{"name":"i"}]},"status":{"phase":"Pending","initContainerStatuses":[
                    {"name":"i","state":{"terminated":{"exitCode":1}}}]}}"#,
                "Init:ExitCode:1",
            ),
            (
                r#"{"metadata":{"deletionTimestamp":"2026-11-21T05:00:00Z"},"status":{"phase":"Running"}}"#,
                "Terminating",
            ),
        ] {
            let json = if json.contains("\"metadata\"") {
                json.to_owned()
            } else {
                json.replacen('{', r#"{"metadata":{},"#, 1)
            };
            let pod: SlimPod = serde_json::from_str(&json).unwrap();
            assert_eq!(summary(&pod).status, expected, "{json}");
        }
    }
}
