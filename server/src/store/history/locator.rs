//! Where a reading belongs among the series of its node.

use std::cmp::Ordering;
use std::sync::Arc;

use super::malloc_size::grow;
use super::node::{MAX_SERIES, Pod, Reading, Series};
use super::pod_id::PodId;
use crate::cluster::{Binding, Uid};
use crate::store::ring::Ring;

/// In so many scrapes a pod is looked up among the API server's after a container of it was new: the watch may lag behind
/// the kubelet.
const DOUBTS: u8 = 8;

/// Every so many scrapes it is looked up again: a pod of the same name may have begun on another node.
const CHECKS: u8 = 32;

/// The most pods of one node of which the API server has not told. The watch lags behind a kubelet by the pods that
/// begin within seconds; after a start of this server, by all of the node's.
const MAX_UNKNOWN: usize = 1000;

/// The most containers of one pod, those that are gone included: ten times what any has. A kubelet may invent containers
/// of pods that it has.
const MAX_OF_POD: usize = 256;

/// Where a reading belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    /// To this series.
    Series(usize),
    /// Nowhere: its pod is bound to another node.
    NotOfNode,
    /// Nowhere; and what was taken of this pod while the API server had not told of it was not the node's either.
    Mistaken(usize),
    /// Nowhere: the node has as many series, or pods that nobody knows, as it may have, or the pod as many containers.
    NoRoom,
}

/// Finds the locator of a scrape's readings, which are sorted as the series are.
#[derive(Debug)]
pub(super) struct Locator {
    /// The pod that was met last.
    pod: usize,
    /// Pods of the node of which the API server has not told.
    unknown: usize,
}

impl Locator {
    /// At the first of these pods.
    pub(super) fn new(pods: &[Pod]) -> Self {
        let unknown = pods.iter().filter(|pod| !pod.id.uid.is_some()).count();
        Self { pod: 0, unknown }
    }

    /// Where the next reading belongs; its series is made if need be.
    pub(super) fn locate(
        &mut self,
        pods: &mut Vec<Pod>,
        series: &mut Vec<Series>,
        reading: &Reading<'_>,
        binding: impl Fn(&Arc<str>, &Arc<str>) -> Binding,
    ) -> Location {
        let order = |pods: &[Pod], at: usize| {
            let pod = pods.get(at)?;
            Some(pod.id.order(reading.namespace, reading.pod))
        };
        while order(pods, self.pod) == Some(Ordering::Less) {
            self.pod += 1;
        }
        // Of several pods that had the name one after the other, the last one has it now.
        while order(pods, self.pod + 1) == Some(Ordering::Equal) {
            self.pod += 1;
        }
        let known = order(pods, self.pod) == Some(Ordering::Equal);
        let mut found = find(pods, series, self.pod, reading.container);
        let pod = pods.get_mut(self.pod).filter(|_| known);
        let Some(pod) = pod else {
            let uid = match binding(reading.namespace, reading.pod) {
                Binding::Here(uid) => uid,
                Binding::Elsewhere => return Location::NotOfNode,
                Binding::Unknown if self.unknown >= MAX_UNKNOWN => return Location::NoRoom,
                Binding::Unknown => {
                    self.unknown += 1;
                    Uid::default()
                }
            };
            if series.len() >= MAX_SERIES {
                return Location::NoRoom;
            }
            let id = PodId {
                namespace: Arc::clone(reading.namespace),
                name: Arc::clone(reading.pod),
                uid,
            };
            insert_pod(pods, series, self.pod, id);
            let (first, _) = bounds(pods, series, self.pod);
            insert_series(pods, series, self.pod, first, begin(reading));
            return Location::Series(first);
        };
        let same = found.is_ok_and(|at| series.get(at).is_some_and(|it| it.life == reading.life));
        if same && pod.doubts == 0 && pod.unchecked < CHECKS {
            pod.unchecked += 1;
            return found.map_or(Location::NoRoom, Location::Series);
        }
        pod.unchecked = 0;
        match binding(reading.namespace, reading.pod) {
            Binding::Elsewhere if pod.id.uid.is_some() => {
                // It is looked up with each scrape from now on.
                pod.doubts = pod.doubts.max(1);
                return Location::NotOfNode;
            }
            Binding::Elsewhere => return Location::Mistaken(self.pod),
            Binding::Unknown if !same => pod.doubts = DOUBTS,
            Binding::Unknown => {}
            Binding::Here(uid) if pod.id.may_be(uid) => {
                if !pod.id.uid.is_some() {
                    self.unknown = self.unknown.saturating_sub(1);
                }
                pod.id.uid = uid;
                pod.doubts = if same {
                    pod.doubts.saturating_sub(1)
                } else {
                    DOUBTS
                };
            }
            Binding::Here(_) if series.len() >= MAX_SERIES => return Location::NoRoom,
            Binding::Here(uid) => {
                // Another pod has the name now.
                let id = PodId {
                    uid,
                    ..pod.id.clone()
                };
                self.pod += 1;
                insert_pod(pods, series, self.pod, id);
                found = find(pods, series, self.pod, reading.container);
            }
        }
        let (first, end) = bounds(pods, series, self.pod);
        match found {
            Ok(at) => Location::Series(at),
            Err(_) if series.len() >= MAX_SERIES || end - first >= MAX_OF_POD => Location::NoRoom,
            Err(at) => {
                insert_series(pods, series, self.pod, at, begin(reading));
                Location::Series(at)
            }
        }
    }
}

/// A series without points.
fn begin(reading: &Reading<'_>) -> Series {
    Series {
        name: Arc::clone(reading.container),
        ring: Ring::default(),
        life: reading.life,
    }
}

/// The series of a pod's container, or where it belongs.
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

/// From which to which series is a pod's.
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
