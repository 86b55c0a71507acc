//! Sums over pods by node: requests, limits, phases. One pass over all pods serves all nodes, once for each change of
//! the pods.

use std::collections::{BTreeMap, HashMap};
use std::ptr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::cluster::{Phase, PodTemplate, Pods, Resources};

/// The sums over all pods, and over the pods of each node.
#[derive(Debug, Default)]
pub(super) struct Totals {
    nodes: HashMap<Arc<str>, NodeTotal>,
    /// The sums over all nodes.
    pub(super) all: NodeTotal,
    /// The number of pods whose Ready condition is true.
    pub(super) ready: u64,
    /// The number of pods by phase.
    pub(super) phases: BTreeMap<&'static str, u64>,
}

/// The sums over the pods that are bound to a node and have not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct NodeTotal {
    /// The number of pods.
    pub(super) pods: u64,
    /// The sum of their requests.
    pub(super) requests: Resources,
    /// The sum of their limits, over the pods that have one.
    pub(super) limits: Resources,
}

impl NodeTotal {
    fn add(&mut self, requests: Resources, limits: Resources) {
        self.pods += 1;
        self.requests = self.requests + requests;
        self.limits = self.limits + limits;
    }
}

impl Totals {
    /// Adds up these pods.
    pub(super) fn of(pods: &Pods) -> Self {
        let mut totals = Self::default();
        // Pods of a workload share their template, so each template is added up once.
        let mut sums: HashMap<*const PodTemplate, (Resources, Resources)> = HashMap::new();
        for pod in pods.values() {
            totals.ready += u64::from(pod.ready.status);
            *totals.phases.entry(pod.phase.as_str()).or_default() += 1;
            let Some(node) = pod.node.as_ref().filter(|_| !pod.phase.is_over()) else {
                continue;
            };
            let template = &*pod.template;
            let (requests, limits) = match pod.resize() {
                Some(resize) => (resize.requests, resize.limits),
                None => *sums
                    .entry(ptr::from_ref(template))
                    .or_insert_with(|| (template.requests(), template.limits())),
            };
            totals.all.add(requests, limits);
            match totals.nodes.get_mut(node) {
                Some(total) => total.add(requests, limits),
                None => {
                    let mut total = NodeTotal::default();
                    total.add(requests, limits);
                    totals.nodes.insert(Arc::clone(node), total);
                }
            }
        }
        for phase in [
            Phase::Pending,
            Phase::Running,
            Phase::Succeeded,
            Phase::Failed,
        ] {
            totals.phases.entry(phase.as_str()).or_default();
        }
        totals
    }

    /// The sums over the pods of one node.
    pub(super) fn node(&self, name: &str) -> NodeTotal {
        self.nodes.get(name).copied().unwrap_or_default()
    }
}

/// The sums of the last snapshot of pods.
#[derive(Debug, Default)]
pub(in crate::query) struct TotalsCache(Mutex<Option<(Arc<Pods>, Arc<Totals>)>>);

impl TotalsCache {
    /// The sums over these pods, from the cache if it has them.
    pub(super) fn of(&self, pods: &Arc<Pods>) -> Arc<Totals> {
        let mut last = self.0.lock();
        match &*last {
            Some((of, totals)) if Arc::ptr_eq(of, pods) => Arc::clone(totals),
            _ => {
                let totals = Arc::new(Totals::of(pods));
                *last = Some((Arc::clone(pods), Arc::clone(&totals)));
                totals
            }
        }
    }
}
