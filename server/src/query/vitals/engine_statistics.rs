//! Statistics that the engine has, joined with those of the history in memory.

use std::collections::BTreeMap;

use kubevitals_proto::vitals::{Quantiles, Statistics};

/// Statistics by namespace, pod and container. Those of a pod as a whole have no container, and those of a node only the
/// node's name in the place of the pod's.
#[derive(Debug, Default)]
pub struct EngineStatistics(pub(super) BTreeMap<(String, String, String), Statistics>);

impl EngineStatistics {
    /// The better one of two: that which covers more time. Its maximum is that of both.
    pub(super) fn improve(
        &self,
        (namespace, pod, container): (&str, &str, &str),
        of_memory: &mut Option<Statistics>,
    ) {
        let key = (namespace.to_owned(), pod.to_owned(), container.to_owned());
        let Some(older) = self.0.get(&key) else {
            return;
        };
        let Some(newer) = of_memory else {
            *of_memory = Some(older.clone());
            return;
        };
        if older.covered > newer.covered {
            newer.cpu = with_max(older.cpu, newer.cpu.max);
            newer.memory = with_max(older.memory, newer.memory.max);
            newer.since = older.since.min(newer.since);
            newer.until = older.until.max(newer.until);
            newer.covered = older.covered;
            newer.samples = older.samples;
        }
        newer.restarts = newer.restarts.max(older.restarts);
        newer.oom_kills = newer.oom_kills.max(older.oom_kills);
    }
}

fn with_max(quantiles: Quantiles, max: u64) -> Quantiles {
    Quantiles {
        max: quantiles.max.max(max),
        ..quantiles
    }
}
