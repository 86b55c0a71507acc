//! Metrics that describe no object, of one namespace at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kubevitals_proto::labels::Labels;

use super::absences::Absences;
use super::aggregate::Aggregated;
use super::external_value::ExternalValue;
use super::own::{self, OwnMetric};
use super::{CustomMetricsQuery, Metric, NoValue, has_not_ended, pods_within};

/// Answers what the values of a metric of a namespace are.
#[derive(Debug, Clone, Copy)]
pub struct ExternalMetricsQuery<'a>(pub(in crate::query) CustomMetricsQuery<'a>);

impl ExternalMetricsQuery<'_> {
    /// The names of all metrics, sorted.
    pub fn names(self) -> Vec<Arc<str>> {
        let queries = self.0.sources.external_queries.iter();
        let queries = queries.flat_map(|queries| queries.names().cloned());
        let own = own::NAMES.iter().map(|(name, _)| Arc::from(*name));
        let of_pods = self.0.names().into_iter();
        let names: BTreeSet<_> = of_pods.chain(queries).chain(own).collect();
        names.into_iter().collect()
    }

    /// The values, one for each set of labels. Autoscalers take their sum, so what does not add up, such as a quantile,
    /// has one value without labels.
    ///
    /// # Errors
    /// There are none.
    pub fn read(self, namespace: &str, metric: &Metric) -> Result<Vec<ExternalValue>, NoValue> {
        match OwnMetric::of(&metric.name) {
            Some(own) => self.of_own(own, namespace, metric),
            None => match self.of_query(namespace, metric) {
                Some(values) => values,
                None => self.of_pods(namespace, metric),
            },
        }
    }

    /// What only this server knows.
    fn of_own(
        self,
        own: OwnMetric,
        namespace: &str,
        metric: &Metric,
    ) -> Result<Vec<ExternalValue>, NoValue> {
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

    /// The result of a query to an engine; none if there is no query of that name.
    fn of_query(
        self,
        namespace: &str,
        metric: &Metric,
    ) -> Option<Result<Vec<ExternalValue>, NoValue>> {
        let queries = self.0.sources.external_queries.as_ref()?;
        let queries = queries.has(&metric.name).then_some(queries)?;
        let values = queries.read(namespace, &metric.name, &metric.series);
        let external = |(labels, value)| ExternalValue { labels, value };
        let values = values.map(|values| values.into_iter().map(external).collect());
        Some(values.map_err(NoValue::OfQuery))
    }

    /// What the pods of the namespace expose.
    fn of_pods(self, namespace: &str, metric: &Metric) -> Result<Vec<ExternalValue>, NoValue> {
        let pods = self.0.sources.cluster.pods();
        let pods = pods_within(&pods, Some(namespace));
        let aggregate = self.0.metrics.aggregate(&metric.name);
        if !aggregate.adds_up() {
            let value = self.0.aggregate(pods, metric)?;
            let labels = Labels::default();
            return Ok(vec![ExternalValue { labels, value }]);
        }
        let mut sums: BTreeMap<Labels, Aggregated> = BTreeMap::new();
        let mut absences = Absences::default();
        for pod in pods.filter(has_not_ended) {
            match self
                .0
                .metrics
                .read_each(&pod.key, &metric.name, &metric.series)
            {
                Ok(series) => {
                    absences.present();
                    for (labels, value) in series {
                        sums.entry(labels)
                            .and_modify(|sum| sum.add(value))
                            .or_insert_with(|| Aggregated::new(aggregate, value));
                    }
                }
                Err(absence) => self.0.note_absence(&mut absences, pod, metric, absence),
            }
        }
        let sums = absences.judge((!sums.is_empty()).then_some(sums))?;
        let external = |(labels, sum): (_, Aggregated)| ExternalValue {
            labels,
            value: sum.value(),
        };
        Ok(sums.into_iter().map(external).collect())
    }
}
