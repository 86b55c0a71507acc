//! Changing a pod, and everything that has to follow from it.

use kubevitals_proto::time::Timestamp;

use crate::world::World;
use crate::world::action::PodAt;
use crate::world::catalog::Kind;
use crate::world::fault::Happening;
use crate::world::json;
use crate::world::node::Node;
use crate::world::pod::Pod;
use crate::world::queue::Engine;

/// A pod that is being changed.
pub(super) struct Change<'a> {
    pub(super) node: &'a Node,
    pub(super) pod: &'a mut Pod,
    pub(super) place: PodAt,
    /// Whether its cgroups changed just then: what cAdvisor says of them is from then or later.
    pub(super) touched: Option<Timestamp>,
    /// CPU that its cgroup takes with it.
    pub(super) gone_cpu: u64,
}

impl World {
    /// Changes the pod at a place, if it is still the one that is meant, and stores it.
    pub(super) fn change(
        &self,
        engine: &mut Engine,
        place: PodAt,
        change: impl FnOnce(&mut Engine, &mut Change<'_>),
    ) {
        let Some(node) = self.nodes.get(place.node) else {
            return;
        };
        let mut state = node.state.lock();
        let taken = state.pods.get_mut(place.slot).and_then(Option::take);
        let Some(mut pod) = taken else { return };
        if pod.seed == place.seed {
            let mut changing = Change {
                node,
                pod: &mut pod,
                place,
                touched: None,
                gone_cpu: 0,
            };
            change(engine, &mut changing);
            let (touched, gone_cpu) = (changing.touched, changing.gone_cpu);
            state.gone_cpu += gone_cpu;
            if let Some(at) = touched {
                pod.changed = at;
                state.changed = at;
            }
            self.store_pod(node, &pod);
        }
        if let Some(slot) = state.pods.get_mut(place.slot) {
            *slot = Some(pod);
        }
    }

    /// Brings a pod's readiness up to date, and with it its workload's.
    pub(super) fn review(&self, engine: &mut Engine, at: Timestamp, change: &mut Change<'_>) {
        let before = change.pod.counts_as_ready();
        let ready = change.pod.all_ready() && change.pod.deleting.is_none();
        if ready != change.pod.ready.0 {
            change.pod.ready = (ready, at);
            let what = if ready {
                Happening::PodReady
            } else {
                Happening::PodNotReady
            };
            engine.note(at, change.node, change.pod, "", what);
        }
        self.recount(engine, change.pod, before);
    }

    /// Corrects the count of a workload's ready pods after a pod changed.
    pub(super) fn recount(&self, engine: &mut Engine, pod: &Pod, before: bool) {
        let after = pod.counts_as_ready();
        if before == after {
            return;
        }
        if let Some(w) = engine.workloads.get_mut(pod.workload) {
            w.ready = if after {
                w.ready + 1
            } else {
                w.ready.saturating_sub(1)
            };
        }
        self.store_workload(engine, pod.workload);
    }

    /// Writes a workload as it is now.
    pub(super) fn store_workload(&self, engine: &Engine, workload: usize) {
        let Some(w) = engine.workloads.get(workload) else {
            return;
        };
        for (resource, object) in json::workload::objects(w) {
            self.store.apply(resource, object);
        }
        if let (Kind::Deployment, Some(old)) = (w.app.kind, w.retired.last()) {
            let left = w.replicas - w.updated.min(w.replicas);
            let ready = left.min(w.ready);
            self.store.apply(
                crate::objects::Resource::ReplicaSets,
                json::workload::replica_set(w, old, left, ready),
            );
        }
    }
}
