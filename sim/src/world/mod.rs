//! The simulated cluster: nodes, workloads, pods, their usage and their faults.
//!
//! Everything is a function of the seed and the size. Usage is evaluated when a kubelet is scraped and not before;
//! changes (a container ends, a node is lost) are actions in the queue of the engine. No loop runs over the pods.

pub(crate) mod action;
pub(crate) mod catalog;
pub(crate) mod demand;
pub(crate) mod engine;
pub(crate) mod epoch;
pub(crate) mod fault;
pub(crate) mod gpu;
pub(crate) mod hash;
pub(crate) mod json;
pub(crate) mod load;
pub(crate) mod node;
mod plan;
pub(crate) mod pod;
pub(crate) mod probe;
pub(crate) mod queue;
pub(crate) mod recorder;
pub(crate) mod sampling;
pub(crate) mod service;
pub(crate) mod template;
pub(crate) mod volume;
pub(crate) mod workload;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::clock::SimClock;
use crate::objects::{Resource, Store};
use catalog::{Kind, Role};
use epoch::{Epoch, SECOND};
use hash::{between, hash};
use node::{Node, NodeState};
use plan::Plan;
use pod::{Ended, Phase, Pod, State};
use queue::Engine;
use service::{Exposed, Served};
use workload::Workload;

/// How large a world is, and which of all possible ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    pub(crate) seed: u64,
    pub(crate) nodes: usize,
    pub(crate) pods_per_node: usize,
    /// What pods expose, if they do.
    pub(crate) exposed: Option<Exposed>,
    /// Whether an autoscaler owns the objects of the autoscalers.
    pub(crate) autoscaler: bool,
}

/// The simulated cluster's nodes and what runs on them.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: SimClock,
    pub(crate) epoch: Epoch,
    pub(crate) nodes: Vec<Node>,
    /// The queue of actions. Locked before any node's state, never after.
    pub(crate) engine: Mutex<Engine>,
    /// When the engine's next action is due, in nanoseconds: readable without the engine's lock.
    pub(crate) due: AtomicI64,
    /// Notified when `due` changes.
    pub(crate) woken: Notify,
    pub(crate) scale: Scale,
    pub(crate) started: Timestamp,
    pub(crate) kubelet_port: u16,
    pub(crate) store: Arc<Store>,
}

impl World {
    /// A world in its steady state: everything has been running for days.
    pub(crate) fn new(scale: Scale, clock: SimClock, store: Arc<Store>, kubelet_port: u16) -> Self {
        let now = clock.now();
        let plan = Plan::new(
            scale.seed,
            scale.nodes,
            scale.pods_per_node,
            now,
            scale.exposed,
        );
        let pods = u32::try_from(scale.pods_per_node).unwrap_or(u32::MAX);
        let nodes: Vec<Node> = (0..scale.nodes)
            .map(|index| {
                let node = Node::new(scale.seed, index, pods, now);
                match scale.exposed {
                    Some(exposed) => node.exposed(index + exposed.gpu_nodes >= scale.nodes),
                    None => node,
                }
            })
            .collect();
        let world = Self {
            epoch: Epoch::before(now),
            clock,
            engine: Mutex::new(Engine::new(scale.seed, plan.workloads, store.clone(), now)),
            due: AtomicI64::new(i64::MAX),
            woken: Notify::new(),
            scale,
            started: now,
            kubelet_port,
            store,
            nodes,
        };
        let mut engine = world.engine.lock();
        for (node, pods) in world.nodes.iter().zip(&plan.nodes) {
            let mut state = node.state.lock();
            for (workload, ordinal) in pods {
                let Some(w) = engine.workloads.get(*workload) else {
                    continue;
                };
                let pod = world.settled_pod(node, state.addresses, w, (*workload, *ordinal));
                engine.set_slot(*workload, *ordinal, node.index, state.pods.len());
                state.addresses += 1;
                state.pods.push(Some(pod));
            }
            state.sort();
        }
        drop(engine);
        world
    }

    /// Stores every object.
    pub(crate) fn populate(&self) {
        let now = self.started;
        let mut namespaces: Vec<&str> =
            vec!["kube-system", "kube-public", "kube-node-lease", "default"];
        let engine = self.engine.lock();
        namespaces.extend(engine.workloads.iter().map(|w| &*w.namespace));
        namespaces.sort_unstable();
        namespaces.dedup();
        let born = now.plus_nanos(-56 * 86_400 * SECOND);
        for name in namespaces {
            let namespace = json::workload::namespace(self.scale.seed, name, born);
            self.store.apply(Resource::Namespaces, namespace);
            let workloads = engine.workloads.iter();
            let workloads: Vec<_> = workloads.filter(|w| *w.namespace == *name).collect();
            if name != "kube-system" && !workloads.is_empty() {
                if let Some(quota) = json::policy::quota(self.scale.seed, name, &workloads, born) {
                    self.store.apply(Resource::ResourceQuotas, quota);
                }
                let range = json::policy::limit_range(self.scale.seed, name, born);
                self.store.apply(Resource::LimitRanges, range);
            }
        }
        for workload in &engine.workloads {
            for (resource, object) in json::workload::objects(workload) {
                self.store.apply(resource, object);
            }
            self.populate_volumes(workload);
        }
        for class in json::volume::storage_classes(self.scale.seed, born) {
            self.store.apply(Resource::StorageClasses, class);
        }
        for (resource, object) in json::volume::broken(self.scale.seed, now) {
            self.store.apply(resource, object);
        }
        for node in &self.nodes {
            let state = node.state.lock();
            self.store_node(node, &state, now);
            self.store
                .apply(Resource::Leases, json::node::lease(node, now));
            for pod in state.pods() {
                self.store_pod(node, pod);
            }
        }
    }

    /// Stores the claims of a StatefulSet's pods.
    fn populate_volumes(&self, workload: &Workload) {
        let has_volumes = workload.app.kind == Kind::StatefulSet;
        for ordinal in (0..workload.replicas).filter(|_| has_volumes) {
            for (resource, object) in json::volume::of_pod(workload, ordinal) {
                self.store.apply(resource, object);
            }
        }
    }

    /// Stores a node as it is now, with the time of the kubelet's last heartbeat.
    pub(crate) fn store_node(&self, node: &Node, state: &NodeState, heartbeat: Timestamp) {
        let object = json::node::node(node, state, self.kubelet_port, heartbeat);
        self.store.apply(Resource::Nodes, object);
    }

    /// Stores a pod as it is now.
    pub(crate) fn store_pod(&self, node: &Node, pod: &Pod) {
        let (meta, bytes) = json::pod::pod(pod, node);
        self.store.apply_bytes(Resource::Pods, meta, bytes);
    }

    /// A pod that has been running for a while.
    fn settled_pod(
        &self,
        node: &Node,
        nth: u32,
        w: &Workload,
        (workload, ordinal): (usize, u32),
    ) -> Pod {
        let seed = hash(w.seed, 10_000 + u64::from(ordinal));
        let oldest = w.revision.created.max(node.booted).plus_nanos(40 * SECOND);
        let youngest = self.started.plus_nanos(-700 * SECOND).max(oldest);
        // Most pods came soon after their revision or node, some were moved since.
        let span = youngest.since(oldest) as f64;
        let late = hash::unit(hash(seed, 3)).powi(6);
        let created = oldest.plus_nanos((span * late) as i64);
        let mut pod = Pod::new(
            w.revision.clone(),
            (workload, ordinal),
            w.pod_name(ordinal, u64::from(ordinal)),
            seed,
            node.pod_address(nth),
            created,
        );
        settle(&mut pod);
        if let (Some(service), Some(since)) = (&w.service, pod.serving_since()) {
            let secs = self.started.since(since) as f64 / 1e9;
            pod.served = Served::ready(service.counted_in(secs), service.total(self.started));
        }
        pod
    }
}

/// Makes a new pod run and ready, as of the times that its start would have taken.
fn settle(pod: &mut Pod) {
    let after = |stream: u64, low: f64, high: f64| {
        (between(hash(pod.seed, stream), low, high) * 1e9) as i64
    };
    let sandbox = pod.created.plus_nanos(after(4, 0.8, 2.5));
    let mut at = sandbox.plus_nanos(after(5, 0.2, 0.9));
    let (init, step) = (after(6, 0.4, 4.0), after(7, 0.05, 0.4));
    let up = after(8, 1.0, 6.0);
    pod.sandbox = sandbox;
    pod.changed = sandbox;
    pod.phase = Phase::Running;
    for c in &mut pod.containers {
        if c.spec.role == Role::Init {
            let finished = at.plus_nanos(init);
            c.state = State::Ended(Ended {
                started: at,
                finished,
                exit_code: 0,
                reason: "Completed",
                incarnation: 0,
            });
            c.ready = true;
            at = finished;
        } else {
            c.run(at);
            (c.started, c.ready) = (true, true);
            c.probe_from(at.plus_nanos(up));
        }
        at = at.plus_nanos(step);
    }
    pod.ready = (true, at.plus_nanos(up));
}
