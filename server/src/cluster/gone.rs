//! What is gone, and remembered for as long as its history is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use kubevitals_proto::time::Timestamp;

use super::{Pod, PodKey, Uid};

/// Pods that are gone, by namespace and name; several of one name by their UIDs.
pub type GonePods = OrdMap<(PodKey, Uid), GonePod>;

/// A pod that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GonePod {
    /// As it was last.
    pub pod: Arc<Pod>,
    /// When we heard that it is gone, by our clock: nothing else tells.
    pub at: Timestamp,
}

/// How many gone objects of one kind are remembered at most: a namespace of a thousand pods that crash and are made
/// anew each minute must not fill the memory.
const MOST: usize = 10_000;

/// What is gone, the longest first.
#[derive(Debug)]
pub(super) struct Lingering<T> {
    gone: VecDeque<(Timestamp, T)>,
    retention: Duration,
    most: usize,
}

impl<T> Lingering<T> {
    /// Remembers each thing for `retention`; nothing, if that is zero.
    pub(super) fn new(retention: Duration) -> Self {
        Self {
            gone: VecDeque::new(),
            retention,
            most: if retention.is_zero() { 0 } else { MOST },
        }
    }

    /// Something is gone since `now`.
    pub(super) fn push(&mut self, now: Timestamp, what: T) {
        self.gone.push_back((now, what));
    }

    /// The next thing that is to be forgotten by `now`.
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
    fn what_is_gone_is_forgotten_when_its_time_is_over() {
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
    fn only_so_many_are_remembered_and_none_without_history() {
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
