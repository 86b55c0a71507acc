//! A value of a pod's own metric, and the series that has it.

use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;

/// A value at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value {
    /// The value; finite.
    pub value: f64,
    /// The time of the scrape, or the timestamp of the sample.
    pub at: Timestamp,
    /// The time over which a rate or quantile is computed; none for a gauge.
    pub window: Option<Duration>,
}

impl Value {
    /// The sum, with the older time and the longer window.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            at: self.at.min(other.at),
            window: self.window.max(other.window),
        }
    }
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
