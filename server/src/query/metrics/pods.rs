//! Pods with their usage.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use super::freshness::Ages;
use super::{MetricsLookup, MetricsQuery};
use crate::clock::Age;
use crate::cluster::{Phase, Pod, PodKey, Pods};
use crate::query::sources::first_pod;
use crate::store::{Absent, Cells, ContainerLatest, Latest, PodRates, Retention};

/// A pod that has metrics, borrowed from the snapshots that contain it.
#[derive(Debug)]
pub struct PodReading<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// Its time and window.
    pub rates: PodRates,
    /// Its containers, by name.
    pub containers: &'a [ContainerLatest],
}

/// All running pods of one namespace, or of all namespaces, as of the time at which the list was created.
#[derive(Debug)]
pub struct PodList {
    pods: Arc<Pods>,
    cells: Arc<Cells>,
    /// The latest scrape of each node so far. Each node's scrape is read once, so that all its pods are of one scrape.
    latest_of_nodes: HashMap<Arc<str>, Option<Arc<Latest>>>,
    retention: Retention,
    now: Age,
    ages: Ages,
    /// All pods have been visited once: another visit does not count their ages again.
    counted: bool,
}

/// A position in a [`PodList`].
#[derive(Debug)]
pub struct PodCursor {
    namespace: Option<Arc<str>>,
    after: Bound<PodKey>,
}

impl PodCursor {
    /// The start of the list of one namespace, or of all namespaces.
    pub fn new(namespace: Option<Arc<str>>) -> Self {
        let after = first_pod(namespace.as_deref());
        Self { namespace, after }
    }
}

impl MetricsQuery<'_> {
    /// The running pods as of now.
    pub fn pods(self) -> PodList {
        PodList {
            pods: self.sources.cluster.pods(),
            cells: self.sources.store.cells(),
            latest_of_nodes: HashMap::new(),
            retention: self.sources.retention,
            now: self.sources.now(),
            ages: self.ages(),
            counted: false,
        }
    }

    /// Looks up one pod, and converts its reading with `read`.
    pub fn pod<T>(
        self,
        namespace: &str,
        name: &str,
        read: impl FnOnce(PodReading<'_>) -> T,
    ) -> MetricsLookup<T> {
        let mut list = self.pods();
        let pods = Arc::clone(&list.pods);
        let pod = pods.get(&PodKey::new(namespace, name));
        match pod.filter(|pod| pod.phase == Phase::Running) {
            Some(pod) => list.reading(pod).map(read).into(),
            None => MetricsLookup::Unknown,
        }
    }
}

impl PodList {
    /// Reads the next `budget` pods after the cursor, and calls `visit` in order for those that pass `filter` and have
    /// metrics, until `visit` returns false or the list ends. Returns whether there are more pods. The cursor then
    /// stands after the last pod that was read. A second visit of the same pods gives the same readings.
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
            let namespace = cursor.namespace.as_ref();
            if namespace.is_some_and(|namespace| *namespace != key.namespace) {
                break;
            }
            left = left.saturating_sub(1);
            let passes = pod.phase == Phase::Running && filter(pod);
            let go_on = !passes || self.reading(pod).map_or(true, &mut visit);
            if !go_on || left == 0 {
                cursor.after = Bound::Excluded(key.clone());
                return true;
            }
        }
        self.counted = true;
        false
    }

    /// The reading of a pod, or why it has none.
    fn reading<'a>(&'a mut self, pod: &'a Pod) -> Result<PodReading<'a>, Absent> {
        let node = pod.node.as_ref().ok_or(Absent::NotReported)?;
        if !self.latest_of_nodes.contains_key(node) {
            let latest = self.cells.get(node).and_then(|cell| cell.latest());
            self.latest_of_nodes.insert(Arc::clone(node), latest);
        }
        let latest = self.latest_of_nodes.get(node).and_then(Option::as_ref);
        let latest = latest.ok_or(Absent::NotReported)?;
        let (rates, containers) = latest.pod(&pod.key, self.retention, self.now)?;
        if !self.counted {
            self.ages.observe(rates.at);
        }
        Ok(PodReading {
            pod,
            rates,
            containers,
        })
    }
}
