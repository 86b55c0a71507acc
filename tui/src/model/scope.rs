//! What a view is limited to.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::name::{Key, Name, Workload};

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

/// What the rows of a view are limited to.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// The part that the view was opened for.
    pub scope: &'a Scope,
    /// The namespaces that were chosen; all if there is none.
    pub namespaces: &'a [Name],
    /// The time that is shown.
    pub now: Timestamp,
}

impl Limits<'_> {
    /// Whether a namespace is among the chosen ones.
    #[must_use]
    pub fn has_namespace(&self, namespace: &str) -> bool {
        let mut names = self.namespaces.iter();
        self.namespaces.is_empty() || names.any(|name| **name == *namespace)
    }

    /// Whether an object of a namespace is shown, where the scope can be no narrower than a namespace.
    #[must_use]
    pub fn has_object_of(&self, namespace: &Name) -> bool {
        let is_in_scope = match self.scope {
            Scope::Namespace(only) => only == namespace,
            _ => true,
        };
        is_in_scope && self.has_namespace(namespace)
    }
}

/// What Enter opens: the page of a pod, if the scope is one, or the pods in the scope.
#[derive(Debug, Clone)]
pub struct Open {
    /// The part that it is limited to.
    pub scope: Scope,
    /// The container that is selected on the page.
    pub container: Option<Name>,
    /// The time to go to, where a row is of a time: `Some(None)` is the time that is shown. Going back restores it.
    pub moment: Option<Option<Timestamp>>,
}

impl From<Scope> for Open {
    fn from(scope: Scope) -> Self {
        Self {
            scope,
            container: None,
            moment: None,
        }
    }
}
