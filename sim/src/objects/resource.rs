//! The kinds of object that the API server serves, and what discovery says of each.

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
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// `plural` or `plural.group`, as error messages name a resource.
    pub fn qualified(&self) -> String {
        match self.group {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        }
    }
}

/// Declares the resources: the enum, its order, and what discovery says of each.
macro_rules! resources {
    ($($name:ident($group:literal, $version:literal): $plural:literal, $singular:literal, $kind:literal,
        $short_names:expr, $categories:expr, $scope:ident, $access:ident;)*) => {
        /// A kind of object that the store holds and the API server serves.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Resource {
            $(#[doc = concat!($group, "/", $version, " ", $plural)] $name,)*
        }

        impl Resource {
            /// Every resource, in the order discovery lists them.
            pub const ALL: [Self; [$($plural),*].len()] = [$(Self::$name),*];

            /// What discovery says of it.
            pub const fn info(self) -> ResourceInfo {
                match self {
                    $(Self::$name => ResourceInfo {
                        group: $group,
                        version: $version,
                        plural: $plural,
                        singular: $singular,
                        kind: $kind,
                        short_names: &$short_names,
                        categories: &$categories,
                        namespaced: matches!(Scope::$scope, Scope::Namespaced),
                        writable: matches!(Access::$access, Access::ReadWrite),
                    },)*
                }
            }
        }
    };
}

enum Scope {
    Cluster,
    Namespaced,
}

enum Access {
    ReadOnly,
    ReadWrite,
}

// Group, version, plural, singular, kind, short names, categories, scope, access.
resources! {
    Nodes("", "v1"): "nodes", "node", "Node", ["no"], [], Cluster, ReadOnly;
    Pods("", "v1"): "pods", "pod", "Pod", ["po"], ["all"], Namespaced, ReadOnly;
    Namespaces("", "v1"): "namespaces", "namespace", "Namespace", ["ns"], [], Cluster, ReadOnly;
    Events("", "v1"): "events", "event", "Event", ["ev"], [], Namespaced, ReadOnly;
    ConfigMaps("", "v1"): "configmaps", "configmap", "ConfigMap", ["cm"], [], Namespaced, ReadWrite;
    Secrets("", "v1"): "secrets", "secret", "Secret", [], [], Namespaced, ReadWrite;
    Services("", "v1"): "services", "service", "Service", ["svc"], ["all"], Namespaced, ReadOnly;
    ServiceAccounts("", "v1"): "serviceaccounts", "serviceaccount", "ServiceAccount", ["sa"], [], Namespaced, ReadOnly;
    ResourceQuotas("", "v1"): "resourcequotas", "resourcequota", "ResourceQuota", ["quota"], [], Namespaced, ReadOnly;
    LimitRanges("", "v1"): "limitranges", "limitrange", "LimitRange", ["limits"], [], Namespaced, ReadOnly;
    Deployments("apps", "v1"): "deployments", "deployment", "Deployment", ["deploy"], ["all"], Namespaced, ReadOnly;
    ReplicaSets("apps", "v1"): "replicasets", "replicaset", "ReplicaSet", ["rs"], ["all"], Namespaced, ReadOnly;
    StatefulSets("apps", "v1"): "statefulsets", "statefulset", "StatefulSet", ["sts"], ["all"], Namespaced, ReadOnly;
    DaemonSets("apps", "v1"): "daemonsets", "daemonset", "DaemonSet", ["ds"], ["all"], Namespaced, ReadOnly;
    HorizontalPodAutoscalers("autoscaling", "v2"): "horizontalpodautoscalers", "horizontalpodautoscaler", "HorizontalPodAutoscaler", ["hpa"], ["all"], Namespaced, ReadWrite;
    Leases("coordination.k8s.io", "v1"): "leases", "lease", "Lease", [], [], Namespaced, ReadWrite;
    EndpointSlices("discovery.k8s.io", "v1"): "endpointslices", "endpointslice", "EndpointSlice", [], [], Namespaced, ReadOnly;
    ApiServices("apiregistration.k8s.io", "v1"): "apiservices", "apiservice", "APIService", [], ["api-extensions"], Cluster, ReadWrite;
    Jobs("batch", "v1"): "jobs", "job", "Job", [], ["all"], Namespaced, ReadOnly;
    PersistentVolumeClaims("", "v1"): "persistentvolumeclaims", "persistentvolumeclaim", "PersistentVolumeClaim", ["pvc"], [], Namespaced, ReadOnly;
    PersistentVolumes("", "v1"): "persistentvolumes", "persistentvolume", "PersistentVolume", ["pv"], [], Cluster, ReadOnly;
    StorageClasses("storage.k8s.io", "v1"): "storageclasses", "storageclass", "StorageClass", ["sc"], [], Cluster, ReadOnly;
    PodDisruptionBudgets("policy", "v1"): "poddisruptionbudgets", "poddisruptionbudget", "PodDisruptionBudget", ["pdb"], [], Namespaced, ReadOnly;
}

impl Resource {
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
