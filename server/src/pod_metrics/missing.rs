//! Which pods have no value of a metric although they should: without them the value of an object is not known.

use std::time::Duration;

use kubevitals_proto::selector::LabelSelector;

use super::{Absence, PodMetrics};
use crate::cluster::{Phase, Pod, PodKey};

/// A pod that has been ready for so many intervals was scraped often enough for a rate.
const SETTLED_INTERVALS: u32 = 3;

impl PodMetrics {
    /// Whether a pod without a value of a metric should have one. It has exposed the family within the last ten minutes,
    /// and its scrapes fail, or it exposes more series than are kept; or it is not new, and was not scraped often enough:
    /// the server is new, or the metric.
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
            Absence::Limited => self.exposes(&pod.key, name, None),
            Absence::Failed(_) | Absence::Stale(_) => self.exposes(&pod.key, name, Some(selector)),
            Absence::NotScraped | Absence::NotKept | Absence::OneSample => {
                let ready = self.clock.wall().as_secs() - i64::from(pod.ready.since_seconds);
                let ready = Duration::from_secs(u64::try_from(ready).unwrap_or_default());
                self.target(&pod.key)
                    .is_ok_and(|target| ready > target.rule.interval * SETTLED_INTERVALS)
            }
            _ => false,
        }
    }

    /// Whether the last good page of a pod has the family of a name, with series that a selector matches.
    fn exposes(&self, pod: &PodKey, name: &str, selector: Option<&LabelSelector>) -> bool {
        self.state(pod).is_some_and(|state| {
            let state = state.lock();
            let found = state.find(name, self.clock.elapsed());
            found.is_some_and(|(_, family, _)| {
                selector.is_none_or(|selector| family.matching(selector) > 0)
            })
        })
    }
}
