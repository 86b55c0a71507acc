//! The JSON of workloads, autoscalers and namespaces.

use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use crate::members::Members;
use crate::objects::Resource;
use crate::world::catalog::Kind;
use crate::world::hash::{hash, stream, uid};
use crate::world::json::policy::budget;
use crate::world::template::containers;
use crate::world::workload::{Revision, Workload};

/// A namespace.
pub(crate) fn namespace(seed: u64, name: &str, created: Timestamp) -> Value {
    json!({
        "metadata": {
            "name": name,
            "uid": uid(hash(seed, stream(name))),
            "creationTimestamp": created,
            "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    })
}

/// The objects of a workload: itself, its replicaset, its autoscaler, its budget.
pub(crate) fn objects(w: &Workload) -> Vec<(Resource, Value)> {
    let mut all = match w.app.kind {
        Kind::Deployment => {
            let set = replica_set(w, &w.revision, w.updated, w.ready.min(w.updated));
            let deployment = (Resource::Deployments, deployment(w));
            vec![deployment, (Resource::ReplicaSets, set)]
        }
        Kind::StatefulSet => vec![(Resource::StatefulSets, stateful_set(w))],
        Kind::DaemonSet => vec![(Resource::DaemonSets, daemon_set(w))],
    };
    if w.autoscaled {
        all.push((Resource::HorizontalPodAutoscalers, autoscaler(w)));
    }
    all.extend(budget(w).map(|budget| (Resource::PodDisruptionBudgets, budget)));
    all
}

/// The replicaset of a revision.
pub(crate) fn replica_set(w: &Workload, r: &Revision, replicas: u32, ready: u32) -> Value {
    let mut metadata = metadata(w, &r.owner_name, &r.owner_uid, r.created);
    metadata.put("labels", json!(r.labels));
    let annotations = json!({
        "deployment.kubernetes.io/desired-replicas": w.replicas.to_string(),
        "deployment.kubernetes.io/max-replicas": (w.replicas + w.replicas.div_ceil(4)).to_string(),
        "deployment.kubernetes.io/revision": r.number.to_string(),
    });
    metadata.put("annotations", annotations);
    let owner = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "name": w.app.name, "uid": w.uid,
        "controller": true, "blockOwnerDeletion": true,
    });
    metadata.put("ownerReferences", json!([owner]));
    let ready = (replicas > 0).then_some(ready);
    let status = json!({
        "replicas": replicas, "observedGeneration": 1, "fullyLabeledReplicas": ready.map(|_| replicas),
        "readyReplicas": ready, "availableReplicas": ready,
    });
    json!({
        "metadata": metadata,
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": w.app.name, "pod-template-hash": r.template_hash}},
            "template": {"metadata": template_metadata(json!(r.labels), r), "spec": pod_spec(w, r)},
        },
        "status": status.without_nulls(),
    })
}

fn metadata(w: &Workload, name: &str, uid: &str, created: Timestamp) -> Value {
    json!({
        "name": name,
        "namespace": &*w.namespace,
        "uid": uid,
        "generation": w.revision.number,
        "creationTimestamp": created,
        "labels": {"app": w.app.name, "app.kubernetes.io/name": w.app.name},
    })
}

fn template_metadata(labels: Value, r: &Revision) -> Value {
    json!({"labels": labels, "annotations": r.template.annotations}).without_nulls()
}

fn pod_spec(w: &Workload, r: &Revision) -> Value {
    json!({
        "initContainers": containers(w.app, r.number, true, None),
        "containers": containers(w.app, r.number, false, r.template.metrics_port),
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": w.app.name,
        "securityContext": {},
        "schedulerName": "default-scheduler",
    })
    .without_nulls()
}

/// The selector and the template, which all three kinds have.
fn common(w: &Workload) -> (Value, Value) {
    let pod_labels = json!({"app": w.app.name, "app.kubernetes.io/name": w.app.name});
    (
        json!({"matchLabels": {"app": w.app.name}}),
        json!({"metadata": template_metadata(pod_labels, &w.revision), "spec": pod_spec(w, &w.revision)}),
    )
}

fn deployment(w: &Workload) -> Value {
    let (selector, template) = common(w);
    let mut metadata = metadata(w, w.app.name, &w.uid, w.created);
    let revision = w.revision.number.to_string();
    metadata.put(
        "annotations",
        json!({"deployment.kubernetes.io/revision": revision}),
    );
    let unavailable = w.replicas.saturating_sub(w.ready);
    let at = w.revision.created;
    let available = unavailable * 4 <= w.replicas;
    let complete = w.updated == w.replicas && unavailable == 0;
    let set = &w.revision.owner_name;
    let status = json!({
        "observedGeneration": w.revision.number,
        "replicas": w.replicas,
        "updatedReplicas": w.updated,
        "readyReplicas": w.ready,
        "availableReplicas": w.ready,
        "conditions": [
            {
                "type": "Available", "status": if available { "True" } else { "False" },
                "lastUpdateTime": at, "lastTransitionTime": at,
                "reason": if available { "MinimumReplicasAvailable" } else { "MinimumReplicasUnavailable" },
                "message": if available { "Deployment has minimum availability." } else { "Deployment does not have minimum availability." },
            },
            {
                "type": "Progressing", "status": "True", "lastUpdateTime": at, "lastTransitionTime": at,
                "reason": if complete { "NewReplicaSetAvailable" } else { "ReplicaSetUpdated" },
                "message": format!("ReplicaSet \"{set}\" {}.", if complete { "has successfully progressed" } else { "is progressing" }),
            },
        ],
        "unavailableReplicas": (unavailable > 0).then_some(unavailable),
    });
    json!({
        "metadata": metadata,
        "spec": {
            "replicas": w.replicas, "selector": selector, "template": template,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 0}},
            "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
        },
        "status": status.without_nulls(),
    })
}

fn stateful_set(w: &Workload) -> Value {
    let (selector, template) = common(w);
    let revision = format!("{}-{}", w.app.name, w.revision.template_hash);
    json!({
        "metadata": metadata(w, w.app.name, &w.uid, w.created),
        "spec": {
            "replicas": w.replicas, "selector": selector, "template": template, "serviceName": w.app.name,
            "podManagementPolicy": "OrderedReady", "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "revisionHistoryLimit": 10,
        },
        "status": {
            "observedGeneration": w.revision.number, "replicas": w.replicas, "readyReplicas": w.ready,
            "currentReplicas": w.replicas, "updatedReplicas": w.updated, "currentRevision": revision,
            "updateRevision": revision, "collisionCount": 0, "availableReplicas": w.ready,
        },
    })
}

fn daemon_set(w: &Workload) -> Value {
    let (selector, template) = common(w);
    let unavailable = w.replicas.saturating_sub(w.ready);
    let status = json!({
        "currentNumberScheduled": w.replicas, "numberMisscheduled": 0, "desiredNumberScheduled": w.replicas,
        "numberReady": w.ready, "observedGeneration": w.revision.number, "updatedNumberScheduled": w.updated,
        "numberAvailable": w.ready, "numberUnavailable": (unavailable > 0).then_some(unavailable),
    });
    json!({
        "metadata": metadata(w, w.app.name, &w.uid, w.created),
        "spec": {
            "selector": selector, "template": template,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
            "revisionHistoryLimit": 10,
        },
        "status": status.without_nulls(),
    })
}

/// An autoscaler at rest. The usage is the mean of the catalogue.
fn autoscaler(w: &Workload) -> Value {
    let main: f64 = w.app.containers.iter().map(|c| c.profile.cpu).sum();
    let request: u32 = w.app.containers.iter().map(|c| c.requests.0).sum();
    let percent = (main / 1e6 / f64::from(request.max(1)) * 100.0) as u32;
    let milli = (main / 1e6) as u32;
    let at = w.created;
    json!({
        "metadata": metadata(w, w.app.name, &uid(hash(w.seed, 9)), w.created),
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": w.app.name, "apiVersion": "apps/v1"},
            "minReplicas": w.replicas,
            "maxReplicas": w.replicas * 3,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": w.app.autoscaled}}}],
        },
        "status": {
            "observedGeneration": 1,
            "lastScaleTime": at,
            "currentReplicas": w.replicas,
            "desiredReplicas": w.replicas,
            "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": percent, "averageValue": format!("{milli}m")}}}],
            "conditions": [
                {"type": "AbleToScale", "status": "True", "lastTransitionTime": at, "reason": "ReadyForNewScale", "message": "recommended size matches current size"},
                {"type": "ScalingActive", "status": "True", "lastTransitionTime": at, "reason": "ValidMetricFound", "message": "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)"},
                {"type": "ScalingLimited", "status": "True", "lastTransitionTime": at, "reason": "TooFewReplicas", "message": "the desired replica count is less than the minimum replica count"},
            ],
        },
    })
}
