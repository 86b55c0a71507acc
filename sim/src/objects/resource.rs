//! The kinds of object that the API server serves, and what discovery says of each.

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

/// A namespaced resource of the core group that is read and not written.
const fn core(
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    short_names: &'static [&'static str],
) -> ResourceInfo {
    ResourceInfo {
        group: "",
        version: "v1",
        plural,
        singular,
        kind,
        short_names,
        categories: &[],
        namespaced: true,
        writable: false,
    }
}

impl ResourceInfo {
    const fn of(self, group: &'static str) -> Self {
        Self { group, ..self }
    }

    const fn version(self, version: &'static str) -> Self {
        Self { version, ..self }
    }

    const fn in_category_all(self) -> Self {
        Self {
            categories: &["all"],
            ..self
        }
    }

    const fn cluster_scoped(self) -> Self {
        Self {
            namespaced: false,
            ..self
        }
    }

    const fn writable(self) -> Self {
        Self {
            writable: true,
            ..self
        }
    }
}

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
            Self::Nodes => core("nodes", "node", "Node", &["no"]).cluster_scoped(),
            Self::Pods => core("pods", "pod", "Pod", &["po"]).in_category_all(),
            Self::Namespaces => {
                core("namespaces", "namespace", "Namespace", &["ns"]).cluster_scoped()
            }
            Self::Events => core("events", "event", "Event", &["ev"]),
            Self::ConfigMaps => core("configmaps", "configmap", "ConfigMap", &["cm"]).writable(),
            Self::Secrets => core("secrets", "secret", "Secret", &[]).writable(),
            Self::Services => core("services", "service", "Service", &["svc"]).in_category_all(),
            Self::ServiceAccounts => core(
                "serviceaccounts",
                "serviceaccount",
                "ServiceAccount",
                &["sa"],
            ),
            Self::Deployments => core("deployments", "deployment", "Deployment", &["deploy"])
                .of("apps")
                .in_category_all(),
            Self::ReplicaSets => core("replicasets", "replicaset", "ReplicaSet", &["rs"])
                .of("apps")
                .in_category_all(),
            Self::StatefulSets => core("statefulsets", "statefulset", "StatefulSet", &["sts"])
                .of("apps")
                .in_category_all(),
            Self::DaemonSets => core("daemonsets", "daemonset", "DaemonSet", &["ds"])
                .of("apps")
                .in_category_all(),
            Self::HorizontalPodAutoscalers => core(
                "horizontalpodautoscalers",
                "horizontalpodautoscaler",
                "HorizontalPodAutoscaler",
                &["hpa"],
            )
            .of("autoscaling")
            .version("v2")
            .in_category_all(),
            Self::Leases => core("leases", "lease", "Lease", &[])
                .of("coordination.k8s.io")
                .writable(),
            Self::EndpointSlices => {
                core("endpointslices", "endpointslice", "EndpointSlice", &[]).of("discovery.k8s.io")
            }
            Self::Jobs => core("jobs", "job", "Job", &[])
                .of("batch")
                .in_category_all(),
            Self::ApiServices => ResourceInfo {
                categories: &["api-extensions"],
                ..core("apiservices", "apiservice", "APIService", &[])
                    .of("apiregistration.k8s.io")
                    .cluster_scoped()
                    .writable()
            },
        }
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
