//! Rows and readings on their way into the world.

use kubevitals_proto::time::Timestamp;

use super::amount::{Amounts, Memory};
use super::interest::Interest;
use super::name::Name;
use super::row::{ClusterRow, IncidentRow, NodeRow, PodRow};
use super::table::Change;

/// Rows of a kind.
#[derive(Debug)]
pub enum Batch<R> {
    /// All there are.
    All(Vec<R>),
    /// What has become of some.
    Some(Vec<Change<R>>),
}

impl<R> Batch<R> {
    /// Whether it tells of all, or of one that is so.
    pub fn has(&self, is_so: impl Fn(&R) -> bool) -> bool {
        match self {
            Self::All(_) => true,
            Self::Some(changes) => changes.iter().any(|change| match change {
                Change::Put(row) => is_so(row),
                Change::Gone(_) => false,
            }),
        }
    }

    /// With each row made into another.
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

/// What pods and nodes use.
#[derive(Debug, Clone, Default)]
pub struct Readings {
    /// Nodes, by name.
    pub nodes: Vec<Reading>,
    /// Pods.
    pub pods: Vec<PodReading>,
}

/// What something uses.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Its name.
    pub name: Name,
    /// When it was measured.
    pub at: Timestamp,
    /// What it uses.
    pub usage: Amounts,
    /// Swap it uses.
    pub swap: Memory,
}

/// What a pod uses.
#[derive(Debug, Clone)]
pub struct PodReading {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// When it was measured.
    pub at: Timestamp,
    /// Its containers.
    pub containers: Vec<Reading>,
}

/// Which pods are told of, when not all are.
#[derive(Debug, Clone, PartialEq)]
pub struct Extent {
    /// How many there are in all.
    pub total: u64,
    /// What was looked at: those are told of.
    pub interest: Interest,
    /// Which of these, where they are too many as well.
    pub chosen: Option<Chosen>,
}

/// Which of very many pods are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// So many that come first.
    pub first: u64,
    /// By what they do, in words: `CPU`.
    pub by: &'static str,
    /// So many of the others, because they are not healthy.
    pub unhealthy: u64,
    /// Whether those are all that are not healthy.
    pub all_unhealthy: bool,
}

/// What was at a time.
#[derive(Debug, Default)]
pub struct Past {
    /// When.
    pub at: Timestamp,
    /// Pods.
    pub pods: Vec<PodRow>,
    /// Nodes.
    pub nodes: Vec<NodeRow>,
    /// Incidents; without, those that are known now and had begun then.
    pub incidents: Option<Vec<IncidentRow>>,
    /// The cluster as a whole, where it is known.
    pub cluster: Option<ClusterRow>,
    /// Which pods are told of, when not all are.
    pub extent: Option<Extent>,
}
