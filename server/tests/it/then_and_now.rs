//! Vitals of pods, nodes and the cluster: sums agree, and a request for a past time repeats the answers of that time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{NodeVitals, PodVitals, Workload};
use kubevitals_server::query::VitalsBuilder;
use kubevitals_server::work::Cancel;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Fault, Faults, SimClock};
use serde_json::{Value, json};

use crate::harness::{Harness, RESOLUTION, wait_until};
use crate::printed::is_as_printed;

const NODES: u64 = 3;

async fn cluster() -> Harness {
    let harness = Harness::start(Config {
        nodes: 3,
        pods_per_node: 12,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_795_241_000))),
        ..Config::default()
    })
    .await;
    harness.first_step(NODES).await;
    harness
}

/// Advances the time by a number of resolutions.
async fn pass(harness: &Harness, resolutions: u32) {
    for _ in 0..resolutions {
        let before = harness.scraped();
        harness.cluster.advance(RESOLUTION);
        wait_until("every node was scraped once more", async || {
            harness.scraped() >= before + NODES
        })
        .await;
    }
}

type Pods = BTreeMap<String, PodVitals>;

fn pods(builder: &mut VitalsBuilder) -> Pods {
    let all = Arc::clone(builder.pods());
    let built = all.values().map(|pod| {
        let name = format!("{}/{}", pod.key.namespace, pod.key.name);
        (name, builder.pod(pod))
    });
    built.collect()
}

fn nodes(builder: &mut VitalsBuilder) -> BTreeMap<String, NodeVitals> {
    let all = Arc::clone(builder.nodes());
    let built = all
        .values()
        .map(|node| (node.name.to_string(), builder.node(node)));
    built.collect()
}

fn quantity(value: &Value) -> Quantity {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_values_add_up() {
    let harness = cluster().await;
    pass(&harness, 4).await;
    let mut builder = harness.server.query().vitals().now();
    let (pods, nodes) = (pods(&mut builder), nodes(&mut builder));
    assert!(pods.len() >= 36, "{}", pods.len());

    // Usage is that of the Metrics API.
    let metrics = harness.json("/apis/metrics.k8s.io/v1beta1/pods").await;
    let mut compared = 0;
    for item in metrics["items"].as_array().unwrap() {
        let meta = &item["metadata"];
        let name = format!(
            "{}/{}",
            meta["namespace"].as_str().unwrap(),
            meta["name"].as_str().unwrap()
        );
        let vitals = &pods[&name];
        let mut cpu = Quantity::default();
        for container in item["containers"].as_array().unwrap() {
            let built = vitals
                .containers
                .iter()
                .find(|it| container["name"] == *it.name);
            let usage = built.unwrap().usage.as_ref().unwrap();
            assert_eq!(usage.cpu, quantity(&container["usage"]["cpu"]));
            assert_eq!(usage.memory, quantity(&container["usage"]["memory"]));
            cpu += usage.cpu;
            compared += 1;
        }
        assert_eq!(vitals.usage.as_ref().unwrap().cpu, cpu);
        assert_eq!(
            vitals
                .usage
                .as_ref()
                .unwrap()
                .timestamp
                .unwrap()
                .to_string(),
            item["timestamp"].as_str().unwrap()
        );
        assert!(vitals.absent.is_none());
    }
    assert!(compared >= 36, "{compared}");

    // The pods' requests add up to those of their nodes, and these to those of the cluster.
    let (mut of_all, mut count) = (Quantity::default(), 0);
    for (name, node) in &nodes {
        let of_node = pods.values().filter(|pod| pod.node_name == *name);
        let requested: Quantity = of_node.clone().filter_map(|pod| pod.requests.cpu).sum();
        assert_eq!(node.requests.cpu, Some(requested), "{name}");
        assert_eq!(node.pods.count, of_node.count() as u64);
        let share = requested.to_f64() / node.allocatable.cpu.unwrap().to_f64();
        assert!((node.ratios.cpu_requested.unwrap() - share).abs() < 1e-4);
        assert_eq!((node.status.as_str(), node.ready), ("Ready", true));
        of_all += requested;
        count += node.pods.count;
    }
    let cluster = builder.cluster();
    assert_eq!(cluster.requests.cpu, Some(of_all));
    assert_eq!(
        (cluster.pods.total, count),
        (pods.len() as u64, pods.len() as u64)
    );
    assert_eq!(
        (
            cluster.nodes.total,
            cluster.nodes.ready,
            cluster.nodes.reporting
        ),
        (NODES, NODES, NODES)
    );
    let cpu: Quantity = nodes
        .values()
        .map(|node| node.usage.as_ref().unwrap().cpu)
        .sum();
    assert_eq!(cluster.usage.unwrap().cpu, cpu);
    assert!(cluster.history.points > 0);

    // Owners are present.
    for pod in pods.values() {
        let Workload { kind, name } = pod.workload.as_ref().unwrap();
        let resource = match kind.as_str() {
            "Deployment" => Resource::Deployments,
            "StatefulSet" => Resource::StatefulSets,
            "DaemonSet" => Resource::DaemonSets,
            other => panic!("{other} {name}"),
        };
        let namespace = Some(pod.metadata.namespace.as_str());
        assert!(
            harness
                .cluster
                .store()
                .get(resource, namespace, name)
                .is_some(),
            "{kind} {name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_past_time_is_served_as_it_was() {
    let harness = cluster().await;
    pass(&harness, 4).await;
    harness.cluster.inject(Fault::CrashLoop);
    pass(&harness, 6).await;
    // The server has processed all earlier changes, and later ones have later times.
    is_as_printed(&harness).await;
    let at = harness.clock.now();
    let before = pods(&mut harness.server.query().vitals().now());
    let nodes_before = nodes(&mut harness.server.query().vitals().now());
    harness.cluster.advance(Duration::from_secs(1));

    for fault in [Fault::Rollout, Fault::LivenessFailure] {
        harness.cluster.inject(fault);
        pass(&harness, 8).await;
    }
    let now = pods(&mut harness.server.query().vitals().now());
    let gone: BTreeSet<&String> = before
        .keys()
        .filter(|name| !now.contains_key(*name))
        .collect();
    assert!(!gone.is_empty(), "a rollout takes pods away");

    let mut builder = harness.server.query().vitals().at(at, &Cancel::default());
    let then = pods(&mut builder);
    assert_eq!(Vec::from_iter(then.keys()), Vec::from_iter(before.keys()));
    let mut compared = 0;
    for (name, was) in &before {
        let built = &then[name];
        assert_eq!(built.metadata, was.metadata);
        assert_eq!(
            (&built.status, built.ready),
            (&was.status, was.ready),
            "{name}"
        );
        assert_eq!(built.restarts.count, was.restarts.count, "{name}");
        assert_eq!(built.incidents, was.incidents, "{name}");
        assert_eq!(built.node_name, was.node_name);
        let (Some(usage), Some(expected)) = (&built.usage, &was.usage) else {
            continue;
        };
        // Within the precision of the ring.
        let memory = usage.memory.to_f64() / expected.memory.to_f64();
        assert!((memory - 1.0).abs() <= 0.005, "{name}: {memory}");
        let cpu = usage.cpu.to_f64() / expected.cpu.to_f64();
        assert!((cpu - 1.0).abs() <= 0.006, "{name}: {cpu}");
        compared += 1;
    }
    assert!(compared >= 30, "{compared}");
    for (name, was) in &nodes_before {
        let built = &nodes(&mut harness.server.query().vitals().at(at, &Cancel::default()))[name];
        assert_eq!(
            (&built.status, built.ready),
            (&was.status, was.ready),
            "{name}"
        );
        assert_eq!(built.requests, was.requests, "{name}");
        assert!(built.usage.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trend_comes_with_the_object_on_request() {
    let harness = cluster().await;
    pass(&harness, 10).await;
    let mut builder = harness.server.query().vitals().now().with_trend(8);
    let cluster = builder.cluster().trend.unwrap();
    assert_eq!(cluster.cpu.iter().flatten().count(), 8);
    let mut sum = 0;
    for node in nodes(&mut builder).into_values() {
        let trend = node.trend.unwrap();
        assert_eq!((trend.cpu.len(), trend.memory.len()), (8, 8));
        assert_eq!(trend.step.0 as u128, RESOLUTION.as_nanos());
        sum += trend.cpu[3].unwrap();
    }
    assert_eq!(cluster.cpu[3], Some(sum));
    let built = pods(&mut builder);
    let whole = built.values().filter(|pod| {
        let trend = pod.trend.as_ref().unwrap();
        trend.cpu.iter().flatten().count() >= 7
    });
    assert!(whole.count() >= 30);
    assert!(
        harness
            .server
            .query()
            .vitals()
            .now()
            .cluster()
            .trend
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cronjob_is_the_workload_of_its_pods() {
    let harness = cluster().await;
    let owner = |kind: &str, name: &str| json!([{"apiVersion": "batch/v1", "kind": kind, "name": name, "uid": "1", "controller": true}]);
    let store = harness.cluster.store();
    store.apply(
        Resource::Jobs,
        json!({"metadata": {"namespace": "default", "name": "nightly-29", "ownerReferences": owner("CronJob", "nightly")}}),
    );
    for (pod, job) in [("nightly-29-x", "nightly-29"), ("once-x", "once")] {
        store.apply(
            Resource::Pods,
            json!({"metadata": {"namespace": "default", "name": pod, "ownerReferences": owner("Job", job)},
                "spec": {"containers": [{"name": "a"}]}, "status": {"phase": "Pending"}}),
        );
    }
    let made = |pod: &str| {
        let built = pods(&mut harness.server.query().vitals().now());
        built
            .get(&format!("default/{pod}"))
            .and_then(|pod| pod.workload.clone())
    };
    let workload = |kind: &str, name: &str| {
        Some(Workload {
            kind: kind.to_owned(),
            name: name.to_owned(),
        })
    };
    wait_until("both exist", async || {
        made("nightly-29-x") == workload("CronJob", "nightly")
            && made("once-x") == workload("Job", "once")
    })
    .await;
    let lonely = &pods(&mut harness.server.query().vitals().now())["default/once-x"];
    assert_eq!(lonely.absent.as_ref().unwrap().reason, "NoNode");
    // A Job is deleted before its pods.
    store.delete(Resource::Jobs, Some("default"), "nightly-29");
    let jobs = || harness.server.query().watches().jobs.lists();
    harness.cluster.api().expire_watches();
    let before = jobs();
    wait_until("the jobs are listed anew", async || jobs() > before).await;
    assert_eq!(made("nightly-29-x"), workload("CronJob", "nightly"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_sidecar_is_listed_in_a_pending_pod() {
    let harness = cluster().await;
    pass(&harness, 2).await;
    let store = harness.cluster.store();
    let built = pods(&mut harness.server.query().vitals().now());
    let (name, pod) = built
        .iter()
        .find(|(_, pod)| pod.containers.len() == 2 && pod.usage.is_some())
        .unwrap();
    let (namespace, pod_name) = name.split_once('/').unwrap();
    let object = store.get(Resource::Pods, Some(namespace), pod_name);
    let mut object = object.unwrap().to_value(Resource::Pods);
    object["status"]["phase"] = json!("Pending");
    store.apply(Resource::Pods, object.clone());
    let now = || pods(&mut harness.server.query().vitals().now())[name].clone();
    wait_until("it is pending", async || now().phase == "Pending").await;
    let built = now();
    assert_eq!(built.usage, pod.usage);
    assert!(built.absent.is_none());

    // When no container runs, the kubelet's last values are old.
    for list in ["containerStatuses", "initContainerStatuses"] {
        for status in object["status"][list].as_array_mut().into_iter().flatten() {
            status["state"] = json!({"waiting": {"reason": "PodInitializing"}});
        }
    }
    store.apply(Resource::Pods, object);
    wait_until("it says that it waits", async || now().absent.is_some()).await;
    let built = now();
    assert_eq!(built.absent.unwrap().reason, "Pending");
    assert!(built.usage.is_none());
}
