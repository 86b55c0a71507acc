//! What went before, out of the history of what was used.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::usage_history::{UsageHistory, UsagePoint, UsageSubject};
use crate::store::Store;
use crate::store::history::Excerpt;
use crate::store::ring::Tick;

/// The history of what was used.
#[derive(Debug)]
pub struct StoreUsageHistory(pub Arc<Store>);

impl UsageHistory for StoreUsageHistory {
    fn between(&self, of: UsageSubject<'_>, since: Timestamp, until: Timestamp) -> Vec<UsagePoint> {
        let Some(node) = self.0.history().node(of.node) else {
            return Vec::new();
        };
        let mut copied = Excerpt::default();
        // Pods that had this name one after the other are told apart by the time: it is that of one life.
        node.copy(
            &mut copied,
            |pod| pod.is_some_and(|it| it.namespace == of.pod.namespace && it.name == of.pod.name),
            Tick::nearest(since),
            Tick::nearest(until),
        );
        let of_it = copied
            .series()
            .filter(|series| series.container.is_some_and(|name| **name == *of.container));
        let samples = of_it.flat_map(|series| series.samples());
        samples
            .filter(|sample| (since..=until).contains(&sample.at))
            .map(|sample| UsagePoint {
                at: sample.at,
                cpu: sample.cpu,
                memory: sample.memory,
            })
            .collect()
    }
}
