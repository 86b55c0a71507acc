//! One pod in a cluster.

use std::sync::Arc;

use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Incident, ProbeKind, ProbeStatus};
use serde_json::{Value, json};

use super::TestCluster;
use super::objects::{KILL, PodSpec, again, at, counter, ended, event, node, running};
use crate::health::usage_history::UsagePoint;

/// The pod `web-1` in a cluster.
pub(super) struct Web {
    pub(super) cluster: TestCluster,
    pub(super) spec: PodSpec,
    /// Whether the pod is ready, and since when.
    pub(super) ready: (bool, i64),
    /// The status of the container.
    pub(super) container: Value,
    /// Further fields of the pod's status.
    pub(super) status: Value,
}

impl Web {
    /// A healthy pod that was created an hour ago, which the engine has received.
    pub(super) fn healthy() -> Self {
        let mut web = Self::created(-3600);
        web.apply();
        web
    }

    /// A healthy pod, which the engine has not received yet.
    pub(super) fn created(created: i64) -> Self {
        Self {
            cluster: TestCluster::new(at(0)),
            spec: PodSpec {
                created,
                ..PodSpec::default()
            },
            ready: (true, created + 5),
            container: running(0, created + 2, true),
            status: json!({}),
        }
    }

    /// Sends the pod to the engine.
    pub(super) fn apply(&mut self) {
        let container = self.container.clone();
        let pod = self.spec.json(self.ready, container, &self.status);
        self.cluster.pod(pod);
    }

    /// Changes the pod.
    pub(super) fn set(&mut self, second: i64, ready: bool, container: Value) {
        self.cluster.now = at(second);
        if ready != self.ready.0 {
            self.ready = (ready, second);
        }
        self.container = container;
        self.apply();
    }

    /// Changes the readiness of the pod and its container, which has never restarted.
    pub(super) fn set_ready(&mut self, second: i64, ready: bool) {
        self.set(second, ready, running(0, self.spec.created + 2, ready));
    }

    /// Makes the pod not ready, as the node controller does: its container stays ready.
    pub(super) fn set_unready_by_node(&mut self, second: i64) {
        self.set(second, false, running(0, self.spec.created + 2, true));
    }

    /// The container has terminated, and runs again a second later.
    pub(super) fn restart(&mut self, restarts: u32, code: i32, (started, finished): (i64, i64)) {
        let last = ended(code, "Error", started, finished);
        self.set(finished + 1, true, again(restarts, finished + 1, last));
    }

    /// The container was killed for the first time at 34 s.
    pub(super) fn first_kill(&mut self) {
        self.restart(1, 137, (-3598, 34));
    }

    /// Sends an Event with a first and a last time, and a count.
    pub(super) fn event(&mut self, name: &str, seen: (i64, i64), count: u32, said: (&str, &str)) {
        self.cluster.now = self.cluster.now.max(at(seen.1));
        let event = event(&self.spec.uid, name, seen, count, said);
        self.cluster.event(event);
    }

    /// Sends the kubelet's Event about a kill for the liveness probe.
    pub(super) fn kill(&mut self, second: i64, count: u32) {
        self.event("kill", (second, second), count, KILL);
    }

    /// Sends the kubelet's Event about failed attempts of a probe.
    pub(super) fn fails(&mut self, second: i64, count: u32, probe: &str) {
        let message = format!("{probe} probe failed: dial tcp: refused");
        self.event(probe, (second, second), count, ("Unhealthy", &message));
    }

    /// Sends the kubelet's counters of a probe.
    pub(super) fn counters(&mut self, probe: &str, second: i64, successful: u32, failed: u32) {
        self.cluster.now = at(second);
        let counter = |result: &str, count| counter(&self.spec.uid, probe, result, count);
        let page = counter("successful", successful) + &counter("failed", failed);
        self.cluster.probes("n1", &page);
    }

    /// Sends the state of the pod's node, which has changed now.
    pub(super) fn node(&mut self, second: i64, ready: bool) {
        self.cluster.now = at(second);
        self.cluster.node(node(ready, second));
    }

    /// Sets the container's memory usage: seconds and mebibytes.
    pub(super) fn use_memory(&mut self, usage: &[(i64, u64)]) {
        let points = usage.iter().map(|(second, mebibytes)| UsagePoint {
            at: at(*second),
            cpu: Nanocores(1_000_000),
            memory: Bytes(mebibytes << 20),
        });
        let key = ("web-1".to_owned(), "web".to_owned());
        self.cluster.usage.0.lock().insert(key, points.collect());
    }

    /// The only incident.
    pub(super) fn only(&self) -> Arc<Incident> {
        self.cluster.only()
    }

    /// The status of the liveness probe.
    pub(super) fn liveness(&self) -> ProbeStatus {
        let (cluster, pod) = (&self.cluster, self.cluster.first_pod());
        let probes = cluster.engine.probe_statuses(&pod, cluster.now);
        let mut probes = probes.iter();
        let liveness = probes.find(|probe| probe.kind == ProbeKind::Liveness);
        liveness.unwrap().status
    }
}
