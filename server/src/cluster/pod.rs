//! Pods.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::NamespaceResourceScope;
use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use serde::Deserialize;

use super::slim;
use crate::intern::Interner;

/// A pod's namespace and name, in the order lists are sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodKey {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

/// A pod.
#[derive(Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its namespace and name.
    pub key: PodKey,
    /// Its labels.
    pub labels: Labels,
    /// The node it is bound to.
    pub node: Option<Arc<str>>,
    /// Its phase.
    pub phase: Phase,
    /// When the kubelet took it over, in seconds since the Unix epoch; zero before. So it fits where there was room.
    pub started_seconds: u32,
}

/// `PodPhase` of core/v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Phase {
    /// Accepted, not all containers have started.
    Pending,
    /// At least one container runs or is being restarted.
    Running,
    /// All containers ended well.
    Succeeded,
    /// All containers ended, at least one of them badly.
    Failed,
    /// The node cannot be reached, or the API server said something new.
    #[default]
    #[serde(other)]
    Unknown,
}

/// A pod on the wire.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SlimPod {
    #[serde(deserialize_with = "slim::metadata")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: SlimSpec,
    #[serde(default)]
    status: SlimStatus,
}

slim::core_v1!(SlimPod, "Pod", "pods", NamespaceResourceScope);

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SlimSpec {
    node_name: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[serde(rename_all = "camelCase")]
struct SlimStatus {
    phase: Phase,
    /// As text: a time that is none must not cost us the pod.
    start_time: Option<String>,
}

impl Pod {
    /// When the kubelet took it over.
    pub fn started(&self) -> Option<Timestamp> {
        (self.started_seconds > 0).then(|| Timestamp::from_secs(self.started_seconds.into()))
    }
}

impl SlimPod {
    /// The pod as it is kept.
    pub(super) fn keep(self, names: &Interner) -> Option<Pod> {
        let labels = self.metadata.labels.unwrap_or_default();
        let started: Option<Timestamp> = self.status.start_time.and_then(|time| time.parse().ok());
        let started_seconds = started
            .and_then(|time| u32::try_from(time.as_secs()).ok())
            .unwrap_or_default();
        Some(Pod {
            key: PodKey {
                namespace: names.intern(&self.metadata.namespace?),
                name: names.intern(&self.metadata.name?),
            },
            labels: Labels::from_iter(
                labels
                    .iter()
                    .map(|(key, value)| (names.intern(key), names.intern(value))),
            ),
            node: self
                .spec
                .node_name
                .filter(|node| !node.is_empty())
                .map(|node| names.intern(&node)),
            phase: self.status.phase,
            started_seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_read_into_what_is_used() {
        let json = r#"{"metadata":{"namespace":"shop","name":"web-1","labels":{"app":"web"},
            "annotations":{"big":"…"},"managedFields":[{}]},
            "spec":{"nodeName":"n1","containers":[{"name":"web"}]},"status":{"phase":"Running","startTime":"2026-11-21T05:00:00Z"}}"#;
        let pod = serde_json::from_str::<SlimPod>(json)
            .unwrap()
            .keep(&Interner::default())
            .unwrap();
        assert_eq!((&*pod.key.namespace, &*pod.key.name), ("shop", "web-1"));
        assert_eq!(pod.labels.get("app"), Some("web"));
        assert_eq!(pod.node.as_deref(), Some("n1"));
        assert_eq!(pod.phase, Phase::Running);
        assert_eq!(pod.started(), "2026-11-21T05:00:00Z".parse().ok());
        assert!(size_of::<Pod>() <= 80, "{}", size_of::<Pod>());
    }

    #[test]
    fn a_phase_that_is_new_to_us_is_unknown() {
        let json = r#"{"metadata":{"namespace":"a","name":"b"},"status":{"phase":"Dreaming"}}"#;
        let pod = serde_json::from_str::<SlimPod>(json)
            .unwrap()
            .keep(&Interner::default())
            .unwrap();
        assert_eq!(pod.phase, Phase::Unknown);
    }
}
