//! A kubelet that does everything it can to a small server for ten minutes: memory stays bounded, and what is said of
//! the other nodes, now and in the past, is what a server says that has no such kubelet.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Faults, Forged, SimClock};
use serde_json::Value;
use tikv_jemalloc_ctl::{epoch, stats};

use crate::harness::{Harness, RESOLUTION, wait_until};

const NODES: usize = 3;
const PODS_PER_NODE: usize = 4;
const EPOCH: i64 = 1_800_000_000;

/// Ten minutes.
const TURNS: usize = 40;

/// The most that server, simulation and test together may have allocated at any moment: a server whose memory is limited
/// to 256 MiB.
const MEMORY: u64 = 256 << 20;

/// Of which history: so little that one node could fill it.
const HISTORY: usize = 8 << 20;

const RESOURCE: &str = "/metrics/resource";
const PROBES: &str = "/metrics/probes";
const SUMMARY: &str = "/stats/summary";

async fn start() -> Harness {
    let config = Config {
        nodes: NODES as u32,
        pods_per_node: PODS_PER_NODE as u32,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(EPOCH))),
        ..Config::default()
    };
    let harness = Harness::start_with(config, |settings| {
        settings.history.memory_limit = HISTORY;
        // A kubelet that drips is given up after this; the others answer sooner on any machine.
        settings.scrape.timeout = Duration::from_secs(20);
    })
    .await;
    harness.first_step(NODES as u64).await;
    harness
}

/// Scrapes of a node that are over.
fn scrapes(harness: &Harness, node: &str) -> u64 {
    let records = harness.server.query().records();
    let record = records.iter().find(|(name, _)| **name == *node);
    record.map_or(0, |(_, record)| {
        record.read(|history| history.durations.count())
    })
}

/// Moves the clock one resolution on, and waits until each of these nodes was scraped once more.
async fn step(harness: &Harness, nodes: &[String]) {
    let before: Vec<u64> = nodes.iter().map(|node| scrapes(harness, node)).collect();
    harness.clock.advance(RESOLUTION);
    wait_until("the honest nodes were scraped", async || {
        let now = nodes.iter().map(|node| scrapes(harness, node));
        now.zip(&before).all(|(now, before)| now > *before)
    })
    .await;
}

/// What is answered about the pods and nodes of these nodes, by name.
async fn usage(harness: &Harness, nodes: &[String]) -> BTreeMap<String, Value> {
    let pods = on(harness, nodes);
    let mut usage = BTreeMap::new();
    for (resource, selected) in [("pods", &pods), ("nodes", &nodes.to_vec())] {
        let list = harness
            .json(&format!("/apis/metrics.k8s.io/v1beta1/{resource}"))
            .await;
        for item in list["items"].as_array().unwrap() {
            let name = item["metadata"]["name"].as_str().unwrap();
            if selected.iter().any(|selected| selected == name) {
                let values = [
                    &item["timestamp"],
                    &item["window"],
                    &item["usage"],
                    &item["containers"],
                ];
                let values = values.map(Value::clone).to_vec();
                usage.insert(format!("{resource}/{name}"), Value::Array(values));
            }
        }
    }
    assert_eq!(usage.len(), pods.len() + nodes.len());
    usage
}

/// The names of the pods on these nodes.
fn on(harness: &Harness, nodes: &[String]) -> Vec<String> {
    placed(harness, nodes)
        .into_iter()
        .map(|(_, name)| name)
        .collect()
}

/// Their namespaces and names.
fn placed(harness: &Harness, nodes: &[String]) -> Vec<(String, String)> {
    let pods = harness.cluster.store().snapshot(Resource::Pods);
    pods.range(None, None)
        .map(|(_, pod)| pod.meta())
        .filter(|pod| {
            nodes
                .iter()
                .any(|node| pod.field("spec.nodeName") == Some(node))
        })
        .map(|pod| {
            (
                pod.namespace.as_deref().unwrap_or_default().to_owned(),
                pod.name.to_string(),
            )
        })
        .collect()
}

/// Lines for a container, with as much CPU as a thousand cores use.
fn container(out: &mut String, (namespace, pod, name): (&str, &str, &str), seconds: i64, now: i64) {
    let labels = format!("{{container=\"{name}\",namespace=\"{namespace}\",pod=\"{pod}\"}}");
    let cpu = (seconds - EPOCH + 60) * 1000;
    let _ = writeln!(
        out,
        "container_cpu_usage_seconds_total{labels} {cpu} {now}000"
    );
    let _ = writeln!(
        out,
        "container_memory_working_set_bytes{labels} 1.23e+11 {now}000"
    );
    let _ = writeln!(out, "container_start_time_seconds{labels} {}", EPOCH - 1000);
}

/// As much text as `each` makes of numbers from zero on.
fn text(count: usize, each: impl Fn(&mut String, usize)) -> Forged {
    let mut out = String::new();
    (0..count).for_each(|n| each(&mut out, n));
    Forged::Body(Bytes::from(out))
}

fn json(body: String) -> Forged {
    Forged::Body(Bytes::from(body))
}

fn bomb(piece: &[u8], times: usize) -> Forged {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..times {
        gzip.write_all(piece).unwrap();
    }
    Forged::Typed {
        kind: "application/octet-stream",
        encoding: Some("gzip"),
        body: Bytes::from(gzip.finish().unwrap()),
    }
}

/// What the hostile kubelet says at its pages in this turn. `others` are pods of other nodes.
fn attack(
    turn: usize,
    now: i64,
    own: &[(String, String)],
    others: &[(String, String)],
) -> [Forged; 3] {
    let piece = Bytes::from(vec![b'x'; 1 << 20]);
    let (namespace, pod) = &own[0];
    let own = (namespace.as_str(), pod.as_str());
    let long = "n".repeat(860);
    let elements = |element: &str, count: usize| vec![element; count].join(",");
    // What it does most of the time: short answers that are legal, with ever new names.
    let new_pods = text(9_900, |out, n| {
        container(out, ("shop", &format!("ghost-{turn}-{n}"), "c"), now, now);
    });
    let probes = text(26_000, |out, n| {
        let _ = writeln!(
            out,
            "prober_probe_total{{container=\"c\",namespace=\"shop\",pod=\"ghost-{turn}-{n}\",pod_uid=\"{turn}-{n}\",probe_type=\"Liveness\",result=\"failed\"}} 9"
        );
    });
    let pods = |count: usize| json(format!(r#"{{"pods":[{}]}}"#, elements("{}", count)));
    match turn {
        // Other nodes' pods, with a thousand cores each.
        0..=5 => [
            text(others.len(), |out, n| {
                container(out, (&others[n].0, &others[n].1, "main"), now, now);
                container(out, (&others[n].0, &others[n].1, "another"), now, now);
            }),
            probes,
            pods(4_000_000),
        ],
        6 => [
            Forged::Endless(piece.clone()),
            Forged::Endless(piece.clone()),
            Forged::Endless(piece),
        ],
        7 => [
            bomb(&piece, 512),
            bomb(&piece, 512),
            bomb(b"{\"pods\":[{},{},{},", 1 << 22),
        ],
        // Names that are too long, then ever new ones, of pods and of containers.
        8..=9 => [
            text(9_900, |out, n| {
                container(out, ("shop", &format!("{long}{turn}{n}"), "c"), now, now)
            }),
            probes,
            json(format!(
                r#"{{"pods":[{{"podRef":{{"name":"{}"}}}}]}}"#,
                "n".repeat(8 << 20)
            )),
        ],
        10..=19 => [new_pods, probes, pods(9_999)],
        20..=27 => [
            text(9_900, |out, n| {
                container(out, (own.0, own.1, &format!("c-{turn}-{n}")), now, now);
            }),
            probes,
            json(format!(
                r#"{{"pods":[{{"containers":[{}],"volume":[{}]}}]}}"#,
                elements("{}", 500_000),
                elements("{}", 500_000)
            )),
        ],
        28 => [
            text(20_000, |out, n| {
                container(out, ("shop", &format!("p{n}"), "c"), now, now)
            }),
            text(100_000, |out, n| {
                let _ = writeln!(out, "prober_probe_total{{pod=\"{n}\"}} 1");
            }),
            json(format!("{}{}", r#"{"pods":"#, "[".repeat(4 << 20))),
        ],
        // The same series again and again, many labels, and lines that are none.
        29 => [
            text(50_000, |out, n| {
                container(out, (own.0, own.1, "main"), now, now - (n % 7) as i64)
            }),
            text(1, |out, _| {
                let labels: Vec<String> = (0..200_000).map(|n| format!("l{n}=\"v\"")).collect();
                let _ = writeln!(out, "prober_probe_total{{{}}} 1", labels.join(","));
            }),
            json(elements("{\"pods\":null}", 100_000)),
        ],
        30 => [
            Forged::Typed {
                kind: "text/html",
                encoding: None,
                body: Bytes::from_static(b"<html><body>login</body></html>"),
            },
            Forged::Typed {
                kind: "image/png",
                encoding: Some("br"),
                body: Bytes::from_static(&[0xff; 4096]),
            },
            Forged::Typed {
                kind: "application/json",
                encoding: Some("gzip"),
                body: Bytes::from_static(b"no gzip at all"),
            },
        ],
        31 => [
            Forged::Drip(piece.clone()),
            Forged::Drip(piece.clone()),
            Forged::Drip(piece),
        ],
        // Times past and to come, of its own and of other nodes' pods.
        32..=39 => [
            text(others.len() + 1, |out, n| {
                let (namespace, pod) = others.get(n).map_or(own, |it| (&it.0, &it.1));
                let days = [-3650, 3650, -1, 1, 0][turn % 5];
                container(out, (namespace, pod, "main"), now, now + days * 86_400);
            }),
            probes,
            pods(1),
        ],
        _ => [new_pods, probes, pods(1_000_000)],
    }
}

/// The most that was allocated while it is looked at.
fn watched() -> (Arc<AtomicBool>, Arc<AtomicU64>, std::thread::JoinHandle<()>) {
    let (over, most) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let (ends, seen) = (Arc::clone(&over), Arc::clone(&most));
    let thread = std::thread::spawn(move || {
        while !ends.load(Ordering::Relaxed) {
            seen.fetch_max(allocated(), Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    (over, most, thread)
}

/// What the whole process has allocated now.
fn allocated() -> u64 {
    epoch::advance().unwrap();
    stats::allocated::read().unwrap() as u64
}

async fn history(harness: &Harness, (namespace, pod): &(String, String)) -> Value {
    let path = format!(
        "/apis/kubevitals.io/v1alpha1/namespaces/{namespace}/podvitals/{pod}/history?since=-10m"
    );
    let mut history = harness.json(&path).await;
    // By the moment that it was asked for.
    history["metadata"] = Value::Null;
    history
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_minutes_of_a_hostile_kubelet_affect_only_its_node() {
    // The same cluster twice; in one of them a kubelet turns hostile.
    let (calm, harness) = (start().await, start().await);
    let nodes = harness.cluster.node_names();
    assert_eq!(nodes, calm.cluster.node_names());
    let (hostile, honest) = nodes.split_first().unwrap();
    for _ in 0..4 {
        step(&calm, &nodes).await;
        step(&harness, &nodes).await;
    }
    let own = placed(&harness, std::slice::from_ref(hostile));
    let others = placed(&harness, honest);
    assert!(!own.is_empty() && others.len() > PODS_PER_NODE);
    let (over, most, watching) = watched();
    let (mut reasons, mut pages) = (BTreeMap::new(), BTreeMap::new());
    for turn in 0..TURNS {
        let now = harness.clock.now().as_secs() + RESOLUTION.as_secs().cast_signed();
        let [resource, probes, summary] = attack(turn, now, &own, &others);
        harness.cluster.forge(hostile, RESOURCE, resource);
        harness.cluster.forge(hostile, PROBES, probes);
        harness.cluster.forge(hostile, SUMMARY, summary);
        // A kubelet that fails is asked at every second turn: what it says is waited for.
        let before = scrapes(&harness, hostile);
        while scrapes(&harness, hostile) == before {
            step(&calm, &nodes).await;
            step(&harness, honest).await;
            let (here, there) = (usage(&harness, honest).await, usage(&calm, honest).await);
            assert_eq!(here, there, "turn {turn}");
            wait_until("the hostile node's turn is over", async || {
                let targets = harness.server.query().targets();
                let target = targets.iter().find(|target| target.node == *hostile);
                target.is_some_and(|target| target.next_scrape.is_some())
            })
            .await;
        }
        let counted = harness.server.query().scrapes();
        reasons = counted.failed;
        for (page, counts) in &counted.pages {
            pages.insert(page.to_owned(), counts.failed.clone());
        }
        let counts = harness.server.query().history().store().totals();
        assert!(
            counts.bytes <= HISTORY + HISTORY / 8,
            "turn {turn}: {counts:?}"
        );
    }
    over.store(true, Ordering::Relaxed);
    watching.join().unwrap();
    let most = most.load(Ordering::Relaxed);
    assert!(most < MEMORY, "{} MiB were allocated", most >> 20);
    for reason in ["too_large", "too_many_series", "not_metrics", "timeout"] {
        assert!(
            reasons.keys().any(|it| *it == reason),
            "{reason} of {reasons:?}"
        );
    }
    assert!(
        pages["summary"].contains_key("too_many_series"),
        "{pages:?}"
    );
    // What is remembered of the others is what it is where nobody was hostile, that of the pods it lied about included.
    for pod in &others {
        assert_eq!(
            history(&harness, pod).await,
            history(&calm, pod).await,
            "{pod:?}"
        );
    }
    // And its own are right again once it is.
    for page in [RESOURCE, PROBES, SUMMARY] {
        harness.cluster.unforge(hostile, page);
    }
    let own_pods: Vec<String> = own.iter().map(|(_, name)| name.clone()).collect();
    wait_until("the hostile node's usage are right again", async || {
        harness.clock.advance(RESOLUTION);
        calm.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let list = harness.json("/apis/metrics.k8s.io/v1beta1/pods").await;
        let items = list["items"].as_array().unwrap();
        let right = |name: &String| {
            items.iter().any(|item| {
                item["metadata"]["name"] == **name
                    && item["containers"].as_array().unwrap().len() < 10
                    && !item.to_string().contains("1.23e+11")
            })
        };
        own_pods.iter().all(right)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_summary_of_too_many_elements_fails_for_its_node_alone() {
    let harness = start().await;
    let nodes = harness.cluster.node_names();
    let (hostile, honest) = nodes.split_first().unwrap();
    let many = |element: &str| vec![element; 300_000].join(",");
    let query = harness.server.query();
    let refused = || {
        let pages = &query.scrapes().pages["summary"];
        pages
            .failed
            .get("too_many_series")
            .copied()
            .unwrap_or_default()
    };
    for body in [
        format!(r#"{{"pods":[{}]}}"#, many("{}")),
        format!(r#"{{"pods":[{}]}}"#, many("[]")),
        format!(
            r#"{{"node":{{}},"pods":[{}]}}"#,
            many(r#"{"podRef":{"name":"a","namespace":"b"}}"#)
        ),
    ] {
        let before = refused();
        harness.cluster.forge(hostile, SUMMARY, json(body));
        wait_until("the page is refused", async || {
            step(&harness, &nodes).await;
            refused() > before
        })
        .await;
    }
    assert!(query.extra(hostile).is_none());
    wait_until("the others tell of their disks", async || {
        step(&harness, &nodes).await;
        honest.iter().all(|node| query.extra(node).is_some())
    })
    .await;
    // Its other pages are not concerned.
    let list = harness.json("/apis/metrics.k8s.io/v1beta1/nodes").await;
    assert_eq!(list["items"].as_array().unwrap().len(), NODES);
}
