//! Resizes in place.

use kubevitals_proto::vitals::ResizeState;

use super::Container;
use crate::model::amount::Amounts;
use crate::model::name::Name;
use crate::model::tone::Tone;

/// A resize in place that is not complete, as its pod's row keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resize {
    /// How far it is.
    pub state: ResizeState,
    /// The kubelet's message; empty if there is none.
    pub message: Box<str>,
    /// What the pod is to have.
    pub desired: Bounds,
    /// The containers that are to have something else, and what.
    pub containers: Box<[(Name, Bounds)]>,
}

/// Requests and limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// What is requested.
    pub requests: Amounts,
    /// What it is limited to.
    pub limits: Amounts,
}

impl Resize {
    /// How grave it is: one that the node does not grant needs somebody.
    #[must_use]
    pub const fn tone(&self) -> Tone {
        match self.state {
            ResizeState::Pending | ResizeState::InProgress => Tone::Plain,
            ResizeState::Deferred | ResizeState::Infeasible | ResizeState::Error => Tone::Warn,
        }
    }

    /// What a container is to have, if that is something else than it has.
    #[must_use]
    pub fn of(&self, container: &Container) -> Option<Bounds> {
        let mut all = self.containers.iter();
        let found = all.find(|(name, _)| *name == container.name);
        found.map(|(_, desired)| *desired)
    }
}
