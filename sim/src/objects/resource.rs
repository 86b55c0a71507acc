//! The kinds of object the API server knows, and what discovery says of each.

use super::fields;

/// A kind of object that the store holds and the API server serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Resource {
    /// core/v1 nodes, cluster-scoped.
    Nodes,
    /// core/v1 pods.
    Pods,
    /// core/v1 namespaces, cluster-scoped.
    Namespaces,
    /// core/v1 events.
    Events,
    /// core/v1 configmaps.
    ConfigMaps,
    /// core/v1 secrets.
    Secrets,
    /// core/v1 services.
    Services,
    /// core/v1 serviceaccounts.
    ServiceAccounts,
    /// apps/v1 deployments.
    Deployments,
    /// apps/v1 replicasets.
    ReplicaSets,
    /// apps/v1 statefulsets.
    StatefulSets,
    /// apps/v1 daemonsets.
    DaemonSets,
    /// autoscaling/v2 horizontalpodautoscalers.
    HorizontalPodAutoscalers,
    /// coordination.k8s.io/v1 leases.
    Leases,
    /// discovery.k8s.io/v1 endpointslices.
    EndpointSlices,
    /// apiregistration.k8s.io/v1 apiservices, cluster-scoped.
    ApiServices,
    /// batch/v1 jobs.
    Jobs,
}

/// What discovery says of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceInfo {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Version within the group.
    pub version: &'static str,
    /// Lower-case plural, as in paths.
    pub plural: &'static str,
    /// Lower-case singular.
    pub singular: &'static str,
    /// Kind of one object.
    pub kind: &'static str,
    /// Short names kubectl takes.
    pub short_names: &'static [&'static str],
    /// Categories (`kubectl get all`).
    pub categories: &'static [&'static str],
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Whether `create`, `update`, `patch` and `delete` are served.
    pub writable: bool,
}

impl ResourceInfo {
    /// `v1` or `GROUP/VERSION`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `plural` or `plural.group`, as error messages name a resource.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }
}

const CORE: ResourceInfo = ResourceInfo {
    group: "",
    version: "v1",
    plural: "",
    singular: "",
    kind: "",
    short_names: &[],
    categories: &[],
    namespaced: true,
    writable: false,
};

const APPS: ResourceInfo = ResourceInfo {
    group: "apps",
    categories: &["all"],
    ..CORE
};

impl Resource {
    /// Every resource, in the order discovery lists them.
    pub const ALL: [Self; 17] = [
        Self::Nodes,
        Self::Pods,
        Self::Namespaces,
        Self::Events,
        Self::ConfigMaps,
        Self::Secrets,
        Self::Services,
        Self::ServiceAccounts,
        Self::Deployments,
        Self::ReplicaSets,
        Self::StatefulSets,
        Self::DaemonSets,
        Self::HorizontalPodAutoscalers,
        Self::Leases,
        Self::EndpointSlices,
        Self::ApiServices,
        Self::Jobs,
    ];

    /// What discovery says of it.
    pub const fn info(self) -> ResourceInfo {
        match self {
            Self::Nodes => ResourceInfo {
                plural: "nodes",
                singular: "node",
                kind: "Node",
                short_names: &["no"],
                namespaced: false,
                ..CORE
            },
            Self::Pods => ResourceInfo {
                plural: "pods",
                singular: "pod",
                kind: "Pod",
                short_names: &["po"],
                categories: &["all"],
                ..CORE
            },
            Self::Namespaces => ResourceInfo {
                plural: "namespaces",
                singular: "namespace",
                kind: "Namespace",
                short_names: &["ns"],
                namespaced: false,
                ..CORE
            },
            Self::Events => ResourceInfo {
                plural: "events",
                singular: "event",
                kind: "Event",
                short_names: &["ev"],
                ..CORE
            },
            Self::ConfigMaps => ResourceInfo {
                plural: "configmaps",
                singular: "configmap",
                kind: "ConfigMap",
                short_names: &["cm"],
                writable: true,
                ..CORE
            },
            Self::Secrets => ResourceInfo {
                plural: "secrets",
                singular: "secret",
                kind: "Secret",
                writable: true,
                ..CORE
            },
            Self::Services => ResourceInfo {
                plural: "services",
                singular: "service",
                kind: "Service",
                short_names: &["svc"],
                categories: &["all"],
                ..CORE
            },
            Self::ServiceAccounts => ResourceInfo {
                plural: "serviceaccounts",
                singular: "serviceaccount",
                kind: "ServiceAccount",
                short_names: &["sa"],
                ..CORE
            },
            Self::Deployments => ResourceInfo {
                plural: "deployments",
                singular: "deployment",
                kind: "Deployment",
                short_names: &["deploy"],
                ..APPS
            },
            Self::ReplicaSets => ResourceInfo {
                plural: "replicasets",
                singular: "replicaset",
                kind: "ReplicaSet",
                short_names: &["rs"],
                ..APPS
            },
            Self::StatefulSets => ResourceInfo {
                plural: "statefulsets",
                singular: "statefulset",
                kind: "StatefulSet",
                short_names: &["sts"],
                ..APPS
            },
            Self::DaemonSets => ResourceInfo {
                plural: "daemonsets",
                singular: "daemonset",
                kind: "DaemonSet",
                short_names: &["ds"],
                ..APPS
            },
            Self::HorizontalPodAutoscalers => ResourceInfo {
                group: "autoscaling",
                version: "v2",
                plural: "horizontalpodautoscalers",
                singular: "horizontalpodautoscaler",
                kind: "HorizontalPodAutoscaler",
                short_names: &["hpa"],
                categories: &["all"],
                ..CORE
            },
            Self::Leases => ResourceInfo {
                group: "coordination.k8s.io",
                plural: "leases",
                singular: "lease",
                kind: "Lease",
                writable: true,
                ..CORE
            },
            Self::EndpointSlices => ResourceInfo {
                group: "discovery.k8s.io",
                plural: "endpointslices",
                singular: "endpointslice",
                kind: "EndpointSlice",
                ..CORE
            },
            Self::Jobs => ResourceInfo {
                group: "batch",
                plural: "jobs",
                singular: "job",
                kind: "Job",
                categories: &["all"],
                ..CORE
            },
            Self::ApiServices => ResourceInfo {
                group: "apiregistration.k8s.io",
                plural: "apiservices",
                singular: "apiservice",
                kind: "APIService",
                categories: &["api-extensions"],
                namespaced: false,
                writable: true,
                ..CORE
            },
        }
    }

    /// Whether a field selector may name `path`.
    pub fn is_selectable(self, path: &str) -> bool {
        fields::is_selectable(self, path)
    }

    /// The resource at a path's group, version and plural.
    pub fn find(group: &str, version: &str, plural: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| {
            let info = r.info();
            info.group == group && info.version == version && info.plural == plural
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_in_order_of_the_discriminants() {
        for (index, resource) in Resource::ALL.into_iter().enumerate() {
            assert_eq!(resource as usize, index);
        }
    }

    #[test]
    fn every_resource_is_found_by_its_own_path() {
        for resource in Resource::ALL {
            let info = resource.info();
            assert_eq!(
                Resource::find(info.group, info.version, info.plural),
                Some(resource)
            );
        }
        assert_eq!(Resource::find("apps", "v1beta1", "deployments"), None);
    }
}
