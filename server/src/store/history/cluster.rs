//! The history of all nodes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use parking_lot::RwLock;

use super::limit::{Cut, enforce};
use super::node::NodeHistory;
use super::offset::Offset;
use super::settings::{Settings, Shared};
use crate::clock::Age;
use crate::store::ring::Tick;

/// The history of the cluster.
#[derive(Debug)]
pub struct History {
    nodes: RwLock<HashMap<Arc<str>, Arc<NodeHistory>>>,
    pub(super) shared: Arc<Shared>,
}

/// Totals over the history of all nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryTotals {
    /// Nodes with a history.
    pub nodes: usize,
    /// Series of nodes and containers, including ended ones.
    pub series: usize,
    /// Samples.
    pub points: usize,
    /// Memory in bytes: samples, lists, names, and entries in maps.
    pub bytes: usize,
    /// The part of `bytes` for names. Other parts of the program share most names.
    pub name_bytes: usize,
    /// Nodes above their share of --history-memory-limit, whose samples are stored for a shorter time.
    pub shortened_nodes: usize,
    /// The time of the oldest sample.
    pub oldest: Option<Timestamp>,
    /// Blocks that were dropped early because of the memory limit.
    pub cut_blocks: u64,
    /// Samples that were refused because of the memory limit or the limit of series.
    pub refused_points: u64,
}

impl History {
    /// An empty history.
    pub fn new(settings: Settings) -> Self {
        Self {
            nodes: RwLock::default(),
            shared: Arc::new(Shared::new(settings)),
        }
    }

    /// A history with the same nodes, whose memory is not counted, and the same settings.
    pub(super) fn shared_copy(&self) -> Self {
        let copy = Self::new(*self.settings());
        *copy.nodes.write() = self.nodes.read().clone();
        copy
    }

    /// Removes a node, and returns its history.
    pub(super) fn remove(&self, name: &str) -> Option<Arc<NodeHistory>> {
        self.nodes.write().remove(name)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Whether samples are stored.
    pub fn is_on(&self) -> bool {
        !self.settings().retention.is_zero()
    }

    /// The time for which samples are stored: the retention, or less if the memory limit requires it.
    pub fn retention(&self) -> Duration {
        let ticks = u32::try_from(self.shared.retention_ticks()).unwrap_or(u32::MAX);
        (Tick::DURATION * ticks).min(self.settings().retention)
    }

    /// The memory limit, in bytes: the configured one, or less if the memory limit of the process requires it.
    pub fn memory_limit(&self) -> usize {
        self.shared.memory_limit()
    }

    /// Sets the memory limit, up to the configured one, from the next [`Self::tidy`] on.
    pub fn set_memory_limit(&self, bytes: usize) {
        self.shared.set_memory_limit(bytes);
    }

    /// The memory of all histories, in bytes.
    pub fn bytes(&self) -> usize {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// The history of a node, which is created if it does not exist; none if no samples are stored. A writer must keep
    /// the `Arc`: a history without samples and without a writer is dropped.
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

    /// The histories of all nodes, including deleted ones, by name.
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

    /// The totals, with the oldest time by the node's clock. Reads every node.
    pub fn totals(&self) -> HistoryTotals {
        self.sum(|_| Offset::default())
    }

    /// The totals at `now`, with the oldest time by the server's clock, which shows `wall`.
    pub fn totals_at(&self, now: Age, wall: Timestamp) -> HistoryTotals {
        self.sum(|node| node.offset(now, wall))
    }

    fn sum(&self, offset: impl Fn(&NodeHistory) -> Offset) -> HistoryTotals {
        let mut totals = HistoryTotals {
            cut_blocks: self.shared.cut.load(Ordering::Relaxed),
            refused_points: self.shared.refused.load(Ordering::Relaxed),
            ..HistoryTotals::default()
        };
        for (_, node) in self.nodes() {
            let size = node.size();
            totals.nodes += 1;
            totals.series += size.series;
            totals.points += size.points;
            totals.bytes += size.bytes;
            totals.name_bytes += size.name_bytes;
            totals.shortened_nodes += usize::from(size.shortened);
            let oldest = size.oldest.map(|tick| offset(&node).ours(tick.time()));
            totals.oldest = totals.oldest.min(oldest).or(totals.oldest).or(oldest);
        }
        totals
    }

    /// The number of refused samples since the start ([`HistoryTotals::refused_points`]).
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Drops old samples and empty nodes, and enforces the memory limit. Call it every few seconds; it takes a few
    /// milliseconds in a cluster of thousands of nodes. Returns the nodes that had to drop samples early.
    pub fn tidy(&self, now: Age) -> Cut {
        let nodes = self.nodes();
        let mut empty = Vec::new();
        for (name, node) in &nodes {
            if !node.tidy(now, false) {
                empty.push(Arc::clone(name));
            }
        }
        let cut = enforce(&self.shared, &nodes, now);
        drop(nodes);
        if !empty.is_empty() {
            let mut nodes = self.nodes.write();
            for name in empty {
                // The node's task or a reader may still use it.
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
