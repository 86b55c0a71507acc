//! How the values of an object's pods become the value of the object.

use super::Keep;
use crate::pod_metrics::{Reading, readings};

/// How the values of several pods become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The largest.
    Max,
}

impl Aggregate {
    /// Of a name of which the file says nothing: sums add up to the whole, but neither means nor quantiles do. The largest
    /// quantile is that of the slowest pod.
    fn by_reading(metric: &str) -> Self {
        readings(metric)
            .find_map(|(_, reading)| match reading {
                Reading::Mean => Some(Self::Mean),
                Reading::Quantile(_) => Some(Self::Max),
                Reading::Plain | Reading::PerSecond => None,
            })
            .unwrap_or(Self::Sum)
    }

    /// Whether the values of parts add up to that of the whole.
    pub fn adds_up(self) -> bool {
        self == Self::Sum
    }
}

/// The names by aggregate. The first that matches decides.
#[derive(Debug, Clone, Default)]
pub(in crate::pod_metrics) struct Aggregates(Vec<(Aggregate, Keep)>);

impl Aggregates {
    /// Of the names of each aggregate.
    pub(super) fn new(max: Keep, mean: Keep, sum: Keep) -> Self {
        Self(vec![
            (Aggregate::Max, max),
            (Aggregate::Mean, mean),
            (Aggregate::Sum, sum),
        ])
    }

    /// The aggregate of a metric.
    pub(in crate::pod_metrics) fn of(&self, metric: &str) -> Aggregate {
        let found = self
            .0
            .iter()
            .find(|(_, names)| names.pattern(metric).is_some());
        found.map_or_else(
            || Aggregate::by_reading(metric),
            |(aggregate, _)| *aggregate,
        )
    }
}
