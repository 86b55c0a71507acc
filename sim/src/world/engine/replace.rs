//! Pods that go, and the ones that take their place.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::change::Change;
use crate::objects::Resource;
use crate::world::World;
use crate::world::action::{Action, PodAt, PodStep, Step};
use crate::world::catalog::{Kind, Role};
use crate::world::epoch::SECOND;
use crate::world::fault::{Fault, Happening, InjectedFault, PendingFault};
use crate::world::hash::hash;
use crate::world::node::NodeReady;
use crate::world::pod::{Ended, Phase, Pod, State};
use crate::world::queue::Engine;
use crate::world::recorder::About;

impl World {
    /// Deletes a pod: it has its grace period, then another takes its place. What the new one is to suffer from, and
    /// as part of which episode, is carried over.
    pub(super) fn delete_pod(&self, engine: &mut Engine, at: Timestamp, place: PodAt) {
        self.change(engine, place, |engine, change| {
            change.pod.deleting = Some(at);
            let running: Vec<usize> = (0..change.pod.containers.len())
                .filter(|c| {
                    let container = change.pod.containers.get(*c);
                    container.is_some_and(|c| c.running_since().is_some())
                })
                .collect();
            for c in running {
                let about = About::container(change.node, change.pod, c);
                let name = change.pod.containers.get(c).map_or("", |c| c.spec.name);
                let message = format!("Stopping container {name}");
                engine.event(&self.store, at, &about, "Normal", "Killing", &message);
            }
            let grace = engine.roll(0.8, 3.0);
            engine.at(at.plus_nanos(grace), Action::Pod(place, PodStep::Gone));
        });
    }

    /// A deleted pod's containers have ended: it is gone, and its owner makes another.
    pub(super) fn gone(&self, engine: &mut Engine, at: Timestamp, place: PodAt) {
        let Some(node) = self.nodes.get(place.node) else {
            return;
        };
        let mut state = node.state.lock();
        let here = state.pod(place.slot).is_some_and(|p| p.seed == place.seed);
        let Some(mut old) = state
            .pods
            .get_mut(place.slot)
            .filter(|_| here)
            .and_then(Option::take)
        else {
            return;
        };
        state.gone_cpu += if old.phase == Phase::Running {
            old.cpu_at(self.epoch, at)
        } else {
            0
        };
        state.changed = at;
        self.store
            .delete(Resource::Pods, Some(&old.revision.namespace), &old.name);
        let before = old.counts_as_ready();
        old.ready = (false, at);
        self.recount(engine, &old, before);
        // An evicted pod was replaced when it was evicted.
        let evicted = matches!(old.phase, Phase::Evicted { .. });
        if !evicted
            && let Some(pod) = self.successor(engine, at, place.node, &mut state.addresses, &old)
        {
            let seed = pod.seed;
            if let Some(slot) = state.pods.get_mut(place.slot) {
                *slot = Some(pod);
            }
            let place = PodAt { seed, ..place };
            self.announce(engine, at, place, &state.pods);
        }
        state.sort();
    }

    /// The pod that its owner makes for one that is gone.
    fn successor(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        node: usize,
        addresses: &mut u32,
        old: &Pod,
    ) -> Option<Pod> {
        engine.made += 1;
        let made = engine.made;
        let w = engine.workloads.get(old.workload)?;
        let seed = hash(w.seed, 1_000_000_000 + made);
        let name = w.pod_name(old.ordinal, 1_000_000 + made);
        let ip = self.nodes.get(node)?.pod_address(*addresses);
        *addresses += 1;
        let mut pod = Pod::new(
            w.revision.clone(),
            old.workload,
            old.ordinal,
            name,
            seed,
            ip,
            at,
        );
        pod.trouble = old.trouble;
        if let Some(pending_fault) = old.legacy
            && let Some(c) = pod.victim(pending_fault.fault)
            && let Some(c) = pod.containers.get_mut(c)
        {
            c.pending_fault = Some(pending_fault);
        }
        Some(pod)
    }

    /// A new pod is stored, its events are written, and its sandbox is under way.
    fn announce(&self, engine: &mut Engine, at: Timestamp, place: PodAt, pods: &[Option<Pod>]) {
        let (Some(node), Some(Some(pod))) = (self.nodes.get(place.node), pods.get(place.slot))
        else {
            return;
        };
        engine.set_place(pod.workload, pod.ordinal, place.node, place.slot);
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
            engine.event(
                &self.store,
                at,
                &about,
                "Normal",
                "SuccessfulCreate",
                &message,
            );
        }
        let scheduled = About::pod_by("default-scheduler", pod);
        let message = format!(
            "Successfully assigned {}/{} to {}",
            pod.revision.namespace, pod.name, node.name
        );
        engine.event(&self.store, at, &scheduled, "Normal", "Scheduled", &message);
        let soon = engine.roll(0.4, 1.5);
        engine.at(at.plus_nanos(soon), Action::Pod(place, PodStep::Sandbox));
    }

    /// A new pod's sandbox is there.
    pub(super) fn sandbox(&self, engine: &mut Engine, at: Timestamp, place: PodAt) {
        self.change(engine, place, |engine, change| {
            let pod = &mut *change.pod;
            pod.phase = Phase::Running;
            pod.sandbox = at;
            change.touched = Some(at);
            self.start_first(engine, at, change);
        });
    }

    fn start_first(&self, engine: &mut Engine, at: Timestamp, change: &Change<'_>) {
        let roles: Vec<Role> = change.pod.containers.iter().map(|c| c.spec.role).collect();
        let inits = roles.iter().any(|r| *r != Role::Main);
        let mut at = at.plus_nanos(SECOND / 5);
        for (c, role) in roles.iter().enumerate() {
            if inits && *role != Role::Main {
                self.then(engine, at, change, c, Step::Start);
                return;
            }
            if !inits {
                self.then(engine, at, change, c, Step::Start);
                at = at.plus_nanos(SECOND / 4);
            }
        }
    }

    /// Evicts a pod, whose owner makes another on another node; the evicted one stays to be seen for ten minutes.
    pub(super) fn evict(&self, engine: &mut Engine, at: Timestamp, place: PodAt) {
        let mut message = String::new();
        self.change(engine, place, |engine, change| {
            let used = change.pod.memory_at(self.epoch, at) / 1024;
            let heaviest = change.pod.containers.iter().max_by_key(|c| c.memory_at(self.epoch, at));
            let (name, request) = heaviest.map_or(("", 0), |c| (c.spec.name, c.spec.requests.1));
            message = format!(
                "The node was low on resource: memory. Threshold quantity: 100Mi, available: 88340Ki. Container {name} was using {used}Ki, request is {request}Mi, has larger consumption of memory. "
            );
            let about = About::pod(change.node, change.pod);
            engine.event(&self.store, at, &about, "Warning", "Evicted", &message);
            let pod = &mut *change.pod;
            let cpu = pod.cpu_at(self.epoch, at);
            change.gone_cpu = cpu;
            change.touched = Some(at);
            let pod = &mut *change.pod;
            for c in &mut pod.containers {
                if let Some(since) = c.running_since() {
                    c.probes.stop(c.spec, at);
                    c.state = State::Ended(Ended {
                        started: since,
                        finished: at,
                        exit_code: 137,
                        reason: "Error",
                        incarnation: c.incarnation(),
                    });
                }
                (c.ready, c.started) = (false, false);
            }
            let before = pod.counts_as_ready();
            pod.phase = Phase::Evicted {
                message: message.clone(),
            };
            pod.ready = (false, at);
            engine.note(at, change.node, change.pod, "", Happening::Evicted);
            self.recount(engine, change.pod, before);
            let later = at.plus_nanos(600 * SECOND);
            engine.at(later, Action::Pod(place, PodStep::Gone));
        });
        self.replace_evicted(engine, at, place);
        self.set_pressure(engine, at, place.node, true);
    }

    fn replace_evicted(&self, engine: &mut Engine, at: Timestamp, place: PodAt) {
        let Some(from) = self.nodes.get(place.node) else {
            return;
        };
        let state = from.state.lock();
        // A daemon is made again where it was; anything else where there is most room.
        let daemon = state
            .pod(place.slot)
            .is_some_and(|p| p.revision.app.kind == Kind::DaemonSet);
        drop(state);
        let target = if daemon {
            place.node
        } else {
            self.roomiest(place.node)
        };
        let Some(target) = self.nodes.get(target) else {
            return;
        };
        let mut addresses = target.state.lock().addresses;
        let state = from.state.lock();
        let made = state
            .pod(place.slot)
            .and_then(|old| self.successor(engine, at, target.index, &mut addresses, old));
        drop(state);
        let Some(mut pod) = made else { return };
        // The new pod has nothing to do with what was wrong with the old one.
        pod.trouble = None;
        let seed = pod.seed;
        let mut state = target.state.lock();
        state.addresses = addresses;
        let slot = state.place(pod);
        let place = PodAt {
            node: target.index,
            slot,
            seed,
        };
        self.announce(engine, at, place, &state.pods);
    }

    /// The node with the fewest pods of those that can take one, other than this if there is another.
    fn roomiest(&self, not: usize) -> usize {
        self.nodes
            .iter()
            .filter(|n| n.index != not)
            .map(|n| (n, n.state.lock()))
            .filter(|(_, s)| s.down.is_none() && s.ready.0 == NodeReady::Yes)
            .map(|(n, s)| (s.pods().count(), n.index))
            .min()
            .map_or(not, |(_, index)| index)
    }

    /// Begins a rollout: a new revision, whose pods replace the old ones one after the other.
    pub(super) fn begin_rollout(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        workload: usize,
        episode: u64,
    ) {
        let Some(w) = engine.workloads.get_mut(workload) else {
            return;
        };
        let next = Arc::new(w.next_revision(at));
        let old = std::mem::replace(&mut w.revision, next);
        w.retired.push(old);
        w.updated = 0;
        w.rolling = true;
        self.roll_out(engine, at, workload, 0, episode);
    }

    pub(super) fn roll_out(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        workload: usize,
        ordinal: u32,
        episode: u64,
    ) {
        let Some(w) = engine.workloads.get_mut(workload) else {
            return;
        };
        let (replicas, done) = (w.replicas, ordinal >= w.replicas);
        w.rolling = !done;
        if !done {
            w.updated = ordinal + 1;
        }
        let (new, old) = (w.revision.clone(), w.retired.last().cloned());
        let about = About::owner("deployment-controller", "Deployment", w, w.app.name, &w.uid);
        if ordinal == 0 || done {
            engine.injected.push(InjectedFault {
                at,
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
        let mut say = |text: String| {
            engine.event(
                &self.store,
                at,
                &about,
                "Normal",
                "ScalingReplicaSet",
                &text,
            );
        };
        let name = &new.owner_name;
        say(format!(
            "Scaled up replica set {name} from {ordinal} to {}",
            ordinal + 1
        ));
        if let Some(old) = old {
            let (from, to) = (replicas - ordinal, replicas - ordinal - 1);
            say(format!(
                "Scaled down replica set {} from {from} to {to}",
                old.owner_name
            ));
        }
        if let Some((node, slot)) = engine.place(workload, ordinal)
            && let Some(seed) = self.seed_at(node, slot)
        {
            self.delete_pod(engine, at, PodAt { node, slot, seed });
        }
        let wait = engine.roll(12.0, 18.0);
        let next = Action::Rollout {
            workload,
            ordinal: ordinal + 1,
            episode,
        };
        engine.at(at.plus_nanos(wait), next);
    }

    /// Which pod is in a slot.
    fn seed_at(&self, node: usize, slot: usize) -> Option<u64> {
        let state = self.nodes.get(node)?.state.lock();
        state.pod(slot).map(|p| p.seed)
    }

    /// Gives a pod that is about to be deleted something that its successor will suffer from.
    pub(super) fn bequeath(&self, engine: &mut Engine, place: PodAt, fault: Fault, rounds: u32) {
        self.change(engine, place, |_, change| {
            change.pod.legacy = Some(PendingFault { fault, rounds });
        });
    }
}
