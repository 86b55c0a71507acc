//! Finds the series of each reading of a scrape.

use super::pod_id::PodId;
use super::series_list::{
    DOUBTS, MAX_SERIES, Pod, Reading, Series, bounds, find, insert_pod, insert_series, new_series,
};
use crate::cluster::{Binding, PodKey, Uid};

/// The number of scrapes between two comparisons with the API server: a pod of the same name may have started on
/// another node.
const CHECK_INTERVAL: u8 = 32;

/// The largest number of pods of one node that the API server has not reported. The watch lags behind a kubelet by the
/// pods that start within seconds; after a start of this server, by all pods of the node.
const MAX_UNKNOWN: usize = 1000;

/// The largest number of containers of one pod, including ended ones. A kubelet may invent containers.
const MAX_CONTAINERS: usize = 256;

/// The location of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    /// This series.
    Series(usize),
    /// None: the pod is bound to another node.
    NotOfNode,
    /// None. The samples stored before the API server reported the pod belong to another node, too.
    Misattributed(usize),
    /// None: a limit of series, unknown pods or containers is reached.
    LimitReached,
}

/// Finds the series of a scrape's readings, which have the order of the series.
#[derive(Debug)]
pub(super) struct Locator {
    /// The index of the last pod.
    pod: usize,
    /// The number of pods that the API server has not reported.
    unknown: usize,
}

impl Locator {
    /// Starts at the first of these pods.
    pub(super) fn new(pods: &[Pod]) -> Self {
        let unknown = pods.iter().filter(|pod| !pod.id.uid.is_some()).count();
        Self { pod: 0, unknown }
    }

    /// Finds the series of the next reading, or inserts a new one.
    pub(super) fn locate(
        &mut self,
        pods: &mut Vec<Pod>,
        series: &mut Vec<Series>,
        reading: &Reading<'_>,
        binding: impl Fn(&PodKey) -> Binding,
    ) -> Location {
        // Equal keys are one pointer, as a rule, and differing lengths are enough for others.
        let is =
            |pods: &[Pod], at: usize| pods.get(at).is_some_and(|pod| pod.id.key == *reading.pod);
        if !is(pods, self.pod) {
            let before = |pod: &Pod| pod.id.key < *reading.pod;
            while pods.get(self.pod).is_some_and(before) {
                self.pod += 1;
            }
        }
        // The last of several pods with the same name has the name now.
        while is(pods, self.pod + 1) {
            self.pod += 1;
        }
        let exists = is(pods, self.pod);
        let mut found = find(pods, series, self.pod, reading.container);
        let pod = pods.get_mut(self.pod).filter(|_| exists);
        let Some(pod) = pod else {
            let uid = match binding(reading.pod) {
                Binding::Here(uid) => uid,
                Binding::Elsewhere => return Location::NotOfNode,
                Binding::Unknown if self.unknown >= MAX_UNKNOWN => return Location::LimitReached,
                Binding::Unknown => {
                    self.unknown += 1;
                    Uid::default()
                }
            };
            if series.len() >= MAX_SERIES {
                return Location::LimitReached;
            }
            let key = reading.pod.clone();
            let id = PodId { key, uid };
            insert_pod(pods, series, self.pod, id);
            let (first, _) = bounds(pods, series, self.pod);
            insert_series(pods, series, self.pod, first, new_series(reading));
            return Location::Series(first);
        };
        let same = found.is_ok_and(|at| series.get(at).is_some_and(|it| it.run == reading.run));
        if same && pod.doubts == 0 && pod.unchecked < CHECK_INTERVAL {
            pod.unchecked += 1;
            return found.map_or(Location::LimitReached, Location::Series);
        }
        pod.unchecked = 0;
        match binding(reading.pod) {
            Binding::Elsewhere if pod.id.uid.is_some() => {
                // Compare it in each scrape from now on.
                pod.doubts = pod.doubts.max(1);
                return Location::NotOfNode;
            }
            Binding::Elsewhere => return Location::Misattributed(self.pod),
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
            Binding::Here(_) if series.len() >= MAX_SERIES => return Location::LimitReached,
            Binding::Here(uid) => {
                // Another pod has the name now.
                let key = reading.pod.clone();
                let id = PodId { key, uid };
                self.pod += 1;
                insert_pod(pods, series, self.pod, id);
                found = find(pods, series, self.pod, reading.container);
            }
        }
        let (first, end) = bounds(pods, series, self.pod);
        match found {
            Ok(at) => Location::Series(at),
            Err(_) if series.len() >= MAX_SERIES || end - first >= MAX_CONTAINERS => {
                Location::LimitReached
            }
            Err(at) => {
                insert_series(pods, series, self.pod, at, new_series(reading));
                Location::Series(at)
            }
        }
    }
}
