//! Pods: READY, STATUS and RESTARTS, the way kubectl users read them.

use kubevitals_proto::objects::{Pod, Pools, WirePod};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ages::Ages;
use crate::members::{Members, joined};

pub(super) fn cells(pod: &Value, ages: Ages) -> Vec<Value> {
    let read = WirePod::deserialize(pod).ok();
    let read = read.and_then(|pod| pod.convert(&Pools::default()));
    let summary = read.as_ref().map(Pod::summary);
    let [ready, status, restarts] = summary.map_or_else(Default::default, |it| {
        let restarts = match it.last_restart.filter(|_| it.restarts > 0) {
            Some(last) => format!("{} ({} ago)", it.restarts, ages.since_time(last)),
            None => it.restarts.to_string(),
        };
        let ready = format!("{}/{}", it.ready, it.containers);
        [ready, it.status.into_owned(), restarts]
    });
    let ip = pod
        .list("/status/podIPs")
        .first()
        .map_or(pod.text("/status/podIP"), |ip| ip.text("/ip"));
    vec![
        pod.name(),
        json!(ready),
        json!(status),
        json!(restarts),
        ages.of(pod),
        json!(if ip.is_empty() { "<none>" } else { ip }),
        json!(pod.text_or("/spec/nodeName", "<none>")),
        json!(pod.text_or("/status/nominatedNodeName", "<none>")),
        json!(readiness_gates(pod)),
    ]
}

fn condition<'a>(pod: &'a Value, kind: &str) -> Option<&'a Value> {
    pod.list("/status/conditions")
        .iter()
        .find(|c| c.text("/type") == kind)
}

fn readiness_gates(pod: &Value) -> String {
    let gates = pod.list("/spec/readinessGates");
    if gates.is_empty() {
        return joined(std::iter::empty());
    }
    let holds = |gate: &&Value| {
        condition(pod, gate.text("/conditionType")).is_some_and(|c| c.text("/status") == "True")
    };
    format!("{}/{}", gates.iter().filter(holds).count(), gates.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_restart_is_told_with_their_number() {
        let pod = json!({
            "metadata": {"namespace": "a", "name": "b"},
            "spec": {"containers": [{"name": "one"}, {"name": "two"}]},
            "status": {"phase": "Running", "containerStatuses": [
                {"name": "one", "ready": true, "state": {"running": {}}},
                {"name": "two", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"finishedAt": "2026-01-01T00:55:00Z"}}},
            ]},
        });
        let cells = cells(&pod, Ages::at("2026-01-01T01:00:00Z".parse().unwrap()));
        assert_eq!(cells[1..4], ["1/2", "CrashLoopBackOff", "3 (5m ago)"]);
    }
}
