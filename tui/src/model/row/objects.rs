//! Converts Kubernetes objects to rows, for sources without kubevitals.io.

use std::sync::Arc;

use kubevitals_proto::objects::{
    self, ConditionStatus, ContainerSpec, ContainerStatus, PodTemplate, Resources, State,
};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::Bytes;
use kubevitals_proto::vitals::{Cause, Certainty, ProbeKind, ProbeStatus};

use super::{
    Bounds, Container, ContainerState, Gpu, LastRestart, NodeRow, PodGpus, PodRow, Probe, Probes,
    Resize, Restarts, Workload, is_recent, to_seconds, uid_hash,
};
use crate::model::amount::{Amounts, Memory};
use crate::model::images::joined;
use crate::model::name::Names;

impl From<Resources> for Amounts {
    fn from(resources: Resources) -> Self {
        Self {
            cpu: resources.cpu.into(),
            memory: resources.memory.into(),
        }
    }
}

/// The scheduler's requests of such a pod, and the most that it can use.
fn bounds(template: &PodTemplate) -> Bounds {
    Bounds::new(template.requests(), template.bound())
}

impl PodRow {
    /// The row of a pod. The CronJob of its Job comes from the Job.
    #[must_use]
    pub fn from_object(pod: &objects::Pod, names: &Names, now: Timestamp) -> Self {
        let line = pod.summary();
        let has = bounds(pod.in_force());
        let counted = match pod.resize() {
            Some(resize) => Bounds::new(resize.requests, resize.limits),
            None => Bounds::new(has.requests, pod.template.limits()),
        };
        let mut row = Self {
            namespace: Arc::clone(&pod.key.namespace),
            name: names.intern(&pod.key.name),
            uid: uid_hash(pod.uid),
            node: pod.node.clone().unwrap_or_default(),
            status: names.intern(&line.status),
            message: line.message.map(Into::into),
            phase: pod.phase,
            ready: pod.ready.status,
            ready_containers: u16::try_from(line.ready).unwrap_or(u16::MAX),
            total_containers: u16::try_from(line.containers).unwrap_or(u16::MAX),
            workload: pod
                .workload(|_| None)
                .map(|(kind, name)| Workload::new(names.intern(kind), names.intern(name))),
            labels: pod.labels.clone(),
            created_seconds: pod.created_seconds,
            requests: has.requests,
            limits: has.limits,
            counted: (counted != has).then(|| Box::new(counted)),
            gpus: PodGpus::boxed(
                Gpu::requested(pod.in_force().requests().gpus),
                pod.containers()
                    .map(|(spec, _)| Gpu::requested(spec.requests.gpus)),
            ),
            resize: pod.resize().map(|it| Box::new(resize(pod, it))),
            restarts: Restarts {
                count: line.restarts,
                ..Restarts::default()
            },
            containers: pod
                .containers()
                .map(|(spec, status)| Container::from_object(pod, (spec, status), names, now))
                .collect(),
            images: joined(
                pod.containers()
                    .map(|(spec, _)| (&*spec.name, &*spec.image)),
                names,
            ),
            ..Self::default()
        };
        row.sum_probes();
        row.sum_restarts();
        row
    }
}

fn resize(pod: &objects::Pod, resize: &objects::Resize) -> Resize {
    let desired = pod.template.containers.iter();
    let resized = desired.zip(&resize.in_force.containers);
    let resized = resized.filter(|(desired, has)| desired.is_resized(has));
    Resize {
        state: resize.state,
        message: resize.message.clone().unwrap_or_default(),
        desired: bounds(&pod.template),
        containers: resized
            .map(|(desired, _)| {
                let bounds = Bounds::new(desired.requests, desired.limits);
                (Arc::clone(&desired.name), bounds)
            })
            .collect(),
    }
}

impl Container {
    fn from_object(
        pod: &objects::Pod,
        (spec, status): (&ContainerSpec, &ContainerStatus),
        names: &Names,
        now: Timestamp,
    ) -> Self {
        let (state, reason, since_seconds) = match &status.state {
            State::Waiting(waiting) => {
                let reason = waiting.as_deref().and_then(|it| it.reason.as_ref());
                (ContainerState::Waiting, reason, 0)
            }
            State::Running { since_seconds } => (ContainerState::Running, None, *since_seconds),
            State::Terminated(ended) => (
                ContainerState::Terminated,
                ended.reason.as_ref(),
                ended.finished_seconds,
            ),
        };
        let (mut probes, mut failing_from_seconds) = (Probes::default(), 0);
        let mut each_probe = Vec::new();
        for (kind, probe) in spec.probes() {
            let how = probe.status(kind, status, now);
            probes.count(kind, how);
            each_probe.push(Probe {
                kind,
                status: how,
                threshold: probe.failure_threshold,
                description: names.intern(&probe.description),
                ..Probe::default()
            });
            if (kind, how) == (ProbeKind::Readiness, ProbeStatus::Waiting) {
                let running = Timestamp::from_secs(since_seconds.into());
                failing_from_seconds = to_seconds(Some(probe.first_attempt(running)));
            }
        }
        Self {
            name: Arc::clone(&spec.name),
            role: spec.role,
            state,
            reason: reason.cloned().unwrap_or_default(),
            since_seconds,
            ready: status.ready,
            probes,
            each_probe: each_probe.into(),
            failing_from_seconds,
            usage: Amounts::default(),
            swap: Memory::NONE,
            requests: spec.requests.into(),
            limits: spec.limits.into(),
            restarts: restarts(pod, spec, status, now),
        }
    }
}

/// The restarts of a container as the kubelet counts them, and its last termination, including one whose restart is
/// pending.
fn restarts(
    pod: &objects::Pod,
    spec: &ContainerSpec,
    status: &ContainerStatus,
    now: Timestamp,
) -> Restarts {
    let count = status.restarts;
    let is_over = pod.deleted_seconds > 0 || pod.phase.is_over();
    let again = !is_over && status.terminations(pod.stays_ended(spec)) > count;
    let ended = match &status.state {
        State::Terminated(ended) if again => Some(ended),
        _ => status.last.as_ref(),
    };
    let last = ended.filter(|_| again || count > 0).map(|ended| {
        let (cause, certainty) = if ended.reason.as_deref() == Some("OOMKilled") {
            (Cause::OomKilled, Certainty::Direct)
        } else {
            (Cause::Unknown, Certainty::Unknown)
        };
        Box::new(LastRestart {
            reason: ended.reason.clone().unwrap_or_default(),
            exit_code: ended.exit_code,
            finished: objects::time(ended.finished_seconds),
            started: objects::time(ended.started_seconds),
            cause,
            certainty,
        })
    });
    let finished = last.as_ref().and_then(|last| last.finished);
    let recent = match (is_recent(finished, now), is_recent(pod.created(), now)) {
        (false, _) => 0,
        // The pod itself is recent, so all its restarts are.
        (true, true) => count.saturating_add(u32::from(again)),
        // The time of earlier restarts is unknown; the dashboard may have observed some.
        (true, false) => 1,
    };
    Restarts {
        count,
        recent,
        last,
    }
}

impl NodeRow {
    /// The row of a node.
    #[must_use]
    pub fn from_object(node: &objects::Node, names: &Names) -> Self {
        let unready = node.unready.as_ref();
        let conditions = node.conditions.iter();
        Self {
            name: Arc::clone(&node.name),
            status: names.intern(node.status(node.ready)),
            ready: node.ready,
            lost: unready.is_some_and(|it| it.status == ConditionStatus::Unknown),
            conditions: conditions.map(|it| Arc::clone(&it.kind)).collect(),
            labels: node.labels.clone(),
            created_seconds: node.created_seconds,
            capacity: node.capacity.into(),
            taints: (!node.taints.is_empty()).then(|| names.intern(&node.taints.join(","))),
            kubelet_version: node.kubelet_version.clone(),
            runtime: node.container_runtime.clone(),
            os_image: node.os_image.clone(),
            kernel: node.kernel_version.clone(),
            images: node.images.count,
            image_bytes: (node.images.count > 0)
                .then_some(Bytes(node.images.bytes))
                .into(),
            gpu: Gpu::requested(node.allocatable.gpus),
            allocatable: node.allocatable.into(),
            max_pods: node.pod_capacity,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::objects::{Pools, WireNode, WirePod};
    use serde_json::{Value, json};

    use super::*;
    use crate::model::Field;
    use crate::model::row::Rollup;
    use crate::model::row::Row as _;

    const NOW: &str = "2026-11-21T05:10:00Z";

    fn row_of(pod: Value) -> PodRow {
        let pools = Pools::default();
        let pod: WirePod = serde_json::from_value(pod).unwrap();
        let pod = pod.convert(&pools).unwrap();
        PodRow::from_object(&pod, &pools.names, NOW.parse().unwrap())
    }

    fn row(spec: Value, status: Value) -> PodRow {
        let metadata = json!({"namespace": "shop", "name": "web"});
        row_of(json!({"metadata": metadata, "spec": spec, "status": status}))
    }

    /// A pod with an init container, a sidecar, and an application that was OOM-killed and is not ready.
    fn flaky() -> PodRow {
        row_of(json!({
            "metadata": {"namespace": "shop", "name": "web-5d-x", "uid": "u", "labels": {"pod-template-hash": "5d"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d", "uid": "r",
                    "controller": true}]},
            "spec": {"nodeName": "n1", "initContainers": [
                    {"name": "big", "resources": {"requests": {"cpu": "2"}}},
                    {"name": "side", "restartPolicy": "Always",
                        "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "10Mi"}}}],
                "containers": [{"name": "web",
                    "resources": {"requests": {"cpu": "250m"}, "limits": {"memory": "50Mi", "cpu": "1"}},
                    "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "failureThreshold": 2},
                    "livenessProbe": {"exec": {"command": ["cat", "x"]}}}]},
            "status": {"phase": "Running",
                "initContainerStatuses": [
                    {"name": "big", "ready": true, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}},
                    {"name": "side", "ready": true, "started": true, "state": {"running": {}}}],
                "containerStatuses": [{"name": "web", "ready": false, "started": true, "restartCount": 3,
                    "state": {"running": {"startedAt": "2026-11-21T05:09:00Z"}},
                    "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled",
                        "finishedAt": "2026-11-21T05:08:00Z"}}}]},
        }))
    }

    fn cpu(request: &str) -> Value {
        json!({"requests": {"cpu": request}, "limits": {"cpu": request}})
    }

    fn cores(cpu: crate::model::Cpu) -> Option<f64> {
        cpu.number().map(|nanocores| nanocores / 1e9)
    }

    #[test]
    fn a_pod_is_read_into_its_row() {
        let row = flaky();
        assert_eq!(
            (&*row.status, row.ready_containers, row.total_containers),
            ("Running", 1, 2)
        );
        let workload = row.workload.as_deref().unwrap();
        assert_eq!((&*workload.kind, &*workload.name), ("Deployment", "web"));
        assert_eq!((row.restarts.count, row.restarts.recent), (3, 1));
        let now = NOW.parse().unwrap();
        assert_eq!(row.restarts.text(now), "3 (OOMKilled 2m ago)");
        assert_eq!((row.probes.failing, row.probes.unknown), (1, 1));
    }

    #[test]
    fn a_node_counts_the_limits_of_a_pod_of_which_one_container_has_none() {
        let row = flaky();
        assert!(
            !row.limits.cpu.is_known(),
            "the sidecar has no limit of CPU"
        );
        assert_eq!(cores(row.counted().limits.cpu), Some(1.0));
        assert_eq!(cores(row.requests.cpu), Some(2.0));
    }

    #[test]
    fn a_readiness_probe_fails_once_its_first_attempt_is_over() {
        let mut row = row(
            json!({"containers": [{"name": "c",
                "readinessProbe": {"initialDelaySeconds": 50, "periodSeconds": 10, "timeoutSeconds": 5}}]}),
            json!({"phase": "Running", "containerStatuses": [{"name": "c", "started": true,
                "state": {"running": {"startedAt": "2026-11-21T05:09:00Z"}}}]}),
        );
        let mut at = |time: &str| {
            row.end_first_attempts(time.parse().unwrap());
            row.probes.text().into_owned()
        };
        assert_eq!(at("2026-11-21T05:10:04Z"), "0/1 waiting");
        assert_eq!(at("2026-11-21T05:10:05Z"), "0/1 readiness failing");
        assert_eq!(row.containers[0].probes, row.probes);
    }

    #[test]
    fn a_pending_restart_shows_its_reason_but_does_not_count() {
        let of = |container: Value, count: u32| {
            let mut status = container;
            (status["name"], status["restartCount"]) = ("c".into(), count.into());
            let row = row(
                json!({"containers": [{"name": "c"}]}),
                json!({"phase": "Running", "containerStatuses": [status]}),
            );
            row.restarts.text(NOW.parse().unwrap()).into_owned()
        };
        let ended = json!({"terminated": {"exitCode": 7, "finishedAt": "2026-11-21T05:09:00Z"}});
        let before = json!({"terminated": {"exitCode": 9, "finishedAt": "2026-11-21T05:00:00Z"}});
        for (status, count, text) in [
            (
                json!({"state": ended, "lastState": before}),
                1,
                "1 (exit 7 60s ago)",
            ),
            (
                json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended}),
                1,
                "1 (exit 7 60s ago)",
            ),
            (
                json!({"state": {"running": {}}, "lastState": ended}),
                2,
                "2 (exit 7 60s ago)",
            ),
            (
                json!({"state": {"waiting": {"reason": "ContainerCreating"}}}),
                0,
                "0",
            ),
        ] {
            assert_eq!(of(status.clone(), count), text, "{status}");
        }
    }

    fn resized(conditions: Value) -> PodRow {
        row(
            json!({"containers": [{"name": "app", "resources": cpu("4")}]}),
            json!({"phase": "Running", "conditions": conditions, "containerStatuses": [
                {"name": "app", "resources": cpu("1"), "allocatedResources": {"cpu": "1"}}]}),
        )
    }

    #[test]
    fn a_resize_does_not_change_requests_in_force() {
        let condition = |kind: &str, reason: &str| json!([{"type": kind, "status": "True", "reason": reason, "message": "why"}]);
        for (conditions, state, counted) in [
            (json!([]), "Pending", 4.0),
            (condition("PodResizePending", "Deferred"), "Deferred", 4.0),
            (
                condition("PodResizePending", "Infeasible"),
                "Infeasible",
                1.0,
            ),
            (condition("PodResizeInProgress", ""), "InProgress", 4.0),
            (condition("PodResizeInProgress", "Error"), "Error", 4.0),
        ] {
            let row = resized(conditions);
            assert_eq!(cores(row.requests.cpu), Some(1.0), "{state}");
            assert_eq!(cores(row.limits.cpu), Some(1.0), "{state}");
            assert_eq!(cores(row.containers[0].limits.cpu), Some(1.0), "{state}");
            assert_eq!(
                row.text(Field::Resize, row.created().unwrap_or_default())
                    .unwrap(),
                state
            );
            let resize = row.resize.as_deref().unwrap();
            assert_eq!(cores(resize.desired.requests.cpu), Some(4.0), "{state}");
            let of_container = resize.of(&row.containers[0].name).unwrap();
            assert_eq!(cores(of_container.limits.cpu), Some(4.0), "{state}");
            let mut node = Rollup::default();
            node.add_counted(&row);
            assert_eq!(cores(node.requests.cpu), Some(counted), "{state}");
            let mut namespace = Rollup::default();
            namespace.add(&row);
            assert_eq!(cores(namespace.requests.cpu), Some(1.0), "{state}");
        }
    }

    #[test]
    fn a_pod_as_a_whole_and_its_overhead_count() {
        let row = row(
            json!({"overhead": {"cpu": "500m"}, "resources": cpu("4"),
                "containers": [{"name": "app", "resources": cpu("1")}]}),
            json!({"phase": "Running", "resources": cpu("2"), "allocatedResources": {"cpu": "2"}}),
        );
        assert_eq!(cores(row.requests.cpu), Some(2.5));
        assert_eq!(cores(row.limits.cpu), Some(2.5));
        assert_eq!(cores(row.counted().requests.cpu), Some(4.5));
        assert!(row.resize.unwrap().containers.is_empty());
    }

    #[test]
    fn a_terminated_or_complete_pod_has_no_resize() {
        let spec = json!({"containers": [{"name": "app", "resources": cpu("4")}]});
        for status in [
            json!({"phase": "Running"}),
            json!({"phase": "Running", "containerStatuses": [{"name": "app", "resources": cpu("4")}]}),
            json!({"phase": "Failed", "containerStatuses": [{"name": "app", "resources": cpu("1")}],
                "conditions": [{"type": "PodResizePending", "status": "True", "reason": "Deferred"}]}),
        ] {
            let row = row(spec.clone(), status);
            assert_eq!(row.resize, None);
            assert_eq!(cores(row.requests.cpu), Some(4.0));
        }
    }

    #[test]
    fn a_node_is_read_into_its_row() {
        let pools = Pools::default();
        let node: WireNode = serde_json::from_value(json!({
            "metadata": {"name": "n1", "creationTimestamp": "2026-11-21T05:00:00Z"}, "spec": {"unschedulable": true},
            "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110"}, "conditions": [
                {"type": "MemoryPressure", "status": "True"}, {"type": "DiskPressure", "status": "False"},
                {"type": "Ready", "status": "True"}]},
        }))
        .unwrap();
        let row = NodeRow::from_object(&node.convert(&pools).unwrap(), &pools.names);
        assert_eq!(row.status_text(), "Ready,SchedulingDisabled MemoryPressure");
        assert_eq!((row.ready, row.max_pods), (true, 110));
        assert_eq!(cores(row.allocatable.cpu), Some(2.0));
    }
}
