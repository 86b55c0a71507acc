//! The subject of a history.

use std::sync::Arc;

use kubevitals_proto::vitals::Meta;

use crate::store::History;
use crate::store::history::NodeHistory;

/// The subject of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistorySubject<'a> {
    /// A node's own series.
    Node(&'a str),
    /// A pod: all pods that had this name, and each of their containers.
    Pod {
        /// Its namespace.
        namespace: &'a str,
        /// Its name.
        name: &'a str,
    },
    /// All pods of a Deployment, CronJob or the like, deleted pods in the history included.
    Workload {
        /// Its namespace.
        namespace: &'a str,
        /// `Deployment` or another kind of `PodVitals.workload`.
        kind: &'a str,
        /// Its name.
        name: &'a str,
    },
    /// All pods of a namespace.
    Namespace(&'a str),
    /// The cluster: the nodes' own series.
    Cluster,
}

/// The name and namespace of the subject.
pub(super) fn meta(subject: HistorySubject<'_>) -> Meta {
    let (namespace, name) = match subject {
        HistorySubject::Node(name) => ("", name),
        HistorySubject::Pod { namespace, name }
        | HistorySubject::Workload {
            namespace, name, ..
        } => (namespace, name),
        HistorySubject::Namespace(namespace) => ("", namespace),
        HistorySubject::Cluster => ("", "cluster"),
    };
    Meta {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        ..Meta::default()
    }
}

/// The nodes' histories that may contain the subject. A pod may have been on any node.
pub(super) fn histories_of(
    history: &History,
    subject: HistorySubject<'_>,
) -> Vec<(Arc<str>, Arc<NodeHistory>)> {
    match subject {
        HistorySubject::Node(name) => {
            let node = history.node(name);
            node.map(|node| (Arc::from(name), node))
                .into_iter()
                .collect()
        }
        _ => history.nodes(),
    }
}
