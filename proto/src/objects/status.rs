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
        // Why the whole pod failed, as after an eviction, says more than how a container ended.
        if self.reason().is_some() {
            summary.message = self.message().or(summary.message);
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

/// `proto/tests/cases` has the table of STATUS, READY and RESTARTS.
#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::pod::tests::convert;
    use crate::time::Timestamp;

    #[test]
    fn the_message_goes_with_the_status_and_the_last_restart_with_the_restarts() {
        let last = |time: &str| json!({"terminated": {"finishedAt": time}});
        let done = json!({"terminated": {"exitCode": 0}});
        let waits = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}});
        let pod = convert(json!({
            "metadata": {"namespace": "a", "name": "b"},
            "spec": {"initContainers": [{"name": "init"}], "containers": [{"name": "app"}]},
            "status": {
                "initContainerStatuses": [{"name": "init", "lastState": last("1970-01-01T00:00:09Z"), "state": done}],
                "containerStatuses": [{"name": "app", "lastState": last("1970-01-01T00:00:07Z"), "state": waits}],
            },
        }));
        let summary = pod.summary();
        assert_eq!(summary.message, Some("back-off 10s"));
        assert_eq!(summary.last_restart, Some(Timestamp::from_secs(7)));
    }
    #[test]
    fn the_message_of_an_evicted_pod_is_that_of_the_eviction() {
        let low = "The node was low on resource: memory. ";
        let ended =
            json!({"terminated": {"exitCode": 137, "reason": "Error", "message": "killed"}});
        for containers in [json!([]), json!([{"name": "app", "state": ended}])] {
            let pod = convert(json!({
                "metadata": {"namespace": "a", "name": "b"},
                "spec": {"containers": [{"name": "app"}]},
                "status": {"phase": "Failed", "reason": "Evicted", "message": low, "containerStatuses": containers},
            }));
            assert_eq!(pod.summary().message, Some(low));
        }
    }
}
