//! The state that all workers share.

use std::sync::Arc;

use super::admission::EarlyBudget;
use super::buffers::Buffers;
use super::client::Kubelets;
use super::node_log::Lines;
use super::page::ProbeSink;
use super::record::{Instants, Record};
use super::settings::Settings;
use super::starts::Starts;
use super::stats::Stats;
use crate::clock::{Age, Clock};
use crate::cluster::Cluster;
use crate::memory::Memory;

/// The state that all workers share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) kubelets: Kubelets,
    pub(super) cluster: Arc<Cluster>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stats: Arc<Stats>,
    /// Log lines about nodes.
    pub(super) lines: Lines,
    pub(super) buffers: Buffers,
    /// Receives the counters of probes.
    pub(super) probes: Arc<dyn ProbeSink>,
    pub(super) page_buffers: Buffers,
    /// Reports the starts of containers.
    pub(super) starts: Arc<Starts>,
    pub(super) early: EarlyBudget,
    pub(super) memory: Arc<Memory>,
}

impl Shared {
    /// Counts skipped turns of a node.
    pub(super) fn skipped(&self, record: &Record, turns: u32) {
        if turns > 0 {
            record.skips_turns(turns);
            self.stats.skipped_turns.inc_by(u64::from(turns));
        }
    }

    /// Whether a node may have an early scrape at `now`. While the server is overloaded none may.
    pub(super) fn may_scrape_early(&self, now: Age) -> bool {
        let (nodes, resolution) = (self.stats.nodes(), self.settings.resolution);
        !self.stats.gate.is_overloaded() && self.early.spend(now, nodes, resolution)
    }

    /// The current time of both clocks.
    pub(super) fn now(&self) -> Instants {
        Instants {
            age: self.clock.elapsed(),
            wall: self.clock.wall(),
        }
    }
}
