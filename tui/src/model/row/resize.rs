//! In-place resizes.

use kubevitals_proto::vitals::ResizeState;

use crate::model::amount::Amounts;
use crate::model::name::Name;
use crate::model::tone::Tone;

/// An in-place resize that is not complete.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resize {
    /// The state of the resize.
    pub state: ResizeState,
    /// The kubelet's message; empty if there is none.
    pub message: Box<str>,
    /// The desired requests and limits of the pod.
    pub desired: Bounds,
    /// The containers with other desired requests or limits.
    pub containers: Box<[(Name, Bounds)]>,
}

/// Requests and limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Requests.
    pub requests: Amounts,
    /// Limits.
    pub limits: Amounts,
}

impl Bounds {
    /// Requests and limits from other types of amounts.
    pub fn new(requests: impl Into<Amounts>, limits: impl Into<Amounts>) -> Self {
        Self {
            requests: requests.into(),
            limits: limits.into(),
        }
    }
}

impl Resize {
    /// The severity: a resize that the node does not grant needs attention.
    #[must_use]
    pub const fn tone(&self) -> Tone {
        match self.state {
            ResizeState::Pending | ResizeState::InProgress => Tone::Plain,
            ResizeState::Deferred | ResizeState::Infeasible | ResizeState::Error => Tone::Warn,
        }
    }

    /// The desired requests and limits of a container, if they differ from those in force.
    #[must_use]
    pub fn of(&self, container: &Name) -> Option<Bounds> {
        let mut all = self.containers.iter();
        let found = all.find(|(name, _)| name == container);
        found.map(|(_, desired)| *desired)
    }
}
