//! A change of a pod, and everything that follows from it.

use crate::objects::Resource;
use crate::world::World;
use crate::world::action::{Action, PodSlot, PodStep, Step};
use crate::world::catalog::Kind;
use crate::world::epoch::SECOND;
use crate::world::fault::Happening;
use crate::world::json;
use crate::world::node::Node;
use crate::world::pod::Pod;
use crate::world::queue::Engine;
use crate::world::recorder::About;

/// A pod that is being changed, and what the change needs.
pub(super) struct Change<'a> {
    pub(super) world: &'a World,
    pub(super) engine: &'a mut Engine,
    pub(super) node: &'a Node,
    pub(super) pod: &'a mut Pod,
    pub(super) slot: PodSlot,
    /// Whether the cgroups of the pod change: cAdvisor samples them at the time of the change or later.
    pub(super) touched: bool,
    /// CPU nanoseconds of the pod's cgroup, if it is removed.
    pub(super) gone_cpu: u64,
}

impl World {
    /// Changes the pod in a slot, if it is still the same pod, and stores it.
    pub(super) fn change(
        &self,
        engine: &mut Engine,
        slot: PodSlot,
        change: impl FnOnce(&mut Change<'_>),
    ) {
        let node = self.nodes.get(slot.node);
        let Some(node) = node else { return };
        let mut state = node.state.lock();
        let taken = state.pods.get_mut(slot.index).and_then(Option::take);
        let Some(mut pod) = taken else { return };
        if pod.seed == slot.seed {
            let now = engine.now;
            let mut changing = Change {
                world: self,
                engine,
                node,
                pod: &mut pod,
                slot,
                touched: false,
                gone_cpu: 0,
            };
            change(&mut changing);
            let (touched, gone_cpu) = (changing.touched, changing.gone_cpu);
            state.gone_cpu += gone_cpu;
            if touched {
                (pod.changed, state.changed) = (now, now);
            }
            self.store_pod(node, &pod);
        }
        if let Some(place) = state.pods.get_mut(slot.index) {
            *place = Some(pod);
        }
    }

    /// Corrects the number of a workload's ready pods after a pod changed, and with it who gets requests.
    pub(super) fn recount(&self, engine: &mut Engine, pod: &mut Pod, before: bool) {
        let after = pod.counts_as_ready();
        if before == after {
            return;
        }
        if let Some(w) = engine.workloads.get_mut(pod.workload) {
            w.ready = match after {
                true => w.ready + 1,
                false => w.ready.saturating_sub(1),
            };
            if let Some(service) = &mut w.service {
                service.set_ready(engine.now, w.ready);
                pod.served.set_ready(after, service.total(engine.now));
            }
        }
        self.store_workload(engine, pod.workload);
    }

    /// Stores a workload as it is now.
    pub(super) fn store_workload(&self, engine: &Engine, workload: usize) {
        let w = engine.workloads.get(workload);
        let Some(w) = w else { return };
        for (resource, object) in json::workload::objects(w) {
            // The autoscaler writes its own objects.
            if resource != Resource::HorizontalPodAutoscalers || !self.scale.autoscaler {
                self.store.apply(resource, object);
            }
        }
        if let (Kind::Deployment, Some(old)) = (w.app.kind, w.retired.last()) {
            let left = w.replicas - w.updated.min(w.replicas);
            let set = json::workload::replica_set(w, old, left, left.min(w.ready));
            self.store.apply(Resource::ReplicaSets, set);
        }
    }
}

impl Change<'_> {
    /// Queues a step of a container, `wait` nanoseconds from now.
    pub(super) fn then(&mut self, wait: i64, c: usize, step: Step) {
        let container = self.pod.containers.get(c);
        let incarnation = container.map_or(0, |c| c.incarnation());
        let action = Action::Container(self.slot, c, incarnation, step);
        self.engine.after(wait, action);
    }

    /// Writes an event of the kubelet about a container.
    pub(super) fn event(&mut self, c: usize, kind: &str, reason: &str, text: &str) {
        let about = About::container(self.node, self.pod, c);
        self.engine.event(&about, kind, reason, text);
    }

    /// Records what happened to the pod, or to the container of this name, because of a fault.
    pub(super) fn note(&mut self, container: &str, what: Happening) {
        self.engine.note(self.node, self.pod, container, what);
    }

    /// Updates the readiness of the pod and of its workload.
    pub(super) fn review(&mut self) {
        let before = self.pod.counts_as_ready();
        let ready = self.pod.all_ready() && self.pod.deleting.is_none();
        if ready != self.pod.ready.0 {
            self.pod.ready = (ready, self.engine.now);
            let what = match ready {
                true => Happening::PodReady,
                false => Happening::PodNotReady,
            };
            self.note("", what);
        }
        self.world.recount(self.engine, self.pod, before);
    }

    /// Ends the pod's trouble when it has been well for a while.
    pub(super) fn calm_later(&mut self) {
        if self.pod.trouble.is_some() && self.pod.is_over_it() {
            let calm = Action::Pod(self.slot, PodStep::Calm);
            self.engine.after(45 * SECOND, calm);
        }
    }
}
