//! The pods with the largest values of a measure.
//!
//! A ranking by usage reads the latest rates node by node, in the order of memory, and looks up a pod only if its value
//! would enter the list: some hundreds of 150,000 pods. A ranking by requests or limits reads the pods, and looks up the
//! rates of each. A ranking by restarts reads the pods with restarts, which the snapshot has in this order.

mod heap;

use std::collections::HashMap;
use std::ops::Bound;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use kubevitals_proto::units::{Bytes, Nanocores};

use crate::clock::Age;
use crate::cluster::{Phase, Pod, PodKey, PodTemplate, Pods, Resources};
use crate::query::latest_of_nodes::LatestOfNodes;
use crate::query::restarted_pods::RestartedPods;
use crate::query::sources::first_pod;
use crate::store::history::{Excerpt, NodeHistory, PodId};
use crate::store::ring::{Sample, Tick};
use crate::store::{Cells, ContainerLatest, History, Retention};
use crate::work::Cancel;
use heap::Largest;
pub use heap::RankedPod;

/// The value by which pods are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// CPU used, in nanocores.
    Cpu,
    /// Memory used, in bytes.
    Memory,
    /// CPU used of CPU requested.
    CpuOfRequest,
    /// CPU used of the CPU limit.
    CpuOfLimit,
    /// Memory used of memory requested.
    MemoryOfRequest,
    /// Memory used of the memory limit.
    MemoryOfLimit,
    /// Restarts of all containers, as kubectl counts them.
    Restarts,
    /// Growth of CPU over this time, in nanocores.
    CpuGrowth(Duration),
    /// Growth of memory over this time, in bytes. Younger containers are compared with their first sample.
    MemoryGrowth(Duration),
}

/// The pods that a ranking considers.
pub struct TopScope<'a> {
    /// The namespace, or all namespaces.
    pub namespace: Option<&'a str>,
    /// Whether a pod may be in the result. Called only for pods whose value would enter the list.
    pub filter: &'a dyn Fn(&Pod) -> bool,
    /// Set when the caller no longer waits for the result: the ranking stops.
    pub cancel: &'a Cancel,
}

/// Ranks the pods of one moment.
#[derive(Debug)]
pub struct TopQuery<'a> {
    /// The pods.
    pub pods: Arc<Pods>,
    /// Those with restarts.
    pub restarted: RestartedPods,
    /// Current usage.
    pub cells: Arc<Cells>,
    /// Usage before now.
    pub history: &'a History,
    /// The time after which rates are stale.
    pub retention: Retention,
    /// The current time.
    pub now: Age,
}

impl TopQuery<'_> {
    /// The `limit` pods with the largest values, largest first; pods with the same value by namespace and name. Pods
    /// without a value are left out.
    pub fn pods(&self, measure: Measure, limit: usize, scope: &TopScope<'_>) -> Vec<RankedPod> {
        let mut largest = Largest::new(limit);
        match measure {
            Measure::Cpu => self.by_usage(&mut largest, scope, cpu),
            Measure::Memory => self.by_usage(&mut largest, scope, memory),
            Measure::CpuOfRequest => {
                self.by_ratio(&mut largest, scope, cpu, |it| cpu_of(it.requests()));
            }
            Measure::CpuOfLimit => {
                self.by_ratio(&mut largest, scope, cpu, |it| cpu_of(it.bound()));
            }
            Measure::MemoryOfRequest => {
                self.by_ratio(&mut largest, scope, memory, |it| memory_of(it.requests()));
            }
            Measure::MemoryOfLimit => {
                self.by_ratio(&mut largest, scope, memory, |it| memory_of(it.bound()));
            }
            Measure::Restarts => return self.by_restarts(limit, scope),
            Measure::CpuGrowth(span) => {
                self.by_growth(&mut largest, scope, span, |now, then| {
                    now.cpu.0 as f64 - then.cpu.0 as f64
                });
            }
            Measure::MemoryGrowth(span) => {
                self.by_growth(&mut largest, scope, span, |now, then| {
                    now.memory.0 as f64 - then.memory.0 as f64
                });
            }
        }
        largest.into_sorted()
    }

    /// Ranks by the latest rates.
    fn by_usage(
        &self,
        largest: &mut Largest,
        scope: &TopScope<'_>,
        value: impl Fn(&[ContainerLatest]) -> f64,
    ) {
        for (node, cell) in &*self.cells {
            if scope.cancel.is_set() {
                return;
            }
            let Some(latest) = cell.latest() else {
                continue;
            };
            for (pod, _, containers) in latest.whole(scope.namespace, self.retention, self.now) {
                let find = || find(&self.pods, &pod.key, node).filter(|pod| scope.has(pod));
                largest.offer(value(containers), find);
            }
        }
    }

    /// Ranks by usage as a part of the requests or limits in force.
    fn by_ratio(
        &self,
        largest: &mut Largest,
        scope: &TopScope<'_>,
        used: impl Fn(&[ContainerLatest]) -> f64,
        whole: impl Fn(&PodTemplate) -> f64,
    ) {
        let cells = Arc::clone(&self.cells);
        let mut latest = LatestOfNodes::new(cells, self.retention, self.now);
        // Pods of a workload share their template, so each template is added up once.
        let mut sums: HashMap<*const PodTemplate, f64, RandomState> = HashMap::default();
        let running = scope.of(&self.pods);
        let mut running = running.filter(|pod| pod.phase == Phase::Running).peekable();
        let mut found = Vec::new();
        while running.peek().is_some() {
            latest.find_batch(running.by_ref(), &mut found);
            latest.read_containers_ahead(&found);
            for (pod, place) in found.drain(..) {
                if scope.cancel.is_set() {
                    return;
                }
                let template = pod.in_force();
                let amount = *sums
                    .entry(ptr::from_ref(template))
                    .or_insert_with(|| whole(template));
                if amount > 0.0
                    && let Ok((_, containers)) = latest.rates(place)
                {
                    let in_scope = || Some(pod).filter(|pod| scope.has(pod));
                    largest.offer(used(containers) / amount, in_scope);
                }
            }
        }
    }

    /// Ranks by restarts. Pods without restarts come last.
    fn by_restarts(&self, limit: usize, scope: &TopScope<'_>) -> Vec<RankedPod> {
        let restarted = self.restarted.iter();
        let mut restarted = restarted.filter(|(_, pod)| scope.has(pod));
        let most = restarted
            .by_ref()
            .take(limit)
            .map(|(restarts, pod)| RankedPod {
                pod: Arc::clone(pod),
                value: f64::from(restarts),
            });
        let mut ranked: Vec<RankedPod> = most.take_while(|_| !scope.cancel.is_set()).collect();
        let others = scope.of(&self.pods);
        let others = others.filter(|pod| scope.has(pod) && pod.summary().restarts == 0);
        let missing = limit.saturating_sub(ranked.len());
        ranked.extend(others.take(missing).map(|pod| RankedPod {
            pod: Arc::clone(pod),
            value: 0.0,
        }));
        ranked
    }

    /// Ranks by the difference between current and earlier usage, node by node.
    fn by_growth(
        &self,
        largest: &mut Largest,
        scope: &TopScope<'_>,
        span: Duration,
        growth: impl Fn(&ContainerLatest, &Sample) -> f64,
    ) {
        let mut excerpt = Excerpt::default();
        for (node, cell) in &*self.cells {
            if scope.cancel.is_set() {
                return;
            }
            let (Some(latest), Some(history)) = (cell.latest(), self.history.node(node)) else {
                continue;
            };
            let Some(time) = history.time(self.now) else {
                continue;
            };
            let then = time.plus(-Tick::count(span));
            let before = before(&history, &mut excerpt, then, scope);
            let mut before = before.iter().peekable();
            for (pod, _, containers) in latest.whole(scope.namespace, self.retention, self.now) {
                while before.next_if(|(id, ..)| id.key < pod.key).is_some() {}
                let (mut value, mut has_value) = (0.0, false);
                while let Some((_, container, sample)) =
                    before.next_if(|(id, ..)| id.key == pod.key)
                {
                    let same = containers.iter().find(|it| it.name == *container);
                    if let Some(same) = same {
                        value += growth(same, sample);
                        has_value = true;
                    }
                }
                if has_value {
                    let find = || find(&self.pods, &pod.key, node).filter(|pod| scope.has(pod));
                    largest.offer(value, find);
                }
            }
        }
    }
}

/// The last sample of each container at or before `then`, or the first sample of a younger one. Of several pods with
/// the same name, those of the last pod.
fn before(
    history: &NodeHistory,
    excerpt: &mut Excerpt,
    then: Tick,
    scope: &TopScope<'_>,
) -> Vec<(PodId, Arc<str>, Sample)> {
    let in_scope =
        |pod: Option<&PodId>| pod.is_some_and(|pod| scope.has_namespace(&pod.key.namespace));
    history.copy_from(excerpt, in_scope, then);
    let mut found: Vec<(PodId, Arc<str>, Sample)> = Vec::new();
    for series in excerpt.series() {
        let (Some(pod), Some(container)) = (series.pod, series.container) else {
            continue;
        };
        let sample = series.sample_at(then);
        let Some(sample) = sample.or_else(|| series.samples().next()) else {
            continue;
        };
        let is_other = |last: &PodId| last.key == pod.key && last.uid != pod.uid;
        if found.last().is_some_and(|(last, ..)| is_other(last)) {
            // An earlier pod had the same name.
            found.truncate(found.partition_point(|(last, ..)| last.key < pod.key));
        }
        found.push((pod.clone(), Arc::clone(container), sample));
    }
    found
}

impl TopScope<'_> {
    fn has_namespace(&self, namespace: &str) -> bool {
        self.namespace.is_none_or(|only| only == namespace)
    }

    fn has(&self, pod: &Pod) -> bool {
        self.has_namespace(&pod.key.namespace) && (self.filter)(pod)
    }

    /// The pods of the namespace, or of all namespaces, until `cancel` is set.
    fn of<'p>(&'p self, pods: &'p Pods) -> impl Iterator<Item = &'p Arc<Pod>> {
        let pods = pods.range((first_pod(self.namespace), Bound::Unbounded));
        pods.map(|(_, pod)| pod)
            .take_while(|pod| self.has_namespace(&pod.key.namespace) && !self.cancel.is_set())
    }
}

fn cpu_of(amounts: Resources) -> f64 {
    amounts.cpu.unwrap_or_default().0 as f64
}

fn memory_of(amounts: Resources) -> f64 {
    amounts.memory.unwrap_or_default().0 as f64
}

fn cpu(containers: &[ContainerLatest]) -> f64 {
    let cpu: Nanocores = containers.iter().map(|container| container.cpu).sum();
    cpu.0 as f64
}

fn memory(containers: &[ContainerLatest]) -> f64 {
    let memory: Bytes = containers.iter().map(|container| container.memory).sum();
    memory.0 as f64
}

/// The running pod of this key on this node.
fn find<'a>(pods: &'a Pods, key: &PodKey, node: &str) -> Option<&'a Arc<Pod>> {
    let is_it = |pod: &&Arc<Pod>| pod.phase == Phase::Running && pod.node.as_deref() == Some(node);
    pods.get(key).filter(is_it)
}
