//! What incidents of a pod are about.

use kubevitals_proto::vitals::{Cause, ProbeKind};

/// What an incident of a pod is about. There is at most one that is not over of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// A container's restarts for one cause.
    Restart(usize, Cause),
    /// A container's probe.
    Probe(usize, ProbeKind),
    /// A container's image.
    Image(usize),
    /// The pod as a whole.
    NotReady,
}

impl Topic {
    /// The container it is about.
    pub(super) fn container(self) -> Option<usize> {
        match self {
            Self::Restart(c, _) | Self::Probe(c, _) | Self::Image(c) => Some(c),
            Self::NotReady => None,
        }
    }
}
