//! What makes pods, as far as it says how many there should be.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::NamespaceResourceScope;
use serde::Deserialize;

use super::{count, kind, metadata};
use crate::model::row::Replicas;

macro_rules! workload {
    ($(#[doc = $doc:literal])* $type:ident, $plural:literal) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Deserialize)]
        pub(in crate::source) struct $type {
            #[serde(deserialize_with = "metadata")]
            metadata: ObjectMeta,
            #[serde(default)]
            spec: Spec,
            #[serde(default)]
            status: Status,
        }

        kind!($type, "apps", "v1", stringify!($type), $plural, NamespaceResourceScope);

        impl From<&$type> for Replicas {
            fn from(workload: &$type) -> Self {
                replicas(&workload.spec, &workload.status)
            }
        }
    };
}

workload!(
    /// A Deployment.
    Deployment, "deployments"
);
workload!(
    /// A StatefulSet.
    StatefulSet, "statefulsets"
);
workload!(
    /// A DaemonSet.
    DaemonSet, "daemonsets"
);

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Spec {
    replicas: Option<i64>,
}

/// The fields of all three kinds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    ready_replicas: Option<i64>,
    number_ready: Option<i64>,
    desired_number_scheduled: Option<i64>,
}

fn replicas(spec: &Spec, status: &Status) -> Replicas {
    Replicas {
        // One is what the API server puts where nothing is said; a DaemonSet tells in its status.
        desired: count(status.desired_number_scheduled.or(spec.replicas)),
        ready: count(status.number_ready.or(status.ready_replicas)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_where_each_kind_has_them() {
        let deployment: Deployment = serde_json::from_str(
            r#"{"metadata":{"name":"a"},"spec":{"replicas":3},"status":{"readyReplicas":2}}"#,
        )
        .unwrap();
        assert_eq!(
            Replicas::from(&deployment),
            Replicas {
                desired: 3,
                ready: 2
            }
        );
        let daemon: DaemonSet = serde_json::from_str(
            r#"{"metadata":{"name":"a"},"status":{"desiredNumberScheduled":5,"numberReady":5}}"#,
        )
        .unwrap();
        assert_eq!(
            Replicas::from(&daemon),
            Replicas {
                desired: 5,
                ready: 5
            }
        );
    }
}
