//! The cluster that the peer was asked about: a kubelet whose counters lead to the captured answers.

use std::fmt::Write as _;

use kubevitals_proto::metrics::{NodeMetricsList, PodMetricsList};
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Replay, SimClock};
use serde_json::Value;

use super::captured;
use crate::harness::Harness;

/// The begin and the end of a window: counter and time.
struct Window {
    cpu_seconds: [String; 2],
    at: [i64; 2],
    start_seconds: String,
}

const SECOND: i64 = 1_000_000_000;

impl Window {
    /// Two readings with the rate `rate` in nanocores over a window of `window` nanoseconds that ends in the second `end`. A
    /// window that is not a whole number of milliseconds begins with the container.
    fn new(rate: u64, window: i64, end: i64) -> Self {
        let from_start = window % 1_000_000 != 0;
        let base: u64 = if from_start { 0 } else { 1_000_000_000 };
        let seconds = (window / SECOND) as f64 + (window % SECOND) as f64 / 1e9;
        let least = (rate as f64 * seconds).ceil() as u64;
        // The kubelet prints seconds and the reader truncates them to nanoseconds: find a value that is exact after both and
        // gives the rate.
        let spent = (least..least + 1000)
            .find(|spent| (*spent as f64 / seconds) as u64 == rate && survives(base + spent))
            .expect("a counter for this rate");
        let at = if from_start {
            end_after_start(window, end)
        } else {
            end
        };
        Self {
            cpu_seconds: [printed(base), printed(base + spent)],
            at: [at - window, at],
            start_seconds: if from_start {
                format!("{:e}", (at - window) as f64 / 1e9)
            } else {
                "1000000".to_owned()
            },
        }
    }
}

fn printed(nanoseconds: u64) -> String {
    format!(
        "{}.{:09}",
        nanoseconds / 1_000_000_000,
        nanoseconds % 1_000_000_000
    )
}

fn survives(nanoseconds: u64) -> bool {
    (printed(nanoseconds).parse::<f64>().unwrap() * 1e9) as u64 == nanoseconds
}

/// A time within the second `end`, in whole milliseconds, that is exactly `window` nanoseconds after a start time in
/// floating-point seconds.
fn end_after_start(window: i64, end: i64) -> i64 {
    (0..1000)
        .map(|millisecond| end + millisecond * 1_000_000)
        .find(|at| ((at - window) as f64 / 1e9 * 1e9) as i64 == at - window)
        .expect("a millisecond at which the float is exact")
}

/// Two scrapes of a kubelet that lead to the captured answers.
fn scrapes() -> [String; 2] {
    let nodes: NodeMetricsList = serde_json::from_str(&captured("nodes_json.body")).unwrap();
    let pods: PodMetricsList = serde_json::from_str(&captured("pods_json.body")).unwrap();
    let mut pages = [String::new(), String::new()];
    let mut write = |prefix: &str, labels: &str, window: &Window, memory: i128| {
        for (turn, page) in pages.iter_mut().enumerate() {
            let (cpu, at) = (&window.cpu_seconds[turn], window.at[turn] / 1_000_000);
            // A container that starts with the window has no earlier reading.
            if turn == 0 && window.cpu_seconds[0].starts_with("0.000000000") {
                continue;
            }
            writeln!(page, "{prefix}_cpu_usage_seconds_total{labels} {cpu} {at}").unwrap();
            writeln!(
                page,
                "{prefix}_memory_working_set_bytes{labels} {memory} {at}"
            )
            .unwrap();
            if prefix == "container" {
                writeln!(
                    page,
                    "container_start_time_seconds{labels} {}",
                    window.start_seconds
                )
                .unwrap();
            }
        }
    };
    let rate = |cpu: &Value| {
        let text = cpu.as_str().unwrap();
        text.strip_suffix('n').map_or_else(
            || text.parse().unwrap(),
            |nano| nano.parse::<u64>().unwrap(),
        )
    };
    let bytes = |memory: &Value| {
        memory
            .as_str()
            .unwrap()
            .strip_suffix("Ki")
            .unwrap()
            .parse::<i128>()
            .unwrap()
            * 1024
    };
    for node in nodes.items {
        let usage = serde_json::to_value(&node.usage).unwrap();
        let window = Window::new(rate(&usage["cpu"]), node.window.0, node.timestamp.0);
        write("node", "", &window, bytes(&usage["memory"]));
    }
    for pod in pods.items {
        for container in &pod.containers {
            let usage = serde_json::to_value(&container.usage).unwrap();
            let labels = format!(
                "{{container=\"{}\",namespace=\"{}\",pod=\"{}\"}}",
                container.name, pod.metadata.namespace, pod.metadata.name
            );
            let window = Window::new(rate(&usage["cpu"]), pod.window.0, pod.timestamp.0);
            write("container", &labels, &window, bytes(&usage["memory"]));
        }
    }
    pages
}

/// The cluster that the peer was asked about.
pub(super) async fn peers_cluster() -> Harness {
    let folder = tempfile::tempdir().unwrap();
    let pods = captured("pods-of-the-cluster.json");
    for (page, number) in scrapes().iter().zip(["01", "02"]) {
        std::fs::write(
            folder.path().join(format!("{number}-metrics-resource.txt")),
            page,
        )
        .unwrap();
        std::fs::write(folder.path().join(format!("{number}-pods.json")), &pods).unwrap();
    }
    let harness = Harness::start(Config {
        replay: Some(Replay::from_dir(folder.path()).unwrap()),
        clock: Some(SimClock::manual(Timestamp::from_secs(1_795_238_000))),
        ..Config::default()
    })
    .await;
    let mut node = harness.cluster_object(Resource::Nodes, None, "lab");
    node["metadata"]["labels"] = serde_json::from_str::<Value>(&captured("node_get.body")).unwrap()
        ["metadata"]["labels"]
        .clone();
    harness.cluster.store().apply(Resource::Nodes, node);
    harness.first_step(1).await;
    harness.step(1).await;
    harness.labels_seen("lab", "beta.kubernetes.io/os").await;
    harness
}
