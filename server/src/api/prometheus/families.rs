//! Families of metrics as they are written: a name, a help, a kind, and samples.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::telemetry::Buckets;

/// The labels of a sample.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

/// What families are written to.
pub(super) struct Families<'a>(pub(super) DescriptorEncoder<'a>);

/// A family that is being written.
pub(super) struct Family<'a>(MetricEncoder<'a>);

impl Families<'_> {
    /// A family of counters; its samples are called `name` and `_total`.
    pub(super) fn counter(
        &mut self,
        name: &str,
        help: &str,
        samples: impl FnOnce(&mut Family<'_>) -> fmt::Result,
    ) -> fmt::Result {
        self.family(name, help, MetricType::Counter, samples)
    }

    /// A family of gauges.
    pub(super) fn gauge(
        &mut self,
        name: &str,
        help: &str,
        samples: impl FnOnce(&mut Family<'_>) -> fmt::Result,
    ) -> fmt::Result {
        self.family(name, help, MetricType::Gauge, samples)
    }

    /// A family of histograms.
    pub(super) fn histogram(
        &mut self,
        name: &str,
        help: &str,
        samples: impl FnOnce(&mut Family<'_>) -> fmt::Result,
    ) -> fmt::Result {
        self.family(name, help, MetricType::Histogram, samples)
    }

    fn family(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        samples: impl FnOnce(&mut Family<'_>) -> fmt::Result,
    ) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, None, kind)?;
        samples(&mut Family(encoder))
    }
}

impl Family<'_> {
    /// A counter.
    pub(super) fn total(&mut self, labels: Labels<'_>, value: u64) -> fmt::Result {
        self.sample(labels, |encoder| {
            encoder.encode_counter::<NoLabelSet, _, f64>(&value, None)
        })
    }

    /// A counter of seconds.
    pub(super) fn total_seconds(&mut self, labels: Labels<'_>, value: f64) -> fmt::Result {
        self.sample(labels, |encoder| {
            encoder.encode_counter::<NoLabelSet, _, f64>(&value, None)
        })
    }

    /// A gauge.
    pub(super) fn value(&mut self, labels: Labels<'_>, value: u64) -> fmt::Result {
        self.sample(labels, |encoder| encoder.encode_gauge(&value))
    }

    /// A gauge that need not be whole.
    pub(super) fn fraction(&mut self, labels: Labels<'_>, value: f64) -> fmt::Result {
        self.sample(labels, |encoder| encoder.encode_gauge(&value))
    }

    /// A histogram: the sum, and what fell into each bucket alone, the last one's bound infinite.
    pub(super) fn buckets(
        &mut self,
        labels: Labels<'_>,
        sum: f64,
        buckets: &[(f64, u64)],
    ) -> fmt::Result {
        let count = buckets.iter().map(|(_, count)| count).sum();
        self.sample(labels, |encoder| {
            encoder.encode_histogram::<NoLabelSet>(sum, count, buckets, None)
        })
    }

    /// A histogram.
    pub(super) fn counted(&mut self, labels: Labels<'_>, counted: &Buckets) -> fmt::Result {
        let buckets: Vec<(f64, u64)> = counted.each().collect();
        self.buckets(labels, counted.sum(), &buckets)
    }

    fn sample(
        &mut self,
        labels: Labels<'_>,
        write: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        if labels.is_empty() {
            return write(&mut self.0);
        }
        write(&mut self.0.encode_family(&labels)?)
    }
}
