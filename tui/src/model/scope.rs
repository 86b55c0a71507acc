//! What a view is limited to.

use std::sync::Arc;

use super::name::{Key, Name, Workload};
use super::row::PodRow;

/// Of what a view shows a part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// Of everything.
    #[default]
    All,
    /// What is on a node.
    Node(Name),
    /// What a workload made.
    Workload(Name, Arc<Workload>),
    /// What is in a namespace.
    Namespace(Name),
    /// What is of a pod.
    Pod(Key),
}

impl Scope {
    /// Whether a pod is a part of it.
    #[must_use]
    pub fn has(&self, pod: &PodRow) -> bool {
        match self {
            Self::All => true,
            Self::Node(node) => pod.node == *node,
            Self::Workload(namespace, workload) => {
                pod.namespace == *namespace
                    && pod.workload.as_ref().is_some_and(|other| other == workload)
            }
            Self::Namespace(namespace) => pod.namespace == *namespace,
            Self::Pod(key) => pod.name == key.name && pod.namespace == key.namespace,
        }
    }

    /// What it is, for a heading: `node-1`, `Deployment shop/web`; empty for everything.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::All => String::new(),
            Self::Node(name) | Self::Namespace(name) => name.to_string(),
            Self::Workload(namespace, workload) => {
                format!("{} {namespace}/{}", workload.kind, workload.name)
            }
            Self::Pod(key) => format!("{}/{}", key.namespace, key.name),
        }
    }
}
