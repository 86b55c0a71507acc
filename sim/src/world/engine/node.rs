//! Nodes that stop and start answering, and how the node controller reacts.

use kubevitals_proto::time::Timestamp;

use crate::objects::Resource;
use crate::world::World;
use crate::world::action::{Action, NodeStep, PodSlot};
use crate::world::epoch::SECOND;
use crate::world::fault::{Fault, Happening, InjectedFault};
use crate::world::json;
use crate::world::node::Node;
use crate::world::queue::Engine;
use crate::world::recorder::About;

/// The node controller marks a node unknown when its lease has not been renewed for so long.
const GRACE: i64 = 40 * SECOND;

impl World {
    /// A kubelet stops answering.
    pub(super) fn lose_node(&self, engine: &mut Engine, node: &Node, episode: u64) {
        node.state.lock().down = Some((engine.now, episode));
        note(engine, node, episode, Happening::NodeSilent);
        engine.after(GRACE, Action::Node(node.index, NodeStep::Unknown));
        // The node answers again before its pods would be evicted, which is after five minutes.
        let back = GRACE + engine.roll(50.0, 210.0);
        engine.after(back, Action::Node(node.index, NodeStep::Back));
    }

    pub(super) fn node_step(&self, engine: &mut Engine, index: usize, step: NodeStep) {
        let node = self.nodes.get(index);
        let Some(node) = node else { return };
        let back = match step {
            NodeStep::Unknown => false,
            NodeStep::Back => true,
            NodeStep::Relieved => return self.set_pressure(engine, node, false),
        };
        let down = match back {
            true => node.state.lock().down.take(),
            false => node.state.lock().down,
        };
        let Some((since, episode)) = down else { return };
        let (what, heartbeat, reason) = match back {
            true => (Happening::NodeReady, engine.now, "NodeReady"),
            false => (Happening::NodeNotReady, since, "NodeNotReady"),
        };
        note(engine, node, episode, what);
        self.set_ready(engine, node, back, heartbeat);
        status_event(engine, node, back, reason);
    }

    /// Changes a node's Ready condition, and with it that of its pods.
    fn set_ready(&self, engine: &mut Engine, node: &Node, ready: bool, heartbeat: Timestamp) {
        let now = engine.now;
        let slots: Vec<PodSlot> = {
            let mut state = node.state.lock();
            state.ready = (ready, now);
            self.store_node(node, &state, heartbeat);
            let pods = state.pods.iter().zip(0..);
            pods.filter_map(|(pod, index)| Some(PodSlot::new(node, index, pod.as_ref()?)))
                .collect()
        };
        if ready {
            let lease = json::node::lease(node, now);
            self.store.apply(Resource::Leases, lease);
        }
        for slot in slots {
            self.change(engine, slot, |change| {
                let before = change.pod.counts_as_ready();
                if change.pod.node_lost != ready {
                    return;
                }
                change.pod.node_lost = !ready;
                if change.pod.ready.0 {
                    change.pod.ready.1 = now;
                }
                if !ready {
                    let about = About::pod_by("node-controller", change.pod);
                    let (reason, text) = ("NodeNotReady", "Node is not ready");
                    change.engine.event(&about, "Warning", reason, text);
                }
                self.recount(change.engine, change.pod, before);
            });
        }
    }

    /// Changes a node's MemoryPressure condition. A node that is short of memory is relieved after five minutes.
    pub(super) fn set_pressure(&self, engine: &mut Engine, node: &Node, short: bool) {
        let now = engine.now;
        {
            let mut state = node.state.lock();
            if state.memory_pressure.is_some() == short {
                return;
            }
            state.memory_pressure = short.then_some(now);
            self.store_node(node, &state, now);
        }
        if short {
            let relieved = Action::Node(node.index, NodeStep::Relieved);
            engine.after(300 * SECOND, relieved);
        }
        let reason = match short {
            true => "NodeHasInsufficientMemory",
            false => "NodeHasSufficientMemory",
        };
        status_event(engine, node, true, reason);
    }

    /// The kubelets that answer renew their leases.
    pub(super) fn heartbeat(&self, engine: &mut Engine) {
        let now = engine.now;
        for node in &self.nodes {
            let state = node.state.lock();
            if state.down.is_some() {
                continue;
            }
            let lease = json::node::lease(node, now);
            self.store.apply(Resource::Leases, lease);
            // A kubelet posts its node's status every five minutes when nothing in it has changed.
            let ready = state.ready.0;
            if ready && self.nodes.len() <= 20 && now.as_secs() % 300 < 10 {
                self.store_node(node, &state, now);
            }
        }
        if let Some(interval) = self.heartbeat_interval() {
            engine.after(interval, Action::Heartbeat);
        }
    }
}

/// Writes the event of a node's new status, which the kubelet or the node controller reports.
fn status_event(engine: &mut Engine, node: &Node, by_kubelet: bool, reason: &str) {
    let about = About::node(node, by_kubelet);
    let text = format!("Node {} status is now: {reason}", node.name);
    engine.event(&about, "Normal", reason, &text);
}

fn note(engine: &mut Engine, node: &Node, episode: u64, what: Happening) {
    engine.injected.push(InjectedFault {
        at: engine.now,
        episode,
        fault: Fault::NodeNotReady,
        what,
        node: node.name.to_string(),
        namespace: String::new(),
        name: String::new(),
        container: String::new(),
    });
}
