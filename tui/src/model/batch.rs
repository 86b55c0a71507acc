//! Rows and readings on their way into the `World`.

use kubevitals_proto::time::Timestamp;

use super::amount::{Amounts, Memory};
use super::interest::Interest;
use super::name::{Key, Name};
use super::row::{ClusterRow, IncidentRow, NodeRow, PodRow};
use super::table::Change;

/// Rows of one kind.
#[derive(Debug)]
pub enum Batch<R> {
    /// All rows.
    All(Vec<R>),
    /// Changes of some rows.
    Some(Vec<Change<R>>),
}

impl<R> Batch<R> {
    /// The rows that are new or different.
    pub fn rows(&self) -> impl Iterator<Item = &R> {
        let (all, changes) = match self {
            Self::All(rows) => (rows.as_slice(), [].as_slice()),
            Self::Some(changes) => ([].as_slice(), changes.as_slice()),
        };
        let put = changes.iter().filter_map(|change| match change {
            Change::Put(row) => Some(row),
            Change::Gone(_) => None,
        });
        all.iter().chain(put)
    }

    /// Converts each row.
    #[must_use]
    pub fn map(self, row: &mut impl FnMut(R) -> R) -> Self {
        match self {
            Self::All(rows) => Self::All(rows.into_iter().map(row).collect()),
            Self::Some(changes) => Self::Some(
                changes
                    .into_iter()
                    .map(|change| match change {
                        Change::Put(it) => Change::Put(row(it)),
                        gone @ Change::Gone(_) => gone,
                    })
                    .collect(),
            ),
        }
    }
}

/// Usage of all nodes and pods; `None` for a part that has not been received again.
#[derive(Debug, Clone, Default)]
pub struct Readings {
    /// Nodes, sorted by name.
    pub nodes: Option<Vec<Reading>>,
    /// Pods, sorted by namespace and name.
    pub pods: Option<Vec<PodReading>>,
}

/// Usage of a node or a container.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Its name.
    pub name: Name,
    /// When the usage was measured.
    pub at: Timestamp,
    /// CPU and memory.
    pub usage: Amounts,
    /// Swap.
    pub swap: Memory,
}

impl Reading {
    /// The key of the node.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::named(&self.name)
    }
}

/// Usage of a pod.
#[derive(Debug, Clone)]
pub struct PodReading {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// When the usage was measured.
    pub at: Timestamp,
    /// Its containers.
    pub containers: Vec<Reading>,
}

impl PodReading {
    /// The key of the pod.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::new(&self.namespace, &self.name)
    }
}

/// Which pods a source sends, if it does not send all.
#[derive(Debug, Clone, PartialEq)]
pub struct Extent {
    /// The number of pods in the cluster.
    pub total: u64,
    /// The interest that the pods were selected by.
    pub interest: Interest,
    /// How the selected pods are truncated, if these are too many as well.
    pub truncation: Option<Truncation>,
}

/// Which of too many pods are sent: the first in an order, and unhealthy ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// The number of pods that are first in the order.
    pub first: u64,
    /// The order in words: `CPU`.
    pub by: &'static str,
    /// The number of other pods that are sent because they are unhealthy.
    pub unhealthy: u64,
    /// Whether all unhealthy pods are sent.
    pub all_unhealthy: bool,
}

/// The state of the cluster at a past time.
#[derive(Debug, Default)]
pub struct Past {
    /// The time.
    pub at: Timestamp,
    /// Pods.
    pub pods: Vec<PodRow>,
    /// Nodes.
    pub nodes: Vec<NodeRow>,
    /// Incidents. Without them, the current incidents that had begun at that time are shown.
    pub incidents: Option<Vec<IncidentRow>>,
    /// The cluster's totals, if the source sends them.
    pub cluster: Option<ClusterRow>,
    /// Which pods are included, if not all are.
    pub extent: Option<Extent>,
}
