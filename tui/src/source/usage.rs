//! What containers, pods and nodes used.

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;

/// How much was used of each resource; nothing where nothing was said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU, in cores.
    pub cpu: Quantity,
    /// Memory, in bytes.
    pub memory: Quantity,
    /// Swap, in bytes.
    pub swap: Quantity,
}

impl std::ops::Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            cpu: self.cpu + other.cpu,
            memory: self.memory + other.memory,
            swap: self.swap + other.swap,
        }
    }
}

impl std::iter::Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(usages: I) -> Self {
        usages.fold(Self::default(), std::ops::Add::add)
    }
}

/// What a node used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeUsage {
    /// Its name.
    pub name: String,
    /// When that was measured.
    pub timestamp: Timestamp,
    /// What it used.
    pub usage: Usage,
}

/// What a container used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerUsage {
    /// Its name.
    pub name: String,
    /// What it used.
    pub usage: Usage,
}

/// What the containers of a pod used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodUsage {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// When that was measured.
    pub timestamp: Timestamp,
    /// Its containers, in the order they were answered.
    pub containers: Vec<ContainerUsage>,
}

impl PodUsage {
    /// What its containers used together.
    pub fn total(&self) -> Usage {
        self.containers
            .iter()
            .map(|container| container.usage)
            .sum()
    }
}
