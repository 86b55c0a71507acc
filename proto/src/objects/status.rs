//! kubectl's columns STATUS, READY and RESTARTS of pods and nodes: the rules of `printPod` and `printNode` in Kubernetes'
//! pkg/printers/internalversion/printers.go.

use std::borrow::Cow;

use super::container::Position;
use super::{ContainerSpec, ContainerStatus, Ended, Node, Pod, Role, State, text};
use crate::time::Timestamp;

/// A line of `kubectl get pods`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary<'a> {
    /// STATUS.
    pub status: Cow<'a, str>,
    /// The message that goes with the status, if there is one.
    pub message: Option<&'a str>,
    /// READY, before the slash: containers and sidecars that are ready.
    pub ready: u32,
    /// READY, after the slash: containers and sidecars.
    pub containers: u32,
    /// RESTARTS: those of init containers count only until they are done.
    pub restarts: u32,
    /// The time of the last of these restarts.
    pub last_restart: Option<Timestamp>,
}

/// The number of restarts of some containers, and the time of the last one.
#[derive(Debug, Default)]
struct Restarts {
    count: u32,
    last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, container: &ContainerStatus) {
        let last = container.last.as_deref();
        let finished = last.and_then(|last| text::time(last.finished_seconds));
        self.count = self.count.saturating_add(container.restarts);
        self.last = self.last.max(finished);
    }
}

impl Pod {
    /// The pod's line in `kubectl get pods`.
    pub fn summary(&self) -> Summary<'_> {
        let specs = self.template.containers.iter();
        let staying = specs.filter(|it| it.role.stays()).count();
        let mut summary = Summary {
            status: self.reason().unwrap_or(self.phase.as_str()).into(),
            message: self.message(),
            ready: 0,
            containers: u32::try_from(staying).unwrap_or(u32::MAX),
            restarts: 0,
            last_restart: None,
        };
        if self.gated {
            summary.status = "SchedulingGated".into();
        }
        let (mut all, mut sidecars) = (Restarts::default(), Restarts::default());
        let initializing = summary.init(self, &mut all, &mut sidecars);
        if !initializing || self.initialized {
            all = sidecars;
            summary.regular(self, &mut all);
        }
        (summary.restarts, summary.last_restart) = (all.count, all.last);
        // A pod that is being deleted is Terminating, unless it is over.
        if self.deleted_seconds > 0 {
            if self.reason() == Some("NodeLost") {
                summary.status = "Unknown".into();
            } else if !self.phase.is_over() {
                summary.status = "Terminating".into();
            }
        }
        summary
    }

    /// The containers of one list of statuses, with their index in it. kubectl uses the order of the list, which the
    /// kubelet sorts by name.
    fn listed(
        &self,
        init: bool,
    ) -> impl DoubleEndedIterator<Item = (usize, &ContainerSpec, &ContainerStatus)> {
        let of_kind = move |spec: &ContainerSpec, it: &ContainerStatus| {
            spec.role.is_init() == init && it.is_reported()
        };
        let positions = self
            .containers()
            .filter(move |(spec, it)| of_kind(spec, it));
        let most = positions.map(|(_, it)| it.position.index() + 1).max();
        (0..most.unwrap_or_default()).filter_map(move |index| {
            let position = Position::of(index);
            let mut all = self.containers();
            all.find(|(spec, it)| of_kind(spec, it) && it.position == position)
                .map(|(spec, it)| (index, spec, it))
        })
    }
}

impl<'a> Summary<'a> {
    /// Adds the init containers up to the first that is not done, and returns whether there is such a container. kubectl
    /// ignores the sidecars after that one.
    fn init(&mut self, pod: &'a Pod, all: &mut Restarts, sidecars: &mut Restarts) -> bool {
        for (index, spec, container) in pod.listed(true) {
            let is_sidecar = spec.role == Role::Sidecar;
            all.add(container);
            if is_sidecar {
                sidecars.add(container);
            }
            let progress = || {
                let specs = pod.template.containers.iter();
                let inits = specs.filter(|it| it.role.is_init()).count();
                format!("Init:{index}/{inits}")
            };
            let (status, message) = match &container.state {
                State::Terminated(ended) if ended.exit_code == 0 => continue,
                _ if is_sidecar && container.started => {
                    self.ready += u32::from(container.ready);
                    continue;
                }
                State::Terminated(ended) => {
                    (format!("Init:{}", ending(ended)), ended.message.as_deref())
                }
                State::Waiting(waiting) => {
                    let waiting = waiting.as_deref();
                    let message = waiting.and_then(|it| it.message.as_deref());
                    match container.waiting_reason() {
                        Some(reason) if reason != "PodInitializing" => {
                            (format!("Init:{reason}"), message)
                        }
                        _ => (progress(), message),
                    }
                }
                State::Running { .. } => (progress(), None),
            };
            self.status = status.into();
            self.message = message.or(self.message);
            return true;
        }
        false
    }

    /// The others: the first one that is in trouble gives the status.
    fn regular(&mut self, pod: &'a Pod, all: &mut Restarts) {
        let mut runs = false;
        for (_, _, container) in pod.listed(false).rev() {
            all.add(container);
            match &container.state {
                State::Waiting(Some(waiting)) => {
                    if let Some(reason) = waiting.reason.as_deref() {
                        self.status = reason.into();
                        self.message = waiting.message.as_deref();
                    }
                }
                State::Terminated(ended) => {
                    self.status = ending(ended);
                    self.message = ended.message.as_deref();
                }
                State::Running { .. } if container.ready => {
                    runs = true;
                    self.ready += 1;
                }
                State::Running { .. } | State::Waiting(None) => {}
            }
        }
        if self.status == "Completed" && runs {
            let is_ready = pod.ready.status;
            self.status = if is_ready { "Running" } else { "NotReady" }.into();
        }
    }
}

/// How a container ended: the reason, else the signal, else the exit code.
fn ending(ended: &Ended) -> Cow<'_, str> {
    match (ended.reason.as_deref(), ended.signal) {
        (Some(reason), _) => reason.into(),
        (None, 0) => format!("ExitCode:{}", ended.exit_code).into(),
        (None, signal) => format!("Signal:{signal}").into(),
    }
}

impl Node {
    /// STATUS of `kubectl get nodes` (`printNode`, likewise) of the node, were it ready or not.
    pub fn status(&self, ready: bool) -> &'static str {
        let is_ready_known = self.ready || self.unready.is_some();
        match (is_ready_known, ready, self.unschedulable) {
            (true, true, false) => "Ready",
            (true, true, true) => "Ready,SchedulingDisabled",
            (true, false, false) => "NotReady",
            (true, false, true) => "NotReady,SchedulingDisabled",
            (false, _, false) => "Unknown",
            (false, _, true) => "Unknown,SchedulingDisabled",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::time::Timestamp;

    use super::super::pod::tests::convert;

    /// STATUS, READY and RESTARTS of a pod with these containers; one whose name begins with `s` is a sidecar.
    fn line(pod: Value) -> String {
        let pod = convert(pod);
        let line = pod.summary();
        format!(
            "{}/{} {} {}",
            line.ready, line.containers, line.status, line.restarts
        )
    }

    fn pod(phase: &str, inits: Value, apps: Value) -> Value {
        let specs = |statuses: &Value| -> Vec<Value> {
            let all = statuses.as_array().unwrap().iter();
            all.enumerate()
                .map(|(at, status)| {
                    let name = status["name"]
                        .as_str()
                        .map_or(at.to_string(), str::to_owned);
                    let always = name.starts_with('s').then_some("Always");
                    json!({"name": name, "restartPolicy": always})
                })
                .collect()
        };
        let named = |statuses: &Value| -> Vec<Value> {
            let mut all = statuses.as_array().unwrap().clone();
            for (at, status) in all.iter_mut().enumerate() {
                if status["name"].is_null() {
                    status["name"] = at.to_string().into();
                }
            }
            all
        };
        json!({
            "metadata": {"namespace": "a", "name": "b"},
            "spec": {"initContainers": specs(&inits), "containers": specs(&apps)},
            "status": {"phase": phase, "initContainerStatuses": named(&inits), "containerStatuses": named(&apps)},
        })
    }

    /// Cases of Kubernetes' own TestPrintPod and its like.
    #[test]
    fn the_container_in_trouble_gives_the_status() {
        let run = || json!({"ready": true, "state": {"running": {}}});
        let ended = |members: Value| json!({"state": {"terminated": members}});
        let waits =
            |reason: &str| json!({"restartCount": 3, "state": {"waiting": {"reason": reason}}});
        for (phase, apps, expected) in [
            ("Running", json!([run()]), "1/1 Running 0"),
            (
                "Running",
                json!([run(), {"state": {"running": {}}}]),
                "1/2 Running 0",
            ),
            (
                "Pending",
                json!([waits("ImagePullBackOff")]),
                "0/1 ImagePullBackOff 3",
            ),
            (
                "Running",
                json!([run(), waits("CrashLoopBackOff")]),
                "1/2 CrashLoopBackOff 3",
            ),
            ("Running", json!([waits("One"), waits("Two")]), "0/2 One 6"),
            (
                "Running",
                json!([ended(json!({"reason": "OOMKilled", "exitCode": 137}))]),
                "0/1 OOMKilled 0",
            ),
            (
                "Failed",
                json!([ended(json!({"exitCode": 7}))]),
                "0/1 ExitCode:7 0",
            ),
            (
                "Failed",
                json!([ended(json!({"signal": 9, "exitCode": 137}))]),
                "0/1 Signal:9 0",
            ),
            (
                "Succeeded",
                json!([ended(json!({"reason": "Completed"}))]),
                "0/1 Completed 0",
            ),
            (
                "Running",
                json!([ended(json!({"reason": "Completed"})), run()]),
                "1/2 NotReady 0",
            ),
            ("Running", json!([]), "0/0 Running 0"),
            ("Pending", json!([waits("")]), "0/1 Pending 3"),
        ] {
            assert_eq!(line(pod(phase, json!([]), apps)), expected);
        }
        let mut ready = pod(
            "Running",
            json!([]),
            json!([ended(json!({"reason": "Completed"})), run()]),
        );
        ready["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}]);
        assert_eq!(line(ready), "1/2 Running 0");
    }

    #[test]
    fn init_containers_come_first_and_sidecars_count() {
        let app =
            || json!([{"restartCount": 1, "state": {"waiting": {"reason": "PodInitializing"}}}]);
        let done = || json!({"restartCount": 2, "state": {"terminated": {"exitCode": 0}}});
        let side = |ready: bool| json!({"name": "s", "started": true, "ready": ready, "restartCount": 4, "state": {"running": {}}});
        for (inits, expected) in [
            (json!([{"state": {"running": {}}}, {}]), "0/1 Init:0/2 0"),
            (
                json!([done(), {"state": {"waiting": {"reason": "PodInitializing"}}}]),
                "0/1 Init:1/2 2",
            ),
            (
                json!([{"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]),
                "0/1 Init:Error 0",
            ),
            (
                json!([{"state": {"terminated": {"exitCode": 1}}}]),
                "0/1 Init:ExitCode:1 0",
            ),
            (
                json!([{"state": {"terminated": {"exitCode": 1, "signal": 11}}}]),
                "0/1 Init:Signal:11 0",
            ),
            (
                json!([{"restartCount": 5, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]),
                "0/1 Init:CrashLoopBackOff 5",
            ),
            (json!([done(), done()]), "0/1 PodInitializing 1"),
            (json!([done(), side(true)]), "1/2 PodInitializing 5"),
            (
                json!([side(true), {"state": {"running": {}}}]),
                "1/2 Init:1/2 4",
            ),
            (
                json!([{"name": "s", "started": false, "state": {"running": {}}}]),
                "0/2 Init:0/1 0",
            ),
        ] {
            assert_eq!(line(pod("Pending", inits, app())), expected);
        }
        // A sidecar that crashes after all have started does not hide the others.
        let crashed = json!([{"name": "s", "restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]);
        let mut late = pod(
            "Running",
            crashed,
            json!([{"ready": true, "state": {"running": {}}}]),
        );
        late["status"]["conditions"] = json!([{"type": "Initialized", "status": "True"}]);
        assert_eq!(line(late), "1/2 Init:CrashLoopBackOff 1");
    }

    #[test]
    fn statuses_are_read_in_their_own_order() {
        let mut pod = pod(
            "Running",
            json!([]),
            json!([{"name": "z", "state": {"waiting": {"reason": "Z"}}}, {"name": "a", "state": {"waiting": {"reason": "A"}}}]),
        );
        assert_eq!(line(pod.clone()), "0/2 Z 0");
        let statuses = pod["status"]["containerStatuses"].as_array_mut().unwrap();
        statuses.reverse();
        assert_eq!(line(pod), "0/2 A 0");
    }

    #[test]
    fn what_is_said_of_the_whole_pod_comes_before_its_phase() {
        let with = |phase: &str, reason: &str, deleted: bool| {
            let mut pod = pod(phase, json!([]), json!([]));
            pod["status"]["reason"] = reason.into();
            if deleted {
                pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
            }
            line(pod)
        };
        assert_eq!(with("Failed", "Evicted", false), "0/0 Evicted 0");
        assert_eq!(with("Running", "", true), "0/0 Terminating 0");
        assert_eq!(with("Running", "NodeLost", true), "0/0 Unknown 0");
        assert_eq!(with("Succeeded", "", true), "0/0 Succeeded 0");
        let mut gated = pod("Pending", json!([]), json!([]));
        gated["status"]["conditions"] =
            json!([{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]);
        assert_eq!(line(gated), "0/0 SchedulingGated 0");
    }

    #[test]
    fn the_message_goes_with_the_status_and_the_last_restart_with_the_restarts() {
        let pod = convert(pod(
            "Running",
            json!([{"lastState": {"terminated": {"finishedAt": "1970-01-01T00:00:09Z"}}, "state": {"terminated": {"exitCode": 0}}}]),
            json!([{"restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
                "lastState": {"terminated": {"finishedAt": "1970-01-01T00:00:07Z"}}}]),
        ));
        let summary = pod.summary();
        assert_eq!(summary.message, Some("back-off 10s"));
        assert_eq!(summary.last_restart, Some(Timestamp::from_secs(7)));
    }
}
