//! Metrics that describe no object, of one namespace at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kubevitals_proto::labels::Labels;

use super::aggregate::{Aggregate, Aggregated};
use super::external_value::ExternalValue;
use super::own::{self, OwnMetric};
use super::{CustomMetricsQuery, Metric, NoValue, pods_within};
use crate::cluster::Pod;
use crate::pod_metrics::{Absence, Value};

/// Answers what the values of a metric of a namespace are.
#[derive(Debug, Clone, Copy)]
pub struct ExternalMetricsQuery<'a>(pub(in crate::query) CustomMetricsQuery<'a>);

impl ExternalMetricsQuery<'_> {
    /// The names of all metrics, sorted.
    pub fn names(self) -> Vec<Arc<str>> {
        let own = own::NAMES.iter().map(|(name, _)| Arc::from(*name));
        let names: BTreeSet<_> = self.0.names().into_iter().chain(own).collect();
        names.into_iter().collect()
    }

    /// The values, one for each set of labels. Autoscalers take their sum, so what does not add up, such as a quantile,
    /// has one value without labels.
    ///
    /// # Errors
    /// There are none.
    pub fn read(self, namespace: &str, metric: &Metric) -> Result<Vec<ExternalValue>, NoValue> {
        let Some(own) = OwnMetric::of(&metric.name) else {
            return self.of_pods(namespace, metric);
        };
        let mut values = own.read(self.0.sources, namespace);
        if values.is_empty() {
            return Err(NoValue::Unknown);
        }
        values.retain(|value| metric.series.matches(&value.labels));
        if values.is_empty() {
            return Err(NoValue::NoWorkload);
        }
        Ok(values)
    }

    /// What the pods of the namespace expose.
    fn of_pods(self, namespace: &str, metric: &Metric) -> Result<Vec<ExternalValue>, NoValue> {
        let pods = self.0.sources.cluster.pods();
        let pods = pods_within(&pods, Some(namespace));
        let aggregate = Aggregate::of(&metric.name);
        if !aggregate.adds_up() {
            let value = self.0.aggregate(pods, metric)?;
            let labels = Labels::default();
            return Ok(vec![ExternalValue { labels, value }]);
        }
        let mut sums: BTreeMap<Labels, Aggregated> = BTreeMap::new();
        let (mut count, mut absent) = (0, None);
        for pod in pods {
            count += 1;
            match self.series(pod, metric) {
                Ok(series) => {
                    for (labels, value) in series {
                        sums.entry(labels)
                            .and_modify(|sum| sum.add(value))
                            .or_insert_with(|| Aggregated::new(aggregate, value));
                    }
                }
                Err(absence) => {
                    absent.get_or_insert_with(|| (pod.key.name.to_string(), absence));
                }
            }
        }
        match absent {
            Some((first, absence)) if sums.is_empty() => Err(NoValue::OfPods {
                pods: count,
                first,
                absence,
            }),
            None if sums.is_empty() => Err(NoValue::NoPods),
            _ => Ok(sums
                .into_iter()
                .map(|(labels, sum)| ExternalValue {
                    labels,
                    value: sum.value(),
                })
                .collect()),
        }
    }

    /// The series of a pod that the metric's selector selects.
    fn series(self, pod: &Pod, metric: &Metric) -> Result<Vec<(Labels, Value)>, Absence> {
        let all = self.0.metrics.series(&pod.key).into_iter();
        let selected = all
            .filter(|it| *it.name == *metric.name && metric.series.matches(&it.labels))
            .map(|it| (it.labels, it.value));
        let selected: Vec<_> = selected.collect();
        if !selected.is_empty() {
            return Ok(selected);
        }
        // A name that no series has by itself: a counter's, which stands for its rate.
        Ok(vec![(Labels::default(), self.0.read(pod, metric)?)])
    }
}
