//! Pods with their usage.

use std::ops::Bound;
use std::sync::Arc;

use kubevitals_proto::metrics::encode::{Container, UsageRef};

use super::freshness::Ages;
use super::{MetricsLookup, MetricsQuery};
use crate::cluster::{Phase, Pod, PodKey, Pods};
use crate::query::latest_of_nodes::LatestOfNodes;
use crate::query::sources::first_pod;
use crate::store::{Absent, ContainerLatest, PodRates};

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

impl Container for ContainerLatest {
    fn name(&self) -> &str {
        &self.name
    }

    fn usage(&self) -> UsageRef {
        UsageRef {
            cpu: self.cpu,
            memory: self.memory,
        }
    }
}

/// All running pods of one namespace, or of all namespaces, as of the time at which the list was created.
#[derive(Debug)]
pub struct PodList {
    pods: Arc<Pods>,
    latest_of_nodes: LatestOfNodes,
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
            latest_of_nodes: LatestOfNodes::new(
                self.sources.store.cells(),
                self.sources.retention,
                self.sources.now(),
            ),
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
        let (rates, containers) = self.latest_of_nodes.pod(pod)?;
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
