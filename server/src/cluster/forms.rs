//! Tests that JSON and protobuf give the same object.

use std::fmt::Debug;

use kubevitals_proto::objects::{Item, Message, Pools, WireEvent, WireJob, WireNode, WirePod};
use kubevitals_sim::objects::{Resource, encode_protobuf};
use kubevitals_sim::{Cluster, Config};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Asserts that the object is converted alike from JSON and from protobuf. Returns whether it is converted at all.
fn assert_alike<K: Item, Object: PartialEq + Debug>(
    kind: &str,
    object: &Value,
    convert: impl Fn(K, &Pools) -> Option<Object>,
) -> bool {
    let pools = Pools::default();
    let json: K = serde_json::from_value(object.clone()).unwrap();
    let protobuf = K::decode(&encode_protobuf(kind, object)).unwrap();
    let versions = [&json, &protobuf].map(|it| it.metadata().resource_version.clone());
    assert_eq!(versions[0], versions[1]);
    let json = convert(json, &pools);
    assert_eq!(json, convert(protobuf, &pools), "{object}");
    json.is_some()
}

fn is_alike(resource: Resource, object: &Value) {
    match resource {
        Resource::Pods => assert!(assert_alike("Pod", object, WirePod::convert)),
        Resource::Nodes => assert!(assert_alike("Node", object, WireNode::convert)),
        Resource::Events => {
            let convert = |event: WireEvent, pools: &Pools| event.convert(&pools.names);
            assert_alike("Event", object, convert);
        }
        _ => {
            assert_alike("PartialObjectMetadata", object, WireJob::convert);
        }
    }
}

#[test]
fn every_object_that_was_captured_is_read_alike() {
    let mut read = 0;
    for step in 1..=24 {
        for (what, resource) in [("pods", Resource::Pods), ("events", Resource::Events)] {
            let file = format!("recording/{step:02}-{what}.json");
            let text = std::fs::read(kubevitals_sim::fixtures().join(file)).unwrap();
            let list: Value = serde_json::from_slice(&text).unwrap();
            for object in list["items"].as_array().unwrap() {
                is_alike(resource, object);
                read += 1;
            }
        }
    }
    assert!(read > 1000, "{read}");
}

#[tokio::test]
async fn every_object_of_a_simulated_cluster_is_read_alike() {
    let cluster = Cluster::start(Config {
        nodes: 4,
        pods_per_node: 30,
        ..Config::default()
    })
    .await
    .unwrap();
    let mut read = 0;
    for resource in [
        Resource::Pods,
        Resource::Nodes,
        Resource::Events,
        Resource::Jobs,
    ] {
        let objects = cluster.store().snapshot(resource);
        for (_, object) in objects.range(None, None) {
            is_alike(resource, &object.to_value(resource));
            read += 1;
        }
    }
    assert!(read >= 124, "{read}");
}

/// A time in JSON. Protobuf has whole seconds of it.
fn time() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        (0_i64..4_000_000_000).prop_map(|seconds| {
            let time = kubevitals_proto::time::Timestamp::from_secs(seconds);
            Value::from(time.to_rfc3339_seconds())
        }),
    ]
}

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(Value::from("")),
        Just(Value::from("Always")),
        "[a-zä ./-]{1,12}".prop_map(Value::from),
    ]
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i32>().prop_map(Value::from),
        (1..100).prop_map(Value::from)
    ]
}

fn amounts() -> impl Strategy<Value = Value> {
    let amount = || {
        prop_oneof![
            Just("0"),
            Just("250m"),
            Just("1"),
            Just("128Mi"),
            Just("1e9")
        ]
    };
    (amount(), amount(), any::<bool>()).prop_map(|(cpu, memory, both)| match both {
        true => json!({"cpu": cpu, "memory": memory, "ephemeral-storage": cpu, "pods": "110", "gpu": "1"}),
        false => json!({"memory": memory}),
    })
}

fn probe() -> impl Strategy<Value = Value> {
    let port = prop_oneof![(1..65536).prop_map(Value::from), Just(Value::from("web"))];
    let handler = (0..5, port, text()).prop_map(|(kind, port, text)| match kind {
        0 => json!({"exec": {"command": ["sh", "-c", text.as_str().unwrap_or_default()]}}),
        1 => json!({"httpGet": {"port": port, "path": text, "scheme": "HTTPS", "host": text}}),
        2 => json!({"tcpSocket": {"port": port, "host": text}}),
        3 => json!({"grpc": {"port": port.as_i64().unwrap_or(1), "service": text}}),
        _ => json!({}),
    });
    (handler, number(), number()).prop_map(|(mut probe, one, other)| {
        probe["periodSeconds"] = one.clone();
        probe["initialDelaySeconds"] = other.clone();
        probe["failureThreshold"] = other;
        probe["timeoutSeconds"] = one;
        probe
    })
}

fn container() -> impl Strategy<Value = Value> {
    let all = (
        "[a-c]",
        text(),
        amounts(),
        amounts(),
        probe(),
        any::<bool>(),
    );
    all.prop_map(|(name, policy, requests, limits, probe, probed)| {
        let mut container = json!({
            "name": name, "image": "registry/image", "restartPolicy": policy,
            "resources": {"requests": requests, "limits": limits}, "env": [{"name": "A", "value": "b"}],
        });
        if probed {
            container["livenessProbe"] = probe.clone();
            container["startupProbe"] = probe;
        }
        container
    })
}

fn status() -> impl Strategy<Value = Value> {
    let ended = || {
        (number(), number(), text(), time()).prop_map(|(code, signal, text, time)| {
        json!({"terminated": {"exitCode": code, "signal": signal, "reason": text, "message": text, "finishedAt": time}})
    })
    };
    let state = || {
        prop_oneof![
            Just(json!({})),
            time().prop_map(|time| json!({"running": {"startedAt": time}})),
            text().prop_map(|text| json!({"waiting": {"reason": text, "message": "…"}})),
            ended(),
        ]
    };
    let all = ("[a-c]", any::<bool>(), 0..100, state(), state());
    all.prop_map(|(name, ready, restarts, state, last)| {
        json!({"name": name, "ready": ready, "started": ready, "restartCount": restarts, "state": state, "lastState": last})
    })
}

fn pod() -> impl Strategy<Value = Value> {
    let lists = (
        prop::collection::vec(container(), 0..4),
        prop::collection::vec(container(), 0..3),
        prop::collection::vec(status(), 0..4),
        prop::collection::vec(status(), 0..3),
    );
    (lists, time(), text(), text(), amounts()).prop_map(
        |((apps, inits, statuses, init_statuses), time, one, other, amounts)| {
            json!({
                "metadata": {
                    "namespace": "shop", "name": "web-1", "uid": "dbe5842e-0978-4422-a9fa-8026a53c65dd",
                    "resourceVersion": "7", "creationTimestamp": time, "deletionTimestamp": time,
                    "labels": {"app": "web", "tier": "ä"}, "annotations": {"a": "b"},
                    "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "uid": "1", "controller": true}],
                    "managedFields": [{"manager": "m", "operation": "Update", "time": time, "fieldsV1": {"f:spec": {}}}],
                },
                "spec": {
                    "nodeName": one, "containers": apps, "initContainers": inits, "restartPolicy": "Never",
                    "overhead": amounts, "resources": {"limits": amounts},
                    "volumes": [{"name": "v", "secret": {"secretName": "s"}}],
                },
                "status": {
                    "phase": "Running", "startTime": time, "reason": one, "message": other,
                    "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": time},
                        {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": other}],
                    "containerStatuses": statuses, "initContainerStatuses": init_statuses,
                },
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_pod_is_read_alike(pod in pod()) {
        is_alike(Resource::Pods, &pod);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _read = WirePod::decode(&bytes);
        let _read = WireNode::decode(&bytes);
        let _read = WireEvent::decode(&bytes);
    }
}

#[test]
fn a_node_and_an_event_are_read_alike_with_all_that_is_used() {
    is_alike(
        Resource::Nodes,
        &json!({
            "metadata": {"name": "n", "uid": "1", "labels": {"zone": "a"}, "creationTimestamp": "2026-11-21T05:00:00Z",
                "annotations": {"x": "y", "metrics.k8s.io/resource-metrics-path": "/other"}},
            "spec": {"unschedulable": true, "taints": [{"key": "k", "effect": "NoSchedule"}]},
            "status": {
                "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": "n"}],
                "conditions": [
                    {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "m",
                        "lastHeartbeatTime": "2026-11-21T05:00:00Z", "lastTransitionTime": "2026-11-21T05:00:01Z"},
                    {"type": "DiskPressure", "status": "True", "lastTransitionTime": "2026-11-21T05:00:02Z"}],
                "capacity": {"cpu": "8", "memory": "1Ki", "pods": "110"}, "allocatable": {"cpu": "7920m", "pods": "100"},
                "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}}, "nodeInfo": {"kubeletVersion": "v1.36.0"},
            },
        }),
    );
    is_alike(
        Resource::Events,
        &json!({
            "metadata": {"name": "web-1.18e9", "namespace": "shop", "uid": "df4c2ad8-919c-4785-8f67-13638239f208"},
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1", "fieldPath": "spec.containers{web}",
                "uid": "dbe5842e-0978-4422-a9fa-8026a53c65dd"},
            "type": "Warning", "reason": "Unhealthy", "message": "failed", "count": 4,
            "firstTimestamp": null, "lastTimestamp": null, "eventTime": "2026-11-21T05:00:00.123456Z",
            "series": {"count": 7, "lastObservedTime": "2026-11-21T05:01:00.654321Z"},
            "reportingComponent": "kubelet", "source": {"component": "kubelet", "host": "n1"},
        }),
    );
}
