//! Objects of the cluster that a row stands for.

use super::name::{Key, Name};

/// A kind of object that can be selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A pod.
    Pod,
    /// A node.
    Node,
    /// A namespace.
    Namespace,
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
    /// A ReplicaSet.
    ReplicaSet,
    /// A Job.
    Job,
    /// A CronJob.
    CronJob,
    /// A HorizontalPodAutoscaler.
    Hpa,
    /// A PersistentVolumeClaim.
    Claim,
}

/// Kind, path of its API, plural, and whether its objects have a namespace.
type Info = (&'static str, &'static str, &'static str, bool);

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Pod,
        Self::Node,
        Self::Namespace,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::ReplicaSet,
        Self::Job,
        Self::CronJob,
        Self::Hpa,
        Self::Claim,
    ];

    const fn info(self) -> Info {
        match self {
            Self::Pod => ("Pod", "/api/v1", "pods", true),
            Self::Node => ("Node", "/api/v1", "nodes", false),
            Self::Namespace => ("Namespace", "/api/v1", "namespaces", false),
            Self::Deployment => ("Deployment", "/apis/apps/v1", "deployments", true),
            Self::StatefulSet => ("StatefulSet", "/apis/apps/v1", "statefulsets", true),
            Self::DaemonSet => ("DaemonSet", "/apis/apps/v1", "daemonsets", true),
            Self::ReplicaSet => ("ReplicaSet", "/apis/apps/v1", "replicasets", true),
            Self::Job => ("Job", "/apis/batch/v1", "jobs", true),
            Self::CronJob => ("CronJob", "/apis/batch/v1", "cronjobs", true),
            Self::Claim => (
                "PersistentVolumeClaim",
                "/api/v1",
                "persistentvolumeclaims",
                true,
            ),
            Self::Hpa => (
                "HorizontalPodAutoscaler",
                "/apis/autoscaling/v2",
                "horizontalpodautoscalers",
                true,
            ),
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// `Pod`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.info().0
    }

    /// `/api/v1`.
    #[must_use]
    pub const fn api(self) -> &'static str {
        self.info().1
    }

    /// `pods`.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        self.info().2
    }

    /// Whether its objects have a namespace.
    #[must_use]
    pub const fn is_namespaced(self) -> bool {
        self.info().3
    }

    /// Whether `kubectl rollout restart` restarts it.
    #[must_use]
    pub const fn can_restart(self) -> bool {
        matches!(self, Self::Deployment | Self::StatefulSet | Self::DaemonSet)
    }

    /// Whether it has the subresource `scale`.
    #[must_use]
    pub const fn can_scale(self) -> bool {
        matches!(
            self,
            Self::Deployment | Self::StatefulSet | Self::ReplicaSet
        )
    }

    /// Whether it creates pods.
    #[must_use]
    pub const fn is_workload(self) -> bool {
        !matches!(
            self,
            Self::Pod | Self::Node | Self::Namespace | Self::Hpa | Self::Claim
        )
    }
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty if it has none.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
}

impl Object {
    /// The object of a key.
    #[must_use]
    pub fn new(kind: Kind, key: &Key) -> Self {
        let namespace = if kind.is_namespaced() {
            key.namespace.clone()
        } else {
            Name::default()
        };
        Self {
            kind,
            namespace,
            name: key.name.clone(),
        }
    }

    /// `Pod shop/web-1`, `Node node-1`.
    #[must_use]
    pub fn text(&self) -> String {
        let Self {
            kind,
            namespace,
            name,
        } = self;
        match &**namespace {
            "" => format!("{} {name}", kind.name()),
            namespace => format!("{} {namespace}/{name}", kind.name()),
        }
    }
}

/// The object of the selected row, and a container of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The object.
    pub object: Object,
    /// The container; none for all.
    pub container: Option<Name>,
}
