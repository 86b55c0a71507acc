//! Pods with their usage.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use super::freshness::Ages;
use super::{Found, Query};
use crate::clock::Age;
use crate::cluster::{Phase, Pod, PodKey, Pods};
use crate::store::{Absent, Cells, ContainerLatest, Latest, PodRates, Retention};

/// A pod that has metrics, borrowed from the snapshots it was found in.
#[derive(Debug)]
pub struct PodAnswer<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// Its time and window.
    pub rates: PodRates,
    /// Its containers, by name.
    pub containers: &'a [ContainerLatest],
}

/// All running pods of a namespace, or of all, as of the moment it was made.
#[derive(Debug)]
pub struct PodList {
    pods: Arc<Pods>,
    cells: Arc<Cells>,
    /// The nodes met so far: every node's latest is taken once, so that its pods are of one scrape.
    met: HashMap<Arc<str>, Option<Arc<Latest>>>,
    retention: Retention,
    now: Age,
    ages: Ages,
}

/// Where a list has got to.
#[derive(Debug)]
pub struct PodCursor {
    namespace: Option<Arc<str>>,
    after: Bound<PodKey>,
}

impl PodCursor {
    /// The beginning of the list of one namespace, or of all.
    pub fn new(namespace: Option<&str>) -> Self {
        let namespace: Option<Arc<str>> = namespace.map(Arc::from);
        let after = match &namespace {
            Some(namespace) => Bound::Included(PodKey {
                namespace: Arc::clone(namespace),
                name: Arc::from(""),
            }),
            None => Bound::Unbounded,
        };
        Self { namespace, after }
    }
}

impl PodList {
    /// Hands the next pods that have metrics and pass `filter` to `visit`, in order, until it returns false or
    /// the list ends. Returns whether there is more; the cursor then stands behind the last pod visited.
    pub fn visit(
        &mut self,
        cursor: &mut PodCursor,
        filter: impl Fn(&Pod) -> bool,
        mut visit: impl FnMut(PodAnswer<'_>) -> bool,
    ) -> bool {
        let pods = Arc::clone(&self.pods);
        for (key, pod) in pods.range((cursor.after.clone(), Bound::Unbounded)) {
            if cursor
                .namespace
                .as_ref()
                .is_some_and(|namespace| *namespace != key.namespace)
            {
                return false;
            }
            if pod.phase != Phase::Running || !filter(pod) {
                continue;
            }
            let Some(latest) = pod.node.as_ref().and_then(|node| self.latest(node)) else {
                continue;
            };
            let found = latest.pod(&key.namespace, &key.name, self.retention, self.now);
            let Ok((rates, containers)) = found else {
                continue;
            };
            self.ages.observe(rates.at);
            let answer = PodAnswer {
                pod,
                rates,
                containers,
            };
            if !visit(answer) {
                cursor.after = Bound::Excluded(key.clone());
                return true;
            }
        }
        false
    }

    fn latest(&mut self, node: &Arc<str>) -> Option<Arc<Latest>> {
        if let Some(latest) = self.met.get(node) {
            return latest.clone();
        }
        let latest = self.cells.get(node).and_then(|cell| cell.latest());
        self.met.insert(Arc::clone(node), latest.clone());
        latest
    }
}

impl Query {
    /// The pods as of now.
    pub fn pods(&self) -> PodList {
        PodList {
            pods: self.cluster.pods(),
            cells: self.store.cells(),
            met: HashMap::new(),
            retention: self.retention,
            now: self.now(),
            ages: Ages::of(&self.freshness, self.wall()),
        }
    }

    /// One pod: `read` makes what is wanted of it.
    pub fn pod<T>(
        &self,
        namespace: &str,
        name: &str,
        read: impl FnOnce(PodAnswer<'_>) -> T,
    ) -> Found<T> {
        let key = PodKey {
            namespace: Arc::from(namespace),
            name: Arc::from(name),
        };
        let pods = self.cluster.pods();
        let Some(pod) = pods.get(&key).filter(|pod| pod.phase == Phase::Running) else {
            return Found::Unknown;
        };
        let cells = self.store.cells();
        let Some(latest) = pod.node.as_ref().and_then(|node| cells.get(node)?.latest()) else {
            return Found::NoMetrics(Absent::NotReported);
        };
        match latest.pod(namespace, name, self.retention, self.now()) {
            Ok((rates, containers)) => {
                Ages::of(&self.freshness, self.wall()).observe(rates.at);
                Found::Metrics(read(PodAnswer {
                    pod,
                    rates,
                    containers,
                }))
            }
            Err(absent) => Found::NoMetrics(absent),
        }
    }
}
