//! How the values of an object's pods become the value of the object.

use serde::Deserialize;

use super::Keep;
use super::form::KeepList;
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

/// What the file says of it: the names of metrics, as autoscalers write them, or regular expressions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileAggregates {
    max: KeepList,
    mean: KeepList,
    sum: KeepList,
}

/// The names by aggregate. The first that matches decides.
#[derive(Debug, Clone, Default)]
pub(in crate::pod_metrics) struct Aggregates(Vec<(Aggregate, Keep)>);

impl From<FileAggregates> for Aggregates {
    fn from(file: FileAggregates) -> Self {
        let all = [
            (Aggregate::Max, file.max),
            (Aggregate::Mean, file.mean),
            (Aggregate::Sum, file.sum),
        ];
        let all = all
            .into_iter()
            .map(|(aggregate, names)| (aggregate, names.0));
        Self(all.collect())
    }
}

impl Aggregates {
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
