//! The containers of a pod in the response of `why`.

use super::{container, has_completed};
use crate::age;
use crate::objects::{ContainerSpec, ContainerStatus, Ended, Pod};
use crate::time::Timestamp;
use crate::why::{Container, Explanation};

/// As [`container`], with the time of the last termination: `does not run: …; it last ended at 2026-11-29T00:00:00Z, 2m
/// ago`. None if the container runs, or its kubelet has not reported it.
pub fn container_at(
    pod: &Pod,
    spec: &ContainerSpec,
    status: &ContainerStatus,
    now: Timestamp,
) -> Option<Explanation> {
    let words = container(pod, spec, status).filter(|_| status.is_reported())?;
    let ended = status.last_ended().and_then(Ended::finished);
    let when = ended.map_or_else(String::new, |ended| {
        let ago = age::human((now.as_secs() - ended.as_secs()).max(0));
        let at = ended.to_rfc3339_seconds();
        format!("; it last ended at {at}, {ago} ago")
    });
    Some(Explanation {
        what: words.what + &when,
        hint: words.hint,
    })
}

/// The containers of a pod in the order of its spec, without init containers that have completed: their states, and why
/// those that do not run do not. What their readings lack is not known here.
pub fn listed_containers(pod: &Pod, now: Timestamp) -> Vec<Container> {
    let listed = pod.containers();
    let listed = listed.filter(|(spec, status)| spec.role.stays() || !has_completed(status));
    let listed = listed.map(|(spec, status)| {
        let idle = container_at(pod, spec, status, now);
        Container {
            message: idle.map_or_else(String::new, |idle| idle.what),
            state: status.is_reported().then(|| status.to_api(false)),
            last_ended: status.last_ended().map(Ended::to_api),
            ..Container::named(&spec.name)
        }
    });
    listed.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::objects::pod::tests::convert;

    #[test]
    fn a_container_that_does_not_run_has_its_state_its_end_and_the_time_of_that() {
        let ended = |code: i32| json!({"terminated": {"exitCode": code, "reason": "Error", "finishedAt": "1970-01-01T00:16:40Z"}});
        let loops = json!({"name": "loops", "restartCount": 7, "lastState": ended(7),
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}});
        let runs = json!({"name": "runs", "lastState": ended(1),
            "state": {"running": {"startedAt": "1970-01-01T00:16:41Z"}}});
        let migrated = json!({"name": "migrated", "state": ended(0)});
        let pod = convert(json!({
            "metadata": {"namespace": "shop", "name": "web-1"},
            "spec": {"nodeName": "n", "initContainers": [{"name": "migrated"}],
                "containers": [{"name": "loops"}, {"name": "runs"}, {"name": "new"}]},
            "status": {"phase": "Running", "initContainerStatuses": [migrated], "containerStatuses": [loops, runs]},
        }));
        let containers = listed_containers(&pod, Timestamp::from_secs(1_130));
        let brief = containers.iter().map(|it| {
            let state = it.state.as_ref().map(|state| state.state.as_str());
            let exit = it.last_ended.as_ref().map(|ended| ended.exit_code);
            (&*it.name, state, exit, &*it.message)
        });
        let loops = "does not run: CrashLoopBackOff after exit 7, 8 times; it last ended at 1970-01-01T00:16:40Z, 2m10s ago";
        assert_eq!(
            brief.collect::<Vec<_>>(),
            [
                ("loops", Some("Waiting"), Some(7), loops),
                ("runs", Some("Running"), Some(1), ""),
                ("new", None, None, ""),
            ]
        );
    }
}
