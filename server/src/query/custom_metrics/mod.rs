//! What metrics that pods expose say of pods and of other objects.
//!
//! A pod without a value is left out of a list. It adds nothing to the value of an object, unless it should have a value:
//! then that of the object is not known.

mod absences;
mod aggregate;
mod external;
mod external_value;
mod kind;
mod no_value;
mod own;

use std::collections::BTreeMap;
use std::sync::Arc;

use kubevitals_proto::selector::LabelSelector;

use super::sources::{Sources, first_pod};
use crate::cluster::{Jobs, Phase, Pod, PodKey, Pods, Service};
use crate::pod_metrics::{Absence, PodMetrics, Value};
use absences::Absences;
use aggregate::Aggregated;
pub use external::ExternalMetricsQuery;
pub use external_value::ExternalValue;
pub use kind::{DescribedKind, KINDS, PodsOf};
pub use no_value::NoValue;

/// A metric, and which of its series.
#[derive(Debug, Clone)]
pub struct Metric {
    /// The name.
    pub name: String,
    /// Selects series by their labels.
    pub series: LabelSelector,
}

/// The name of an object, and the value of its metric.
pub type Named = (Arc<str>, Value);

/// Answers what the value of a metric is.
#[derive(Debug, Clone, Copy)]
pub struct CustomMetricsQuery<'a> {
    pub(super) sources: &'a Sources,
    pub(super) metrics: &'a PodMetrics,
}

impl CustomMetricsQuery<'_> {
    /// The names of all metrics, sorted.
    pub fn names(self) -> Vec<Arc<str>> {
        self.metrics.names()
    }

    /// The value of one object. `service` is read for the kind Service.
    ///
    /// # Errors
    /// There is none.
    pub fn get(
        self,
        kind: &DescribedKind,
        (namespace, name): (&str, &str),
        service: Option<&Service>,
        metric: &Metric,
    ) -> Result<Value, NoValue> {
        let (pods, jobs) = (self.sources.cluster.pods(), self.sources.cluster.jobs());
        if kind.pods == PodsOf::Itself {
            let key = PodKey::new(namespace, name);
            let pod = pods.get(&key).ok_or(NoValue::NoObject)?;
            return self.read(pod, metric).map_err(NoValue::OfPod);
        }
        let is_of = |pod: &&Arc<Pod>| match kind.pods {
            PodsOf::Service => service.is_some_and(|service| service.selects(pod)),
            of => object_of(of, kind.kind, pod, &jobs).is_some_and(|of| *of == *name),
        };
        match kind.pods {
            PodsOf::Service if service.is_none() => return Err(NoValue::NoObject),
            PodsOf::Node if !self.sources.cluster.nodes().contains_key(name) => {
                return Err(NoValue::NoObject);
            }
            _ => {}
        }
        let within = match kind.pods {
            PodsOf::Namespace => Some(name),
            _ => Some(namespace).filter(|_| kind.namespaced),
        };
        self.aggregate(pods_within(&pods, within).filter(is_of), metric)
    }

    /// The values of the objects of a kind in a namespace, of those whose labels `selects`, by name. `services` are read
    /// for the kind Service. Workloads are not watched, so their labels are not known: they must not be selected.
    ///
    /// # Errors
    /// No object has a value.
    pub fn list(
        self,
        kind: &DescribedKind,
        namespace: &str,
        objects: &LabelSelector,
        services: &[Service],
        metric: &Metric,
    ) -> Result<Vec<Named>, NoValue> {
        let values = self.values(kind, namespace, objects, services, metric);
        if !values.is_empty() {
            return Ok(values);
        }
        let pods = self.sources.cluster.pods();
        let within = Some(namespace).filter(|_| kind.namespaced);
        let of_pods = kind.pods == PodsOf::Itself;
        let selected =
            pods_within(&pods, within).filter(|pod| !of_pods || objects.matches(&pod.labels));
        // Pods that have a value are of no such object.
        Err(self
            .aggregate(selected, metric)
            .err()
            .unwrap_or(NoValue::NoPods))
    }

    fn values(
        self,
        kind: &DescribedKind,
        namespace: &str,
        objects: &LabelSelector,
        services: &[Service],
        metric: &Metric,
    ) -> Vec<Named> {
        let (pods, jobs) = (self.sources.cluster.pods(), self.sources.cluster.jobs());
        let within = Some(namespace).filter(|_| kind.namespaced);
        let pods = pods_within(&pods, within);
        match kind.pods {
            PodsOf::Itself => {
                let selected = pods
                    .filter(has_not_ended)
                    .filter(|pod| objects.matches(&pod.labels));
                let read = |pod: &Arc<Pod>| {
                    let value = self.read(pod, metric).ok()?;
                    Some((Arc::from(&*pod.key.name), value))
                };
                selected.filter_map(read).collect()
            }
            PodsOf::Service => {
                let pods: Vec<_> = pods.collect();
                let selected = services.iter().filter(|it| objects.matches(&it.labels));
                let read = |service: &Service| {
                    let own = pods.iter().copied().filter(|pod| service.selects(pod));
                    let value = self.aggregate(own, metric).ok()?;
                    Some((Arc::clone(&service.name), value))
                };
                selected.filter_map(read).collect()
            }
            of => {
                let nodes = self.sources.cluster.nodes();
                let selects = |name: &str| match of {
                    PodsOf::Node => nodes
                        .get(name)
                        .is_some_and(|node| objects.matches(&node.labels)),
                    _ => true,
                };
                self.grouped(pods, metric, |pod| {
                    object_of(of, kind.kind, pod, &jobs).filter(|name| selects(name))
                })
            }
        }
    }

    /// The values of groups of pods, by name.
    fn grouped<'a>(
        self,
        pods: impl Iterator<Item = &'a Arc<Pod>>,
        metric: &Metric,
        group: impl Fn(&'a Pod) -> Option<&'a str>,
    ) -> Vec<Named> {
        let mut groups: BTreeMap<&str, Together> = BTreeMap::new();
        for pod in pods.filter(has_not_ended) {
            if let Some(name) = group(pod) {
                self.add(groups.entry(name).or_default(), pod, metric);
            }
        }
        let groups = groups.into_iter();
        groups
            .filter_map(|(name, group)| Some((Arc::from(name), group.value().ok()?)))
            .collect()
    }

    /// The value of pods together.
    fn aggregate<'a>(
        self,
        pods: impl Iterator<Item = &'a Arc<Pod>>,
        metric: &Metric,
    ) -> Result<Value, NoValue> {
        let mut together = Together::default();
        for pod in pods.filter(has_not_ended) {
            self.add(&mut together, pod, metric);
        }
        together.value()
    }

    fn add(self, together: &mut Together, pod: &Pod, metric: &Metric) {
        match self.read(pod, metric) {
            Ok(value) => {
                together.absences.present();
                match &mut together.all {
                    Some(all) => all.add(value),
                    all => {
                        let aggregate = self.metrics.aggregate(&metric.name);
                        *all = Some(Aggregated::new(aggregate, value));
                    }
                }
            }
            Err(absence) => self.note_absence(&mut together.absences, pod, metric, absence),
        }
    }

    fn note_absence(self, absences: &mut Absences, pod: &Pod, metric: &Metric, absence: Absence) {
        let (name, series) = (&metric.name, &metric.series);
        let should_have = self.metrics.should_have(pod, name, series, &absence);
        absences.absent(pod, absence, should_have);
    }

    fn read(self, pod: &Pod, metric: &Metric) -> Result<Value, Absence> {
        self.metrics.read(&pod.key, &metric.name, &metric.series)
    }
}

/// The values of pods that become one.
#[derive(Debug, Default)]
struct Together {
    all: Option<Aggregated>,
    absences: Absences,
}

impl Together {
    fn value(self) -> Result<Value, NoValue> {
        self.absences.judge(self.all).map(Aggregated::value)
    }
}

/// Whether a pod may still do something. The last values of others are of the past.
fn has_not_ended(pod: &&Arc<Pod>) -> bool {
    !matches!(pod.phase, Phase::Succeeded | Phase::Failed)
}

/// The pods of a namespace, or all.
fn pods_within<'a>(
    pods: &'a Pods,
    namespace: Option<&'a str>,
) -> impl Iterator<Item = &'a Arc<Pod>> {
    let all = pods.range((first_pod(namespace), std::ops::Bound::Unbounded));
    let within = move |key: &PodKey| namespace.is_none_or(|namespace| *key.namespace == *namespace);
    all.take_while(move |(key, _)| within(key))
        .map(|(_, pod)| pod)
}

/// The name of the object of a kind that a pod is of.
fn object_of<'a>(of: PodsOf, kind: &str, pod: &'a Pod, jobs: &'a Jobs) -> Option<&'a str> {
    match of {
        PodsOf::Itself => Some(&pod.key.name),
        PodsOf::Namespace => Some(&pod.key.namespace),
        PodsOf::Node => pod.node.as_deref(),
        // Its pods have labels, not names.
        PodsOf::Service => None,
        PodsOf::Workload => {
            let (found, name) = pod.workload(|job| jobs.get(job))?;
            (found == kind).then_some(name)
        }
        PodsOf::Controller => {
            let owner = pod.owner.as_deref()?;
            (*owner.kind == *kind).then_some(&*owner.name)
        }
    }
}
