//! What a pod means for the availability of its workload.

use crate::cluster::Pod;

use super::time::Second;

/// The labels with the revision of a pod's template: of a Deployment's pods, and of a StatefulSet's or DaemonSet's.
const REVISIONS: [&str; 2] = ["pod-template-hash", "controller-revision-hash"];

/// The most seconds between the start time of a pod and its first condition Ready, which the kubelet sets one after the
/// other.
const ACCEPTED_WITHIN: u32 = 2;

/// What a pod counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The workload has this pod, and it is ready.
    Ready,
    /// The workload has this pod, and it is not ready yet.
    Starting,
    /// The workload has this pod, and it was ready, or has failed to start.
    Lapsed,
    /// Somebody requested to delete it: it is no longer a pod of the workload, whether it is ready or not.
    Terminating,
    /// It has failed, or was evicted. It is replaced.
    Over,
}

impl Standing {
    /// Whether the workload has this pod.
    pub(super) fn exists(self) -> bool {
        matches!(self, Self::Ready | Self::Starting | Self::Lapsed)
    }
}

/// A pod, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PodFacts {
    pub(super) standing: Standing,
    /// The last change of the condition Ready.
    pub(super) since: Second,
    /// The creation.
    pub(super) created: Second,
    /// The request to delete the pod.
    pub(super) deleted: Second,
    /// The last termination of a container.
    pub(super) terminated: Second,
    /// A hash of the revision; zero without one.
    pub(super) revision: u32,
}

impl PodFacts {
    /// Reads a pod.
    pub(super) fn of(pod: &Pod) -> Self {
        let labels = REVISIONS.iter().find_map(|label| pod.labels.get(label));
        Self {
            standing: standing(pod),
            since: Second(pod.ready.since_seconds),
            created: Second(pod.created_seconds),
            deleted: Second(pod.deletion_requested_seconds()),
            terminated: Second(last_termination(pod)),
            revision: labels.map_or(0, |revision| crc32fast::hash(revision.as_bytes())),
        }
    }

    /// The pod as of `now`: times in the future count as now.
    pub(super) fn until(self, now: Second) -> Self {
        Self {
            since: self.since.min(now),
            created: self.created.min(now),
            deleted: self.deleted.min(now),
            terminated: self.terminated.min(now),
            ..self
        }
    }
}

fn standing(pod: &Pod) -> Standing {
    if pod.phase.is_over() {
        Standing::Over
    } else if pod.deleted_seconds > 0 {
        Standing::Terminating
    } else if pod.ready.status {
        Standing::Ready
    } else if was_ready(pod)
        || pod
            .containers
            .iter()
            .any(|container| container.restarts > 0)
    {
        Standing::Lapsed
    } else {
        Standing::Starting
    }
}

/// A kubelet sets the condition Ready to false when it accepts a pod. A later time means that it was true meanwhile.
fn was_ready(pod: &Pod) -> bool {
    let accepted = Second(pod.started_seconds);
    accepted.is_known() && Second(pod.ready.since_seconds) > accepted.after(ACCEPTED_WITHIN)
}

fn last_termination(pod: &Pod) -> u32 {
    let containers = pod.containers().filter(|(spec, _)| !spec.role.is_init());
    let ended = containers.filter_map(|(_, status)| status.last_ended());
    ended
        .map(|ended| ended.finished_seconds)
        .max()
        .unwrap_or_default()
}
