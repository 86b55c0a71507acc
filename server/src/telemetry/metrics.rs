//! Metrics and helpers to register them, in addition to those of `prometheus-client`.
//!
//! A part owns a struct of counters, gauges and histograms and registers them once. [`collect`] reads values without a
//! metric of their own, such as the length of a queue, at each scrape.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use kubevitals_proto::time::Timestamp;
use parking_lot::{Mutex, RwLock};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeMetric, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::{MetricType, TypedMetric};

pub use prometheus_client::metrics::counter::Counter;
pub use prometheus_client::registry::Registry;

/// A gauge of a whole number that is never negative.
pub type Gauge = prometheus_client::metrics::gauge::Gauge<u64, AtomicU64>;

/// The metrics of one family by the values of their labels. Unlike `prometheus-client`'s `Family`, it is written in a
/// stable order and also while it is empty, and it can be read.
#[derive(Debug, Clone)]
pub struct Labelled<M, const N: usize> {
    labels: [&'static str; N],
    metrics: Arc<RwLock<BTreeMap<[&'static str; N], M>>>,
}

impl<M: Clone, const N: usize> Labelled<M, N> {
    /// Makes a family without metrics.
    pub fn new(labels: [&'static str; N]) -> Self {
        Self::of(labels, [])
    }

    /// Makes a family from these metrics.
    pub fn of(
        labels: [&'static str; N],
        metrics: impl IntoIterator<Item = ([&'static str; N], M)>,
    ) -> Self {
        Self {
            labels,
            metrics: Arc::new(RwLock::new(metrics.into_iter().collect())),
        }
    }

    /// Returns the metric with these values. Inserts one from `make` if there is none.
    pub fn get_or_insert(&self, values: [&'static str; N], make: impl FnOnce() -> M) -> M {
        if let Some(metric) = self.metrics.read().get(&values) {
            return metric.clone();
        }
        let mut metrics = self.metrics.write();
        metrics.entry(values).or_insert_with(make).clone()
    }
}

impl<const N: usize> Labelled<Counter, N> {
    /// Adds one to the counter with these values.
    pub fn inc(&self, values: [&'static str; N]) {
        self.get_or_insert(values, Counter::default).inc();
    }

    /// Returns the counters' values.
    pub fn read(&self) -> BTreeMap<[&'static str; N], u64> {
        let counters = self.metrics.read();
        let read = counters.iter().map(|(values, one)| (*values, one.get()));
        read.collect()
    }
}

impl<M: EncodeMetric + TypedMetric, const N: usize> EncodeMetric for Labelled<M, N> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (values, metric) in &*self.metrics.read() {
            let labels: Vec<_> = self.labels.into_iter().zip(*values).collect();
            metric.encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}

/// Makes a family from a counter of successes and one of failures.
pub fn by_result(success: &Counter, failure: &Counter) -> Labelled<Counter, 1> {
    let counters = [(["success"], success), (["failure"], failure)];
    Labelled::of(["result"], counters.map(|(value, it)| (value, it.clone())))
}

/// A gauge of a time. It has no sample until a time is set.
#[derive(Debug, Clone, Default)]
pub struct TimeGauge(Arc<Mutex<Option<Timestamp>>>);

impl TimeGauge {
    /// Sets the time.
    pub fn set(&self, time: Timestamp) {
        *self.0.lock() = Some(time);
    }
}

impl EncodeMetric for TimeGauge {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let time = *self.0.lock();
        time.map_or(Ok(()), |time| encoder.encode_gauge(&unix_seconds(time)))
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

/// Converts a time to seconds since the Unix epoch.
pub fn unix_seconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_secs()).unwrap_or_default()
}

/// Registers families that `write` reads from `source` at each scrape.
pub fn collect<T: Send + Sync + 'static>(
    registry: &mut Registry,
    source: T,
    write: fn(&T, &mut Families<'_>) -> fmt::Result,
) {
    registry.register_collector(Box::new(Read { source, write }));
}

struct Read<T> {
    source: T,
    write: fn(&T, &mut Families<'_>) -> fmt::Result,
}

impl<T> fmt::Debug for Read<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read").finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> Collector for Read<T> {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        (self.write)(&self.source, &mut Families(encoder))
    }
}

/// Writes families at a scrape. As with [`Registry::register`], a help text has no full stop at its end, and the name
/// of a counter has no `_total`.
pub struct Families<'a>(DescriptorEncoder<'a>);

impl Families<'_> {
    /// Writes a counter.
    ///
    /// # Errors
    /// The writer's error.
    pub fn counter(
        &mut self,
        name: &str,
        help: &str,
        value: impl EncodeCounterValue,
    ) -> fmt::Result {
        self.counters(name, help, [], [([], value)])
    }

    /// Writes counters by their labels' values.
    ///
    /// # Errors
    /// The writer's error.
    pub fn counters<'v, V: EncodeCounterValue, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        labels: [&str; N],
        samples: impl IntoIterator<Item = ([&'v str; N], V)>,
    ) -> fmt::Result {
        let kind = MetricType::Counter;
        self.family(name, help, kind, labels, samples, |value, encoder| {
            encoder.encode_counter::<NoLabelSet, _, f64>(&value, None)
        })
    }

    /// Writes a gauge; without a value, only the family.
    ///
    /// # Errors
    /// The writer's error.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl Into<Option<u64>>) -> fmt::Result {
        let samples = value.into().map(|value| ([], value));
        self.gauges(name, help, [], samples)
    }

    /// Writes a gauge with a fraction; without a value, only the family.
    ///
    /// # Errors
    /// The writer's error.
    pub fn fraction(
        &mut self,
        name: &str,
        help: &str,
        value: impl Into<Option<f64>>,
    ) -> fmt::Result {
        let (kind, samples) = (MetricType::Gauge, value.into().map(|value| ([], value)));
        self.family(name, help, kind, [], samples, |value, encoder| {
            encoder.encode_gauge(&value)
        })
    }

    /// Writes gauges by their labels' values.
    ///
    /// # Errors
    /// The writer's error.
    pub fn gauges<'v, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        labels: [&str; N],
        samples: impl IntoIterator<Item = ([&'v str; N], u64)>,
    ) -> fmt::Result {
        let kind = MetricType::Gauge;
        self.family(name, help, kind, labels, samples, |value, encoder| {
            encoder.encode_gauge(&value)
        })
    }

    /// Writes histograms by their labels' values: the sum, and the upper bound and count of each bucket alone. The last
    /// bound is infinite.
    ///
    /// # Errors
    /// The writer's error.
    pub fn histograms<'v, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        labels: [&str; N],
        samples: impl IntoIterator<Item = ([&'v str; N], (f64, Vec<(f64, u64)>))>,
    ) -> fmt::Result {
        let kind = MetricType::Histogram;
        self.family(
            name,
            help,
            kind,
            labels,
            samples,
            |(sum, buckets), encoder| {
                let count = buckets.iter().map(|(_, count)| count).sum();
                encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
            },
        )
    }

    fn family<'v, V, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        labels: [&str; N],
        samples: impl IntoIterator<Item = ([&'v str; N], V)>,
        encode: impl Fn(V, &mut MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        let help = format!("{help}.");
        let mut family = self.0.encode_descriptor(name, &help, None, kind)?;
        for (values, value) in samples {
            let labels: Vec<_> = labels.into_iter().zip(values).collect();
            if labels.is_empty() {
                encode(value, &mut family)?;
            } else {
                encode(value, &mut family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
