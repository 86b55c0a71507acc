//! The topics of a pod's incidents.

use kubevitals_proto::vitals::{Cause, ProbeKind};
use serde::{Deserialize, Serialize};

use super::container_index::ContainerIndex;

/// What an incident of a pod is about. A pod has at most one open incident for each topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Topic {
    /// A container's restarts for one cause.
    Restart(ContainerIndex, Cause),
    /// A container's probe.
    Probe(ContainerIndex, ProbeKind),
    /// A container's image.
    Image(ContainerIndex),
    /// The pod as a whole.
    NotReady,
}

impl Topic {
    /// The container of the topic.
    pub(super) fn container(self) -> Option<ContainerIndex> {
        match self {
            Self::Restart(index, _) | Self::Probe(index, _) | Self::Image(index) => Some(index),
            Self::NotReady => None,
        }
    }
}
