//! Messages from the source.

use std::fmt;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{History, OwnMetrics, PodVitals};

use super::amount::Amounts;
use super::batch::{Batch, Extent, Past, Readings};
use super::direct::Document;
use super::drains::DrainProgress;
use super::event::{Condition, Event};
use super::facts::Facts;
use super::log::LogBatch;
use super::members::Members;
use super::name::{Key, Name};
use super::part::{Fault, Outcome, Part, SourceKind};
use super::row::{AvailabilityCells, ClusterRow, IncidentRow, NodeRow, PodRow, Replicas};
use super::scope::Scope;
use super::volumes::VolumeChange;
use super::world::{PlainRow, World};

/// Data or a state change from the source.
#[derive(Debug)]
pub enum Message {
    /// The current time, about once a second.
    Tick(Timestamp),
    /// The source, and why it was chosen.
    Source(SourceKind, String),
    /// The state of the connection.
    Link(Link),
    /// The outcome of a request for a part.
    Part(Part, Outcome),
    /// The only namespace whose pods are listed; `None` for all.
    Only(Option<Name>),
    /// Pods.
    Pods(Batch<PodRow>),
    /// Nodes.
    Nodes(Batch<NodeRow>),
    /// Rows of one of the tables that show rows as the source sends them.
    Rows(TableRows),
    /// Incidents.
    Incidents(Batch<IncidentRow>),
    /// Replicas of workloads, from their status. The part of the key is the kind.
    Replicas(Vec<(Key, Option<Replicas>)>),
    /// The availability of all workloads. The part of the key is the kind.
    Availability(Vec<(Key, AvailabilityCells)>),
    /// Jobs, each with the name of the CronJob that created it.
    Jobs(Batch<(Key, Name)>),
    /// Usage of pods and nodes, from a source that sends it separately.
    Usage(Readings),
    /// Recent readings of pods and nodes, oldest first.
    Trends(Vec<(Key, Vec<(Timestamp, Amounts)>)>),
    /// The cluster's totals, from a source that knows them better than the sum of nodes and pods.
    Cluster(ClusterRow),
    /// Only some pods are sent, because there are very many.
    Extent(Option<Extent>),
    /// The rows of all clusters, if there are several.
    Clusters(Members),
    /// The names of all namespaces.
    Namespaces(Vec<Name>),
    /// The usage history of a subject.
    History(Subject, Box<History>),
    /// The details of a pod.
    Detail(Key, Box<Detail>),
    /// The objects of the page of a node, a workload or a namespace.
    Facts(Scope, Box<Facts>),
    /// Why the details of a pod cannot be loaded.
    NoDetail(Key, Fault),
    /// The metrics that a pod exposes itself, or why they cannot be read.
    OwnMetrics(Key, Result<Box<OwnMetrics>, Fault>),
    /// Claims, the usage of their volumes, or why they are not bound.
    Volumes(VolumeChange),
    /// The state of the cluster at a past time.
    Past(Box<Past>),
    /// The state of the cluster at an earlier time, to compare the state on the screen with.
    Before(Box<Past>),
    /// An earlier state cannot be sent.
    NoBefore(Timestamp),
    /// Why a requested time cannot be shown.
    NoPast(Timestamp, String),
    /// New lines of logs.
    Logs(Box<LogBatch>),
    /// What was read for a request, or why not.
    Document(u64, Box<Result<Document, String>>),
    /// The result of a change of the cluster, and whether it failed.
    Done(String, bool),
    /// How far the drain of a node is.
    Draining(Name, DrainProgress),
    /// The result of the drain of a node, and whether it failed.
    Drained(Name, String, bool),
}

impl Message {
    /// A message with rows for the table that shows them as they are.
    #[must_use]
    pub fn rows<R: PlainRow>(batch: Batch<R>) -> Self {
        Self::Rows(TableRows {
            is_change: matches!(batch, Batch::Some(_)),
            apply: Box::new(|world| World::apply_batch(R::table(world), batch)),
        })
    }

    /// Whether such messages arrive all the time, so that the next tick can draw them. Responses to requests and the
    /// first data are drawn at once.
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
                | Self::Availability(_)
                | Self::Jobs(_)
                | Self::Cluster(_)
        )
    }
}

/// The state of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// The server has not answered yet.
    Connecting,
    /// The server answers.
    Up,
    /// The server does not answer. The last data stays on the screen.
    Lost {
        /// Since when.
        since: Timestamp,
        /// The cause.
        why: String,
        /// When the next attempt is made, if that is known.
        again: Option<Timestamp>,
    },
}

/// The subject of a usage history.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The cluster.
    Cluster,
    /// A node.
    Node(Name),
    /// A pod.
    Pod(Key),
}

/// The details of a pod.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Detail {
    /// The pod with its containers and probes.
    pub pod: PodVitals,
    /// The conditions of the pod.
    pub conditions: Vec<Condition>,
    /// Events about the pod, newest first.
    pub events: Vec<Event>,
}

/// Rows of one kind for their table.
pub struct TableRows {
    is_change: bool,
    apply: Box<dyn FnOnce(&mut World) + Send>,
}

impl TableRows {
    /// Applies the rows to their table.
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
