//! Pods: READY, STATUS and RESTARTS, the way kubectl users read them.

use serde_json::{Value, json};

use super::ages::Ages;
use super::{Members, joined};

pub(super) fn cells(pod: &Value, ages: Ages) -> Vec<Value> {
    let summary = Summary::of(pod);
    let restarts = match summary.last_restart.filter(|_| summary.restarts > 0) {
        Some(last) => format!("{} ({} ago)", summary.restarts, ages.since(last)),
        None => summary.restarts.to_string(),
    };
    let ip = pod
        .list("/status/podIPs")
        .first()
        .map_or(pod.text("/status/podIP"), |ip| ip.text("/ip"));
    vec![
        pod.name(),
        json!(format!("{}/{}", summary.ready, summary.containers)),
        json!(summary.status),
        json!(restarts),
        ages.of(pod),
        json!(if ip.is_empty() { "<none>" } else { ip }),
        json!(pod.text_or("/spec/nodeName", "<none>")),
        json!(pod.text_or("/status/nominatedNodeName", "<none>")),
        json!(readiness_gates(pod)),
    ]
}

/// What the containers of a pod amount to.
struct Summary<'a> {
    ready: usize,
    containers: usize,
    status: String,
    restarts: i64,
    last_restart: Option<&'a str>,
}

/// Restarts of some containers, and when the last one was.
#[derive(Clone, Copy, Default)]
struct Restarts<'a> {
    count: i64,
    last: Option<&'a str>,
}

impl<'a> Restarts<'a> {
    fn add(&mut self, container: &'a Value) {
        self.count += container.int("/restartCount");
        let finished =
            Some(container.text("/lastState/terminated/finishedAt")).filter(|t| !t.is_empty());
        // RFC 3339 in UTC sorts as text.
        self.last = self.last.max(finished);
    }
}

impl<'a> Summary<'a> {
    fn of(pod: &'a Value) -> Self {
        let init_specs = pod.list("/spec/initContainers");
        let sidecar = |name: &str| {
            init_specs
                .iter()
                .any(|c| c.text("/name") == name && c.text("/restartPolicy") == "Always")
        };
        let sidecars = init_specs
            .iter()
            .filter(|c| c.text("/restartPolicy") == "Always")
            .count();
        let mut summary = Self {
            ready: 0,
            containers: pod.list("/spec/containers").len() + sidecars,
            status: pod
                .text_or("/status/reason", pod.text("/status/phase"))
                .to_owned(),
            restarts: 0,
            last_restart: None,
        };
        if condition(pod, "PodScheduled").is_some_and(|c| c.text("/reason") == "SchedulingGated") {
            "SchedulingGated".clone_into(&mut summary.status);
        }
        let (mut all, mut of_sidecars) = (Restarts::default(), Restarts::default());
        let mut initializing = false;
        for (index, container) in pod.list("/status/initContainerStatuses").iter().enumerate() {
            let is_sidecar = sidecar(container.text("/name"));
            all.add(container);
            if is_sidecar {
                of_sidecars.add(container);
            }
            if container
                .at("/state/terminated")
                .is_some_and(|t| t.int("/exitCode") == 0)
            {
                continue;
            }
            if is_sidecar && container.at("/started") == Some(&Value::Bool(true)) {
                summary.ready += usize::from(container.at("/ready") == Some(&Value::Bool(true)));
                continue;
            }
            summary.status = init_status(container, index, init_specs.len());
            initializing = true;
            break;
        }
        let initialized =
            condition(pod, "Initialized").is_some_and(|c| c.text("/status") == "True");
        if !initializing || initialized {
            all = of_sidecars;
            summary.regular(pod, &mut all);
        }
        (summary.restarts, summary.last_restart) = (all.count, all.last);
        if pod.at("/metadata/deletionTimestamp").is_some() {
            if pod.text("/status/reason") == "NodeLost" {
                "Unknown".clone_into(&mut summary.status);
            } else if !matches!(pod.text("/status/phase"), "Failed" | "Succeeded") {
                "Terminating".clone_into(&mut summary.status);
            }
        }
        summary
    }

    /// The regular containers: the first one that is in trouble gives the status.
    fn regular(&mut self, pod: &'a Value, restarts: &mut Restarts<'a>) {
        let mut running = false;
        for container in pod.list("/status/containerStatuses").iter().rev() {
            restarts.add(container);
            let waiting = container.text("/state/waiting/reason");
            if !waiting.is_empty() {
                waiting.clone_into(&mut self.status);
            } else if let Some(terminated) = container.at("/state/terminated") {
                self.status = ending(terminated);
            } else if container.at("/ready") == Some(&Value::Bool(true))
                && container.at("/state/running").is_some()
            {
                running = true;
                self.ready += 1;
            }
        }
        if self.status == "Completed" && running {
            let ready = condition(pod, "Ready").is_some_and(|c| c.text("/status") == "True");
            (if ready { "Running" } else { "NotReady" }).clone_into(&mut self.status);
        }
    }
}

/// The status while an init container has not done its work.
fn init_status(container: &Value, index: usize, init_containers: usize) -> String {
    let waiting = container.text("/state/waiting/reason");
    match container.at("/state/terminated") {
        Some(terminated) => format!("Init:{}", ending(terminated)),
        None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
        None => format!("Init:{index}/{init_containers}"),
    }
}

/// How a container ended: the reason, else the signal, else the exit code.
fn ending(terminated: &Value) -> String {
    match (terminated.text("/reason"), terminated.int("/signal")) {
        ("", 0) => format!("ExitCode:{}", terminated.int("/exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
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

    fn status(pod: &Value) -> String {
        let cells = cells(pod, Ages::at("2026-01-01T01:00:00Z".parse().unwrap()));
        let text = |i: usize| cells[i].as_str().unwrap().to_owned();
        format!("{} {} {}", text(1), text(2), text(3))
    }

    fn pod(phase: &str, containers: Value) -> Value {
        let specs: Vec<_> = containers
            .as_array()
            .unwrap()
            .iter()
            .map(|_| json!({"name": "c"}))
            .collect();
        json!({"spec": {"containers": specs}, "status": {"phase": phase, "containerStatuses": containers}})
    }

    #[test]
    fn the_container_in_trouble_gives_the_status() {
        let running = json!({"ready": true, "state": {"running": {}}});
        let cases = [
            (pod("Running", json!([running])), "1/1 Running 0"),
            (
                pod(
                    "Pending",
                    json!([{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]),
                ),
                "0/1 ImagePullBackOff 0",
            ),
            (
                pod(
                    "Running",
                    json!([running, {"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"finishedAt": "2026-01-01T00:55:00Z"}}}]),
                ),
                "1/2 CrashLoopBackOff 3 (5m ago)",
            ),
            (
                pod(
                    "Running",
                    json!([{"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]),
                ),
                "0/1 OOMKilled 0",
            ),
            (
                pod(
                    "Failed",
                    json!([{"state": {"terminated": {"exitCode": 7}}}]),
                ),
                "0/1 ExitCode:7 0",
            ),
            (
                pod("Failed", json!([{"state": {"terminated": {"signal": 9}}}])),
                "0/1 Signal:9 0",
            ),
            (
                pod(
                    "Succeeded",
                    json!([{"state": {"terminated": {"reason": "Completed"}}}]),
                ),
                "0/1 Completed 0",
            ),
            (
                pod(
                    "Running",
                    json!([{"state": {"terminated": {"reason": "Completed"}}}, running]),
                ),
                "1/2 NotReady 0",
            ),
        ];
        for (pod, expected) in cases {
            assert_eq!(status(&pod), expected, "{pod}");
        }
        let mut evicted = pod("Failed", json!([]));
        evicted["status"]["reason"] = json!("Evicted");
        assert_eq!(status(&evicted), "0/0 Evicted 0");
    }

    #[test]
    fn init_containers_come_first() {
        let init = |init: Value| {
            let mut pod = pod(
                "Pending",
                json!([{"state": {"waiting": {"reason": "PodInitializing"}}}]),
            );
            pod["spec"]["initContainers"] = json!([{"name": "i"}, {"name": "j"}]);
            pod["status"]["initContainerStatuses"] = init;
            status(&pod)
        };
        let done = json!({"name": "i", "state": {"terminated": {"exitCode": 0}}});
        assert_eq!(
            init(json!([{"name": "i", "state": {"running": {}}}])),
            "0/1 Init:0/2 0"
        );
        assert_eq!(
            init(json!([done, {"name": "j", "state": {"running": {}}}])),
            "0/1 Init:1/2 0"
        );
        assert_eq!(
            init(
                json!([{"name": "i", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}])
            ),
            "0/1 Init:Error 0"
        );
        assert_eq!(
            init(
                json!([{"name": "i", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}])
            ),
            "0/1 Init:CrashLoopBackOff 2"
        );
        assert_eq!(init(json!([done, done])), "0/1 PodInitializing 0");
    }

    #[test]
    fn a_sidecar_counts_as_a_container() {
        let mut pod = pod(
            "Running",
            json!([{"ready": true, "state": {"running": {}}}]),
        );
        pod["spec"]["initContainers"] = json!([{"name": "s", "restartPolicy": "Always"}]);
        pod["status"]["initContainerStatuses"] = json!([{"name": "s", "started": true, "ready": true, "restartCount": 1, "state": {"running": {}}}]);
        assert_eq!(status(&pod), "2/2 Running 1");
    }

    #[test]
    fn what_is_being_deleted_is_terminating_unless_it_has_ended() {
        let mut running = pod("Running", json!([]));
        running["metadata"] = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        assert_eq!(status(&running), "0/0 Terminating 0");
        running["status"]["reason"] = json!("NodeLost");
        assert_eq!(status(&running), "0/0 Unknown 0");
        let mut ended = pod(
            "Succeeded",
            json!([{"state": {"terminated": {"reason": "Completed"}}}]),
        );
        ended["metadata"] = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        assert_eq!(status(&ended), "0/1 Completed 0");
    }
}
