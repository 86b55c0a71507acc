//! The kinds of objects that have metrics.

/// A kind of objects that custom metrics describe.
#[derive(Debug, PartialEq, Eq)]
pub struct DescribedKind {
    /// The resource with its group, as in a path.
    pub resource: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// Its group and version.
    pub api_version: &'static str,
    /// Whether the objects are in namespaces.
    pub namespaced: bool,
    /// Which pods a metric of an object is read from.
    pub pods: PodsOf,
}

/// Which pods are those of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodsOf {
    /// The object is a pod.
    Itself,
    /// All pods of the namespace.
    Namespace,
    /// The pods bound to the node.
    Node,
    /// The pods that the Service selects.
    Service,
    /// The pods of the workload: a Deployment or a CronJob through its ReplicaSets or Jobs.
    Workload,
    /// The pods whose controller is the object itself.
    Controller,
}

/// All kinds, by resource.
pub const KINDS: [DescribedKind; 11] = [
    workload("cronjobs.batch", "CronJob", "batch/v1"),
    workload("daemonsets.apps", "DaemonSet", "apps/v1"),
    workload("deployments.apps", "Deployment", "apps/v1"),
    controller("jobs.batch", "Job", "batch/v1"),
    core("namespaces", "Namespace", false, PodsOf::Namespace),
    core("nodes", "Node", false, PodsOf::Node),
    core("pods", "Pod", true, PodsOf::Itself),
    controller("replicasets.apps", "ReplicaSet", "apps/v1"),
    core(
        "replicationcontrollers",
        "ReplicationController",
        true,
        PodsOf::Controller,
    ),
    core("services", "Service", true, PodsOf::Service),
    workload("statefulsets.apps", "StatefulSet", "apps/v1"),
];

const fn core(
    resource: &'static str,
    kind: &'static str,
    namespaced: bool,
    pods: PodsOf,
) -> DescribedKind {
    DescribedKind {
        resource,
        kind,
        api_version: "v1",
        namespaced,
        pods,
    }
}

const fn workload(
    resource: &'static str,
    kind: &'static str,
    api_version: &'static str,
) -> DescribedKind {
    DescribedKind {
        resource,
        kind,
        api_version,
        namespaced: true,
        pods: PodsOf::Workload,
    }
}

const fn controller(
    resource: &'static str,
    kind: &'static str,
    api_version: &'static str,
) -> DescribedKind {
    DescribedKind {
        pods: PodsOf::Controller,
        ..workload(resource, kind, api_version)
    }
}

impl DescribedKind {
    /// The kind of a resource, as in a path: with its group, as client-go writes it, or without.
    pub fn of(resource: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| {
            let plural = kind.resource.split('.').next();
            kind.resource == resource || plural == Some(resource)
        })
    }
}
