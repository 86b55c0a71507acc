//! Scopes: the subset of objects that a view shows.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::name::{Key, Name, Workload};

/// The subset of objects that a view shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// All objects.
    #[default]
    All,
    /// Objects on a node.
    Node(Name),
    /// Objects of a workload.
    Workload(Name, Arc<Workload>),
    /// Pods of the workload that an HPA scales: the key of the HPA, and the workload, which is in its namespace.
    Hpa(Key, Arc<Workload>),
    /// Objects in a namespace.
    Namespace(Name),
    /// Objects of a pod.
    Pod(Key),
    /// The pods that mount a claim: the key of the claim, and the names of the pods, which are in its namespace.
    Claim(Key, Arc<[Name]>),
    /// Pods and incidents of a problem.
    Problem(Arc<ProblemScope>),
}

/// The pods and incidents of a problem when it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProblemScope {
    /// The object of the problem in words.
    pub text: String,
    /// The pods, in order.
    pub pods: Vec<Key>,
    /// The incidents, in order.
    pub incidents: Vec<Key>,
}

impl Scope {
    /// The text of a heading: `node-1`, `Deployment shop/web`; empty for everything.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::All => String::new(),
            Self::Node(name) | Self::Namespace(name) => name.to_string(),
            Self::Workload(namespace, workload) => {
                format!("{} {namespace}/{}", workload.kind, workload.name)
            }
            Self::Hpa(key, _) => format!("HPA {}/{}", key.namespace, key.name),
            Self::Pod(key) => format!("{}/{}", key.namespace, key.name),
            Self::Claim(key, _) => format!("claim {}/{}", key.namespace, key.name),
            Self::Problem(problem) => problem.text.clone(),
        }
    }
}

/// The limits of a view's rows.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// The scope of the view.
    pub scope: &'a Scope,
    /// The chosen namespaces; empty for all.
    pub namespaces: &'a [Name],
    /// The time on the screen.
    pub now: Timestamp,
    /// Whether the filter names the state of probes. Otherwise the table of probes lists only those that do not pass.
    pub names_probe: bool,
}

impl Limits<'_> {
    /// Whether a namespace passes the choice of namespaces.
    #[must_use]
    pub fn has_namespace(&self, namespace: &str) -> bool {
        let mut names = self.namespaces.iter();
        self.namespaces.is_empty() || names.any(|name| **name == *namespace)
    }

    /// Whether an object of this namespace is in the limits. For rows for which no scope is narrower than a namespace.
    #[must_use]
    pub fn has_object_of(&self, namespace: &Name) -> bool {
        let is_in_scope = match self.scope {
            Scope::Namespace(only) => only == namespace,
            _ => true,
        };
        is_in_scope && self.has_namespace(namespace)
    }
}

/// What `enter` opens: the page of a pod if the scope is a pod, else the pods in the scope.
#[derive(Debug, Clone)]
pub struct Open {
    /// The scope of the new view.
    pub scope: Scope,
    /// The container to select on the page.
    pub container: Option<Name>,
    /// The time to go to, for rows with a time: `Some(None)` stays at the current one. Going back restores it.
    pub time: Option<Option<Timestamp>>,
}

impl From<Scope> for Open {
    fn from(scope: Scope) -> Self {
        Self {
            scope,
            container: None,
            time: None,
        }
    }
}
