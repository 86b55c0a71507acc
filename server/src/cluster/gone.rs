//! Deleted objects, stored as long as their history.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use kubevitals_proto::time::Timestamp;

use super::{Pod, PodKey, Uid};

/// Deleted pods by namespace, name and UID.
pub type GonePods = OrdMap<(PodKey, Uid), GonePod>;

/// A deleted pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GonePod {
    /// Its last state.
    pub pod: Arc<Pod>,
    /// The time at which the server received the deletion, by the server's clock.
    pub at: Timestamp,
}

/// The largest number of deleted objects of one kind: a thousand pods that are replaced every minute must not fill the
/// memory.
const MOST: usize = 10_000;

/// Deleted objects, the oldest first.
#[derive(Debug)]
pub(super) struct DeletedObjects<T> {
    gone: VecDeque<(Timestamp, T)>,
    retention: Duration,
    most: usize,
}

impl<T> DeletedObjects<T> {
    /// Stores each object for `retention`; none if that is zero.
    pub(super) fn new(retention: Duration) -> Self {
        Self {
            gone: VecDeque::new(),
            retention,
            most: if retention.is_zero() { 0 } else { MOST },
        }
    }

    /// Adds an object that was deleted at `now`.
    pub(super) fn push(&mut self, now: Timestamp, what: T) {
        self.gone.push_back((now, what));
    }

    /// Removes the next object whose time is over at `now`, or that is above the limit.
    pub(super) fn expire(&mut self, now: Timestamp) -> Option<T> {
        let (at, _) = self.gone.front()?;
        let age = u64::try_from(now.since(*at)).unwrap_or_default();
        if self.gone.len() <= self.most && Duration::from_nanos(age) <= self.retention {
            return None;
        }
        self.gone.pop_front().map(|(_, what)| what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expired(deleted: &mut DeletedObjects<i64>, now: i64) -> Vec<i64> {
        std::iter::from_fn(|| deleted.expire(Timestamp::from_secs(now))).collect()
    }

    #[test]
    fn deleted_objects_expire() {
        let mut deleted = DeletedObjects::new(Duration::from_secs(10));
        for second in 1..=3 {
            deleted.push(Timestamp::from_secs(second), second);
        }
        assert!(expired(&mut deleted, 11).is_empty());
        assert_eq!(expired(&mut deleted, 13), [1, 2]);
        assert!(
            expired(&mut deleted, 0).is_empty(),
            "a clock that was set back expires nothing"
        );
    }

    #[test]
    fn the_number_is_limited_and_zero_without_history() {
        let mut deleted = DeletedObjects {
            most: 2,
            ..DeletedObjects::new(Duration::from_secs(10))
        };
        for second in 1..=3 {
            deleted.push(Timestamp::from_secs(second), second);
        }
        assert_eq!(expired(&mut deleted, 3), [1]);
        let mut deleted = DeletedObjects::new(Duration::ZERO);
        deleted.push(Timestamp::from_secs(1), 1);
        assert_eq!(expired(&mut deleted, 1), [1]);
    }
}
