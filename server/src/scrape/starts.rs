//! Notifies nodes' tasks when the API server reports that a container has started.

use std::collections::HashMap;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::cluster::{Event, Node, Observer, Pod, State};

/// A start that is older than this is not news: the watch lists all containers at its start.
const NEWS_NS: i64 = 10_000_000_000;

/// The start of the newest container of each node, by the kubelet's clock.
#[derive(Debug)]
pub struct Starts {
    clock: Arc<dyn Clock>,
    nodes: RwLock<HashMap<Arc<str>, watch::Sender<Timestamp>>>,
}

impl Starts {
    /// No nodes yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            nodes: RwLock::default(),
        }
    }

    /// Subscribes a node's task.
    pub(in crate::scrape) fn subscribe(&self, node: &Arc<str>) -> watch::Receiver<Timestamp> {
        let (sender, receiver) = watch::channel(Timestamp(0));
        self.nodes.write().insert(Arc::clone(node), sender);
        receiver
    }

    /// Forgets a node.
    pub(in crate::scrape) fn remove(&self, node: &str) {
        self.nodes.write().remove(node);
    }
}

impl Observer for Starts {
    fn pod(&self, before: Option<&Arc<Pod>>, after: Option<&Arc<Pod>>) {
        let Some((node, started)) = after.and_then(|pod| Some((pod.node.as_ref()?, newest(pod)?)))
        else {
            return;
        };
        let age = self.clock.wall().0.saturating_sub(started.0);
        if age > NEWS_NS || before.and_then(|pod| newest(pod)) == Some(started) {
            return;
        }
        if let Some(sender) = self.nodes.read().get(node) {
            sender.send_replace(started);
        }
    }

    fn node(&self, _before: Option<&Arc<Node>>, _after: Option<&Arc<Node>>) {}

    fn event(&self, _event: &Event) {}
}

/// The start of the pod's newest container that runs.
fn newest(pod: &Pod) -> Option<Timestamp> {
    let seconds = pod.containers.iter().filter_map(|it| match it.state {
        State::Running { since_seconds } => Some(since_seconds),
        State::Waiting(_) | State::Terminated(_) => None,
    });
    seconds
        .max()
        .map(|seconds| Timestamp::from_secs(seconds.into()))
}
