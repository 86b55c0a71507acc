//! Which pods have no value of a metric although they should: without them the value of an object is not known.

use std::time::Duration;

use kubevitals_proto::selector::LabelSelector;

use super::{Absence, PodMetrics};
use crate::cluster::{Phase, Pod};

/// A pod that has been ready for so many intervals was scraped often enough for a rate.
const SETTLED_INTERVALS: u32 = 3;

impl PodMetrics {
    /// Whether a pod without a value of a metric should have one. It has exposed the family within the last ten minutes,
    /// and its scrapes fail; or it is not new, and was not scraped often enough: the server is new, or the metric.
    ///
    /// Pods that are not ready do not count: what they do not serve, others do.
    pub fn should_have(
        &self,
        pod: &Pod,
        name: &str,
        selector: &LabelSelector,
        absence: &Absence,
    ) -> bool {
        if pod.phase != Phase::Running || !pod.ready.status || pod.deleted_seconds != 0 {
            return false;
        }
        match absence {
            Absence::Failed(_) | Absence::Stale(_) => self.state(&pod.key).is_some_and(|state| {
                let state = state.lock();
                let found = state.find(name, self.clock.elapsed());
                found.is_some_and(|(_, family, _)| family.matching(selector) > 0)
            }),
            Absence::NotScraped | Absence::NotKept | Absence::OneSample => {
                let ready = self.clock.wall().as_secs() - i64::from(pod.ready.since_seconds);
                let ready = Duration::from_secs(u64::try_from(ready).unwrap_or_default());
                self.target(&pod.key)
                    .is_ok_and(|target| ready > target.rule.interval * SETTLED_INTERVALS)
            }
            _ => false,
        }
    }
}
