//! Pods with their usage.

use std::hint::black_box;
use std::ops::Bound;
use std::sync::Arc;

use kubevitals_proto::metrics::encode::{MetaRef, PodRef};
use kubevitals_proto::time::Timestamp;

use super::freshness::Ages;
use super::{MetricsLookup, MetricsQuery};
use crate::cluster::{Phase, Pod, PodKey, Pods};
use crate::query::latest_of_nodes::{BATCH, LatestOfNodes, Place};
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

impl<'a> PodReading<'a> {
    /// As the encoders read it, in a response at `created`.
    pub fn to_item(&self, created: Timestamp) -> PodRef<'a, ContainerLatest> {
        let pod = self.pod;
        PodRef {
            meta: MetaRef {
                name: &pod.key.name,
                namespace: &pod.key.namespace,
                creation: created,
                labels: &pod.labels,
            },
            timestamp: self.rates.at,
            window: self.rates.window,
            containers: self.containers,
            containers_len: self.rates.encoded_len(),
        }
    }
}

/// All running pods of one namespace, or of all namespaces, as of the time at which the list was created.
#[derive(Debug)]
pub struct PodList {
    pods: Arc<Pods>,
    latest: LatestOfNodes,
    ages: Ages,
    /// All pods have been visited once: another visit does not count their ages again.
    counted: bool,
}

/// What a visit reads of the pods of a [`PodList`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// Only what their length in protobuf depends on.
    Lengths,
    /// Everything.
    Values,
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
        let sources = self.sources;
        let latest = LatestOfNodes::new(sources.store.cells(), sources.retention, sources.now());
        PodList::new(sources.cluster.pods(), latest, self.ages())
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
            Some(pod) => {
                let place = list.latest.find(pod).ok_or(Absent::NotReported);
                place
                    .and_then(|place| list.reading(pod, place))
                    .map(read)
                    .into()
            }
            None => MetricsLookup::Unknown,
        }
    }
}

impl PodList {
    /// These pods with their usage in `latest`.
    pub fn new(pods: Arc<Pods>, latest: LatestOfNodes, ages: Ages) -> Self {
        Self {
            pods,
            latest,
            ages,
            counted: false,
        }
    }

    /// Reads the next `budget` pods after the cursor, and calls `visit` in order for those that pass `filter` and have
    /// metrics, until `visit` returns false or the list ends. Returns whether there are more pods. The cursor then
    /// stands after the last pod that was read. A second visit of the same pods gives the same readings.
    ///
    /// After `visit` has returned false, it is called for the rest of a batch.
    pub fn visit(
        &mut self,
        cursor: &mut PodCursor,
        budget: usize,
        what: Visit,
        filter: impl Fn(&Pod) -> bool,
        mut visit: impl FnMut(PodReading<'_>) -> bool,
    ) -> bool {
        let pods = Arc::clone(&self.pods);
        let namespace = cursor.namespace.clone();
        let is_in = |pod: &Pod| {
            let namespace = namespace.as_ref();
            namespace.is_none_or(|namespace| *namespace == pod.key.namespace)
        };
        let after = pods.range((cursor.after.clone(), Bound::Unbounded));
        let mut after = after.map(|(_, pod)| pod).take_while(|pod| is_in(pod));
        let mut left = budget;
        let mut batch = Vec::with_capacity(BATCH);
        let mut found = Vec::with_capacity(BATCH);
        loop {
            batch.clear();
            batch.extend(after.by_ref().take(BATCH.min(left)));
            let Some(&last) = batch.last() else {
                self.counted = true;
                return false;
            };
            left -= batch.len();
            // A loop of its own, because each pod waits for memory.
            batch.retain(|pod| pod.phase == Phase::Running && pod.node.is_some());
            let pods = batch.iter().copied().filter(|pod| filter(pod));
            self.latest.find_batch(pods, &mut found);
            if what == Visit::Values {
                read_names_ahead(&found);
                self.latest.read_containers_ahead(&found);
            }
            let mut go_on = true;
            for (pod, place) in found.drain(..) {
                if let Ok(reading) = self.reading(pod, place) {
                    go_on &= visit(reading);
                }
            }
            if !go_on || left == 0 {
                cursor.after = Bound::Excluded(last.key.clone());
                return true;
            }
        }
    }

    /// The reading of a pod, or why it has none.
    fn reading<'a>(&'a mut self, pod: &'a Pod, place: Place) -> Result<PodReading<'a>, Absent> {
        let (rates, containers) = self.latest.rates(place)?;
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

/// Reads the first and the last byte of each name in a loop that is so short that the processor waits for all of them at
/// once. Behind the encoding of a pod it would wait for each name by itself.
fn read_names_ahead(found: &[(&Arc<Pod>, Place)]) {
    for (pod, _) in found {
        let name = pod.key.name.as_bytes();
        black_box((name.first().copied(), name.last().copied()));
    }
}
