//! Pods that are deleted or evicted, and the pods that replace them.

use std::sync::Arc;

use super::change::Change;
use crate::objects::Resource;
use crate::world::World;
use crate::world::action::{Action, PodSlot, PodStep};
use crate::world::catalog::{App, Kind};
use crate::world::epoch::SECOND;
use crate::world::fault::{Fault, Happening, InjectedFault};
use crate::world::hash::hash;
use crate::world::node::Node;
use crate::world::pod::{Phase, Pod};
use crate::world::queue::Engine;
use crate::world::recorder::About;

impl World {
    /// Deletes a pod: after its grace period another replaces it. The new pod inherits the pending fault and the episode.
    pub(super) fn delete_pod(&self, engine: &mut Engine, slot: PodSlot) {
        self.change(engine, slot, |change| {
            change.pod.deleting = Some(change.engine.now);
            for c in 0..change.pod.containers.len() {
                let container = change.pod.containers.get(c);
                let running = container.filter(|c| c.running_since().is_some());
                if let Some(name) = running.map(|c| c.spec.name) {
                    let message = format!("Stopping container {name}");
                    change.event(c, "Normal", "Killing", &message);
                }
            }
            let grace = change.engine.roll(0.8, 3.0);
            let gone = Action::Pod(slot, PodStep::Gone);
            change.engine.after(grace, gone);
        });
    }

    /// Removes a deleted pod whose containers have ended; its owner creates another.
    pub(super) fn gone(&self, engine: &mut Engine, slot: PodSlot) {
        let now = engine.now;
        let node = self.nodes.get(slot.node);
        let Some(node) = node else { return };
        let mut state = node.state.lock();
        let pod = state.pods.get_mut(slot.index);
        let taken = pod.and_then(|pod| pod.take_if(|pod| pod.seed == slot.seed));
        let Some(mut old) = taken else { return };
        if old.phase == Phase::Running {
            state.gone_cpu += old.cpu_at(self.epoch, now);
        }
        state.changed = now;
        self.store
            .delete(Resource::Pods, Some(&old.revision.namespace), &old.name);
        let before = old.counts_as_ready();
        old.ready = (false, now);
        self.recount(engine, &mut old, before);
        // An evicted pod was replaced when it was evicted.
        let evicted = matches!(old.phase, Phase::Evicted { .. });
        let w = engine.workloads.get(old.workload);
        // The workload was scaled down.
        let surplus = w.is_none_or(|w| old.ordinal >= w.replicas);
        let is_daemon = old.revision.app.kind == Kind::DaemonSet;
        if state.cordoned && !is_daemon && !evicted && !surplus {
            state.sort();
            drop(state);
            return self.move_away(engine, node, &old);
        }
        if !evicted
            && !surplus
            && let Some(pod) = self.successor(engine, node, &mut state.addresses, &old)
            && let Some(place) = state.pods.get_mut(slot.index)
        {
            let pod = place.insert(pod);
            self.announce(engine, node, slot.index, pod);
        }
        state.sort();
    }

    /// Creates the successor of a pod on another node.
    fn move_away(&self, engine: &mut Engine, from: &Node, old: &Pod) {
        let target = self.emptiest(from, old.revision.app);
        let mut state = target.state.lock();
        let mut addresses = state.addresses;
        let Some(pod) = self.successor(engine, target, &mut addresses, old) else {
            return;
        };
        state.addresses = addresses;
        let index = state.place(pod);
        if let Some(pod) = state.pod(index) {
            self.announce(engine, target, index, pod);
        }
    }

    /// The pod that the owner creates for one that is gone.
    fn successor(
        &self,
        engine: &mut Engine,
        node: &Node,
        addresses: &mut u32,
        old: &Pod,
    ) -> Option<Pod> {
        engine.made += 1;
        let made = engine.made;
        let w = engine.workloads.get(old.workload)?;
        let seed = hash(w.seed, 1_000_000_000 + made);
        let name = w.pod_name(old.ordinal, 1_000_000 + made);
        let ip = node.pod_address(*addresses);
        *addresses += 1;
        let owner = (old.workload, old.ordinal);
        let mut pod = Pod::new(w.revision.clone(), owner, name, seed, ip, engine.now);
        pod.trouble = old.trouble;
        if let Some(pending_fault) = old.legacy
            && let Some(c) = pod.victim(pending_fault.fault)
            && let Some(c) = pod.containers.get_mut(c)
        {
            c.pending_fault = Some(pending_fault);
        }
        Some(pod)
    }

    /// Stores a new pod, writes its events and queues the creation of its sandbox.
    pub(super) fn announce(&self, engine: &mut Engine, node: &Node, index: usize, pod: &Pod) {
        engine.set_slot(pod.workload, pod.ordinal, node.index, index);
        self.store_pod(node, pod);
        if let Some(w) = engine.workloads.get(pod.workload) {
            let (kind, component) = match w.app.kind {
                Kind::Deployment => ("ReplicaSet", "replicaset-controller"),
                Kind::StatefulSet => ("StatefulSet", "statefulset-controller"),
                Kind::DaemonSet => ("DaemonSet", "daemonset-controller"),
            };
            let r = &pod.revision;
            let about = About::owner(component, kind, w, &r.owner_name, &r.owner_uid);
            let message = format!("Created pod: {}", pod.name);
            engine.event(&about, "Normal", "SuccessfulCreate", &message);
        }
        let scheduled = About::pod_by("default-scheduler", pod);
        let (namespace, name) = (&pod.revision.namespace, &pod.name);
        let message = format!("Successfully assigned {namespace}/{name} to {}", node.name);
        engine.event(&scheduled, "Normal", "Scheduled", &message);
        let soon = engine.roll(0.4, 1.5);
        let sandbox = Action::Pod(PodSlot::new(node, index, pod), PodStep::Sandbox);
        engine.after(soon, sandbox);
    }

    /// Evicts a pod, whose owner creates another on another node. The evicted pod is deleted after ten minutes.
    pub(super) fn evict(&self, engine: &mut Engine, slot: PodSlot) {
        self.change(engine, slot, |change| change.evict());
        let node = self.nodes.get(slot.node);
        let Some(node) = node else { return };
        self.replace_evicted(engine, node, slot.index);
        self.set_pressure(engine, node, true);
    }

    fn replace_evicted(&self, engine: &mut Engine, from: &Node, index: usize) {
        // A daemon is created again on its node, any other pod on the node with the fewest pods.
        let is_daemon = |p: &Pod| p.revision.app.kind == Kind::DaemonSet;
        let old = from
            .state
            .lock()
            .pod(index)
            .map(|p| (p.revision.app, is_daemon(p)));
        let target = match old {
            Some((app, false)) => self.emptiest(from, app),
            _ => from,
        };
        let mut addresses = target.state.lock().addresses;
        let state = from.state.lock();
        let old = state.pod(index);
        let created = old.and_then(|old| self.successor(engine, target, &mut addresses, old));
        drop(state);
        let Some(mut pod) = created else { return };
        // The fault of the old pod does not concern the new one.
        pod.trouble = None;
        let mut state = target.state.lock();
        state.addresses = addresses;
        let index = state.place(pod);
        if let Some(pod) = state.pod(index) {
            self.announce(engine, target, index, pod);
        }
    }

    /// The node with the fewest pods of those that can take one of the application; `not` only if there is no other.
    pub(super) fn emptiest<'a>(&'a self, not: &'a Node, app: &App) -> &'a Node {
        let others = self.nodes.iter().filter(|n| n.index != not.index);
        others
            .filter(|n| !app.needs_gpu() || n.gpus > 0)
            .map(|n| (n, n.state.lock()))
            .filter(|(_, s)| s.is_up() && !s.cordoned)
            .min_by_key(|(n, s)| (s.pods().count(), n.index))
            .map_or(not, |(n, _)| n)
    }

    /// Begins a rollout: the pods of a new revision replace the old ones one after the other.
    pub(super) fn begin_rollout(&self, engine: &mut Engine, workload: usize, episode: u64) {
        let now = engine.now;
        let w = engine.workloads.get_mut(workload);
        let Some(w) = w else { return };
        let next = Arc::new(w.next_revision(now));
        w.retired.push(std::mem::replace(&mut w.revision, next));
        (w.updated, w.rolling) = (0, true);
        self.roll_out(engine, workload, 0, episode);
    }

    pub(super) fn roll_out(
        &self,
        engine: &mut Engine,
        workload: usize,
        ordinal: u32,
        episode: u64,
    ) {
        let w = engine.workloads.get_mut(workload);
        let Some(w) = w else { return };
        let (replicas, done) = (w.replicas, ordinal >= w.replicas);
        w.rolling = !done;
        if !done {
            w.updated = ordinal + 1;
        }
        let (new, old) = (w.revision.clone(), w.retired.last().cloned());
        let about = About::owner("deployment-controller", "Deployment", w, w.app.name, &w.uid);
        if ordinal == 0 || done {
            engine.injected.push(InjectedFault {
                at: engine.now,
                episode,
                fault: Fault::Rollout,
                what: Happening::RolledOut { done },
                node: String::new(),
                namespace: w.namespace.to_string(),
                name: w.app.name.to_owned(),
                container: String::new(),
            });
        }
        self.store_workload(engine, workload);
        if done {
            return;
        }
        let is_deployment = engine
            .workloads
            .get(workload)
            .is_some_and(|w| w.app.kind == Kind::Deployment);
        let mut scaled = |direction: &str, set: &str, from: u32, to: u32| {
            if !is_deployment {
                return;
            }
            let text = format!("Scaled {direction} replica set {set} from {from} to {to}");
            engine.event(&about, "Normal", "ScalingReplicaSet", &text);
        };
        let left = replicas - ordinal;
        scaled("up", &new.owner_name, ordinal, ordinal + 1);
        if let Some(old) = old {
            scaled("down", &old.owner_name, left, left - 1);
        }
        let slot = engine.slot(workload, ordinal);
        if let Some(slot) = slot.and_then(|(node, index)| self.pod_slot(node, index)) {
            self.delete_pod(engine, slot);
        }
        let wait = engine.roll(12.0, 18.0);
        let next = Action::Rollout {
            workload,
            ordinal: ordinal + 1,
            episode,
        };
        engine.after(wait, next);
    }

    fn pod_slot(&self, node: usize, index: usize) -> Option<PodSlot> {
        let node = self.nodes.get(node)?;
        let state = node.state.lock();
        Some(PodSlot::new(node, index, state.pod(index)?))
    }
}

impl Change<'_> {
    fn evict(&mut self) {
        let at = self.engine.now;
        let epoch = self.world.epoch;
        let used = self.pod.memory_at(epoch, at) / 1024;
        let containers = self.pod.containers.iter();
        let heaviest = containers.max_by_key(|c| c.memory_at(epoch, at));
        let (name, request) = heaviest.map_or(("", 0), |c| (c.spec.name, c.spec.requests.1));
        let message = format!(
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: 88340Ki. Container {name} was using {used}Ki, request is {request}Mi, has larger consumption of memory. "
        );
        let about = About::pod(self.node, self.pod);
        self.engine.event(&about, "Warning", "Evicted", &message);
        self.gone_cpu = self.pod.cpu_at(epoch, at);
        self.touched = true;
        for c in &mut self.pod.containers {
            c.end(at, 137, "Error");
            (c.ready, c.started) = (false, false);
        }
        let before = self.pod.counts_as_ready();
        self.pod.phase = Phase::Evicted { message };
        self.pod.ready = (false, at);
        self.note("", Happening::Evicted);
        self.world.recount(self.engine, self.pod, before);
        let gone = Action::Pod(self.slot, PodStep::Gone);
        self.engine.after(600 * SECOND, gone);
    }
}
