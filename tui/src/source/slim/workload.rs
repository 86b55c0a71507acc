//! What makes pods, as far as it says how many there should be.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::core::NamespaceResourceScope;
use serde::Deserialize;

use super::{count, kind, metadata};
use crate::model::row::Replicas;
use crate::model::{Key, Name, Names};

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

/// A Job: who made it, no more.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::source) struct Job {
    #[serde(deserialize_with = "metadata")]
    metadata: ObjectMeta,
}

kind!(Job, "batch", "v1", "Job", "jobs", NamespaceResourceScope);

impl Job {
    /// Its key, and the CronJob that made it; nothing of one that no CronJob made.
    pub(in crate::source) fn of_cron_job(self, names: &Names) -> Option<(Key, Name)> {
        let owners = self.metadata.owner_references?;
        let is_maker = |owner: &&OwnerReference| owner.controller == Some(true);
        let owner = owners.iter().find(is_maker)?;
        let namespace = names.intern(self.metadata.namespace.as_deref()?);
        let key = Key::new(&namespace, &names.intern(self.metadata.name.as_deref()?));
        (owner.kind == "CronJob").then(|| (key, names.intern(&owner.name)))
    }
}

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
    fn a_job_says_which_cron_job_made_it() {
        let of = |owners: &str| {
            let json = format!(
                r#"{{"metadata":{{"namespace":"a","name":"backup-20261129","ownerReferences":{owners}}},"spec":{{"x":1}}}}"#
            );
            let job: Job = serde_json::from_str(&json).unwrap();
            job.of_cron_job(&Names::default())
                .map(|(key, name)| (key.name.to_string(), name.to_string()))
        };
        let owner = |kind: &str, controller: bool| {
            format!(
                r#"[{{"apiVersion":"batch/v1","kind":"{kind}","name":"backup","uid":"u","controller":{controller}}}]"#
            )
        };
        let made = Some(("backup-20261129".to_owned(), "backup".to_owned()));
        assert_eq!(of(&owner("CronJob", true)), made);
        assert_eq!(of(&owner("CronJob", false)), None);
        assert_eq!(of(&owner("Workflow", true)), None);
        assert_eq!(of("null"), None);
        assert_eq!(of("[]"), None);
    }

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
