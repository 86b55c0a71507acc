//! What sources tell.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{History, PodVitals};

use super::amount::{Amounts, Memory};
use super::interest::Interest;
use super::name::{Key, Name};
use super::part::{Fault, Outcome, Part, SourceKind};
use super::row::{ClusterRow, HpaRow, IncidentRow, NodeRow, PodRow, Replicas};
use super::table::Change;

/// What a source tells.
#[derive(Debug)]
pub enum Message {
    /// The time. It comes about once a second.
    Tick(Timestamp),
    /// Which source it is, and why that one.
    Source(SourceKind, String),
    /// How the connection is.
    Link(Link),
    /// How a request for a part went.
    Part(Part, Outcome),
    /// Only pods of this namespace are listed; those of all namespaces, if none.
    Only(Option<Name>),
    /// Pods.
    Pods(Batch<PodRow>),
    /// Nodes.
    Nodes(Batch<NodeRow>),
    /// Horizontal pod autoscalers.
    Hpas(Batch<HpaRow>),
    /// Incidents.
    Incidents(Batch<IncidentRow>),
    /// What workloads say of their replicas; the key's part is the kind.
    Replicas(Vec<(Key, Option<Replicas>)>),
    /// Jobs that CronJobs made, each with the CronJob of its namespace.
    Jobs(Batch<(Key, Name)>),
    /// What pods and nodes use, where that is told apart from what they are.
    Usage(Readings),
    /// The recent past of pods and nodes: readings, oldest first.
    Trends(Vec<(Key, Vec<(Timestamp, Amounts)>)>),
    /// The cluster as a whole, where the source knows better than what its nodes and pods come to.
    Cluster(ClusterRow),
    /// Only some pods are told of, because there are very many.
    Extent(Option<Extent>),
    /// The names of all namespaces, where they are known.
    Namespaces(Vec<Name>),
    /// The past of a subject.
    History(Subject, Box<History>),
    /// All there is to know of one pod.
    Detail(Key, Box<Detail>),
    /// Why that cannot be had.
    NoDetail(Key, Fault),
    /// What was at a time.
    Past(Box<Past>),
    /// A time that was asked for cannot be shown, and why.
    NoPast(Timestamp, String),
}

impl Message {
    /// Whether the like of it is told all the time, so that it is shown with the next tick; what is told because it was
    /// asked for, or is begun to be told, is shown at once.
    #[must_use]
    pub const fn is_steady(&self) -> bool {
        matches!(
            self,
            Self::Pods(Batch::Some(_))
                | Self::Nodes(Batch::Some(_))
                | Self::Hpas(Batch::Some(_))
                | Self::Replicas(_)
                | Self::Jobs(_)
                | Self::Cluster(_)
        )
    }
}

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

/// How the connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Nothing has been answered yet.
    Connecting,
    /// It stands.
    Up,
    /// It is lost; what is shown is what was known last.
    Lost {
        /// Since when.
        since: Timestamp,
        /// Why.
        why: String,
        /// When it is tried again, where that is known.
        again: Option<Timestamp>,
    },
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

/// What a history is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The cluster.
    Cluster,
    /// A node.
    Node(Name),
    /// A pod.
    Pod(Key),
}

/// All there is to know of one pod.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Detail {
    /// The pod with its containers and probes.
    pub pod: PodVitals,
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// Events about it, newest first.
    pub events: Vec<Event>,
}

/// A condition of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition {
    /// `Ready`, `PodScheduled`, …
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word; may be empty.
    pub reason: String,
    /// A sentence; may be empty.
    pub message: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// `Normal` or `Warning`.
    pub kind: String,
    /// One word.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// How often.
    pub count: u64,
    /// The last time.
    pub last: Option<Timestamp>,
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
