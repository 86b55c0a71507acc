//! Decides whether kubevitals.io works. While it does not, the dashboard uses another source.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::model::{Fault, FaultKind, Part};

/// How long requests must fail before the dashboard uses another source. The switch must happen within six seconds,
/// requests included. A command that prints once does not wait.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// The outcomes of the requests to an API.
#[derive(Debug)]
pub(super) struct Health {
    state: Mutex<State>,
    changed: Notify,
    patience: Duration,
}

#[derive(Debug)]
struct State {
    /// The parts whose last request failed, with the time of the first failure and the cause.
    failing: BTreeMap<Part, (Instant, Fault)>,
    /// The time of the last success.
    last_success: Instant,
}

impl Health {
    /// The state before the first request. Another source is used after failures for `patience`.
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            state: Mutex::new(State {
                failing: BTreeMap::new(),
                last_success: Instant::now(),
            }),
            changed: Notify::new(),
            patience,
        }
    }

    pub(super) fn succeeded(&self, part: Part) {
        let mut state = self.state.lock();
        state.failing.remove(&part);
        state.last_success = Instant::now();
    }

    pub(super) fn failed(&self, part: Part, why: &Fault, sent: Instant) {
        let mut state = self.state.lock();
        let failing = state.failing.entry(part);
        let failing = failing.or_insert_with(|| (sent, why.clone()));
        failing.1 = why.clone();
        drop(state);
        self.changed.notify_one();
    }

    /// Waits until the API does not work; returns the cause.
    pub(super) async fn broken(&self) -> Fault {
        loop {
            let broken = self.state.lock().broken();
            match broken {
                Some((since, why)) if since.elapsed() >= self.patience => return why,
                Some((since, _)) => tokio::select! {
                    () = sleep_until(since + self.patience) => {}
                    () = self.changed.notified() => {}
                },
                None => self.changed.notified().await,
            }
        }
    }
}

impl State {
    /// Since when the API does not work, and why: pods fail, or no request has a response.
    fn broken(&self) -> Option<(Instant, Fault)> {
        let silent =
            |fault: &Fault| matches!(fault.kind, FaultKind::NoAnswer | FaultKind::Unavailable);
        let pods = self.failing.get(&Part::Pods);
        // A busy server still works.
        let pods = pods.filter(|(_, why)| why.kind != FaultKind::Busy);
        let all = self
            .failing
            .values()
            .filter(|(since, why)| silent(why) && *since >= self.last_success)
            .min_by_key(|(since, _)| *since);
        pods.or(all).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind) -> Fault {
        Fault {
            kind,
            text: String::new(),
        }
    }

    /// Whether the API is broken if the failures last.
    fn is_broken(health: &Health) -> bool {
        health.state.lock().broken().is_some()
    }

    fn later(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[test]
    fn an_api_is_broken_if_pods_fail_or_nothing_responds() {
        use FaultKind::{Busy, Forbidden, NoAnswer, NotFound, Unauthorized, Unavailable};
        for (part, kind, broken) in [
            (Part::Pods, Unauthorized, true),
            (Part::Pods, Forbidden, true),
            (Part::Pods, NotFound, true),
            (Part::Pods, Unavailable, true),
            (Part::Pods, NoAnswer, true),
            (Part::Pods, Busy, false),
            (Part::Cluster, NoAnswer, true),
            (Part::Cluster, Unavailable, true),
            (Part::Cluster, Forbidden, false),
            (Part::Nodes, Forbidden, false),
        ] {
            let health = Health::new(PATIENCE);
            health.failed(part, &fault(kind), later(1));
            assert_eq!(is_broken(&health), broken, "{part} {kind:?}");
        }
    }

    #[test]
    fn one_success_is_enough_except_for_failing_pods() {
        let health = Health::new(PATIENCE);
        let down = fault(FaultKind::Unavailable);
        health.failed(Part::Cluster, &down, Instant::now());
        health.succeeded(Part::Nodes);
        assert!(!is_broken(&health));
        health.failed(Part::Pods, &down, Instant::now());
        health.succeeded(Part::Nodes);
        assert!(is_broken(&health));
        health.succeeded(Part::Pods);
        assert!(!is_broken(&health));
    }

    #[tokio::test]
    async fn a_long_failure_is_returned() {
        let health = Health::new(Duration::from_millis(1));
        let down = fault(FaultKind::NotFound);
        health.failed(Part::Pods, &down, Instant::now());
        assert_eq!(health.broken().await, down);
    }
}
