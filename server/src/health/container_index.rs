//! The position of a container in its pod.

use serde::{Deserialize, Serialize};

/// The position of a container in its pod's template. Specs, statuses and facts of containers have the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContainerIndex(pub(crate) usize);

impl ContainerIndex {
    /// The positions of `count` containers.
    pub(super) fn all(count: usize) -> impl Iterator<Item = Self> {
        (0..count).map(Self)
    }

    /// Pairs each container with its position.
    pub(crate) fn enumerate<T>(
        containers: impl Iterator<Item = T>,
    ) -> impl Iterator<Item = (Self, T)> {
        let numbered = containers.enumerate();
        numbered.map(|(index, container)| (Self(index), container))
    }

    /// The container's element in a list of all containers.
    pub(crate) fn of<T>(self, list: &[T]) -> Option<&T> {
        list.get(self.0)
    }

    /// The container's element in a mutable list of all containers.
    pub(super) fn of_mut<T>(self, list: &mut [T]) -> Option<&mut T> {
        list.get_mut(self.0)
    }
}
