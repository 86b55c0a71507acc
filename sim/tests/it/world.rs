//! What there is in a simulated cluster, and what it uses.

use std::collections::BTreeMap;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, Faults, SimClock};
use serde_json::Value;

use crate::client::get;
use crate::pages::{Page, Point, family, parse, point};

pub(crate) const START: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(crate) async fn start(nodes: u32, pods: u32, seed: u64, faults: Faults) -> Cluster {
    Cluster::start(Config {
        nodes,
        pods_per_node: pods,
        seed,
        faults,
        clock: Some(SimClock::manual(START)),
        ..Config::default()
    })
    .await
    .unwrap()
}

pub(crate) fn all(cluster: &Cluster, resource: Resource) -> Vec<Value> {
    let snapshot = cluster.store().snapshot(resource);
    snapshot
        .range(None, None)
        .map(|(_, o)| o.to_value(resource))
        .collect()
}

/// Everything in the store except the port and the versions.
fn objects(cluster: &Cluster) -> Vec<Value> {
    let kinds = [
        Resource::Nodes,
        Resource::Pods,
        Resource::Namespaces,
        Resource::Events,
        Resource::Deployments,
        Resource::ReplicaSets,
        Resource::StatefulSets,
        Resource::DaemonSets,
        Resource::HorizontalPodAutoscalers,
    ];
    let mut objects: Vec<Value> = kinds.iter().flat_map(|k| all(cluster, *k)).collect();
    for o in &mut objects {
        o["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("resourceVersion");
        if let Some(endpoint) = o.pointer_mut("/status/daemonEndpoints") {
            *endpoint = Value::Null;
        }
    }
    objects
}

#[tokio::test]
async fn the_same_seed_gives_the_same_cluster_to_the_byte() {
    let mut clusters = Vec::new();
    for seed in [7, 7, 8] {
        let cluster = start(3, 12, seed, Faults::Scheduled).await;
        for _ in 0..80 {
            cluster.advance(Duration::from_secs(15));
        }
        let page = get(&cluster, "node-0002", "/metrics/resource")
            .await
            .unwrap();
        clusters.push((objects(&cluster), page.body, cluster.injected_faults()));
    }
    let [one, same, other] = clusters.try_into().unwrap();
    assert_eq!(one.2, same.2);
    assert_eq!(one.1, same.1);
    for (a, b) in one.0.iter().zip(&same.0) {
        assert_eq!(a, b);
    }
    assert_eq!(one.0.len(), same.0.len());
    assert_ne!(one.1, other.1);
}

#[tokio::test]
async fn every_node_has_exactly_its_pods_and_all_use_something() {
    for (nodes, pods) in [(1, 1), (3, 5), (4, 30), (2, 110)] {
        let cluster = start(nodes, pods, 1, Faults::None).await;
        for node in cluster.node_names() {
            let got = get(&cluster, &node, "/metrics/resource").await.unwrap();
            let page = parse(got.text());
            for name in [
                "pod_cpu_usage_seconds_total",
                "pod_memory_working_set_bytes",
            ] {
                let values: Vec<f64> = family(&page, name).map(|(_, p)| p.value).collect();
                assert_eq!(values.len(), pods as usize);
                assert!(values.iter().all(|v| *v > 0.0));
            }
            for name in [
                "container_cpu_usage_seconds_total",
                "container_memory_working_set_bytes",
                "node_cpu_usage_seconds_total",
            ] {
                assert!(family(&page, name).all(|(_, p)| p.value > 0.0));
            }
        }
        let running = all(&cluster, Resource::Pods);
        assert_eq!(running.len(), (nodes * pods) as usize);
        assert!(running.iter().all(|p| p["status"]["phase"] == "Running"));
    }
}

#[tokio::test]
async fn thirty_pods_have_about_forty_five_containers() {
    let cluster = start(8, 30, 3, Faults::None).await;
    let mut containers = 0;
    for node in cluster.node_names() {
        let got = get(&cluster, &node, "/metrics/resource").await.unwrap();
        containers += family(&parse(got.text()), "container_cpu_usage_seconds_total").count();
    }
    assert!((40 * 8..=50 * 8).contains(&containers), "{containers}");
}

/// The pods' uids by the labels of their series: a pod may be made again under its name, and counts from zero then.
fn uids(cluster: &Cluster) -> BTreeMap<String, Value> {
    let pods = all(cluster, Resource::Pods).into_iter();
    pods.map(|p| {
        let m = &p["metadata"];
        let labels = format!("namespace={},pod={}", m["namespace"], m["name"]);
        (labels, m["uid"].clone())
    })
    .collect()
}

type Snapshot = (Page, BTreeMap<String, Value>);

/// What must hold between one page of a node and the next.
fn compare((before, old_uids): &Snapshot, (now, new_uids): &Snapshot) {
    let same_incarnation = |labels: &str| {
        let start =
            |page| point(page, "container_start_time_seconds", labels).map(|p: Point| p.value);
        start(before) == start(now)
    };
    for name in [
        "container_cpu_usage_seconds_total",
        "pod_cpu_usage_seconds_total",
        "node_cpu_usage_seconds_total",
    ] {
        for (labels, new) in family(now, name) {
            let Some(old) = point(before, name, labels) else {
                continue;
            };
            if name.starts_with("container") && !same_incarnation(labels) {
                assert!(new.value < old.value || new.at > old.at);
                continue;
            }
            if name.starts_with("pod") && old_uids.get(labels) != new_uids.get(labels) {
                continue;
            }
            assert!(
                new.at >= old.at && new.value >= old.value,
                "{name}{{{labels}: {old:?} {new:?}"
            );
            if new.at == old.at {
                assert_eq!(new, old, "a sample does not change");
            }
        }
    }
    let sum: f64 = family(now, "pod_memory_working_set_bytes")
        .map(|(_, p)| p.value)
        .sum();
    let node = point(now, "node_memory_working_set_bytes", "")
        .unwrap()
        .value;
    assert!(
        node > sum * 0.9,
        "a node uses what its pods use, and more: {node} {sum}"
    );
}

#[tokio::test]
async fn counters_only_start_again_when_containers_do() {
    for seed in 1..=3 {
        follow(start(2, 12, seed, Faults::Scheduled).await).await;
    }
}

/// Looks at every node every seven seconds for half an hour and more, and compares.
async fn follow(cluster: Cluster) {
    let mut before: BTreeMap<String, Snapshot> = BTreeMap::new();
    for _ in 0..300 {
        cluster.advance(Duration::from_secs(7));
        for node in cluster.node_names() {
            let answer = get(&cluster, &node, "/metrics/resource");
            // A node that is lost does not answer.
            let Ok(got) = tokio::time::timeout(Duration::from_millis(100), answer).await else {
                continue;
            };
            let snapshot = (parse(got.unwrap().text()), uids(&cluster));
            if let Some(before) = before.get(&node) {
                compare(before, &snapshot);
            }
            before.insert(node, snapshot);
        }
    }
}

#[tokio::test]
async fn cgroups_are_sampled_every_ten_to_thirty_seconds_each_on_its_own_clock() {
    let cluster = start(1, 20, 2, Faults::None).await;
    let mut samples: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for _ in 0..300 {
        cluster.advance(Duration::from_secs(1));
        let got = get(&cluster, "node-0001", "/metrics/resource")
            .await
            .unwrap();
        for (labels, p) in family(&parse(got.text()), "container_memory_working_set_bytes") {
            let seen = samples.entry(labels.to_owned()).or_default();
            if seen.last() != p.at.as_ref() {
                seen.push(p.at.unwrap());
            }
        }
    }
    for (labels, seen) in &samples {
        for pair in seen.windows(2) {
            assert!(
                (10_000..=30_000).contains(&(pair[1] - pair[0])),
                "{labels}: {pair:?}"
            );
        }
    }
    let firsts: std::collections::BTreeSet<i64> = samples.values().map(|s| s[1]).collect();
    assert_eq!(firsts.len(), samples.len(), "no two at the same time");
}

#[tokio::test]
async fn rates_stay_within_cpu_limits_and_memory_within_memory_limits() {
    let cluster = start(2, 30, 9, Faults::None).await;
    let limits: BTreeMap<String, (f64, f64)> = all(&cluster, Resource::Pods)
        .iter()
        .flat_map(|pod| {
            let containers = pod["spec"]["containers"].as_array().unwrap().clone();
            let (ns, name) = (
                pod["metadata"]["namespace"].clone(),
                pod["metadata"]["name"].clone(),
            );
            containers.into_iter().map(move |c| {
                let quantity = |key: &str| {
                    let text = c["resources"]["limits"][key]
                        .as_str()
                        .unwrap_or("1000000Gi");
                    let quantity: kubevitals_proto::quantity::Quantity = text.parse().unwrap();
                    quantity.milli_value() as f64 / 1e3
                };
                let labels = format!("container={},namespace={ns},pod={name}", c["name"]);
                (labels, (quantity("cpu"), quantity("memory")))
            })
        })
        .collect();
    let mut last: BTreeMap<(String, String), Point> = BTreeMap::new();
    for _ in 0..120 {
        cluster.advance(Duration::from_secs(60));
        for node in cluster.node_names() {
            let got = get(&cluster, &node, "/metrics/resource").await.unwrap();
            let page = parse(got.text());
            for (labels, p) in family(&page, "container_cpu_usage_seconds_total") {
                let Some((cpu, memory)) = limits.get(labels) else {
                    continue;
                };
                let used = point(&page, "container_memory_working_set_bytes", labels)
                    .unwrap()
                    .value;
                assert!(used < *memory, "{labels}");
                if let Some(old) = last.insert((node.clone(), labels.to_owned()), p) {
                    let seconds = (p.at.unwrap() - old.at.unwrap()) as f64 / 1e3;
                    let rate = (p.value - old.value) / seconds;
                    assert!(rate > 0.0 && rate <= *cpu, "{labels}: {rate} of {cpu}");
                }
            }
        }
    }
}

#[tokio::test]
async fn objects_are_what_kubernetes_client_libraries_expect() {
    use k8s_openapi::api::{
        apps::v1 as apps, autoscaling::v2 as hpa, coordination::v1 as leases, core::v1 as core,
    };
    fn check<T: serde::de::DeserializeOwned>(
        cluster: &Cluster,
        resource: Resource,
        at_least: usize,
    ) {
        let objects = all(cluster, resource);
        assert!(objects.len() >= at_least, "{resource:?}: {}", objects.len());
        for object in objects {
            serde_json::from_value::<T>(object.clone()).unwrap_or_else(|e| panic!("{e}: {object}"));
        }
    }
    let cluster = start(4, 30, 1, Faults::Scheduled).await;
    for _ in 0..120 {
        cluster.advance(Duration::from_secs(15));
    }
    check::<core::Node>(&cluster, Resource::Nodes, 4);
    check::<core::Pod>(&cluster, Resource::Pods, 120);
    check::<core::Namespace>(&cluster, Resource::Namespaces, 6);
    check::<core::Event>(&cluster, Resource::Events, 20);
    check::<apps::Deployment>(&cluster, Resource::Deployments, 8);
    check::<apps::ReplicaSet>(&cluster, Resource::ReplicaSets, 8);
    check::<apps::StatefulSet>(&cluster, Resource::StatefulSets, 2);
    check::<apps::DaemonSet>(&cluster, Resource::DaemonSets, 3);
    check::<hpa::HorizontalPodAutoscaler>(&cluster, Resource::HorizontalPodAutoscalers, 2);
    check::<leases::Lease>(&cluster, Resource::Leases, 4);
}
