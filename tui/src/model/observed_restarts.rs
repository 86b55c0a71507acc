//! Counts restarts in the last hour, for sources that only report totals: from the changes that the dashboard has
//! observed.

use std::collections::{HashMap, VecDeque};

use kubevitals_proto::time::Timestamp;

use super::name::Key;
use super::row::{Container, PodRow, RECENT_SECONDS, Restarts, Row, to_seconds};
use super::table::Table;

/// The number of containers whose restarts are stored. For others only the last restart counts.
const MAX_CONTAINERS: usize = 10_000;

/// The most restarts of a container in an hour: the kubelet waits at least ten seconds between two.
const MAX_RESTARTS: usize = 360;

/// Times of restarts by container, in seconds since the epoch, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct ObservedRestarts {
    by_container: HashMap<Key, VecDeque<u32>>,
}

impl ObservedRestarts {
    /// Compares a new row with the row before: a larger restart count is a restart in between.
    pub(super) fn compare(&mut self, before: &PodRow, row: &mut PodRow) {
        let key = row.key();
        for container in &mut row.containers {
            let old = before
                .containers
                .iter()
                .find(|old| old.name == container.name);
            let old = old.map_or(0, |old| old.restarts.count);
            let more = container.restarts.count.saturating_sub(old);
            let at = ended_seconds(&container.restarts);
            let (Some(at), key) = (at, key.clone().part(&container.name)) else {
                continue;
            };
            let is_stored = self.by_container.contains_key(&key);
            if more > 0 && (is_stored || self.by_container.len() < MAX_CONTAINERS) {
                let times = self.by_container.entry(key.clone()).or_default();
                times.extend((0..more).take(MAX_RESTARTS).map(|_| at));
                let over = times.len().saturating_sub(MAX_RESTARTS);
                times.drain(..over);
            }
            let observed = self.since(&key, at.saturating_sub(RECENT_SECONDS));
            container.restarts.recent = container.restarts.recent.max(observed);
        }
        row.sum_restarts();
    }

    /// Updates the recent restarts of pods: restarts older than an hour no longer count.
    pub(super) fn expire(&mut self, pods: &mut Table<PodRow>, now: Timestamp) {
        let since = to_seconds(Some(now)).saturating_sub(RECENT_SECONDS);
        self.by_container.retain(|_, times| {
            times.retain(|at| *at > since);
            !times.is_empty()
        });
        let recent_of = |pod: &PodRow| {
            let containers = pod.containers.iter();
            containers
                .map(|container| self.recent(pod, container, since))
                .collect::<Box<[u32]>>()
        };
        let rows = pods.rows().iter().filter(|pod| pod.restarts.recent > 0);
        let changed: Vec<(Key, Box<[u32]>)> = rows
            .map(|pod| (pod, recent_of(pod)))
            .filter(|(pod, recent)| {
                let now = pod.containers.iter().map(|it| it.restarts.recent);
                now.ne(recent.iter().copied())
            })
            .map(|(pod, recent)| (pod.key(), recent))
            .collect();
        for (key, recent) in changed {
            if let Some(pod) = pods.get_mut(&key) {
                for (container, recent) in pod.containers.iter_mut().zip(recent) {
                    container.restarts.recent = recent;
                }
                pod.sum_restarts();
            }
        }
    }

    /// The recent restarts of a container, at most as many as were counted before.
    fn recent(&self, pod: &PodRow, container: &Container, since: u32) -> u32 {
        let restarts = &container.restarts;
        let is_recent = ended_seconds(restarts).is_some_and(|at| at > since);
        if !is_recent {
            return 0;
        }
        if pod.created_seconds > since {
            return restarts.recent;
        }
        let key = pod.key().part(&container.name);
        restarts.recent.min(self.since(&key, since).max(1))
    }

    fn since(&self, key: &Key, since: u32) -> u32 {
        let times = self.by_container.get(key).into_iter().flatten();
        u32::try_from(times.filter(|at| **at > since).count()).unwrap_or(u32::MAX)
    }
}

/// When the container ended before its last restart, in seconds since the epoch.
fn ended_seconds(restarts: &Restarts) -> Option<u32> {
    u32::try_from(restarts.finished()?.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row::LastRestart;

    const NOW: i64 = 1_800_000_000;

    fn pod(count: u32, finished: i64, recent: u32) -> PodRow {
        let last = LastRestart {
            finished: Some(Timestamp::from_secs(finished)),
            ..LastRestart::default()
        };
        let app = Container {
            name: "app".into(),
            restarts: Restarts {
                count,
                recent,
                last: Some(Box::new(last)),
            },
            ..Container::default()
        };
        let mut pod = PodRow {
            namespace: "shop".into(),
            name: "web".into(),
            containers: [app].into(),
            ..PodRow::default()
        };
        pod.sum_restarts();
        pod
    }

    #[test]
    fn observed_restarts_count_for_an_hour() {
        let mut observed = ObservedRestarts::default();
        let mut before = pod(40, NOW - 7200, 0);
        let mut counts = Vec::new();
        for (count, at) in [
            (41, NOW),
            (42, NOW + 300),
            (45, NOW + 1800),
            (46, NOW + 3700),
        ] {
            let mut row = pod(count, at, 1);
            observed.compare(&before, &mut row);
            counts.push(row.restarts.recent);
            before = row;
        }
        // The first restart is more than an hour before the last.
        assert_eq!(counts, [1, 2, 5, 5]);
        let mut pods = Table::of(vec![before]);
        let mut recent = |at: i64| {
            observed.expire(&mut pods, Timestamp::from_secs(at));
            pods.rows()[0].restarts.recent
        };
        let counts = [3700, 3901, 5401, 7301, 9000].map(|after| recent(NOW + after));
        assert_eq!(counts, [5, 4, 1, 0, 0]);
    }

    #[test]
    fn stored_restarts_are_limited() {
        let mut observed = ObservedRestarts::default();
        let mut row = pod(u32::MAX, NOW, 1);
        observed.compare(&pod(0, NOW, 0), &mut row);
        assert_eq!(row.restarts.recent as usize, MAX_RESTARTS);
        // A lower count belongs to a new container.
        let mut row = pod(0, NOW, 0);
        observed.compare(&pod(9, NOW, 1), &mut row);
        assert_eq!(observed.by_container.len(), 1);
    }
}
