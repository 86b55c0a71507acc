//! Usage from the stored history.

use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;

use super::thresholds::{BEFORE, SECOND};
use super::usage_history::{UsageHistory, UsagePoint, UsageSubject};
use crate::store::history::Excerpt;
use crate::store::ring::Tick;
use crate::store::{History, Store};

/// The time before a termination whose usage is read.
pub const USAGE_BEFORE_TERMINATION: Duration =
    Duration::from_secs(BEFORE.unsigned_abs() / SECOND.unsigned_abs());

/// Reads usage from the stored history: of the nodes of this process, or else of others.
#[derive(Debug)]
pub struct StoreUsageHistory(pub Arc<Store>);

impl UsageHistory for StoreUsageHistory {
    fn between(&self, of: UsageSubject<'_>, since: Timestamp, until: Timestamp) -> Vec<UsagePoint> {
        let own = between(self.0.history(), of, since, until);
        match self.0.history_of_others() {
            Some(of_others) if own.is_empty() => between(of_others, of, since, until),
            _ => own,
        }
    }
}

fn between(
    history: &History,
    of: UsageSubject<'_>,
    since: Timestamp,
    until: Timestamp,
) -> Vec<UsagePoint> {
    let Some(node) = history.node(of.node) else {
        return Vec::new();
    };
    let mut copied = Excerpt::default();
    // The time span selects one of several pods that had this name: it is within one run of the container.
    node.copy(
        &mut copied,
        |pod| pod.is_some_and(|it| it.key == *of.pod),
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
