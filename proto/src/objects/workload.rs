//! Deployments, StatefulSets and DaemonSets: desired and ready replicas.

use serde::Deserialize;

use super::metadata::WireMeta;
use crate::lenient::lenient;

/// A workload on the wire, with the fields of all three kinds.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct WireWorkload {
    /// The metadata.
    #[serde(default, deserialize_with = "lenient")]
    pub metadata: WireMeta,
    #[serde(default, deserialize_with = "lenient")]
    spec: Option<WireSpec>,
    #[serde(default, deserialize_with = "lenient")]
    status: Option<WireStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct WireSpec {
    #[serde(deserialize_with = "lenient")]
    replicas: i64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireStatus {
    #[serde(deserialize_with = "lenient")]
    ready_replicas: i64,
    #[serde(deserialize_with = "lenient")]
    number_ready: i64,
    #[serde(deserialize_with = "lenient")]
    desired_number_scheduled: i64,
}

impl WireWorkload {
    /// The desired number of replicas: in the spec of a Deployment or StatefulSet, in the status of a DaemonSet.
    pub fn desired(&self) -> u32 {
        let replicas = self.spec.as_ref().map_or(0, |spec| spec.replicas);
        let scheduled = self.status.as_ref().map(|it| it.desired_number_scheduled);
        count(replicas.max(scheduled.unwrap_or_default()))
    }

    /// The number of ready replicas.
    pub fn ready(&self) -> u32 {
        let status = self.status.as_ref();
        count(status.map_or(0, |it| it.ready_replicas.max(it.number_ready)))
    }
}

fn count(count: i64) -> u32 {
    u32::try_from(count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_where_each_kind_has_them() {
        for (json, expected) in [
            (
                r#"{"metadata":{"name":"a"},"spec":{"replicas":3},"status":{"readyReplicas":2}}"#,
                (3, 2),
            ),
            (
                r#"{"metadata":{"name":"a"},"status":{"desiredNumberScheduled":5,"numberReady":5}}"#,
                (5, 5),
            ),
            (
                r#"{"metadata":{"name":"a"},"spec":{"replicas":"3"},"status":{"readyReplicas":2}}"#,
                (0, 2),
            ),
            (r#"{"metadata":{"name":"a"},"spec":[],"status":7}"#, (0, 0)),
        ] {
            let workload: WireWorkload = serde_json::from_str(json).unwrap();
            assert_eq!((workload.desired(), workload.ready()), expected, "{json}");
        }
    }
}
