//! A tenant who may write Events in one namespace cannot change the health of another.

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Faults, SimClock};
use serde_json::json;

use super::incidents;
use crate::harness::{Harness, wait_until};

/// Events about pods that do not exist.
const NOBODY: u64 = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_events_change_no_health() {
    let start = Timestamp::from_secs(1_800_000_000);
    let harness = Harness::start(Config {
        nodes: 1,
        pods_per_node: 8,
        faults: Faults::None,
        clock: Some(SimClock::manual(start)),
        ..Config::default()
    })
    .await;
    harness.first_step(1).await;
    let store = harness.cluster.store();
    let now = start.to_rfc3339_seconds();
    let event = |name: &str, involved: serde_json::Value, component: &str| {
        json!({
            "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}")},
            "involvedObject": involved, "type": "Warning", "reason": "Unhealthy",
            "message": "Liveness probe failed: FORGED", "count": 1000, "firstTimestamp": now, "lastTimestamp": now,
            "source": {"component": component}, "reportingComponent": component,
        })
    };
    let pods = harness.server.query().vitals().now().pods().clone();
    for (n, (key, pod)) in pods.iter().enumerate() {
        for (spec, _) in pod.containers() {
            let involved = |namespace: &str, name: &str| {
                json!({"kind": "Pod", "namespace": namespace, "name": name, "uid": pod.uid.to_string(),
                    "fieldPath": format!("spec.containers{{{}}}", spec.name)})
            };
            // With the UID of a pod of another namespace, and from a component that is no kubelet.
            for (how, namespace, name, component) in [
                ("elsewhere", "default", "anything", "kubelet"),
                ("namesake", "default", &*key.name, "kubelet"),
                ("tenant", &*key.namespace, &*key.name, "tenant"),
            ] {
                let mut forged = event(
                    &format!("{how}-{n}-{}", spec.name),
                    involved(namespace, name),
                    component,
                );
                forged["metadata"]["namespace"] = namespace.into();
                store.apply(Resource::Events, forged);
            }
        }
    }
    for n in 0..NOBODY {
        let name = format!("nobody-{n}");
        let involved = json!({"kind": "Pod", "namespace": "default", "name": name, "uid": name});
        store.apply(Resource::Events, event(&name, involved, "kubelet"));
    }
    let metrics = || harness.server.query().health().metrics();
    wait_until("the server has received all Events", async || {
        metrics().unmatched_events + metrics().dropped_events >= NOBODY
    })
    .await;
    let metrics = metrics();
    assert!(metrics.unmatched_events <= 512, "{metrics:?}");
    assert_eq!((metrics.pods, metrics.dropped_pods), (0, 0), "{metrics:?}");
    assert!(metrics.refused_events >= pods.len() as u64, "{metrics:?}");
    assert!(incidents(&harness).is_empty());
}
