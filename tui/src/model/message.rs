//! What sources tell.

use std::fmt;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{History, PodVitals};

use super::amount::Amounts;
use super::batch::{Batch, Extent, Past, Readings};
use super::name::{Key, Name};
use super::part::{Fault, Outcome, Part, SourceKind};
use super::row::{ClusterRow, IncidentRow, NodeRow, PodRow, Replicas};
use super::world::{PlainRow, World};

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
    /// Rows for one of the tables that show them as they are.
    Rows(TableRows),
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
    /// Rows for the table that shows them as they are.
    #[must_use]
    pub fn rows<R: PlainRow>(batch: Batch<R>) -> Self {
        Self::Rows(TableRows {
            is_change: matches!(batch, Batch::Some(_)),
            apply: Box::new(|world| World::take(R::table(world), batch)),
        })
    }

    /// Whether the like of it is told all the time, so that it is shown with the next tick; what is told because it was
    /// asked for, or is begun to be told, is shown at once.
    #[must_use]
    pub const fn is_steady(&self) -> bool {
        matches!(
            self,
            Self::Pods(Batch::Some(_))
                | Self::Nodes(Batch::Some(_))
                | Self::Rows(TableRows {
                    is_change: true,
                    ..
                })
                | Self::Replicas(_)
                | Self::Jobs(_)
                | Self::Cluster(_)
        )
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

/// Rows of a kind on their way to their table.
pub struct TableRows {
    is_change: bool,
    apply: Box<dyn FnOnce(&mut World) + Send>,
}

impl TableRows {
    /// Puts the rows into their table.
    pub fn apply(self, world: &mut World) {
        (self.apply)(world);
    }
}

impl fmt::Debug for TableRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let debug = &mut f.debug_struct("TableRows");
        debug
            .field("is_change", &self.is_change)
            .finish_non_exhaustive()
    }
}
