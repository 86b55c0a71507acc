//! Pods with their usage.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use super::freshness::Ages;
use crate::clock::Age;
use crate::cluster::{Phase, Pod, PodKey, Pods};
use crate::query::{Found, Query};
use crate::store::{Absent, Cells, ContainerLatest, Latest, PodRates, Retention};

/// A pod that has metrics, borrowed from the snapshots it was found in.
#[derive(Debug)]
pub struct PodReading<'a> {
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
    /// All pods have been visited once, and are not counted again.
    counted: bool,
}

/// Where a list has got to.
#[derive(Debug)]
pub struct PodCursor {
    namespace: Option<Arc<str>>,
    after: Bound<PodKey>,
}

impl PodCursor {
    /// The beginning of the list of one namespace, or of all.
    pub fn new(namespace: Option<Arc<str>>) -> Self {
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
    /// Looks at the next `budget` pods of any kind, and hands those that pass `filter` and have metrics to `visit`,
    /// in order, until it returns false or the list ends. Returns whether there is more; the cursor then stands
    /// behind the last pod looked at. What is visited again is the same again, however long ago it was.
    pub fn visit(
        &mut self,
        cursor: &mut PodCursor,
        budget: usize,
        filter: impl Fn(&Pod) -> bool,
        mut visit: impl FnMut(PodReading<'_>) -> bool,
    ) -> bool {
        let pods = Arc::clone(&self.pods);
        let mut left = budget;
        for (key, pod) in pods.range((cursor.after.clone(), Bound::Unbounded)) {
            if cursor
                .namespace
                .as_ref()
                .is_some_and(|namespace| *namespace != key.namespace)
            {
                break;
            }
            left = left.saturating_sub(1);
            let wanted = pod.phase == Phase::Running && filter(pod);
            let go_on = !wanted || self.answer(pod).is_none_or(&mut visit);
            if !go_on || left == 0 {
                cursor.after = Bound::Excluded(key.clone());
                return true;
            }
        }
        self.counted = true;
        false
    }

    /// What is known of a pod.
    fn answer<'a>(&'a mut self, pod: &'a Pod) -> Option<PodReading<'a>> {
        let node = pod.node.as_ref()?;
        if !self.met.contains_key(node) {
            let latest = self.cells.get(node).and_then(|cell| cell.latest());
            self.met.insert(Arc::clone(node), latest);
        }
        let latest = self.met.get(node)?.as_ref()?;
        let (namespace, name) = (&pod.key.namespace, &pod.key.name);
        let (rates, containers) = latest.pod(namespace, name, self.retention, self.now).ok()?;
        if !self.counted {
            self.ages.observe(rates.at);
        }
        Some(PodReading {
            pod,
            rates,
            containers,
        })
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
            counted: false,
        }
    }

    /// One pod: `read` makes what is wanted of it.
    pub fn pod<T>(
        &self,
        namespace: &str,
        name: &str,
        read: impl FnOnce(PodReading<'_>) -> T,
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
                Found::Metrics(read(PodReading {
                    pod,
                    rates,
                    containers,
                }))
            }
            Err(absent) => Found::NoMetrics(absent),
        }
    }
}
