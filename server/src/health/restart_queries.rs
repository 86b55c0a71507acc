//! A pod's restarts, as they are remembered.

use kubevitals_proto::vitals::{Cause, Certainty, Ended};

use super::engine::Engine;
use super::restarts::surer;
use super::{cause, facts, messages, terminations};
use crate::cluster::Pod;

/// A restart of a container: how it ended, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// The container's place in the pod's template.
    pub container: usize,
    /// Its number over the container's life: the first is 1.
    pub nth: u32,
    /// How the incarnation before it ended.
    pub ended: Ended,
    /// Why.
    pub cause: Cause,
    /// How sure that is: as sure as its incident is of the same cause, so that a pod and its incident say the same.
    pub certainty: Certainty,
}

impl Engine {
    /// Those of a pod's containers, oldest first by container.
    pub(super) fn restarts(&self, pod: &Pod) -> Vec<Restart> {
        let facts = self.pods.get(&pod.uid);
        let containers = facts.into_iter().flat_map(|facts| &facts.containers);
        containers
            .enumerate()
            .flat_map(|(container, facts)| {
                let restarts = facts.restarts.iter();
                restarts.map(move |restart| self.remembered(container, restart))
            })
            .collect()
    }

    /// The last one of one container: as it is remembered, or else as the pod's status tells it.
    pub(super) fn last_restart(&self, pod: &Pod, container: usize) -> Option<Restart> {
        let facts = self.pods.get(&pod.uid);
        let known = facts.and_then(|facts| facts.containers.get(container)?.restarts.back());
        if let Some(known) = known {
            return Some(self.remembered(container, known));
        }
        let (nth, ended) = terminations::ends(pod.containers.get(container)?).next()?;
        let (cause, certainty) = cause::told_by_status(ended);
        Some(Restart {
            container,
            nth,
            ended: messages::ended(ended),
            cause,
            certainty,
        })
    }

    fn remembered(&self, container: usize, restart: &facts::Restart) -> Restart {
        let incident = self.incidents.get(restart.incident);
        let same = incident.filter(|incident| incident.cause == restart.cause);
        Restart {
            container,
            nth: restart.nth,
            ended: restart.ended.clone(),
            cause: restart.cause,
            certainty: same.map_or(restart.certainty, |incident| {
                surer(restart.certainty, incident.certainty)
            }),
        }
    }
}
