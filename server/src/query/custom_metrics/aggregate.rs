//! Values of several pods as one.

use crate::pod_metrics::{Aggregate, Value};

/// The aggregate of the values so far. Its time is the oldest one, its window the longest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aggregated {
    aggregate: Aggregate,
    value: Value,
    count: u32,
}

impl Aggregated {
    pub(super) fn new(aggregate: Aggregate, value: Value) -> Self {
        Self {
            aggregate,
            value,
            count: 1,
        }
    }

    pub(super) fn add(&mut self, value: Value) {
        let largest = self.value.value.max(value.value);
        self.value = self.value.plus(value);
        if self.aggregate == Aggregate::Max {
            self.value.value = largest;
        }
        self.count += 1;
    }

    pub(super) fn value(self) -> Value {
        match self.aggregate {
            Aggregate::Sum | Aggregate::Max => self.value,
            Aggregate::Mean => Value {
                value: self.value.value / f64::from(self.count),
                ..self.value
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kubevitals_proto::time::Timestamp;

    use super::*;
    use crate::pod_metrics::PodMetrics;

    #[test]
    fn sums_add_up_and_means_and_quantiles_do_not() {
        let value = |value: f64, at: i64, window: Option<u64>| Value {
            value,
            at: Timestamp::from_secs(at),
            window: window.map(Duration::from_secs),
        };
        let metrics = PodMetrics::default();
        for (metric, expected) in [
            ("requests_per_second", 9.0),
            ("queue_length", 9.0),
            ("latency_seconds_mean", 3.0),
            ("latency_seconds_p95", 6.0),
            ("pump_5", 9.0),
        ] {
            let mut all = Aggregated::new(metrics.aggregate(metric), value(1.0, 20, None));
            all.add(value(6.0, 10, Some(60)));
            all.add(value(2.0, 30, Some(30)));
            assert_eq!(all.value(), value(expected, 10, Some(60)), "{metric}");
        }
    }
}
