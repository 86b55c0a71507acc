//! The rules for incidents, one file for each kind. docs/health.md states them as tables.
//!
//! | Kind of incident | File |
//! |---|---|
//! | Restart | [`restart`], with the cause of each termination in [`termination_cause`] and terminations that only Events count in [`tallied_terminations`] |
//! | ProbeFailing | [`probe`] |
//! | ImagePull | [`image`] |
//! | PodNotReady | [`not_ready`] |
//! | Eviction, PodFailed | [`failure`] |
//! | NodeNotReady | [`node`] |
//!
//! A rule reads the facts about a pod and the [`ReviewContext`](super::review_context::ReviewContext), and returns
//! [`Decision`](decision::Decision)s. [`super::review`] applies them. Terminations are recorded when they happen, so
//! their rules change facts and incidents directly.

pub(super) mod decision;
pub(super) mod failure;
pub(super) mod image;
pub(super) mod node;
pub(super) mod not_ready;
pub(super) mod probe;
pub(super) mod restart;
pub(super) mod tallied_terminations;
pub(super) mod termination_cause;

use super::container_index::ContainerIndex;
use super::facts::PodFacts;
use super::review_context::ReviewContext;
use crate::cluster::Pod;
use decision::Decision;

/// Reviews one container of a pod.
pub(super) type ContainerRule =
    fn(&PodFacts, &Pod, ContainerIndex, &ReviewContext<'_>) -> Option<Vec<Decision>>;

/// The rules for each container, in the order in which they are applied.
pub(super) const CONTAINER_RULES: [ContainerRule; 6] = [
    image::review,
    probe::review_liveness,
    probe::review_startup,
    probe::review_readiness,
    probe::count_readiness,
    restart::review_recovery,
];
