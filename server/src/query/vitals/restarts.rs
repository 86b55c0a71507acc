//! Restarts: their number, the recent ones, and the last one with its cause.

use std::collections::HashMap;
use std::sync::Arc;

use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_proto::vitals::{Cause, LastRestart, Restarts};

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

/// Counts of a container's restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RestartCounts {
    /// All of them.
    pub(super) all: u64,
    /// Those after an OOM kill.
    pub(super) oom_kills: u64,
}

/// The restarts of each of a pod's containers within a span: those that are stored, or the one that the container's
/// status contains.
pub(super) fn within(
    builder: &VitalsBuilder,
    pod: &Pod,
    since: Timestamp,
    until: Timestamp,
) -> Vec<RestartCounts> {
    let health = &builder.sources.health;
    let stored = match pod.containers.iter().any(|it| it.terminations(false) > 0) {
        true => health.restarts(pod),
        false => Vec::new(),
    };
    let is_within = |restart: &&Restart| {
        let finished = restart.ended.finished;
        finished.is_some_and(|at| since <= at && at <= until)
    };
    let containers = ContainerIndex::enumerate(pod.containers());
    containers
        .map(|(index, (_, status))| {
            let mut its = stored.iter().filter(|it| it.container == index).peekable();
            let last = match its.peek() {
                None if status.terminations(false) > 0 => health.last_restart(pod, index),
                _ => None,
            };
            let mut counts = RestartCounts::default();
            for restart in its.chain(&last).filter(is_within) {
                counts.all += 1;
                counts.oom_kills += u64::from(restart.cause == Cause::OomKilled);
            }
            counts
        })
        .collect()
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
