//! Rollouts of Deployments, StatefulSets and DaemonSets, by the rules of `kubectl rollout status`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::WireCondition;
use crate::lenient::lenient;
use crate::time::Timestamp;

/// How far a rollout is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RolloutState {
    /// All pods are of the current template and available.
    Complete,
    /// Pods are being replaced, or are not available yet: `2 of 3 updated`.
    Progressing(String),
    /// The Deployment's progress deadline has passed, or it cannot create pods.
    Stuck {
        /// The reason: `ProgressDeadlineExceeded`, `FailedCreate`.
        reason: String,
        /// The message.
        message: String,
        /// The last change of the condition, if known.
        since: Option<Timestamp>,
    },
    /// The Deployment is paused.
    Paused,
    /// Pods are only replaced when somebody deletes them (`OnDelete`).
    Manual,
}

/// A workload and its rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// The state.
    pub state: RolloutState,
    /// The desired number of pods.
    pub desired: u32,
    /// Pods of the current template.
    pub updated: u32,
    /// Ready pods.
    pub ready: u32,
    /// Pods that have been ready for `minReadySeconds`.
    pub available: u32,
    /// The revision, if the workload has one: `7`, or the hash of a StatefulSet's revision.
    pub revision: String,
    /// The update strategy with its parameters: `RollingUpdate, surge 25%, unavailable 25%`.
    pub strategy: String,
    /// The images of the containers, in order.
    pub images: Vec<String>,
    /// The labels of the pods.
    pub labels: BTreeMap<String, String>,
    /// When the Deployment last made progress, if it says so.
    pub progressed: Option<Timestamp>,
}

/// A workload on the wire, with the fields of all three kinds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireRollout {
    #[serde(deserialize_with = "lenient")]
    kind: String,
    #[serde(deserialize_with = "lenient")]
    metadata: Option<WireRevision>,
    #[serde(deserialize_with = "lenient")]
    spec: Option<WireSpec>,
    #[serde(deserialize_with = "lenient")]
    status: Option<WireStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireRevision {
    #[serde(deserialize_with = "lenient")]
    generation: i64,
    #[serde(deserialize_with = "lenient")]
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireSpec {
    #[serde(deserialize_with = "lenient")]
    replicas: i64,
    #[serde(deserialize_with = "lenient")]
    paused: bool,
    #[serde(alias = "updateStrategy", deserialize_with = "lenient")]
    strategy: Option<WireStrategy>,
    #[serde(deserialize_with = "lenient")]
    template: Option<WireTemplate>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireStrategy {
    #[serde(rename = "type", deserialize_with = "lenient")]
    kind: String,
    #[serde(deserialize_with = "lenient")]
    rolling_update: Option<WireRollingUpdate>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireRollingUpdate {
    #[serde(deserialize_with = "lenient")]
    max_surge: String,
    #[serde(deserialize_with = "lenient")]
    max_unavailable: String,
    #[serde(deserialize_with = "lenient")]
    partition: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireTemplate {
    #[serde(deserialize_with = "lenient")]
    metadata: Option<WireLabels>,
    #[serde(deserialize_with = "lenient")]
    spec: Option<WirePodSpec>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireLabels {
    #[serde(deserialize_with = "lenient")]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WirePodSpec {
    #[serde(deserialize_with = "lenient")]
    containers: Vec<Option<WireImage>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireImage {
    #[serde(deserialize_with = "lenient")]
    image: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireStatus {
    #[serde(deserialize_with = "lenient")]
    observed_generation: i64,
    #[serde(deserialize_with = "lenient")]
    replicas: i64,
    #[serde(alias = "updatedNumberScheduled", deserialize_with = "lenient")]
    updated_replicas: i64,
    #[serde(alias = "numberReady", deserialize_with = "lenient")]
    ready_replicas: i64,
    #[serde(alias = "numberAvailable", deserialize_with = "lenient")]
    available_replicas: i64,
    #[serde(deserialize_with = "lenient")]
    desired_number_scheduled: i64,
    #[serde(deserialize_with = "lenient")]
    current_revision: String,
    #[serde(deserialize_with = "lenient")]
    update_revision: String,
    #[serde(deserialize_with = "lenient")]
    conditions: Vec<Option<WireCondition>>,
}

/// The annotation with the revision of a Deployment.
const REVISION: &str = "deployment.kubernetes.io/revision";

impl WireRollout {
    /// The rollout. `kind` is that of the request, because an object may lack its own.
    pub fn convert(self, kind: &str) -> Rollout {
        let kind = if self.kind.is_empty() {
            kind
        } else {
            &self.kind
        }
        .to_owned();
        let (meta, spec, status) = (
            self.metadata.unwrap_or_default(),
            self.spec.unwrap_or_default(),
            self.status.unwrap_or_default(),
        );
        let desired = match &*kind {
            "DaemonSet" => status.desired_number_scheduled,
            _ => spec.replicas,
        };
        let state = match &*kind {
            _ if meta.generation > status.observed_generation => {
                RolloutState::Progressing("waiting for the controller to see the change".to_owned())
            }
            "Deployment" => deployment(&spec, &status),
            "StatefulSet" => stateful_set(&spec, &status),
            _ => daemon_set(&spec, &status),
        };
        let progressing = condition(&status, "Progressing");
        let template = spec.template.unwrap_or_default();
        let containers = template.spec.unwrap_or_default().containers;
        Rollout {
            state,
            desired: count(desired),
            updated: count(status.updated_replicas),
            ready: count(status.ready_replicas),
            available: count(status.available_replicas),
            progressed: progressing.and_then(WireCondition::since),
            revision: match meta.annotations.get(REVISION) {
                Some(revision) => revision.clone(),
                None => status.update_revision,
            },
            strategy: spec
                .strategy
                .as_ref()
                .map(WireStrategy::text)
                .unwrap_or_default(),
            images: containers
                .into_iter()
                .flatten()
                .map(|it| it.image)
                .collect(),
            labels: template.metadata.unwrap_or_default().labels,
        }
    }
}

impl WireStrategy {
    fn text(&self) -> String {
        let mut text = self.kind.clone();
        let Some(update) = &self.rolling_update else {
            return text;
        };
        let partition = match update.partition {
            0 => String::new(),
            partition => partition.to_string(),
        };
        for (word, value) in [
            ("surge", &update.max_surge),
            ("unavailable", &update.max_unavailable),
            ("partition", &partition),
        ] {
            if !value.is_empty() {
                text.push_str(&format!(", {word} {value}"));
            }
        }
        text
    }
}

fn count(count: i64) -> u32 {
    u32::try_from(count).unwrap_or_default()
}

fn condition<'a>(status: &'a WireStatus, kind: &str) -> Option<&'a WireCondition> {
    let mut conditions = status.conditions.iter().flatten();
    conditions.find(|condition| condition.kind == kind)
}

/// A state that waits for `done` to reach `all`.
fn until(done: i64, all: i64, what: &str) -> RolloutState {
    RolloutState::Progressing(format!("{done} of {all} {what}"))
}

/// `DeploymentStatusViewer.Status` of kubectl. A failure to create pods is no failure there; here it is the reason.
fn deployment(spec: &WireSpec, status: &WireStatus) -> RolloutState {
    let (all, updated) = (spec.replicas, status.updated_replicas);
    let exceeded = condition(status, "Progressing")
        .filter(|condition| condition.reason == "ProgressDeadlineExceeded");
    let failure = condition(status, "ReplicaFailure").filter(|it| it.status == "True");
    if let Some(why) = failure.or(exceeded) {
        RolloutState::Stuck {
            reason: why.reason.clone(),
            message: why.message.clone(),
            since: why.since(),
        }
    } else if spec.paused {
        RolloutState::Paused
    } else if updated < all {
        until(updated, all, "updated")
    } else if status.replicas > updated {
        RolloutState::Progressing(format!("{} old pods end", status.replicas - updated))
    } else if status.available_replicas < updated {
        until(status.available_replicas, updated, "available")
    } else {
        RolloutState::Complete
    }
}

/// `StatefulSetStatusViewer.Status` of kubectl.
fn stateful_set(spec: &WireSpec, status: &WireStatus) -> RolloutState {
    let strategy = spec.strategy.as_ref();
    if strategy.is_some_and(|strategy| strategy.kind == "OnDelete") {
        return RolloutState::Manual;
    }
    let update = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    let partition = update.map_or(0, |update| update.partition);
    let all = spec.replicas;
    let of_new = all.saturating_sub(partition);
    if status.ready_replicas < all {
        until(status.ready_replicas, all, "ready")
    } else if partition > 0 {
        if status.updated_replicas < of_new {
            until(status.updated_replicas, of_new, "updated")
        } else {
            RolloutState::Complete
        }
    } else if status.update_revision == status.current_revision {
        RolloutState::Complete
    } else {
        until(status.updated_replicas, all, "updated")
    }
}

/// `DaemonSetStatusViewer.Status` of kubectl.
fn daemon_set(spec: &WireSpec, status: &WireStatus) -> RolloutState {
    let strategy = spec.strategy.as_ref();
    if strategy.is_some_and(|strategy| strategy.kind == "OnDelete") {
        return RolloutState::Manual;
    }
    let all = status.desired_number_scheduled;
    if status.updated_replicas < all {
        until(status.updated_replicas, all, "updated")
    } else if status.available_replicas < all {
        until(status.available_replicas, all, "available")
    } else {
        RolloutState::Complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn state(kind: &str, spec: Value, mut status: Value) -> String {
        status["observedGeneration"] = 2.into();
        let object = json!({"metadata": {"generation": 2}, "spec": spec, "status": status});
        text(
            serde_json::from_value::<WireRollout>(object)
                .unwrap()
                .convert(kind)
                .state,
        )
    }

    fn text(state: RolloutState) -> String {
        match state {
            RolloutState::Complete => "complete".to_owned(),
            RolloutState::Progressing(what) => what,
            RolloutState::Stuck { reason, .. } => reason,
            RolloutState::Paused => "paused".to_owned(),
            RolloutState::Manual => "manual".to_owned(),
        }
    }

    #[test]
    fn a_deployment_is_judged_as_kubectl_rollout_status_does() {
        let three = json!({"replicas": 3});
        let exceeded = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]);
        let failed =
            json!([{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}]);
        for (spec, status, expected) in [
            (
                &three,
                json!({"updatedReplicas": 1, "replicas": 4}),
                "1 of 3 updated",
            ),
            (
                &three,
                json!({"updatedReplicas": 3, "replicas": 5}),
                "2 old pods end",
            ),
            (
                &three,
                json!({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 2}),
                "2 of 3 available",
            ),
            (
                &three,
                json!({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}),
                "complete",
            ),
            (
                &three,
                json!({"updatedReplicas": 1, "conditions": exceeded}),
                "ProgressDeadlineExceeded",
            ),
            (
                &three,
                json!({"updatedReplicas": 0, "conditions": failed}),
                "FailedCreate",
            ),
            (&json!({"replicas": 3, "paused": true}), json!({}), "paused"),
            (&json!({"replicas": 0}), json!({}), "complete"),
            (&json!([]), json!({"conditions": 7}), "complete"),
        ] {
            assert_eq!(
                state("Deployment", spec.clone(), status.clone()),
                expected,
                "{spec} {status}"
            );
        }
    }

    #[test]
    fn a_stateful_set_and_a_daemon_set_are_judged_as_kubectl_rollout_status_does() {
        let rolling = |partition: i64| {
            json!({"replicas": 3, "updateStrategy":
            {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}})
        };
        let on_delete = json!({"replicas": 3, "updateStrategy": {"type": "OnDelete"}});
        for (kind, spec, status, expected) in [
            (
                "StatefulSet",
                rolling(0),
                json!({"readyReplicas": 2}),
                "2 of 3 ready",
            ),
            (
                "StatefulSet",
                rolling(0),
                json!({"readyReplicas": 3, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"}),
                "1 of 3 updated",
            ),
            (
                "StatefulSet",
                rolling(0),
                json!({"readyReplicas": 3, "currentRevision": "b", "updateRevision": "b"}),
                "complete",
            ),
            (
                "StatefulSet",
                rolling(1),
                json!({"readyReplicas": 3, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"}),
                "1 of 2 updated",
            ),
            (
                "StatefulSet",
                rolling(1),
                json!({"readyReplicas": 3, "updatedReplicas": 2, "currentRevision": "a", "updateRevision": "b"}),
                "complete",
            ),
            ("StatefulSet", on_delete.clone(), json!({}), "manual"),
            ("DaemonSet", on_delete, json!({}), "manual"),
            (
                "DaemonSet",
                json!({}),
                json!({"desiredNumberScheduled": 5, "updatedNumberScheduled": 2}),
                "2 of 5 updated",
            ),
            (
                "DaemonSet",
                json!({}),
                json!({"desiredNumberScheduled": 5, "updatedNumberScheduled": 5, "numberAvailable": 4}),
                "4 of 5 available",
            ),
            (
                "DaemonSet",
                json!({}),
                json!({"desiredNumberScheduled": 5, "updatedNumberScheduled": 5, "numberAvailable": 5}),
                "complete",
            ),
        ] {
            assert_eq!(
                state(kind, spec, status.clone()),
                expected,
                "{kind} {status}"
            );
        }
    }

    #[test]
    fn a_change_that_the_controller_has_not_seen_is_progress() {
        let object = json!({"metadata": {"generation": 3}, "spec": {"replicas": 1}, "status": {"observedGeneration": 2}});
        let rollout = serde_json::from_value::<WireRollout>(object).unwrap();
        let waits = "waiting for the controller to see the change";
        assert_eq!(text(rollout.convert("Deployment").state), waits);
    }

    #[test]
    fn the_strategy_has_its_parameters() {
        let object = json!({"metadata": {"annotations": {REVISION: "7"}}, "spec": {"replicas": 2, "strategy":
            {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"image": "web:7"}, null]}}}});
        let rollout = serde_json::from_value::<WireRollout>(object)
            .unwrap()
            .convert("Deployment");
        assert_eq!(rollout.strategy, "RollingUpdate, surge 25%, unavailable 0");
        assert_eq!(
            (&*rollout.revision, &*rollout.images),
            ("7", &["web:7".to_owned()][..])
        );
        assert_eq!(rollout.labels.get("app").map(String::as_str), Some("web"));
    }
}
