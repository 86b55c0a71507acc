//! Prometheus remote write, as a sender.
//!
//! ```text
//! store, cluster, health → collector → encoder → a queue for each URL → a sender for each URL → receiver
//!                             ↑                      | while it is full
//!                             └── the ring ──────────┘
//! ```
//!
//! The collector reads the store once a second on a thread of its own; scrapes do not know about it. Each queue is
//! bounded, in memory and with `--state-dir` on disk. While a queue is full, the collector does not add to it. When the
//! receiver is back, it reads what is missing from the ring (`backfill`), so that a queue is always in the order of
//! time: samples of a series are never out of order.
//!
//! docs/long-term.md is the page for users.

mod backfill;
mod collector;
mod cursor;
mod disk;
mod encode;
mod gap;
mod metrics;
mod objects;
mod queue;
mod relabel;
mod sender;
mod task;
#[cfg(test)]
mod tests;
mod transcode;
mod writer;

pub(crate) use encode::Protocol;
pub(crate) use metrics::RemoteWriteMetrics;
pub(crate) use relabel::{ExternalLabel, MetricPattern};
pub(crate) use task::{Parts, Settings, run};
pub(crate) use writer::MAX_EXTERNAL_LABELS;
