//! Restarts: their number, the recent ones, and the last one with its cause.

use std::collections::HashMap;
use std::sync::Arc;

use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_proto::vitals::{LastRestart, Restarts};

use super::builder::VitalsBuilder;
use crate::cluster::Pod;
use crate::health::{ContainerIndex, Restart};

/// The start of the time in which a restart counts as recent.
fn recent_since(builder: &VitalsBuilder) -> Timestamp {
    builder.at().plus_nanos(-nanos(builder.history_span))
}

/// Recent restarts by node, computed once.
pub(super) fn recent_by_node(builder: &mut VitalsBuilder) -> &HashMap<Arc<str>, u64> {
    let (since, until) = (recent_since(builder), builder.at());
    let health = &builder.sources.health;
    builder
        .recent_restarts
        .get_or_insert_with(|| health.restarts_by_node(since, until))
}

/// The restarts of each of a pod's containers.
pub(super) fn of_containers(builder: &VitalsBuilder, pod: &Pod) -> Vec<Restarts> {
    let at = builder.at();
    let restarted = pod.containers.iter().any(|it| it.terminations(false) > 0);
    // Most pods never restart.
    let restarts = if restarted {
        builder.sources.health.restarts(pod)
    } else {
        Vec::new()
    };
    let restarts: Vec<Restart> = restarts
        .into_iter()
        .filter(|it| it.ended.finished.is_none_or(|finished| finished <= at))
        .collect();
    let since = recent_since(builder);
    let containers = ContainerIndex::enumerate(pod.containers());
    containers
        .map(|(index, (spec, status))| {
            let its = restarts.iter().filter(|restart| restart.container == index);
            let last = match its.clone().next_back() {
                Some(last) => Some(last.clone()),
                None if status.terminations(false) > 0 => {
                    builder.sources.health.last_restart(pod, index)
                }
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

/// The number of restarts since a time: the recorded ones, or the one that the container's status contains.
fn recent<'a>(
    restarts: impl Iterator<Item = &'a Restart>,
    last: Option<&Restart>,
    since: Timestamp,
) -> u64 {
    let is_recent = |restart: &Restart| restart.ended.finished.is_some_and(|it| it >= since);
    let restarts = restarts.filter(|restart| is_recent(restart)).count() as u64;
    restarts.max(u64::from(last.is_some_and(is_recent)))
}
