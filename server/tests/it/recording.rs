//! Six real minutes of a kubelet, replayed: no pod is missing that is whole, none is there that is not, and
//! every rate is that of the last two points the kubelet gave.

use std::collections::BTreeMap;

use kubevitals_proto::kubelet::resource::{Reading, ResourceScrape, decode};
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::{Config, Replay, SimClock, fixtures};
use serde_json::Value;

use crate::harness::{Harness, wait_until};

const STEPS: usize = 24;

/// A container's point, as a test reads it: time, nanoseconds of CPU, start.
type Point = (i64, u64, i64);

/// The points of each container of one run, oldest first, by pod and container.
#[derive(Default)]
struct History(BTreeMap<(String, String), Vec<Point>>);

impl History {
    /// Adds a page. Returns the complete pods in it.
    fn add(&mut self, page: &[u8]) -> BTreeMap<String, Vec<String>> {
        let mut scrape = ResourceScrape::default();
        decode(page, &mut scrape);
        let mut whole: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
        for (key, reading) in &scrape.containers {
            let containers = whole
                .entry(key.pod.to_string())
                .or_insert_with(|| Some(Vec::new()));
            let Some(point) = point(reading) else {
                *containers = None;
                continue;
            };
            if let Some(containers) = containers {
                containers.push(key.container.to_string());
            }
            let points = self
                .0
                .entry((key.pod.to_string(), key.container.to_string()))
                .or_default();
            if points.last().is_some_and(|last| last.2 != point.2) {
                points.clear();
            }
            if points.last().is_none_or(|last| last.0 < point.0) {
                points.push(point);
            }
        }
        whole
            .into_iter()
            .filter_map(|(pod, containers)| Some((pod, containers?)))
            .collect()
    }

    /// The rate of the last two points, in nanocores; nothing when there are no two, or when the container is so
    /// young that its start counts as the first.
    fn rate(&self, pod: &str, container: &str) -> Option<u64> {
        let points = self.0.get(&(pod.to_owned(), container.to_owned()))?;
        let [.., first, last] = points.as_slice() else {
            return None;
        };
        let young = (10_000_000_000..15_000_000_000).contains(&(last.0 - last.2));
        (!young).then_some(((last.1 - first.1) as f64 / ((last.0 - first.0) as f64 / 1e9)) as u64)
    }
}

fn point(reading: &Reading) -> Option<Point> {
    let cpu = reading.cpu_ns.filter(|cpu| *cpu > 0)?;
    reading.memory.filter(|memory| *memory > 0)?;
    Some((reading.at?.0, cpu, reading.start?))
}

fn nanocores(cpu: &Value) -> u64 {
    let quantity: kubevitals_proto::quantity::Quantity = cpu.as_str().unwrap().parse().unwrap();
    quantity.to_nanocores().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recording_replays_without_a_wrong_or_missing_pod() {
    let folder = fixtures().join("recording");
    let harness = Harness::start(Config {
        replay: Some(Replay::from_dir(&folder).unwrap()),
        clock: Some(SimClock::manual(Timestamp::from_secs(1_795_241_000))),
        ..Config::default()
    })
    .await;
    let mut history = History::default();
    let mut rates = 0;
    for step in 1..=STEPS {
        if step == 1 {
            harness.first_step(1).await
        } else {
            harness.step(1).await
        }
        let page = std::fs::read(folder.join(format!("{step:02}-metrics-resource.txt"))).unwrap();
        let whole = history.add(&page);
        // Pods in the page with two points, that the API server calls running.
        let expected: Vec<&String> = whole
            .iter()
            .filter(|(pod, containers)| {
                containers
                    .iter()
                    .all(|container| history.rate(pod, container).is_some())
                    && running(&folder, step, pod)
            })
            .map(|(pod, _)| pod)
            .collect();
        let mut served = Vec::new();
        wait_until("every whole pod is served", async || {
            served = harness.json("/apis/metrics.k8s.io/v1beta1/pods").await["items"]
                .as_array()
                .unwrap()
                .clone();
            expected
                .iter()
                .all(|pod| served.iter().any(|item| item["metadata"]["name"] == **pod))
        })
        .await;
        for pod in &served {
            let name = pod["metadata"]["name"].as_str().unwrap();
            let containers = whole
                .get(name)
                .unwrap_or_else(|| panic!("step {step}: {name} is served but not whole"));
            let names: Vec<_> = pod["containers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c["name"].as_str().unwrap())
                .collect();
            assert_eq!(&names, containers, "step {step}: {name}");
            for container in pod["containers"].as_array().unwrap() {
                let container_name = container["name"].as_str().unwrap();
                if let Some(rate) = history.rate(name, container_name) {
                    assert_eq!(
                        nanocores(&container["usage"]["cpu"]),
                        rate,
                        "step {step}: {name}/{container_name}"
                    );
                    rates += 1;
                }
            }
        }
    }
    assert!(rates > 200, "only {rates} rates were compared");
}

fn running(folder: &std::path::Path, step: usize, pod: &str) -> bool {
    let list: Value = serde_json::from_slice(
        &std::fs::read(folder.join(format!("{step:02}-pods.json"))).unwrap(),
    )
    .unwrap();
    let pods = list["items"].as_array().unwrap();
    pods.iter()
        .any(|item| item["metadata"]["name"] == pod && item["status"]["phase"] == "Running")
}
