//! The drains of nodes that the dashboard does: how far they are.

use std::collections::BTreeMap;

use super::format::count;
use super::name::Name;

/// How far the drain of a node is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DrainProgress {
    /// The number of pods that are evicted.
    pub evicted: usize,
    /// The number of pods to evict; none until the pods of the node have been read.
    pub total: Option<usize>,
    /// The pod that its budget protects at the moment, with the reason.
    pub waits_for: Option<String>,
}

impl DrainProgress {
    /// The progress in words: `3 of 12 pods evicted`.
    #[must_use]
    pub fn text(&self) -> String {
        match self.total {
            Some(total) => format!("{} of {} evicted", self.evicted, count(total, "pod")),
            None => "its pods are being read".to_owned(),
        }
    }
}

/// A drain in flight.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drain {
    /// How far it is.
    pub progress: DrainProgress,
    /// Whether it was cancelled. It ends after the request in flight.
    pub is_cancelled: bool,
}

/// The drains in flight, by node.
pub type Drains = BTreeMap<Name, Drain>;

impl Drain {
    /// What it does, one sentence in each text.
    #[must_use]
    pub fn texts(&self, node: &str, context: &str) -> Vec<String> {
        let progress = self.progress.text();
        let mut texts = vec![format!("Node {node} in context {context}: {progress}.")];
        if self.is_cancelled {
            texts.push(
                "It is being cancelled. Evicted pods stay evicted, and the node stays cordoned."
                    .to_owned(),
            );
        } else if let Some(pod) = &self.progress.waits_for {
            texts.push(format!("Waiting for {pod}."));
        }
        texts
    }
}
