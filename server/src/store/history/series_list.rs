//! The lists of a node's pods and of their containers' series.

use std::sync::Arc;

use kubevitals_proto::kubelet::resource::DecodeLimits;

use super::malloc_size::grow;
use super::pod_id::PodId;
use crate::cluster::PodKey;
use crate::store::ring::{Ring, Sample};

/// The largest number of series of one node, including ended containers: four times the containers of a scrape.
pub(super) const MAX_SERIES: usize = 4 * DecodeLimits::MAX_SERIES as usize;

/// The number of scrapes after a new container in which the pod is compared with the API server: the watch may lag
/// behind the kubelet.
pub(super) const DOUBTS: u8 = 8;

/// A container's sample from a scrape.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The pod.
    pub pod: &'a PodKey,
    /// The container's name.
    pub container: &'a Arc<str>,
    /// The sample. `run` shows whether the container was restarted.
    pub sample: Sample,
    /// A number for the run of the container, computed from its start time.
    pub run: u32,
}

#[derive(Debug)]
pub(super) struct Pod {
    pub(super) id: PodId,
    /// The index of its first series. The next pod's first series is after its last.
    pub(super) first: u32,
    /// The number of scrapes in which the pod is still compared with the API server.
    pub(super) doubts: u8,
    /// The number of scrapes since the last comparison.
    pub(super) unchecked: u8,
}

#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: Arc<str>,
    pub(super) ring: Ring,
    pub(super) run: u32,
}

/// A series without samples.
pub(super) fn new_series(reading: &Reading<'_>) -> Series {
    Series {
        name: Arc::clone(reading.container),
        ring: Ring::default(),
        run: reading.run,
    }
}

/// The index of the series of a pod's container, or the index at which to insert it.
pub(super) fn find(
    pods: &[Pod],
    series: &[Series],
    pod: usize,
    container: &str,
) -> Result<usize, usize> {
    let (first, end) = bounds(pods, series, pod);
    let of_pod = series.get(first..end).unwrap_or_default();
    let found = of_pod.binary_search_by(|series| (*series.name).cmp(container));
    found.map(|at| first + at).map_err(|at| first + at)
}

/// The range of a pod's series.
pub(super) fn bounds(pods: &[Pod], series: &[Series], pod: usize) -> (usize, usize) {
    let first = |pod: usize| pods.get(pod).map_or(series.len(), |pod| pod.first as usize);
    (first(pod), first(pod + 1))
}

/// Inserts a pod without containers.
pub(super) fn insert_pod(pods: &mut Vec<Pod>, series: &[Series], at: usize, id: PodId) {
    let (first, _) = bounds(pods, series, at);
    grow(pods);
    let pod = Pod {
        id,
        first: first as u32,
        doubts: DOUBTS,
        unchecked: 0,
    };
    pods.insert(at.min(pods.len()), pod);
}

/// Inserts a series of the pod `pod` at `at`.
pub(super) fn insert_series(
    pods: &mut [Pod],
    series: &mut Vec<Series>,
    pod: usize,
    at: usize,
    new: Series,
) {
    grow(series);
    series.insert(at.min(series.len()), new);
    for pod in pods.iter_mut().skip(pod + 1) {
        pod.first += 1;
    }
}
