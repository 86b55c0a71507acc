//! Whether the server has metrics to serve, and whether its scrapes are on time.

use std::sync::atomic::{AtomicBool, Ordering};

use super::sources::Sources;
use crate::cluster::Pod;
use crate::store::Latest;

/// Why the server is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unready {
    /// The list of nodes has not been read yet.
    #[error("the nodes have not been listed yet")]
    Nodes,
    /// The list of pods has not been read yet.
    #[error("the pods have not been listed yet")]
    Pods,
    /// No node has a rate yet.
    #[error("no metrics to serve: no node has any yet")]
    NodeMetrics,
    /// No pod has a rate yet.
    #[error("no metrics to serve: no pod has any yet")]
    PodMetrics,
}

/// The state of the checks that decide readiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// Whether nodes and pods have been listed.
    pub synced: Result<(), Unready>,
    /// Whether first metrics exist.
    pub storage: Result<(), Unready>,
}

/// Stays set once the server has been ready. A node or a watch that fails later has its own metrics and reasons, and an
/// APIService that flaps does more harm than one that serves what it has: no namespace can be deleted while it is
/// unavailable.
#[derive(Debug, Default)]
pub(super) struct Latch(AtomicBool);

impl Latch {
    /// The current readiness.
    pub(super) fn read(&self, sources: &Sources) -> Readiness {
        if self.0.load(Ordering::Acquire) {
            return Readiness {
                synced: Ok(()),
                storage: Ok(()),
            };
        }
        let synced = synced(sources);
        let readiness = Readiness {
            synced,
            storage: synced.and_then(|()| has_metrics(sources)),
        };
        if readiness.synced.is_ok() && readiness.storage.is_ok() {
            self.0.store(true, Ordering::Release);
        }
        readiness
    }
}

/// Whether scrapes are on time: one began within the last one and a half resolutions, or none was due. This is
/// metrics-server's rule, except that a node whose scrapes back off is no reason to restart the server.
pub(super) fn is_timely(sources: &Sources) -> bool {
    let patience = sources.resolution * 3 / 2;
    sources.stats.timely(sources.now(), patience)
}

fn synced(sources: &Sources) -> Result<(), Unready> {
    if !sources.watches.nodes.synced() {
        return Err(Unready::Nodes);
    }
    if !sources.watches.pods.synced() {
        return Err(Unready::Pods);
    }
    Ok(())
}

/// Whether some node and some pod has metrics. A cluster without nodes, or without pods on them, has nothing to wait
/// for; nor has a server whose `--node-selector` selects no node.
fn has_metrics(sources: &Sources) -> Result<(), Unready> {
    let cells = sources.store.cells();
    let (nodes, pods) = (sources.cluster.nodes(), sources.cluster.pods());
    let any_latest = |has: fn(&Latest) -> bool| {
        let mut latest = cells.values().filter_map(|cell| cell.latest());
        latest.any(|latest| has(&latest))
    };
    if !nodes.is_empty() && !any_latest(|latest| latest.node.is_ok()) {
        return Err(Unready::NodeMetrics);
    }
    let is_on_node = |pod: &Pod| {
        let node = pod.node.as_ref();
        node.is_some_and(|node| nodes.contains_key(node))
    };
    if pods.values().any(|pod| is_on_node(pod))
        && !any_latest(|latest| latest.pods.iter().any(|pod| pod.rates.is_ok()))
    {
        return Err(Unready::PodMetrics);
    }
    Ok(())
}
