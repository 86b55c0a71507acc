//! Restarts: how often, how often lately, and the last one with its cause.

use std::collections::HashMap;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{LastRestart, Restarts};

use super::VitalsBuilder;
use crate::cluster::Pod;
use crate::health::Restart;

impl VitalsBuilder {
    /// Since when what is remembered is recent.
    fn since(&self) -> Timestamp {
        let nanoseconds = i64::try_from(self.remembers.as_nanos()).unwrap_or(i64::MAX);
        self.at().plus_nanos(-nanoseconds)
    }

    /// Those of a node's pods, of late.
    pub(super) fn restarts_of_node(&mut self, node: &str) -> u64 {
        self.recent_restarts()
            .get(node)
            .copied()
            .unwrap_or_default()
    }

    /// Those of all pods, of late.
    pub(super) fn restarts_of_all(&mut self) -> u64 {
        self.recent_restarts().values().sum()
    }

    /// Looked up once for all nodes.
    fn recent_restarts(&mut self) -> &HashMap<Arc<str>, u64> {
        let (since, until) = (self.since(), self.at());
        let health = &self.health;
        self.recent_restarts
            .get_or_insert_with(|| health.restarts_by_node(since, until))
    }

    /// Of each of a pod's containers.
    pub(super) fn restarts(&self, pod: &Pod) -> Vec<Restarts> {
        let at = self.at();
        let restarted = pod.containers.iter().any(|it| it.ends(false) > 0);
        // Most pods never are.
        let known = if restarted {
            self.health.restarts(pod)
        } else {
            Vec::new()
        };
        let known: Vec<Restart> = known
            .into_iter()
            .filter(|it| it.ended.finished.is_none_or(|finished| finished <= at))
            .collect();
        let since = self.since();
        let containers = pod.containers().enumerate();
        containers
            .map(|(index, (spec, status))| {
                let its = known.iter().filter(|restart| restart.container == index);
                let last = match its.clone().next_back() {
                    Some(last) => Some(last.clone()),
                    None if status.ends(false) > 0 => self.health.last_restart(pod, index),
                    None => None,
                };
                Restarts {
                    count: status.restarts.into(),
                    recent: recent(its, last.as_ref(), since),
                    last: last.map(|last| LastRestart {
                        container: spec.name.to_string(),
                        ended: last.ended,
                        cause: last.cause,
                        certainty: last.certainty,
                    }),
                }
            })
            .collect()
    }
}

/// How many there were since then: those that were seen, or the one that the status tells of.
fn recent<'a>(
    seen: impl Iterator<Item = &'a Restart>,
    last: Option<&Restart>,
    since: Timestamp,
) -> u64 {
    let is_recent = |restart: &Restart| restart.ended.finished.is_some_and(|it| it >= since);
    let seen = seen.filter(|restart| is_recent(restart)).count() as u64;
    seen.max(u64::from(last.is_some_and(is_recent)))
}
