//! How much is remembered, and what all nodes' histories share of it.

use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;

use crate::flag_values::{bytes, duration};
use crate::store::ring::Tick;

/// A shorter history would be gone before a block of samples is full.
const SHORTEST: Duration = Duration::from_secs(5 * 60);

/// Less memory hardly holds the history of one node.
const LEAST_MEMORY: usize = 1 << 20;

/// The flags of the history.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "History")]
pub struct HistoryFlags {
    /// For how long what nodes and containers used is remembered, those that are gone included; 0 remembers nothing.
    #[arg(long, value_name = "DURATION", default_value = "1h0m0s", value_parser = duration)]
    pub history_retention: Duration,

    /// The least time between two remembered points of a container or node; 0 remembers every new one.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub history_step: Duration,

    /// The most memory for what is remembered; past it the oldest of all nodes is forgotten first.
    #[arg(long, value_name = "QUANTITY", default_value = "512Mi", value_parser = bytes)]
    pub history_memory_limit: usize,
}

impl HistoryFlags {
    /// The settings, where nodes are scraped every `resolution`.
    ///
    /// # Errors
    /// What does not fit, in one line.
    pub fn settings(&self, resolution: Duration) -> Result<Settings, &'static str> {
        let retention = self.history_retention;
        if !retention.is_zero() {
            if retention < SHORTEST.max(resolution * 2) {
                return Err(
                    "--history-retention must be at least 5m and two resolutions, or 0 for no history",
                );
            }
            if self.history_step > retention / 2 {
                return Err("--history-step must be at most half of --history-retention");
            }
            if self.history_memory_limit < LEAST_MEMORY {
                return Err(
                    "--history-memory-limit must be at least 1Mi; --history-retention=0 turns history off",
                );
            }
        }
        Ok(Settings {
            retention,
            step: self.history_step,
            memory_limit: self.history_memory_limit,
            resolution,
        })
    }
}

/// How much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// For how long; nothing is remembered if it is zero.
    pub retention: Duration,
    /// The least time between two points of a series; with zero every new one is kept.
    pub step: Duration,
    /// The most memory, in bytes.
    pub memory_limit: usize,
    /// The time between two scrapes of a node.
    pub resolution: Duration,
}

impl Settings {
    /// Nothing is remembered.
    pub const OFF: Self = Self {
        retention: Duration::ZERO,
        step: Duration::ZERO,
        memory_limit: 0,
        resolution: Duration::from_secs(15),
    };
}

/// What all nodes' histories share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    /// All memory that histories take, in bytes.
    pub(super) bytes: AtomicUsize,
    /// For how many ticks points are kept: what was asked for, or less while there is no memory for it.
    keeps: AtomicI64,
    /// Bytes that a node may hold for each of its pods before it is the first to give way.
    share: AtomicUsize,
    /// Blocks that were dropped before their time.
    pub(super) cut: AtomicU64,
    /// Points that were not kept, because there was no memory.
    pub(super) refused: AtomicU64,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            bytes: AtomicUsize::new(0),
            keeps: AtomicI64::new(Tick::count(settings.retention)),
            share: AtomicUsize::new(usize::MAX),
            cut: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// For how many ticks points are kept.
    pub(super) fn keeps(&self) -> i64 {
        self.keeps.load(Ordering::Relaxed)
    }

    /// Points are kept for so many ticks from now on, and never for longer than was asked for.
    pub(super) fn keep(&self, ticks: i64) {
        let asked = Tick::count(self.settings.retention);
        self.keeps
            .store(ticks.clamp(1, asked.max(1)), Ordering::Relaxed);
    }

    /// A node may hold so many bytes for each of its pods, and for itself as much as for a pod.
    pub(super) fn set_share(&self, bytes: usize) {
        self.share.store(bytes, Ordering::Relaxed);
    }

    /// The bytes that a node of so many pods may hold before it is the first to give way.
    pub(super) fn share(&self, pods: usize) -> usize {
        self.share.load(Ordering::Relaxed).saturating_mul(pods + 1)
    }

    /// Whether so much is in use that a node may add nothing before something was dropped. Between two rounds of
    /// tidying up there may be an eighth more than the limit, but nothing more of a node that is over its share.
    pub(super) fn is_full(&self, over_share: bool) -> bool {
        let limit = self.settings.memory_limit;
        let more = if over_share { 0 } else { limit / 8 };
        self.bytes.load(Ordering::Relaxed) > limit.saturating_add(more)
    }
}
