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
pub(super) struct Lingering<T> {
    gone: VecDeque<(Timestamp, T)>,
    retention: Duration,
    most: usize,
}

impl<T> Lingering<T> {
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
    pub(super) fn forget(&mut self, now: Timestamp) -> Option<T> {
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

    fn forgotten(lingering: &mut Lingering<i64>, now: i64) -> Vec<i64> {
        std::iter::from_fn(|| lingering.forget(Timestamp::from_secs(now))).collect()
    }

    #[test]
    fn deleted_objects_expire() {
        let mut lingering = Lingering::new(Duration::from_secs(10));
        for second in 1..=3 {
            lingering.push(Timestamp::from_secs(second), second);
        }
        assert!(forgotten(&mut lingering, 11).is_empty());
        assert_eq!(forgotten(&mut lingering, 13), [1, 2]);
        assert!(
            forgotten(&mut lingering, 0).is_empty(),
            "a clock that was set back forgets nothing"
        );
    }

    #[test]
    fn the_number_is_limited_and_zero_without_history() {
        let mut lingering = Lingering {
            most: 2,
            ..Lingering::new(Duration::from_secs(10))
        };
        for second in 1..=3 {
            lingering.push(Timestamp::from_secs(second), second);
        }
        assert_eq!(forgotten(&mut lingering, 3), [1]);
        let mut lingering = Lingering::new(Duration::ZERO);
        lingering.push(Timestamp::from_secs(1), 1);
        assert_eq!(forgotten(&mut lingering, 1), [1]);
    }
}
