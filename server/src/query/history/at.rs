//! Values as of a time.

use std::collections::HashMap;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::reach;
use crate::cluster::Uid;
use crate::query::Query;
use crate::store::history::{Excerpt, PodId};
use crate::store::ring::{Sample, Tick};

/// What all nodes and pods used at one time.
#[derive(Debug, Default)]
pub struct Past {
    at: Timestamp,
    nodes: HashMap<Arc<str>, PastNode>,
}

/// What a node and its pods used.
#[derive(Debug, Default)]
pub struct PastNode {
    /// The node itself.
    pub node: Option<Sample>,
    /// By namespace, pod and container.
    containers: Vec<PastContainer>,
}

/// What a container used.
#[derive(Debug, Clone)]
pub struct PastContainer {
    /// Its pod.
    pub pod: PodId,
    /// Its name.
    pub container: Arc<str>,
    /// Its newest point that is not newer than the time that was asked for.
    pub sample: Sample,
}

impl Past {
    /// The time that was asked for.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// A node, gone or not.
    pub fn node(&self, name: &str) -> Option<&PastNode> {
        self.nodes.get(name)
    }

    /// All nodes that told anything at that time, in no order.
    pub fn nodes(&self) -> impl Iterator<Item = (&Arc<str>, &PastNode)> {
        self.nodes.iter()
    }
}

impl PastNode {
    /// All containers, by namespace, pod and name.
    pub fn containers(&self) -> &[PastContainer] {
        &self.containers
    }

    /// The containers of a pod that told something, by name; of those that had the name one after the other, the one
    /// with this UID, as far as UIDs are known.
    pub fn pod(
        &self,
        namespace: &str,
        name: &str,
        uid: Uid,
    ) -> impl Iterator<Item = &PastContainer> {
        let order =
            |it: &PastContainer| (&*it.pod.namespace, &*it.pod.name).cmp(&(namespace, name));
        let first = self.containers.partition_point(|it| order(it).is_lt());
        let end = self.containers.partition_point(|it| order(it).is_le());
        let of_name = self.containers.get(first..end).unwrap_or_default();
        of_name
            .iter()
            .filter(move |it| it.pod.uid == uid || !it.pod.uid.is_some() || !uid.is_some())
    }
}

impl Query {
    /// What all nodes and pods used at a time: of each series the newest point that is not newer, if it is not so old
    /// that there was a gap. One block of each series is decoded; 150,000 pods take some tens of milliseconds, so this
    /// is work for a thread of its own.
    pub fn past(&self, at: Timestamp) -> Past {
        let nodes = self.store.history().nodes();
        let mut past = Past {
            at,
            nodes: HashMap::with_capacity(nodes.len()),
        };
        let (mut excerpt, mut samples) = (Excerpt::default(), Vec::new());
        for (name, history) in nodes {
            history.copy_at(&mut excerpt, |_| true, Tick::nearest(at));
            let mut node = PastNode::default();
            for series in excerpt.series() {
                samples.clear();
                let until = Tick::nearest(at);
                samples.extend(
                    series
                        .samples()
                        .take_while(|it| Tick::nearest(it.at) <= until),
                );
                let Some(sample) = samples.last() else {
                    continue;
                };
                if at.since(sample.at) > reach(&samples, self.resolution) {
                    continue;
                }
                match (series.pod, series.container) {
                    (Some(pod), Some(container)) => node.containers.push(PastContainer {
                        pod: pod.clone(),
                        container: Arc::clone(container),
                        sample: *sample,
                    }),
                    _ => node.node = Some(*sample),
                }
            }
            if node.node.is_some() || !node.containers.is_empty() {
                past.nodes.insert(name, node);
            }
        }
        past
    }
}
