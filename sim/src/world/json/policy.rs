//! The JSON of what limits namespaces and evictions: ResourceQuotas, LimitRanges and PodDisruptionBudgets.

use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use crate::world::catalog::{Kind, Role};
use crate::world::hash::{hash, stream, uid};
use crate::world::workload::Workload;

/// What the pods of a namespace request: millicores and MiB, each as requests and limits, and their number.
#[derive(Debug, Default)]
struct Use {
    requests: (u32, u32),
    limits: (u32, u32),
    pods: u32,
}

impl Use {
    fn of(workloads: &[&Workload]) -> Self {
        let mut all = Self::default();
        for w in workloads {
            all.pods += w.replicas;
            let containers = w.app.containers.iter();
            for c in containers.filter(|c| c.role != Role::Init) {
                all.requests.0 += w.replicas * c.requests.0;
                all.requests.1 += w.replicas * c.requests.1;
                all.limits.0 += w.replicas * c.limits.0;
                all.limits.1 += w.replicas * c.limits.1;
            }
        }
        all
    }
}

/// The quota of a namespace whose pods request something, and its use as the quota controller counts it.
pub(crate) fn quota(
    seed: u64,
    namespace: &str,
    workloads: &[&Workload],
    created: Timestamp,
) -> Option<Value> {
    let used = Use::of(workloads);
    if used.requests.0 == 0 || used.limits.1 == 0 {
        return None;
    }
    let seed = hash(seed, stream(namespace) ^ stream("quota"));
    // Between a comfortable and a tight limit.
    let parts = 60 + u32::try_from(seed % 38).unwrap_or(0);
    let hard = |used: u32| (used.saturating_mul(100) / parts).max(1);
    let amounts = |of: &dyn Fn(u32) -> u32| {
        json!({
            "requests.cpu": format!("{}m", of(used.requests.0)),
            "requests.memory": format!("{}Mi", of(used.requests.1)),
            "limits.memory": format!("{}Mi", of(used.limits.1)),
            "pods": of(used.pods).to_string(),
        })
    };
    let limit = amounts(&hard);
    Some(json!({
        "metadata": metadata("team", namespace, seed, created),
        "spec": {"hard": limit},
        "status": {"hard": limit, "used": amounts(&|used| used)},
    }))
}

/// What containers of a namespace request and may use if they do not say.
pub(crate) fn limit_range(seed: u64, namespace: &str, created: Timestamp) -> Value {
    let seed = hash(seed, stream(namespace) ^ stream("limits"));
    json!({
        "metadata": metadata("defaults", namespace, seed, created),
        "spec": {"limits": [{
            "type": "Container",
            "default": {"cpu": "1", "memory": "512Mi"},
            "defaultRequest": {"cpu": "50m", "memory": "64Mi"},
            "max": {"cpu": "8", "memory": "16Gi"},
        }]},
    })
}

/// The budget of a Deployment or StatefulSet with several pods: all but one stay.
pub(crate) fn budget(w: &Workload) -> Option<Value> {
    if w.app.kind == Kind::DaemonSet || w.replicas < 2 {
        return None;
    }
    let desired = w.replicas - 1;
    Some(json!({
        "metadata": metadata(w.app.name, &w.namespace, hash(w.seed, 8), w.created),
        "spec": {"minAvailable": desired, "selector": {"matchLabels": {"app": w.app.name}}},
        "status": {
            "observedGeneration": 1, "disruptionsAllowed": w.ready.saturating_sub(desired),
            "currentHealthy": w.ready, "desiredHealthy": desired, "expectedPods": w.replicas,
        },
    }))
}

fn metadata(name: &str, namespace: &str, seed: u64, created: Timestamp) -> Value {
    json!({
        "name": name, "namespace": namespace, "uid": uid(seed), "generation": 1, "creationTimestamp": created,
    })
}
