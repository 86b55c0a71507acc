//! The protobuf format: delimited messages of `io.prometheus.client`.

use prost::Message;

use super::exposition::{Family, Histogram, Kind, Value};

#[derive(Clone, PartialEq, Message)]
struct MetricFamily {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    help: Option<String>,
    #[prost(int32, optional, tag = "3")]
    kind: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    metrics: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    gauge: Option<Number>,
    #[prost(message, optional, tag = "3")]
    counter: Option<Number>,
    #[prost(int64, optional, tag = "6")]
    timestamp_ms: Option<i64>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<HistogramMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct LabelPair {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    value: Option<String>,
}

/// A `Gauge` or a `Counter`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Number {
    #[prost(double, optional, tag = "1")]
    value: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
struct HistogramMessage {
    #[prost(uint64, optional, tag = "1")]
    sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    buckets: Vec<Bucket>,
    #[prost(sint32, optional, tag = "5")]
    schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    zero_threshold: Option<f64>,
    #[prost(uint64, optional, tag = "7")]
    zero_count: Option<u64>,
    #[prost(message, repeated, tag = "12")]
    positive_spans: Vec<BucketSpan>,
    #[prost(sint64, repeated, packed = "false", tag = "13")]
    positive_deltas: Vec<i64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Bucket {
    #[prost(uint64, optional, tag = "1")]
    cumulative_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    upper_bound: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct BucketSpan {
    #[prost(sint32, optional, tag = "1")]
    offset: Option<i32>,
    #[prost(uint32, optional, tag = "2")]
    length: Option<u32>,
}

/// Appends a page. A `Vec` takes every byte, so encoding cannot fail.
pub(super) fn write(out: &mut Vec<u8>, families: &[Family]) {
    for family in families {
        let _ = message(family).encode_length_delimited(out);
    }
}

fn message(family: &Family) -> MetricFamily {
    let metrics = family.series.iter().map(|series| {
        let pair = |(name, value): &(&str, String)| LabelPair {
            name: Some((*name).to_owned()),
            value: Some(value.clone()),
        };
        let mut metric = Metric {
            labels: series.labels.iter().map(pair).collect(),
            timestamp_ms: series.at,
            ..Metric::default()
        };
        match &series.value {
            Value::Histogram(it) => metric.histogram = Some(histogram(it)),
            Value::Number(value) => {
                let number = Some(Number {
                    value: Some(*value),
                });
                match family.kind {
                    Kind::Counter => metric.counter = number,
                    Kind::Gauge | Kind::Histogram => metric.gauge = number,
                }
            }
        }
        metric
    });
    MetricFamily {
        name: Some(family.name.clone().into_owned()),
        help: Some(family.help.to_owned()),
        kind: Some(match family.kind {
            Kind::Counter => 0,
            Kind::Gauge => 1,
            Kind::Histogram => 4,
        }),
        metrics: metrics.collect(),
    }
}

fn histogram(it: &Histogram) -> HistogramMessage {
    let classic = it.classic.iter().map(|(bound, count)| Bucket {
        cumulative_count: Some(*count),
        upper_bound: Some(*bound),
    });
    let (positive_spans, positive_deltas) = native(it.native.0, &it.native.1);
    HistogramMessage {
        sample_count: Some(it.count),
        sample_sum: Some(it.sum),
        buckets: classic.collect(),
        schema: Some(it.schema),
        zero_threshold: Some(it.zero_threshold),
        zero_count: Some(it.zero_count),
        positive_spans,
        positive_deltas,
    }
}

/// Buckets as spans of those that are not empty, and differences of neighbours in them.
fn native(first: i32, buckets: &[u64]) -> (Vec<BucketSpan>, Vec<i64>) {
    let (mut spans, mut deltas): (Vec<BucketSpan>, Vec<i64>) = (Vec::new(), Vec::new());
    // The index after the last span, and the count of its last bucket.
    let (mut end, mut before) = (0, 0);
    for (index, count) in (first..).zip(buckets).filter(|(_, count)| **count > 0) {
        match spans.last_mut() {
            Some(BucketSpan {
                length: Some(length),
                ..
            }) if index == end => *length += 1,
            _ => spans.push(BucketSpan {
                offset: Some(index - end),
                length: Some(1),
            }),
        }
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        deltas.push(count - before);
        (end, before) = (index + 1, count);
    }
    (spans, deltas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_buckets_are_spans_and_differences() {
        let (spans, deltas) = native(-3, &[0, 5, 7, 0, 2]);
        let spans: Vec<_> = spans.iter().map(|s| (s.offset(), s.length())).collect();
        assert_eq!(spans, [(-2, 2), (1, 1)]);
        assert_eq!(deltas, [5, 2, -5]);
    }
}
