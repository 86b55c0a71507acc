//! Whether kubevitals.io works. Where it does not, a lower source is used until it does.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::model::{Fault, FaultKind, Part};

/// For how long requests must fail before a lower source is used. It is less than the six seconds within which that has
/// to happen, for then it is still to be asked.
const PATIENCE: Duration = Duration::from_secs(4);

/// What has become of the requests to an API.
#[derive(Debug)]
pub(super) struct Health {
    state: Mutex<State>,
    changed: Notify,
    patience: Duration,
}

#[derive(Debug)]
struct State {
    /// The parts whose last request failed, since when, and why.
    failing: BTreeMap<Part, (Instant, Fault)>,
    /// When a request last succeeded.
    last_success: Instant,
}

impl Health {
    /// Of an API that has not been asked yet; `real` is how long a time of the cluster takes.
    pub(super) fn new(real: impl Fn(Duration) -> Duration) -> Self {
        Self {
            state: Mutex::new(State {
                failing: BTreeMap::new(),
                last_success: Instant::now(),
            }),
            changed: Notify::new(),
            patience: real(PATIENCE),
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

    /// Waits until the API does not work, and says why.
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
    /// Since when the API does not work, and why: pods cannot be had, or no request at all is answered.
    fn broken(&self) -> Option<(Instant, Fault)> {
        let silent =
            |fault: &Fault| matches!(fault.kind, FaultKind::NoAnswer | FaultKind::Unavailable);
        let pods = self.failing.get(&Part::Pods);
        // That a server asks to come back later is no reason to leave it.
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

    /// Whether it is not to be waited for any longer, were the failures to last.
    fn is_broken(health: &Health) -> bool {
        health.state.lock().broken().is_some()
    }

    fn later(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[test]
    fn an_api_is_broken_when_pods_fail_or_nothing_is_answered() {
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
            let health = Health::new(|time| time);
            health.failed(part, &fault(kind), later(1));
            assert_eq!(is_broken(&health), broken, "{part} {kind:?}");
        }
    }

    #[test]
    fn an_api_that_answers_something_is_not_broken_but_without_pods_it_is() {
        let health = Health::new(|time| time);
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
    async fn an_api_that_has_failed_for_long_enough_is_left() {
        let health = Health::new(|_| Duration::from_millis(1));
        let down = fault(FaultKind::NotFound);
        health.failed(Part::Pods, &down, Instant::now());
        assert_eq!(health.broken().await, down);
    }
}
