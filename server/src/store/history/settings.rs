//! The settings of the history, and the state that all nodes' histories share.

use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;

use crate::flag_values::{bytes, duration};
use crate::store::ring::Tick;

/// The shortest retention: a shorter one ends before a block of samples is full.
const SHORTEST: Duration = Duration::from_secs(5 * 60);

/// The smallest memory limit, for about the history of one node.
const LEAST_MEMORY: usize = 1 << 20;

/// The flags of the history.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "History")]
pub struct HistoryFlags {
    /// How long the history of nodes and containers is stored, including those that are gone; 0 stores none.
    #[arg(long, value_name = "DURATION", default_value = "1h0m0s", value_parser = duration)]
    pub history_retention: Duration,

    /// The shortest time between two stored samples of a container or node; 0 stores every sample.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub history_step: Duration,

    /// The memory limit of the history. Above it, the oldest samples of all nodes are evicted first.
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

/// The settings of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The retention; zero stores no samples.
    pub retention: Duration,
    /// The smallest time between two samples of a series; zero stores every sample.
    pub step: Duration,
    /// The memory limit, in bytes.
    pub memory_limit: usize,
    /// The time between two scrapes of a node.
    pub resolution: Duration,
}

impl Settings {
    /// Stores no samples.
    pub const OFF: Self = Self {
        retention: Duration::ZERO,
        step: Duration::ZERO,
        memory_limit: 0,
        resolution: Duration::from_secs(15),
    };
}

/// The state that all nodes' histories share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    /// The memory limit: the configured one, or less if the memory limit of the process requires it.
    memory_limit: AtomicUsize,
    /// The memory of all histories, in bytes.
    pub(super) bytes: AtomicUsize,
    /// The retention in ticks: the configured one, or less if the memory limit requires it.
    retention_ticks: AtomicI64,
    /// The memory for each pod of a node, above which the node's history is shortened first.
    share: AtomicUsize,
    /// Blocks that were dropped early.
    pub(super) cut: AtomicU64,
    /// Refused samples.
    pub(super) refused: AtomicU64,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            memory_limit: AtomicUsize::new(settings.memory_limit),
            bytes: AtomicUsize::new(0),
            retention_ticks: AtomicI64::new(Tick::count(settings.retention)),
            share: AtomicUsize::new(usize::MAX),
            cut: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// The memory limit, in bytes.
    pub(super) fn memory_limit(&self) -> usize {
        self.memory_limit.load(Ordering::Relaxed)
    }

    /// Sets the memory limit, up to the configured one.
    pub(super) fn set_memory_limit(&self, bytes: usize) {
        let bytes = bytes.min(self.settings.memory_limit);
        self.memory_limit.store(bytes, Ordering::Relaxed);
    }

    /// The retention, in ticks.
    pub(super) fn retention_ticks(&self) -> i64 {
        self.retention_ticks.load(Ordering::Relaxed)
    }

    /// Sets the retention, up to the configured one.
    pub(super) fn set_retention_ticks(&self, ticks: i64) {
        let configured = Tick::count(self.settings.retention);
        self.retention_ticks
            .store(ticks.clamp(1, configured.max(1)), Ordering::Relaxed);
    }

    /// Sets the share: the memory for each pod of a node, and for the node itself.
    pub(super) fn set_share(&self, bytes: usize) {
        self.share.store(bytes, Ordering::Relaxed);
    }

    /// The share of a node with this number of pods.
    pub(super) fn share(&self, pods: usize) -> usize {
        self.share.load(Ordering::Relaxed).saturating_mul(pods + 1)
    }

    /// Whether a node must not add samples before others are dropped. Between two clean-ups an eighth more than the
    /// limit is allowed, but not for a node above its share.
    pub(super) fn is_full(&self, over_share: bool) -> bool {
        let limit = self.memory_limit();
        let more = if over_share { 0 } else { limit / 8 };
        self.bytes.load(Ordering::Relaxed) > limit.saturating_add(more)
    }
}
