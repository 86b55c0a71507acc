//! The usage of containers, pods and nodes.

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use serde::{Deserialize, Deserializer};

/// The usage of each resource; zero if not reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// CPU, in cores.
    pub cpu: Quantity,
    /// Memory, in bytes.
    pub memory: Quantity,
    /// Swap, in bytes.
    pub swap: Quantity,
}

/// Parses usage in JSON. Null has the same meaning as no usage.
pub(super) fn or_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Usage, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
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

/// The usage of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeUsage {
    /// The name.
    pub name: String,
    /// The timestamp of the sample.
    pub timestamp: Timestamp,
    /// The usage.
    pub usage: Usage,
}

/// The usage of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ContainerUsage {
    /// The name.
    pub name: String,
    /// The usage.
    #[serde(deserialize_with = "or_default")]
    pub usage: Usage,
}

/// The usage of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodUsage {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The timestamp of the sample.
    pub timestamp: Timestamp,
    /// The containers, in the order of the response.
    pub containers: Vec<ContainerUsage>,
}

impl PodUsage {
    /// The sum of the containers.
    pub fn total(&self) -> Usage {
        self.containers
            .iter()
            .map(|container| container.usage)
            .sum()
    }
}
