//! Whether the server can be asked, and whether it does its work.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Query;
use crate::cluster::Pod;

/// What stands between the server and its first answers.
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
    /// Whether first answers exist.
    pub storage: Result<(), Unready>,
}

/// Once ready, always ready: a node or a watch that fails later says so in its own place, and an API service
/// that flaps does more harm (a namespace cannot be deleted while it is away) than one that answers with what
/// it has.
#[derive(Debug, Default)]
pub(super) struct Latch(AtomicBool);

impl Query {
    /// Whether first answers exist.
    pub fn readiness(&self) -> Readiness {
        if self.ready.0.load(Ordering::Acquire) {
            return Readiness {
                synced: Ok(()),
                storage: Ok(()),
            };
        }
        let readiness = Readiness {
            synced: self.synced(),
            storage: self.storage(),
        };
        if readiness.synced.is_ok() && readiness.storage.is_ok() {
            self.ready.0.store(true, Ordering::Release);
        }
        readiness
    }

    /// Whether nodes are asked as often as they should be: within one and a half resolutions one was, or none had
    /// to be. The peer's rule, but a node that is left alone for a while because it does not answer is no reason
    /// to restart the server.
    pub fn timely(&self) -> bool {
        self.stats.timely(self.now(), self.resolution * 3 / 2)
    }

    fn synced(&self) -> Result<(), Unready> {
        if !self.watches.nodes.synced() {
            return Err(Unready::Nodes);
        }
        if !self.watches.pods.synced() {
            return Err(Unready::Pods);
        }
        Ok(())
    }

    /// A cluster without nodes, or without pods on them, has nothing to wait for; nor has a server whose
    /// `--node-selector` selects none.
    fn storage(&self) -> Result<(), Unready> {
        self.synced()?;
        let (cells, nodes, pods) = (
            self.store.cells(),
            self.cluster.nodes(),
            self.cluster.pods(),
        );
        if !nodes.is_empty()
            && !cells
                .values()
                .any(|cell| cell.latest().is_some_and(|latest| latest.node.is_ok()))
        {
            return Err(Unready::NodeMetrics);
        }
        let on_a_node = |pod: &Pod| {
            pod.node
                .as_ref()
                .is_some_and(|node| nodes.contains_key(node))
        };
        if pods.values().any(|pod| on_a_node(pod))
            && !cells.values().any(|cell| {
                cell.latest()
                    .is_some_and(|latest| latest.pods.iter().any(|pod| pod.rates.is_ok()))
            })
        {
            return Err(Unready::PodMetrics);
        }
        Ok(())
    }
}
