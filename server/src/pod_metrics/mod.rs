//! Pods' own metrics: what `custom.metrics.k8s.io` and `external.metrics.k8s.io` serve.
//!
//! Off unless `--pod-metrics` is set. docs/pod-metrics.md has the rules.
//!
//! - `config`, `target`: which pods are scraped, and how.
//! - `demand`: which families are kept, because somebody may ask for them.
//! - `worker`, `lanes`, `client`: when and how pods are scraped.
//! - `ingest`, `series`: what a page becomes, and what is read from it.
//! - `store`, `record`: what is kept of all pods, how it is read and written.
//! - `pod`, `history`: what is stored of a pod.

mod absence;
mod client;
mod config;
mod demand;
mod explain;
mod gpu;
mod history;
mod ingest;
mod lanes;
mod metrics;
mod missing;
mod name;
mod observe;
mod pending;
mod pod;
mod record;
mod series;
mod settings;
mod store;
mod target;
#[cfg(test)]
mod tests;
mod value;
mod worker;

pub use absence::Absence;
pub use config::{Aggregate, ConfigError};
pub use explain::{Demand, Explanation, Family, LastScrape, Selected, SelectedBy};
pub use gpu::{GPU_FAMILIES, GpuReading};
pub use history::History;
pub use name::{Quantile, Reading, readings};
pub use settings::{PodMetricsFlags, Settings};
pub use store::PodMetrics;
pub use value::{Series, Value};
pub(crate) use worker::{Parts, Scraper};
