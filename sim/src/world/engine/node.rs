//! Nodes that are lost and found, and what the node controller says of them.

use kubevitals_proto::time::Timestamp;

use crate::objects::Resource;
use crate::world::World;
use crate::world::action::{Action, NodeStep, PodAt};
use crate::world::epoch::SECOND;
use crate::world::fault::{Fault, Happening, InjectedFault};
use crate::world::json;
use crate::world::node::{Node, NodeReady};
use crate::world::queue::Engine;
use crate::world::recorder::About;

/// After so long without a renewed lease the node controller gives a node up.
const GRACE: i64 = 40 * SECOND;

impl World {
    /// A kubelet stops answering.
    pub(super) fn lose_node(&self, engine: &mut Engine, at: Timestamp, node: usize, episode: u64) {
        let Some(node) = self.nodes.get(node) else {
            return;
        };
        node.state.lock().down = Some((at, episode));
        note(engine, at, node, episode, Happening::NodeSilent);
        let given_up = at.plus_nanos(GRACE);
        engine.at(given_up, Action::Node(node.index, NodeStep::Unknown));
        // Before the five minutes are over after which pods would be evicted.
        let back = given_up.plus_nanos(engine.roll(50.0, 210.0));
        engine.at(back, Action::Node(node.index, NodeStep::Back));
    }

    pub(super) fn node_step(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        index: usize,
        step: NodeStep,
    ) {
        let Some(node) = self.nodes.get(index) else {
            return;
        };
        match step {
            NodeStep::Unknown => {
                let Some((since, episode)) = node.state.lock().down else {
                    return;
                };
                note(engine, at, node, episode, Happening::NodeNotReady);
                self.set_ready(engine, at, node, NodeReady::Unknown, since);
                let about = About::node(node, false);
                let text = format!("Node {} status is now: NodeNotReady", node.name);
                engine.event(&self.store, at, &about, "Normal", "NodeNotReady", &text);
            }
            NodeStep::Back => {
                let Some((_, episode)) = node.state.lock().down.take() else {
                    return;
                };
                note(engine, at, node, episode, Happening::NodeReady);
                self.set_ready(engine, at, node, NodeReady::Yes, at);
                let about = About::node(node, true);
                let text = format!("Node {} status is now: NodeReady", node.name);
                engine.event(&self.store, at, &about, "Normal", "NodeReady", &text);
            }
            NodeStep::Relieved => self.set_pressure(engine, at, index, false),
        }
    }

    /// Changes a node's Ready condition, and with it that of its pods.
    fn set_ready(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        node: &Node,
        ready: NodeReady,
        heartbeat: Timestamp,
    ) {
        let lost = ready == NodeReady::Unknown;
        let pods: Vec<PodAt> = {
            let mut state = node.state.lock();
            state.ready = (ready, at);
            self.store_node(node, &state, heartbeat);
            let pods = state.pods.iter().enumerate();
            pods.filter_map(|(slot, pod)| {
                Some(PodAt {
                    node: node.index,
                    slot,
                    seed: pod.as_ref()?.seed,
                })
            })
            .collect()
        };
        if !lost {
            self.store
                .apply(Resource::Leases, json::node::lease(node, at));
        }
        for place in pods {
            self.change(engine, place, |engine, change| {
                let before = change.pod.counts_as_ready();
                if change.pod.node_lost == lost {
                    return;
                }
                change.pod.node_lost = lost;
                if change.pod.ready.0 {
                    change.pod.ready.1 = at;
                }
                if lost {
                    let about = About::pod_by("node-controller", change.pod);
                    let text = "Node is not ready";
                    engine.event(&self.store, at, &about, "Warning", "NodeNotReady", text);
                }
                self.recount(engine, change.pod, before);
            });
        }
    }

    /// Says that a node is short of memory, or no longer.
    pub(super) fn set_pressure(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        index: usize,
        short: bool,
    ) {
        let Some(node) = self.nodes.get(index) else {
            return;
        };
        {
            let mut state = node.state.lock();
            if state.memory_pressure.is_some() == short {
                return;
            }
            state.memory_pressure = short.then_some(at);
            self.store_node(node, &state, at);
        }
        let reason = if short {
            engine.at(
                at.plus_nanos(300 * SECOND),
                Action::Node(index, NodeStep::Relieved),
            );
            "NodeHasInsufficientMemory"
        } else {
            "NodeHasSufficientMemory"
        };
        let about = About::node(node, true);
        let text = format!("Node {} status is now: {reason}", node.name);
        engine.event(&self.store, at, &about, "Normal", reason, &text);
    }

    /// The kubelets that live renew their leases.
    pub(super) fn heartbeat(&self, engine: &mut Engine, at: Timestamp) {
        for node in &self.nodes {
            if node.state.lock().down.is_none() {
                self.store
                    .apply(Resource::Leases, json::node::lease(node, at));
            }
            // A kubelet posts its node's status every five minutes when nothing in it has changed.
            let state = node.state.lock();
            let healthy = state.down.is_none() && state.ready.0 == NodeReady::Yes;
            if healthy && self.nodes.len() <= 20 && at.as_secs() % 300 < 10 {
                self.store_node(node, &state, at);
            }
        }
        if let Some(interval) = self.heartbeat_interval() {
            engine.at(at.plus_nanos(interval), Action::Heartbeat);
        }
    }
}

fn note(engine: &mut Engine, at: Timestamp, node: &Node, episode: u64, what: Happening) {
    engine.injected.push(InjectedFault {
        at,
        episode,
        fault: Fault::NodeNotReady,
        what,
        node: node.name.clone(),
        namespace: String::new(),
        name: String::new(),
        container: String::new(),
    });
}
