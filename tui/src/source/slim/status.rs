//! What kubectl shows under STATUS: the rules of `printPod` in kubectl's printers.

use super::pod::{ContainerStatus, SlimPod};

/// The status of a pod as kubectl shows it.
pub(super) fn status(pod: &SlimPod) -> String {
    let status = &pod.status;
    let mut reason = if status.reason.is_empty() {
        status.phase.clone()
    } else {
        status.reason.clone()
    };
    let is_true = |kind: &str| {
        status
            .conditions
            .iter()
            .any(|condition| condition.r#type == kind && condition.status == "True")
    };
    let gated = status.conditions.iter().any(|condition| {
        condition.r#type == "PodScheduled" && condition.reason == "SchedulingGated"
    });
    if gated {
        "SchedulingGated".clone_into(&mut reason);
    }
    let initializing = initializing(pod);
    if let Some(words) = &initializing {
        reason.clone_from(words);
    }
    if initializing.is_none() || is_true("Initialized") {
        let mut running = false;
        for container in status.container_statuses.iter().rev() {
            match word(container) {
                Some(word) => reason = word,
                None => running |= container.ready && container.state.running.is_some(),
            }
        }
        if reason == "Completed" && running {
            reason = if is_true("Ready") {
                "Running"
            } else {
                "NotReady"
            }
            .to_owned();
        }
    }
    if pod.metadata.deletion_timestamp.is_some() {
        if status.reason == "NodeLost" {
            return "Unknown".to_owned();
        }
        if !matches!(status.phase.as_str(), "Succeeded" | "Failed") {
            return "Terminating".to_owned();
        }
    }
    reason
}

/// Why a container that does not run does not.
fn word(container: &ContainerStatus) -> Option<String> {
    if let Some(waiting) = &container.state.waiting
        && !waiting.reason.is_empty()
    {
        return Some(waiting.reason.clone());
    }
    let ended = container.state.terminated.as_ref()?;
    Some(match (ended.reason.as_str(), ended.signal) {
        ("", 0) => format!("ExitCode:{}", ended.exit_code),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    })
}

/// What the first init container that is not done with is doing.
fn initializing(pod: &SlimPod) -> Option<String> {
    let specs = &pod.spec.init_containers;
    for (at, container) in pod.status.init_container_statuses.iter().enumerate() {
        let stays = specs
            .iter()
            .any(|spec| spec.name == container.name && spec.restart_policy == "Always");
        match &container.state.terminated {
            Some(ended) if ended.exit_code == 0 => continue,
            _ if stays && container.started == Some(true) => continue,
            Some(_) => return word(container).map(|word| format!("Init:{word}")),
            None => {}
        }
        let waiting = container
            .state
            .waiting
            .as_ref()
            .map(|waiting| waiting.reason.as_str());
        return Some(match waiting {
            Some("" | "PodInitializing") | None => format!("Init:{at}/{}", specs.len()),
            Some(reason) => format!("Init:{reason}"),
        });
    }
    None
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
            assert_eq!(status(&pod), expected, "{json}");
        }
    }
}
