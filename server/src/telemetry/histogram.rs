//! A histogram with fixed buckets that takes many values at once: a list of 150,000 pods takes its lock once.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// Values counted by bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets {
    bounds: &'static [f64],
    /// One count for each bound, and one for the values above all bounds.
    counts: Box<[u64]>,
    sum: f64,
}

impl Buckets {
    /// Makes empty buckets. `bounds` are their upper bounds, ascending.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1].into(),
            sum: 0.0,
        }
    }

    /// Counts a value.
    pub fn observe(&mut self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum += value;
    }

    /// Adds the counts of other buckets with the same bounds.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.sum += other.sum;
    }

    /// The sum of all values.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The number of values.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The upper bound and the count of each bucket alone; the last bound is infinite.
    pub fn each(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.zip(self.counts.iter().copied())
    }
}

/// A histogram that several tasks write.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Mutex<Buckets>>);

impl Histogram {
    /// Makes an empty histogram. `bounds` are the upper bounds of the buckets, ascending.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self(Arc::new(Mutex::new(Buckets::new(bounds))))
    }

    /// Adds the counts of buckets with the same bounds.
    pub fn merge(&self, counted: &Buckets) {
        self.0.lock().merge(counted);
    }

    /// Copies the current counts.
    pub fn read(&self) -> Buckets {
        self.0.lock().clone()
    }
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let counted = self.read();
        let buckets: Vec<_> = counted.each().collect();
        encoder.encode_histogram::<NoLabelSet>(counted.sum(), counted.count(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_in_the_first_bucket_that_holds_it() {
        let mut buckets = Buckets::new(&[1.0, 2.0]);
        for value in [0.0, 1.0, 1.5, 2.0, 2.5, f64::INFINITY] {
            buckets.observe(value);
        }
        let counts: Vec<u64> = buckets.each().map(|(_, count)| count).collect();
        assert_eq!(counts, [2, 2, 2]);
        assert_eq!(buckets.count(), 6);
    }

    #[test]
    fn merged_buckets_add_up() {
        let histogram = Histogram::new(&[1.0]);
        let mut counted = Buckets::new(&[1.0]);
        counted.observe(0.5);
        counted.observe(3.0);
        histogram.merge(&counted);
        histogram.merge(&counted);
        let all = histogram.read();
        assert_eq!((all.count(), all.sum()), (4, 7.0));
    }
}
