//! Samples before now: the series of every node and container, including ended ones, until they are too old or the
//! memory limit is reached.
//!
//! Each node's history has a lock of its own ([`NodeHistory`]). The node's task takes it once a scrape, and a reader
//! takes it while it copies compressed blocks ([`Excerpt`]), both for microseconds; nothing is decoded under the lock.
//! The latest rates are not stored here, and their readers take no lock.
//!
//! The history of a deleted node or pod stays until it is too old. [`NodeHistory::export`] and [`History::import`]
//! transfer a history to another process.

mod cluster;
mod excerpt;
mod limit;
mod locator;
mod malloc_size;
mod metrics;
mod node;
mod offset;
mod overlay;
mod pod_id;
mod series_list;
mod settings;
mod transfer;

pub use cluster::{History, HistoryTotals};
pub use excerpt::{CopiedSeries, Excerpt};
pub use limit::Cut;
pub use metrics::register;
pub use node::{HistorySize, NodeHistory, run_number};
pub use offset::Offset;
pub use overlay::Overlay;
pub use pod_id::PodId;
pub use series_list::Reading;
pub use settings::{HistoryFlags, Settings};
pub use transfer::{ImportError, Imported};

#[cfg(test)]
mod tests;
