//! The pods that have the most of something.
//!
//! Where the latest rates decide, they are walked node by node as they lie in memory, and only what makes it into the
//! list so far is looked up in the cluster: of 150,000 pods some hundreds. Where requests, limits or restarts decide, the
//! cluster's pods are walked, and the rates of each looked up.

mod heap;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::units::{Bytes, Nanocores};

use super::Query;
use crate::clock::Age;
use crate::cluster::{Phase, Pod, PodKey, PodTemplate, Pods, Resources};
use crate::store::history::{Excerpt, NodeHistory, PodId};
use crate::store::ring::{Sample, Tick};
use crate::store::{Cells, ContainerLatest, History, Latest, Retention};
use crate::work::Cancel;
use heap::Largest;

/// Of what pods have the most.
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
    /// How many nanocores more it uses than before.
    CpuGrowth(Duration),
    /// How many bytes more it uses than before. What is younger is compared with its first point.
    MemoryGrowth(Duration),
}

/// A pod and how much it has.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedPod {
    /// The pod.
    pub pod: Arc<Pod>,
    /// How much, in the measure's unit.
    pub value: f64,
}

/// The pods that are looked at.
pub struct TopScope<'a> {
    /// Only those of this namespace.
    pub namespace: Option<&'a str>,
    /// Only those that pass. Not asked of each pod, but of those that might be in the answer.
    pub filter: &'a dyn Fn(&Pod) -> bool,
    /// Set when nobody waits for them any more: the rest is not looked at.
    pub cancel: &'a Cancel,
}

/// What pods are ranked by, as of one moment.
#[derive(Debug)]
pub struct TopQuery<'a> {
    /// The pods.
    pub pods: &'a Pods,
    /// What they use.
    pub cells: &'a Cells,
    /// What they used before.
    pub history: &'a History,
    /// How long rates are believed.
    pub retention: Retention,
    /// The moment.
    pub now: Age,
}

impl Query {
    /// The `limit` pods that have the most by `measure` now: [`TopQuery::top`].
    pub fn top_pods(&self, measure: Measure, limit: usize, among: &TopScope<'_>) -> Vec<RankedPod> {
        let ranking = TopQuery {
            pods: &self.cluster.pods(),
            cells: &self.store.cells(),
            history: self.store.history(),
            retention: self.retention,
            now: self.now(),
        };
        ranking.top(measure, limit, among)
    }
}

impl TopQuery<'_> {
    /// The `limit` pods that have the most by `measure`, the most first, those with as much by namespace and name. Pods
    /// of which the measure is not known are left out.
    pub fn top(&self, measure: Measure, limit: usize, among: &TopScope<'_>) -> Vec<RankedPod> {
        let mut largest = Largest::new(limit);
        match measure {
            Measure::Cpu => self.by_usage(&mut largest, among, |it| cpu(it).0 as f64),
            Measure::Memory => self.by_usage(&mut largest, among, |it| memory(it).0 as f64),
            Measure::CpuOfRequest => self.by_ratio(&mut largest, among, |template| {
                Asked::Cpu(template.requests())
            }),
            Measure::CpuOfLimit => {
                self.by_ratio(&mut largest, among, |template| Asked::Cpu(template.bound()))
            }
            Measure::MemoryOfRequest => self.by_ratio(&mut largest, among, |template| {
                Asked::Memory(template.requests())
            }),
            Measure::MemoryOfLimit => self.by_ratio(&mut largest, among, |template| {
                Asked::Memory(template.bound())
            }),
            Measure::Restarts => by_restarts(self.pods, &mut largest, among),
            Measure::CpuGrowth(span) => {
                self.by_growth(&mut largest, among, span, |now, then| {
                    now.cpu.0 as f64 - then.cpu.0 as f64
                });
            }
            Measure::MemoryGrowth(span) => {
                self.by_growth(&mut largest, among, span, |now, then| {
                    now.memory.0 as f64 - then.memory.0 as f64
                });
            }
        }
        largest.into_sorted()
    }

    /// Walks the latest rates.
    fn by_usage(
        &self,
        largest: &mut Largest,
        among: &TopScope<'_>,
        value: impl Fn(&[ContainerLatest]) -> f64,
    ) {
        for (node, cell) in self.cells {
            if among.cancel.is_set() {
                return;
            }
            let Some(latest) = cell.latest() else {
                continue;
            };
            for (pod, _, containers) in latest.whole(among.namespace, self.retention, self.now) {
                let value = value(containers);
                if largest.may_take(value) {
                    let pod = find(self.pods, &pod.namespace, &pod.name, node);
                    largest.offer(value, pod.filter(|pod| among.has(pod)));
                }
            }
        }
    }

    /// Walks the cluster's pods, with the requests or limits in force.
    fn by_ratio(
        &self,
        largest: &mut Largest,
        among: &TopScope<'_>,
        asked: impl Fn(&PodTemplate) -> Asked,
    ) {
        let mut met: HashMap<&Arc<str>, Option<Walk>> = HashMap::new();
        // Pods of a workload share their template: each is added up once.
        let mut sums: HashMap<*const PodTemplate, Asked> = HashMap::new();
        for pod in among
            .of(self.pods)
            .filter(|pod| pod.phase == Phase::Running)
        {
            let template = pod.in_force();
            let asked = *sums
                .entry(ptr::from_ref(template))
                .or_insert_with(|| asked(template));
            let (Some(asked), Some(node)) = (asked.some(), &pod.node) else {
                continue;
            };
            let begin = || Some(Walk::of(self.cells.get(node)?.latest()?));
            let Some(walk) = met.entry(node).or_insert_with(begin) else {
                continue;
            };
            let Some(containers) = walk.containers(&pod.key, self.retention, self.now) else {
                continue;
            };
            let value = asked.ratio(containers);
            if largest.may_take(value) {
                largest.offer(value, Some(pod).filter(|pod| among.has(pod)));
            }
        }
    }

    /// Walks the nodes, each with what its containers used before.
    fn by_growth(
        &self,
        largest: &mut Largest,
        among: &TopScope<'_>,
        span: Duration,
        growth: impl Fn(&ContainerLatest, &Sample) -> f64,
    ) {
        let mut excerpt = Excerpt::default();
        for (node, cell) in self.cells {
            if among.cancel.is_set() {
                return;
            }
            let (Some(latest), Some(history)) = (cell.latest(), self.history.node(node)) else {
                continue;
            };
            let Some(time) = history.time(self.now) else {
                continue;
            };
            let then = time.plus(-Tick::count(span));
            let before = before(&history, &mut excerpt, then, among);
            let mut before = before.iter().peekable();
            for (pod, _, containers) in latest.whole(among.namespace, self.retention, self.now) {
                let order =
                    |id: &PodId| (&id.namespace, &id.name).cmp(&(&pod.namespace, &pod.name));
                while before.next_if(|(id, ..)| order(id).is_lt()).is_some() {}
                let (mut value, mut known) = (0.0, false);
                while let Some((_, container, sample)) =
                    before.next_if(|(id, ..)| order(id).is_eq())
                {
                    let same = containers.iter().find(|it| it.name == *container);
                    if let Some(same) = same {
                        value += growth(same, sample);
                        known = true;
                    }
                }
                if known && largest.may_take(value) {
                    let pod = find(self.pods, &pod.namespace, &pod.name, node);
                    largest.offer(value, pod.filter(|pod| among.has(pod)));
                }
            }
        }
    }
}

/// One node's pods, walked along with those of the cluster: both are in the order of namespace and name, so that each
/// is looked at once.
struct Walk {
    latest: Arc<Latest>,
    next: usize,
}

impl Walk {
    fn of(latest: Arc<Latest>) -> Self {
        Self { latest, next: 0 }
    }

    /// The containers of a pod that comes after all that were asked for before.
    fn containers(
        &mut self,
        key: &PodKey,
        retention: Retention,
        now: Age,
    ) -> Option<&[ContainerLatest]> {
        while let Some(pod) = self.latest.pods.get(self.next) {
            match (&pod.namespace, &pod.name).cmp(&(&key.namespace, &key.name)) {
                Ordering::Less => self.next += 1,
                Ordering::Equal => {
                    let (_, containers) = self.latest.rates_of(pod, retention, now)?;
                    return Some(containers);
                }
                Ordering::Greater => return None,
            }
        }
        None
    }
}

/// What the containers of a node used then, or what those that are younger used first; of pods that had the same name,
/// of the last.
fn before(
    history: &NodeHistory,
    excerpt: &mut Excerpt,
    then: Tick,
    among: &TopScope<'_>,
) -> Vec<(PodId, Arc<str>, Sample)> {
    let wanted = |pod: Option<&PodId>| pod.is_some_and(|pod| among.has_namespace(&pod.namespace));
    history.copy_from(excerpt, wanted, then);
    let mut found: Vec<(PodId, Arc<str>, Sample)> = Vec::new();
    for series in excerpt.series() {
        let (Some(pod), Some(container)) = (series.pod, series.container) else {
            continue;
        };
        let mut samples = series.samples().peekable();
        let mut sample = samples.next();
        while let Some(next) = samples.next_if(|it| Tick::nearest(it.at) <= then) {
            sample = Some(next);
        }
        let Some(sample) = sample else { continue };
        if found.last().is_some_and(|(last, ..)| {
            (&last.namespace, &last.name) == (&pod.namespace, &pod.name) && last.uid != pod.uid
        }) {
            // Another pod had the name before.
            let first = found.partition_point(|(last, ..)| {
                (&last.namespace, &last.name) < (&pod.namespace, &pod.name)
            });
            found.truncate(first);
        }
        found.push((pod.clone(), Arc::clone(container), sample));
    }
    found
}

/// Walks the cluster's pods.
fn by_restarts(pods: &Pods, largest: &mut Largest, among: &TopScope<'_>) {
    for pod in among.of(pods) {
        // Not all of them count while a pod is initialized; none does that is not among them.
        let most: u64 = pod
            .containers
            .iter()
            .map(|status| u64::from(status.restarts))
            .sum();
        if largest.may_take(most as f64) && among.has(pod) {
            let value = f64::from(pod.summary().line.restarts);
            if largest.may_take(value) {
                largest.offer(value, Some(pod));
            }
        }
    }
}

impl TopScope<'_> {
    fn has_namespace(&self, namespace: &str) -> bool {
        self.namespace.is_none_or(|wanted| wanted == namespace)
    }

    fn has(&self, pod: &Pod) -> bool {
        self.has_namespace(&pod.key.namespace) && (self.filter)(pod)
    }

    /// The pods of the namespace, or all, until nobody waits for them any more.
    fn of<'p>(&'p self, pods: &'p Pods) -> impl Iterator<Item = &'p Arc<Pod>> + 'p {
        self.all_of(pods).take_while(|_| !self.cancel.is_set())
    }

    fn all_of<'p>(&self, pods: &'p Pods) -> Box<dyn Iterator<Item = &'p Arc<Pod>> + 'p> {
        match self.namespace {
            None => Box::new(pods.values()),
            Some(namespace) => {
                let namespace: Arc<str> = Arc::from(namespace);
                let first = PodKey {
                    namespace: Arc::clone(&namespace),
                    name: Arc::from(""),
                };
                let from_there = pods.range(first..).map(|(_, pod)| pod);
                Box::new(from_there.take_while(move |pod| pod.key.namespace == namespace))
            }
        }
    }
}

/// What a template asks for of one resource.
#[derive(Clone, Copy)]
enum Asked {
    Cpu(Resources),
    Memory(Resources),
}

impl Asked {
    /// It, if it is anything.
    fn some(self) -> Option<Self> {
        let any = match self {
            Self::Cpu(asked) => asked.cpu.is_some_and(|asked| asked.0 > 0),
            Self::Memory(asked) => asked.memory.is_some_and(|asked| asked.0 > 0),
        };
        any.then_some(self)
    }

    /// How much of it these use.
    fn ratio(self, containers: &[ContainerLatest]) -> f64 {
        let (used, asked) = match self {
            Self::Cpu(asked) => (cpu(containers).0, asked.cpu.unwrap_or_default().0),
            Self::Memory(asked) => (memory(containers).0, asked.memory.unwrap_or_default().0),
        };
        used as f64 / asked as f64
    }
}

fn cpu(containers: &[ContainerLatest]) -> Nanocores {
    containers.iter().map(|container| container.cpu).sum()
}

fn memory(containers: &[ContainerLatest]) -> Bytes {
    containers.iter().map(|container| container.memory).sum()
}

/// The running pod of these names on this node.
fn find<'a>(
    pods: &'a Pods,
    namespace: &Arc<str>,
    name: &Arc<str>,
    node: &str,
) -> Option<&'a Arc<Pod>> {
    let key = PodKey {
        namespace: Arc::clone(namespace),
        name: Arc::clone(name),
    };
    pods.get(&key)
        .filter(|pod| pod.phase == Phase::Running && pod.node.as_deref() == Some(node))
}
