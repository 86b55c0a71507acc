//! What people do to the cluster: delete and evict pods, restart and scale workloads, cordon nodes.

use crate::world::World;
use crate::world::action::PodSlot;
use crate::world::hash::hash;
use crate::world::pod::Pod;
use crate::world::queue::Engine;
use crate::world::service::Service;

/// The most replicas that a workload can have.
const MAX_REPLICAS: u32 = 500;

impl World {
    /// Does something now, at the time of the clock.
    fn now<T>(&self, act: impl FnOnce(&mut Engine) -> T) -> T {
        self.catch_up();
        let mut engine = self.engine.lock();
        engine.now = self.clock.now();
        let result = act(&mut engine);
        self.wake(&engine);
        result
    }

    /// Deletes a pod. Returns whether there is such a pod.
    pub(crate) fn delete_named(&self, namespace: Option<&str>, name: &str) -> bool {
        self.now(|engine| {
            let found = self.find_pod(namespace, name);
            found
                .map(|(slot, _)| self.delete_pod(engine, slot))
                .is_some()
        })
    }

    /// Whether a pod may be evicted: as if each workload had a budget of one unavailable pod.
    pub(crate) fn can_evict(&self, namespace: Option<&str>, name: &str) -> bool {
        let Some((_, workload)) = self.find_pod(namespace, name) else {
            return true;
        };
        let engine = self.engine.lock();
        engine
            .workloads
            .get(workload)
            .is_none_or(|w| w.ready >= w.replicas)
    }

    /// The slot of a pod, and its workload.
    fn find_pod(&self, namespace: Option<&str>, name: &str) -> Option<(PodSlot, usize)> {
        self.nodes.iter().find_map(|node| {
            let state = node.state.lock();
            let mut pods = state
                .pods
                .iter()
                .enumerate()
                .filter_map(|(at, pod)| Some((at, pod.as_ref()?)));
            let (at, pod) = pods.find(|(_, pod)| {
                &*pod.name == name
                    && namespace == Some(&*pod.revision.namespace)
                    && pod.deleting.is_none()
            })?;
            Some((PodSlot::new(node, at, pod), pod.workload))
        })
    }

    /// Sets the requests a second of a workload that serves some. Returns whether there is one.
    pub(crate) fn set_rate(&self, namespace: &str, name: &str, rate: f64) -> bool {
        self.now(|engine| {
            let now = engine.now;
            let at = Self::find_workload(engine, Some(namespace), name);
            let workload = at.and_then(|at| engine.workloads.get_mut(at));
            let service = workload.and_then(|w| w.service.as_mut());
            service.map(|it| it.set_rate(now, rate)).is_some()
        })
    }

    /// Changes a pod, and stores it. Returns whether there is such a pod.
    pub(crate) fn change_pod(
        &self,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Pod, Option<&Service>),
    ) -> bool {
        self.now(|engine| {
            let Some((slot, workload)) = self.find_pod(Some(namespace), name) else {
                return false;
            };
            self.change(engine, slot, |it| {
                let workload = it.engine.workloads.get(workload);
                change(it.pod, workload.and_then(|w| w.service.as_ref()));
            });
            true
        })
    }

    fn find_workload(engine: &Engine, namespace: Option<&str>, name: &str) -> Option<usize> {
        let mut all = engine.workloads.iter();
        all.position(|w| {
            let is_named = w.app.name == name || w.revision.owner_name == *name;
            is_named && namespace == Some(&*w.namespace)
        })
    }

    /// Replaces the pods of a workload one after the other.
    pub(crate) fn restart(&self, namespace: Option<&str>, name: &str) {
        self.now(|engine| {
            let found = Self::find_workload(engine, namespace, name);
            let Some(at) = found.filter(|at| engine.workloads.get(*at).is_some_and(|w| !w.rolling))
            else {
                return;
            };
            engine.episodes += 1;
            let episode = engine.episodes;
            self.begin_rollout(engine, at, episode);
        });
    }

    /// Makes a node unschedulable, or schedulable again.
    pub(crate) fn cordon(&self, name: &str, on: bool) {
        if let Some(node) = self.nodes.iter().find(|node| &*node.name == name) {
            let mut state = node.state.lock();
            state.cordoned = on;
            self.store_node(node, &state, self.clock.now());
        }
    }

    /// Sets the number of pods of a workload.
    pub(crate) fn scale(&self, namespace: Option<&str>, name: &str, replicas: u32) {
        let replicas = replicas.min(MAX_REPLICAS);
        self.now(|engine| {
            let Some(at) = Self::find_workload(engine, namespace, name) else {
                return;
            };
            let Some(w) = engine.workloads.get_mut(at) else {
                return;
            };
            let before = std::mem::replace(&mut w.replicas, replicas);
            w.updated = replicas;
            for ordinal in replicas..before {
                let slot = engine.slot(at, ordinal).and_then(|(node, index)| {
                    let node = self.nodes.get(node)?;
                    let state = node.state.lock();
                    let pod = state.pod(index)?;
                    (pod.workload == at && pod.ordinal == ordinal)
                        .then(|| PodSlot::new(node, index, pod))
                });
                if let Some(slot) = slot {
                    self.delete_pod(engine, slot);
                }
            }
            for ordinal in before..replicas {
                self.create(engine, at, ordinal);
            }
            self.store_workload(engine, at);
        });
    }

    /// Creates the pod of a workload with this ordinal.
    fn create(&self, engine: &mut Engine, workload: usize, ordinal: u32) {
        engine.made += 1;
        let made = engine.made;
        let Some(w) = engine.workloads.get(workload) else {
            return;
        };
        let first = self.nodes.first();
        let Some(node) = first.map(|first| self.emptiest(first, w.app)) else {
            return;
        };
        let seed = hash(w.seed, 1_000_000_000 + made);
        let name = w.pod_name(ordinal, 1_000_000 + made);
        let mut state = node.state.lock();
        let ip = node.pod_address(state.addresses);
        state.addresses += 1;
        let pod = Pod::new(
            w.revision.clone(),
            (workload, ordinal),
            name,
            seed,
            ip,
            engine.now,
        );
        let index = state.place(pod);
        if let Some(pod) = state.pod(index) {
            self.announce(engine, node, index, pod);
        }
    }
}
