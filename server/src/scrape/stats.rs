//! Counts of scrapes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::watch;

use super::admission::{Gate, Requests};
use super::failure::Failed;
use super::pages::{PageMetrics, PageSnapshot};
use super::record::Records;
use crate::clock::Age;
use crate::telemetry::metrics::{Counter, Gauge, Labelled};

/// Running counts.
#[derive(Debug)]
pub struct Stats {
    nodes: AtomicUsize,
    /// Nodes whose scrape is due and not over.
    pub(super) turns: Gauge,
    pub(super) skipped_lines: Counter,
    pub(super) duplicates: Counter,
    pub(super) clock_steps: Counter,
    pub(super) skipped_turns: Counter,
    pub(super) failed: Labelled<Counter, 1>,
    pub(super) no_first_rates: Labelled<Counter, 1>,
    /// Early scrapes by result.
    pub(super) early: Labelled<Counter, 1>,
    /// Admits requests to kubelets.
    pub(super) gate: Gate,
    /// The begin of the last turn; none before the first.
    begun: Mutex<Option<Age>>,
    records: Records,
    /// The metrics of other pages.
    pub(super) pages: PageMetrics,
    latency: Mutex<Latency>,
    /// Notified after each scrape.
    ended: watch::Sender<()>,
}

/// The durations of successful scrapes.
#[derive(Debug, Clone)]
pub struct Latency {
    /// In microseconds.
    histogram: Histogram<u64>,
    /// The sum of the durations.
    pub sum: Duration,
}

impl Latency {
    /// The number of scrapes.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The number of scrapes that took at most `seconds`, to two digits.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a bound of a few seconds, in microseconds"
    )]
    pub fn at_most(&self, seconds: f64) -> u64 {
        self.histogram.count_between(0, (seconds * 1e6) as u64)
    }
}

/// The counts at one moment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Nodes that are scraped.
    pub nodes: usize,
    /// Nodes whose scrape is due and not over.
    pub asking: usize,
    /// Scrapes that succeeded.
    pub succeeded: u64,
    /// Scrapes that failed, by reason.
    pub failed: BTreeMap<&'static str, u64>,
    /// Requests for first rates that failed, by reason; the second scrape brings the rates instead.
    pub no_first_rates: BTreeMap<&'static str, u64>,
    /// Lines skipped because they could not be parsed.
    pub skipped_lines: u64,
    /// Containers and nodes with different values under the same name, in all responses.
    pub duplicate_series: u64,
    /// The number of steps of nodes' clocks.
    pub clock_steps: u64,
    /// Turns of nodes that were skipped, because an earlier one still waited or was under way.
    pub skipped_turns: u64,
    /// Requests under way, and their limit.
    pub requests: Requests,
    /// The results of requests for other pages, by page.
    pub pages: BTreeMap<&'static str, PageSnapshot>,
    /// The durations of successful scrapes, with connection and parsing.
    pub latency_microseconds: Quantiles,
}

/// Quantiles of a latency.
#[derive(Debug, Serialize)]
pub struct Quantiles {
    /// The median.
    pub p50: u64,
    /// The 90th percentile.
    pub p90: u64,
    /// The 99th percentile.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

/// A turn that is not over.
pub(super) struct TurnGuard<'a>(&'a Gauge);

impl Drop for TurnGuard<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Stats {
    /// All zero. `timeout` limits a scrape, and each node is scraped every `resolution`.
    ///
    /// # Errors
    /// Never with these bounds; the error is from the histogram's check.
    pub fn new(timeout: Duration, resolution: Duration) -> Result<Self, CreationError> {
        const LONGEST_MICROSECONDS: u64 = 600_000_000;
        Ok(Self {
            nodes: AtomicUsize::default(),
            turns: Gauge::default(),
            skipped_lines: Counter::default(),
            duplicates: Counter::default(),
            clock_steps: Counter::default(),
            skipped_turns: Counter::default(),
            failed: Labelled::new(["reason"]),
            no_first_rates: Labelled::new(["reason"]),
            early: Labelled::new(["result"]),
            gate: Gate::new(timeout, resolution),
            begun: Mutex::default(),
            records: Records::default(),
            pages: PageMetrics::default(),
            latency: Mutex::new(Latency {
                histogram: Histogram::new_with_bounds(1, LONGEST_MICROSECONDS, 2)?,
                sum: Duration::ZERO,
            }),
            ended: watch::Sender::default(),
        })
    }

    /// The number of nodes that are scraped.
    pub(super) fn nodes(&self) -> usize {
        self.nodes.load(Ordering::Relaxed)
    }

    pub(super) fn set_nodes(&self, nodes: usize) {
        self.nodes.store(nodes, Ordering::Relaxed);
    }

    /// Begins a node's turn, which ends when the guard is dropped.
    pub(super) fn begin_turn(&self, now: Age) -> TurnGuard<'_> {
        *self.begun.lock() = Some(now);
        self.turns.inc();
        TurnGuard(&self.turns)
    }

    pub(super) fn scraped(&self, result: &Result<(), Failed>, took: Duration) {
        match result {
            Ok(()) => {
                let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                let mut latency = self.latency.lock();
                latency.sum = latency.sum.saturating_add(took);
                latency.histogram.saturating_record(microseconds);
            }
            Err(failed) => self.failed.inc([failed.error.reason()]),
        }
        self.ended.send_replace(());
    }

    /// A receiver that is notified after each scrape.
    pub fn ended(&self) -> watch::Receiver<()> {
        self.ended.subscribe()
    }

    /// The records of all nodes.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// The durations of successful scrapes.
    pub fn latency(&self) -> Latency {
        self.latency.lock().clone()
    }

    /// Whether turns begin in time at `now`: one began within `patience`, or none is overdue by a third of that. A server
    /// that does not scrape needs a restart; kubelets that do not respond are no reason for one.
    pub fn timely(&self, now: Age, patience: Duration) -> bool {
        let begun = *self.begun.lock();
        let lately = begun.is_some_and(|begun| now.since(begun) <= patience);
        lately
            || self
                .records
                .all()
                .iter()
                .all(|(_, record)| record.read(|history| now.since(history.due) <= patience / 3))
    }

    /// The counts as of now.
    pub fn snapshot(&self) -> Snapshot {
        let latency = self.latency();
        let at = |quantile| latency.histogram.value_at_quantile(quantile);
        let by_reason = |counters: &Labelled<Counter, 1>| {
            let counters = counters.read().into_iter();
            counters.map(|([reason], count)| (reason, count)).collect()
        };
        Snapshot {
            nodes: self.nodes.load(Ordering::Relaxed),
            asking: usize::try_from(self.turns.get()).unwrap_or(usize::MAX),
            succeeded: latency.count(),
            failed: by_reason(&self.failed),
            no_first_rates: by_reason(&self.no_first_rates),
            skipped_lines: self.skipped_lines.get(),
            duplicate_series: self.duplicates.get(),
            clock_steps: self.clock_steps.get(),
            skipped_turns: self.skipped_turns.get(),
            requests: self.gate.load(),
            pages: self.pages.snapshot(),
            latency_microseconds: Quantiles {
                p50: at(0.5),
                p90: at(0.9),
                p99: at(0.99),
                max: latency.histogram.max(),
            },
        }
    }
}
