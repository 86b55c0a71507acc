//! The history of the simulated cluster: past answers are repeated, sums agree with the kubelet's totals, and the top pods
//! equal the start of a sorted list.

use std::collections::BTreeMap;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals;
use kubevitals_server::query::{Aggregation, HistorySubject, Measure, Query, Steps, TopScope};
use kubevitals_server::store::history::Excerpt;
use kubevitals_server::store::ring::{Sample, Tick};
use kubevitals_server::work::Cancel;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Fault, Faults, SimClock};
use serde_json::Value;

use crate::harness::{Harness, RESOLUTION, wait_until};

const BASE: &str = "/apis/kubevitals.io/v1alpha1";
const NODES: u64 = 3;
const EPOCH: i64 = 1_800_000_000;
const MINUTE: i64 = 60_000_000_000;

async fn after(steps: u32) -> Harness {
    let harness = Harness::start(Config {
        nodes: 3,
        pods_per_node: 10,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(EPOCH))),
        ..Config::default()
    })
    .await;
    harness.first_step(NODES).await;
    for _ in 0..steps {
        harness.step(NODES).await;
    }
    harness
}

/// The last ten minutes in steps of a minute.
fn minutes(query: &Query) -> Steps {
    let now = query.wall();
    Steps::new(now.plus_nanos(-10 * MINUTE), now, MINUTE)
}

fn near(a: u64, b: u64, part: f64) -> bool {
    a.abs_diff(b) as f64 <= a.max(b) as f64 * part
}

/// CPU and memory of each pod from metrics.k8s.io.
async fn current_usage(harness: &Harness) -> BTreeMap<(String, String), (u64, u64)> {
    let list = harness.json("/apis/metrics.k8s.io/v1beta1/pods").await;
    let pods = list["items"].as_array().unwrap().iter();
    pods.map(|pod| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let containers = pod["containers"].as_array().unwrap().iter();
        let quantity = |value: &Value| {
            text(value)
                .parse::<kubevitals_proto::quantity::Quantity>()
                .unwrap()
        };
        let (mut cpu, mut memory) = (0, 0);
        for container in containers {
            cpu += quantity(&container["usage"]["cpu"]).to_nanocores().0;
            memory += quantity(&container["usage"]["memory"]).to_bytes().0;
        }
        let metadata = &pod["metadata"];
        (
            (text(&metadata["namespace"]), text(&metadata["name"])),
            (cpu, memory),
        )
    })
    .collect()
}

/// The usage of all containers at a time: the sum of the newest samples that are not newer.
fn past(query: &Query, at: Timestamp) -> BTreeMap<(String, String, String), Sample> {
    let mut excerpt = Excerpt::default();
    let mut found = BTreeMap::new();
    for (_, node) in query.history().store().nodes() {
        node.copy_at(&mut excerpt, |pod| pod.is_some(), Tick::nearest(at));
        for series in excerpt.series() {
            let (pod, container) = (series.pod.unwrap(), series.container.unwrap());
            let last = series.samples().take_while(|sample| sample.at <= at).last();
            let key = (&pod.key.namespace, &pod.key.name, container);
            let key = (key.0.to_string(), key.1.to_string(), key.2.to_string());
            found.extend(last.map(|sample| (key, sample)));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_has_the_values_that_were_served() {
    let harness = after(40).await;
    let (then, at) = (current_usage(&harness).await, harness.server.query().wall());
    for _ in 0..20 {
        harness.step(NODES).await;
    }
    let query = harness.server.query();
    let was = past(query, at);
    let mut sums: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for ((namespace, pod, _), sample) in was {
        let sum = sums.entry((namespace, pod)).or_default();
        sum.0 += sample.cpu.0;
        sum.1 += sample.memory.0;
    }
    assert_eq!(
        sums.keys().collect::<Vec<_>>(),
        then.keys().collect::<Vec<_>>()
    );
    for (pod, (cpu, memory)) in &then {
        let found = sums[pod];
        assert!(
            near(found.0, *cpu, 0.006) && near(found.1, *memory, 0.006),
            "{pod:?}: {found:?}"
        );
    }
    assert!(past(query, at.plus_nanos(-60 * MINUTE)).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sums_over_pods_agree_with_the_nodes() {
    let harness = after(48).await;
    let query = harness.server.query();
    let steps = minutes(query);
    let whole = |of| {
        query
            .history()
            .over(of, steps, Aggregation::Mean, None, &Cancel::default())
            .unwrap()
    };
    let total = |history: &vitals::History| -> Vec<vitals::Point> {
        assert_eq!(history.total.points.len(), 10);
        history
            .total
            .points
            .iter()
            .map(|point| point.unwrap())
            .collect()
    };
    let cluster = total(&whole(HistorySubject::Cluster));
    let pods = query.top().pods(
        Measure::Cpu,
        usize::MAX,
        &TopScope {
            namespace: None,
            filter: &|_| true,
            cancel: &Cancel::default(),
        },
    );
    assert_eq!(pods.len(), 30);
    let mut namespaces: Vec<&str> = pods.iter().map(|it| &*it.pod.key.namespace).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let mut by_namespace = [(0u64, 0u64); 10];
    for namespace in namespaces {
        let history = whole(HistorySubject::Namespace(namespace));
        let mut by_pod = [(0u64, 0u64); 10];
        for it in pods.iter().filter(|it| *it.pod.key.namespace == *namespace) {
            let (namespace, name) = (&*it.pod.key.namespace, &*it.pod.key.name);
            let pod = whole(HistorySubject::Pod { namespace, name });
            assert_eq!(
                pod.containers.len(),
                it.pod.containers.len()
                    - it.pod
                        .template
                        .containers
                        .iter()
                        .filter(|c| !c.role.stays())
                        .count()
            );
            for (sum, point) in by_pod.iter_mut().zip(total(&pod)) {
                *sum = (sum.0 + point.cpu, sum.1 + point.memory);
            }
        }
        for ((sum, point), all) in by_pod.iter().zip(total(&history)).zip(&mut by_namespace) {
            assert_eq!(*sum, (point.cpu, point.memory), "{namespace}");
            *all = (all.0 + sum.0, all.1 + sum.1);
        }
    }
    // The simulated node uses as much as its pods, and a part for itself.
    for (point, (cpu, memory)) in cluster.iter().zip(by_namespace) {
        assert!(
            cpu < point.cpu + point.cpu / 20 && memory < point.memory,
            "{point:?}: {cpu} {memory}"
        );
        assert!(cpu > point.cpu / 4, "{point:?}: {cpu}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quantiles_and_maxima_have_the_same_points() {
    let harness = after(40).await;
    let query = harness.server.query();
    let top = query.top().pods(
        Measure::Memory,
        1,
        &TopScope {
            namespace: None,
            filter: &|pod| pod.owner.is_some(),
            cancel: &Cancel::default(),
        },
    );
    let pod = &top[0].pod;
    let (namespace, name) = (&*pod.key.namespace, &*pod.key.name);
    let steps = minutes(query);
    let history = query
        .history()
        .over(
            HistorySubject::Pod { namespace, name },
            steps,
            Aggregation::Mean,
            None,
            &Cancel::default(),
        )
        .unwrap();
    let quantiles = history.total.memory.unwrap();
    assert!(quantiles.p50 <= quantiles.p99 && quantiles.p99 <= quantiles.max);
    let largest = query
        .history()
        .over(
            HistorySubject::Pod { namespace, name },
            steps,
            Aggregation::Max,
            None,
            &Cancel::default(),
        )
        .unwrap();
    let most = largest
        .total
        .points
        .iter()
        .flatten()
        .map(|point| point.memory)
        .max();
    assert!(
        near(most.unwrap(), quantiles.max, 0.02),
        "{most:?} {quantiles:?}"
    );
    let workload = pod.owner.as_ref().unwrap();
    assert!(
        query
            .history()
            .over(
                HistorySubject::Workload {
                    namespace,
                    kind: &workload.kind,
                    name: "none"
                },
                steps,
                Aggregation::Mean,
                None,
                &Cancel::default(),
            )
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sorted_lists_start_with_the_largest_pods() {
    let harness = after(20).await;
    let query = harness.server.query();
    let all = current_usage(&harness).await;
    let everyone = TopScope {
        namespace: None,
        filter: &|_| true,
        cancel: &Cancel::default(),
    };
    let named = |ranked: &[kubevitals_server::query::RankedPod]| -> Vec<(String, String)> {
        ranked
            .iter()
            .map(|it| {
                (
                    it.pod.key.namespace.to_string(),
                    it.pod.key.name.to_string(),
                )
            })
            .collect()
    };
    let mut sorted: Vec<_> = all.iter().collect();
    sorted.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
    let expected: Vec<_> = sorted.iter().take(7).map(|it| it.0.clone()).collect();
    assert_eq!(
        named(&query.top().pods(Measure::Cpu, 7, &everyone)),
        expected
    );
    sorted.sort_by(|a, b| b.1.1.cmp(&a.1.1).then(a.0.cmp(b.0)));
    let expected: Vec<_> = sorted.iter().take(7).map(|it| it.0.clone()).collect();
    assert_eq!(
        named(&query.top().pods(Measure::Memory, 7, &everyone)),
        expected
    );
    // By usage relative to the limit: only pods with a limit.
    let top_pods = |measure| query.top().pods(measure, usize::MAX, &everyone);
    for measure in [
        Measure::CpuOfRequest,
        Measure::MemoryOfRequest,
        Measure::CpuOfLimit,
        Measure::MemoryOfLimit,
    ] {
        let ranked = top_pods(measure);
        assert!(!ranked.is_empty(), "{measure:?}");
        assert!(ranked.is_sorted_by(|a, b| a.value >= b.value));
        for it in &ranked {
            let (cpu, memory) = all[&(
                it.pod.key.namespace.to_string(),
                it.pod.key.name.to_string(),
            )];
            let (requests, bound) = (it.pod.template.requests(), it.pod.template.bound());
            let value = match measure {
                Measure::CpuOfRequest => cpu as f64 / requests.cpu.unwrap().0 as f64,
                Measure::CpuOfLimit => cpu as f64 / bound.cpu.unwrap().0 as f64,
                Measure::MemoryOfRequest => memory as f64 / requests.memory.unwrap().0 as f64,
                _ => memory as f64 / bound.memory.unwrap().0 as f64,
            };
            assert!((it.value / value - 1.0).abs() < 1e-9, "{measure:?} {it:?}");
        }
    }
    // A namespace and a filter leave out the others.
    let one = &query.top().pods(Measure::Cpu, 1, &everyone)[0].pod;
    let others = TopScope {
        namespace: Some(&one.key.namespace),
        filter: &|pod| pod.uid != one.uid,
        cancel: &Cancel::default(),
    };
    for it in query.top().pods(Measure::Cpu, 50, &others) {
        assert!(it.pod.key.namespace == one.key.namespace && it.pod.uid != one.uid);
    }
    assert_eq!(query.top().pods(Measure::Restarts, 4, &everyone).len(), 4);
    assert!(query.top().pods(Measure::Cpu, 0, &everyone).is_empty());
    // The largest growth, according to the history of each pod.
    let span = RESOLUTION * 12;
    let grown = query
        .top()
        .pods(Measure::MemoryGrowth(span), usize::MAX, &everyone);
    assert_eq!(grown.len(), all.len());
    let then = query
        .wall()
        .plus_nanos(-i64::try_from(span.as_nanos()).unwrap());
    let was = past(query, then);
    for it in &grown {
        let key = &it.pod.key;
        let its = was
            .iter()
            .filter(|((namespace, pod, _), _)| *namespace == *key.namespace && *pod == *key.name);
        let before: u64 = its.map(|(_, sample)| sample.memory.0).sum();
        let now = all[&(
            it.pod.key.namespace.to_string(),
            it.pod.key.name.to_string(),
        )]
            .1;
        assert!(
            (it.value - (now as f64 - before as f64)).abs() < 1.0,
            "{it:?}: {before} {now}"
        );
    }
}

/// The history of one object over the last ten minutes.
async fn history_of(harness: &Harness, path: &str) -> vitals::History {
    let history = harness
        .json(&format!("{BASE}/{path}/history?since=10m"))
        .await;
    serde_json::from_value(history).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statistics_are_those_of_the_history() {
    let harness = after(50).await;
    harness.server.query().detector().detect();
    let list = harness.json(&format!("{BASE}/podvitals?stats=10m")).await;
    let pods: Vec<vitals::PodVitals> = serde_json::from_value(list["items"].clone()).unwrap();
    assert_eq!(pods.len(), 30);
    for pod in &pods {
        let (namespace, name) = (&pod.metadata.namespace, &pod.metadata.name);
        let history = history_of(
            &harness,
            &format!("namespaces/{namespace}/podvitals/{name}"),
        )
        .await;
        let total = pod.stats.as_ref().unwrap();
        assert_eq!(Some(total.cpu), history.total.cpu, "{name}");
        assert_eq!(Some(total.memory), history.total.memory, "{name}");
        assert_eq!(total.samples, history.total.samples, "{name}");
        for container in &history.containers {
            let its = pod.containers.iter().find(|it| it.name == container.name);
            let its = its.unwrap().stats.as_ref().unwrap();
            assert_eq!(Some(its.cpu), container.cpu, "{name}");
            assert_eq!(Some(its.memory), container.memory, "{name}");
            assert_eq!(its.samples, container.samples, "{name}");
            assert!(
                (540..=600).contains(&(its.covered.0 / 1_000_000_000)),
                "{its:?}"
            );
            let quarters = its.memory_quarters.iter().map(|it| it.max).max();
            assert!(
                quarters.is_none_or(|most| most == its.memory.max),
                "{its:?}"
            );
        }
    }
    let list = harness.json(&format!("{BASE}/nodevitals?stats=10m")).await;
    let nodes: Vec<vitals::NodeVitals> = serde_json::from_value(list["items"].clone()).unwrap();
    for node in &nodes {
        let history = history_of(&harness, &format!("nodevitals/{}", node.metadata.name)).await;
        let stats = node.stats.as_ref().unwrap();
        assert_eq!(
            (Some(stats.cpu), Some(stats.memory), stats.samples),
            (
                history.total.cpu,
                history.total.memory,
                history.total.samples
            )
        );
    }
    let path = format!("{BASE}/nodevitals/{}?stats=10m", nodes[0].metadata.name);
    let one: vitals::NodeVitals = serde_json::from_value(harness.json(&path).await).unwrap();
    assert_eq!(one.stats, nodes[0].stats);
    // Only as much as is stored, and nothing unless it is requested.
    let path = format!("{BASE}/nodevitals/{}?stats=8760h", nodes[0].metadata.name);
    let all: vitals::NodeVitals = serde_json::from_value(harness.json(&path).await).unwrap();
    assert!(all.stats.unwrap().samples >= stats_samples(&one));
    let none = harness.json(&format!("{BASE}/nodevitals")).await;
    assert_eq!(none["items"][0]["stats"], Value::Null);
    for path in [
        "incidents?stats=1h",
        "podvitals?stats=soon",
        "podvitals?watch=true&stats=1h",
    ] {
        let (status, _) = harness.get(&format!("{BASE}/{path}")).await;
        assert_eq!(status, 400, "{path}");
    }
}

fn stats_samples(node: &vitals::NodeVitals) -> u64 {
    node.stats.as_ref().unwrap().samples
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statistics_count_restarts_and_oom_kills_of_the_span() {
    let harness = after(4).await;
    assert!(harness.cluster.inject(Fault::OomKill));
    let killed = async |span: &str| -> u64 {
        harness.server.query().detector().detect();
        let list = harness
            .json(&format!("{BASE}/podvitals?stats={span}"))
            .await;
        let pods: Vec<vitals::PodVitals> = serde_json::from_value(list["items"].clone()).unwrap();
        let stats = pods.iter().flat_map(|pod| &pod.containers);
        let stats = stats.filter_map(|container| container.stats.as_ref());
        stats
            .inspect(|stats| assert!(stats.oom_kills <= stats.restarts))
            .map(|stats| stats.oom_kills)
            .sum()
    };
    assert_eq!(killed("1h").await, 0);
    for _ in 0..40 {
        harness.step(NODES).await;
    }
    wait_until("the kill is counted", async || killed("1h").await > 0).await;
    for _ in 0..60 {
        harness.step(NODES).await;
    }
    assert_eq!(killed("1m").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_pods_are_listed_with_their_statistics() {
    let harness = after(20).await;
    let store = harness.cluster.store();
    let all = store.snapshot(Resource::Pods);
    let (key, _) = all.range(None, None).next().unwrap();
    let (namespace, name) = key.split_once('/').unwrap();
    store.delete(Resource::Pods, Some(namespace), name);
    let path = format!("{BASE}/namespaces/{namespace}/podvitals?deleted=true&stats=1h");
    let find = async || -> Option<vitals::PodVitals> {
        let list = harness.json(&path).await;
        let pods: Vec<vitals::PodVitals> = serde_json::from_value(list["items"].clone()).unwrap();
        pods.into_iter().find(|pod| pod.metadata.name == name)
    };
    wait_until("the pod is deleted", async || {
        find().await.is_some_and(|pod| pod.deleted_at.is_some())
    })
    .await;
    let pod = find().await.unwrap();
    assert!(pod.stats.unwrap().samples >= 10);
    assert!(
        pod.containers
            .iter()
            .all(|container| container.stats.is_some())
    );
    // Without the parameter it is not listed, and no other pod has the time.
    harness.server.query().detector().detect();
    let list = harness.json(&format!("{BASE}/podvitals")).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 29);
    let list = harness
        .json(&format!("{BASE}/podvitals?deleted=true"))
        .await;
    let items = list["items"].as_array().unwrap();
    let deleted = items.iter().filter(|pod| !pod["deletedAt"].is_null());
    assert_eq!((items.len(), deleted.count()), (30, 1));
    assert_eq!(list["metadata"]["resourceVersion"], Value::Null);
}
