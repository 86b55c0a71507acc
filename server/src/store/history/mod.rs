//! What was used before now: the series of every node and container, those that are gone included, until they are too
//! old or there is no memory for them.
//!
//! Each node's history is behind a lock of its own ([`NodeHistory`]). The node's task takes it once a scrape, readers
//! while they copy compressed blocks out ([`Excerpt`]), both for microseconds; nothing is decoded under it. A reader of
//! the latest rates takes no lock at all: those are not here.
//!
//! A node that the API server forgets keeps its history here until that is too old, as pods do. To carry a history from
//! one process to another there are [`NodeHistory::export`] and [`History::import`].

mod excerpt;
mod limit;
mod locator;
mod malloc_size;
mod metrics;
mod node;
mod offset;
mod pod_id;
mod settings;
mod transfer;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use parking_lot::RwLock;

pub use excerpt::{CopiedSeries, Excerpt};
pub use limit::Cut;
pub use metrics::register;
pub use node::{HistorySize, NodeHistory, Reading, life};
pub use offset::Offset;
pub use pod_id::PodId;
pub use settings::{HistoryFlags, Settings};
pub use transfer::{ImportError, Imported};

use super::ring::Tick;
use crate::clock::Age;
use settings::Shared;

/// The history of the cluster.
#[derive(Debug)]
pub struct History {
    nodes: RwLock<HashMap<Arc<str>, Arc<NodeHistory>>>,
    shared: Arc<Shared>,
}

/// What there is of history, all nodes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Nodes that have a history.
    pub nodes: usize,
    /// Series of nodes and containers, those that are gone included.
    pub series: usize,
    /// Their points.
    pub points: usize,
    /// The memory they take, in bytes: points, lists, names, and their locator in maps.
    pub bytes: usize,
    /// The part of `bytes` that is names. Other parts of the program share most of these.
    pub name_bytes: usize,
    /// Nodes that hold more than their share of --history-memory-limit, and whose points are kept for a shorter time.
    pub shortened_nodes: usize,
    /// When the oldest point was.
    pub oldest: Option<Timestamp>,
    /// Blocks that were dropped before their time, because of the memory limit.
    pub cut_blocks: u64,
    /// Points that were not kept: there was no memory, or their node had as many series as it may have.
    pub refused_points: u64,
}

impl History {
    /// None yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            nodes: RwLock::default(),
            shared: Arc::new(Shared::new(settings)),
        }
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Whether anything is remembered.
    pub fn is_on(&self) -> bool {
        !self.settings().retention.is_zero()
    }

    /// For how long points are kept: the retention, or less while memory does not do.
    pub fn remembers(&self) -> Duration {
        let ticks = u32::try_from(self.shared.keeps()).unwrap_or(u32::MAX);
        (Tick::DURATION * ticks).min(self.settings().retention)
    }

    /// The history of a node, made if there is none yet; nothing if nothing is remembered. Whoever appends to it holds
    /// it for as long as it does: what nobody holds and has no points is dropped.
    pub fn begin(&self, node: &Arc<str>) -> Option<Arc<NodeHistory>> {
        self.is_on().then(|| {
            let mut nodes = self.nodes.write();
            let made = || Arc::new(NodeHistory::new(node, Arc::clone(&self.shared)));
            Arc::clone(nodes.entry(Arc::clone(node)).or_insert_with(made))
        })
    }

    /// The history of a node.
    pub fn node(&self, name: &str) -> Option<Arc<NodeHistory>> {
        self.nodes.read().get(name).map(Arc::clone)
    }

    /// The histories of all nodes, those that are gone included, by name.
    pub fn nodes(&self) -> Vec<(Arc<str>, Arc<NodeHistory>)> {
        let nodes = self.nodes.read();
        let mut all: Vec<_> = nodes
            .iter()
            .map(|(name, node)| (Arc::clone(name), Arc::clone(node)))
            .collect();
        drop(nodes);
        all.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        all
    }

    /// What there is; the oldest point is told by its node's clock. Visits every node.
    pub fn counts(&self) -> Counts {
        self.counted(|_| Offset::default())
    }

    /// The same at `now`, when our clock shows `wall`; the oldest point is told by that.
    pub fn counts_at(&self, now: Age, wall: Timestamp) -> Counts {
        self.counted(|node| node.offset(now, wall))
    }

    fn counted(&self, offset: impl Fn(&NodeHistory) -> Offset) -> Counts {
        let mut counts = Counts {
            cut_blocks: self.shared.cut.load(Ordering::Relaxed),
            refused_points: self.shared.refused.load(Ordering::Relaxed),
            ..Counts::default()
        };
        for (_, node) in self.nodes() {
            let held = node.size();
            counts.nodes += 1;
            counts.series += held.series;
            counts.points += held.points;
            counts.bytes += held.bytes;
            counts.name_bytes += held.name_bytes;
            counts.shortened_nodes += usize::from(held.shortened);
            let oldest = held.oldest.map(|tick| offset(&node).ours(tick.time()));
            counts.oldest = counts.oldest.min(oldest).or(counts.oldest).or(oldest);
        }
        counts
    }

    /// Points that were not kept since the start, as [`Counts`] has them.
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Drops what is too old at `now`, and nodes that have nothing left. To be called every few seconds; it takes a few
    /// milliseconds in a cluster of thousands of nodes. Afterwards no more memory is in use than the limit. Returns
    /// which nodes had to drop something before its time for that.
    pub fn tidy(&self, now: Age) -> Cut {
        let nodes = self.nodes();
        let mut empty = Vec::new();
        for (name, node) in &nodes {
            if !node.tidy(now, false) {
                empty.push(Arc::clone(name));
            }
        }
        let cut = limit::keep_to(&self.shared, &nodes, now);
        drop(nodes);
        if !empty.is_empty() {
            let mut nodes = self.nodes.write();
            for name in empty {
                // Its own task, or a reader, may still hold it.
                if nodes
                    .get(&name)
                    .is_some_and(|node| Arc::strong_count(node) == 1)
                {
                    nodes.remove(&name);
                }
            }
        }
        cut
    }
}

#[cfg(test)]
mod tests;
