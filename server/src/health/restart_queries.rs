//! The restarts of a pod, for the API.

use kubevitals_proto::vitals::{Cause, Certainty, Ended};

use super::causes::{cause_from_status, more_certain};
use super::container_index::ContainerIndex;
use super::engine::Engine;
use super::{facts, terminations};
use crate::cluster::Pod;

/// A restart of a container: the termination before it, and its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// The container.
    pub container: ContainerIndex,
    /// Its number among the container's restarts, from 1.
    pub nth: u32,
    /// The termination before the restart.
    pub ended: Ended,
    /// The cause of the termination.
    pub cause: Cause,
    /// The certainty of the cause: at least that of its incident, so that a pod and its incident agree.
    pub certainty: Certainty,
}

impl Engine {
    /// The stored restarts of a pod's containers, oldest first for each container.
    pub(super) fn restarts(&self, pod: &Pod) -> Vec<Restart> {
        let facts = self.pods.get(&pod.uid);
        let containers = facts.into_iter().flat_map(|facts| &facts.containers);
        ContainerIndex::enumerate(containers)
            .flat_map(|(container, facts)| {
                let restarts = facts.restarts.iter();
                restarts.map(move |restart| self.to_restart(container, restart))
            })
            .collect()
    }

    /// The last restart of a container: the stored one, or else the one in the pod's status.
    pub(super) fn last_restart(&self, pod: &Pod, container: ContainerIndex) -> Option<Restart> {
        let facts = self.pods.get(&pod.uid);
        let stored = facts.and_then(|facts| container.of(&facts.containers)?.restarts.back());
        if let Some(stored) = stored {
            return Some(self.to_restart(container, stored));
        }
        let (nth, ended) = terminations::in_status(container.of(&pod.containers)?).next()?;
        let (cause, certainty) = cause_from_status(ended);
        Some(Restart {
            container,
            nth,
            ended: ended.to_api(),
            cause,
            certainty,
        })
    }

    fn to_restart(&self, container: ContainerIndex, restart: &facts::Restart) -> Restart {
        let incident = self.incidents.get(restart.incident);
        let same = incident.filter(|incident| incident.cause == restart.cause);
        Restart {
            container,
            nth: restart.nth,
            ended: restart.ended.clone(),
            cause: restart.cause,
            certainty: same.map_or(restart.certainty, |incident| {
                more_certain(restart.certainty, incident.certainty)
            }),
        }
    }
}
