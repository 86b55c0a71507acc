//! The simulation with all its faults, kubelets killed and healed, the API server cut off and back, a token
//! rotated, watches expired: nothing panics, memory levels off, and every pod that has whole data is answered
//! within two resolutions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Faults, Kill, SimClock};

use crate::harness::{Harness, PATIENCE, RESOLUTION};

const NODES: u32 = 6;
const PODS_PER_NODE: u32 = 8;
/// Forty minutes.
const STEPS: u32 = 160;

const KILLS: [Kill; 9] = [
    Kill::Refuse,
    Kill::Status(500),
    Kill::Html,
    Kill::Reset,
    Kill::HalfBody,
    Kill::BadNumbers,
    Kill::Status(401),
    Kill::ScrapeError,
    Kill::InvalidUtf8,
];

/// One container in one pods at a kubelet: its timestamp and its start.
type Seen = (i64, i64);

/// The whole pods of one pods: each container's point.
type Pods = BTreeMap<String, BTreeMap<String, Seen>>;

/// A second client of the kubelets, which sees what the server could have seen.
struct Witness {
    client: reqwest::Client,
    pages: Vec<Pods>,
}

impl Witness {
    fn new() -> Self {
        let client = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            // A node that is down says nothing; then nothing is expected of it either.
            .timeout(Duration::from_millis(500))
            .build()
            .unwrap();
        Self {
            client,
            pages: Vec::new(),
        }
    }

    async fn record(&mut self, harness: &Harness) {
        let token = std::fs::read_to_string(harness.cluster.kubelet_token_path()).unwrap();
        let nodes = harness.cluster.node_names();
        let pages = nodes.iter().map(|name| {
            let node = harness.cluster_object(Resource::Nodes, None, name);
            let address = node["status"]["addresses"][0]["address"].as_str().unwrap();
            let port = harness.cluster.kubelet_port();
            let url = format!("https://{address}:{port}/metrics/resource");
            let request = self.client.get(url).bearer_auth(token.trim());
            async { request.send().await.ok()?.bytes().await.ok() }
        });
        let pages = futures::future::join_all(pages).await;
        self.pages.push(
            pages
                .iter()
                .flatten()
                .flat_map(|page| whole_pods(page))
                .collect(),
        );
    }

    /// Pods whole in the last three pages, which span two resolutions, in one life of each container, with a
    /// new point in each.
    fn answerable(&self) -> BTreeSet<String> {
        let [.., first, second, third] = self.pages.as_slice() else {
            return BTreeSet::new();
        };
        third
            .iter()
            .filter(|(pod, containers)| {
                containers.iter().all(|(name, (at, start))| {
                    let before = |pods: &Pods| {
                        pods.get(*pod)
                            .and_then(|containers| containers.get(name).copied())
                    };
                    match (before(first), before(second)) {
                        (Some(first), Some(second)) => {
                            first.1 == *start && second.1 == *start && first.0 < *at
                        }
                        _ => false,
                    }
                })
            })
            .map(|(pod, _)| pod.clone())
            .collect()
    }
}

/// The whole pods of a page; none where the page itself is in doubt.
fn whole_pods(page: &[u8]) -> Pods {
    let mut scrape = ResourceScrape::default();
    decode(page, &mut scrape);
    if scrape.scrape_error || scrape.skipped_lines > 0 {
        return Pods::new();
    }
    let (mut pods, mut broken) = (Pods::new(), BTreeSet::new());
    for (key, reading) in &scrape.containers {
        let whole = reading.cpu_ns.is_some_and(|cpu| cpu > 0)
            && reading.memory.is_some_and(|memory| memory > 0);
        match (whole, reading.at, reading.start) {
            (true, Some(at), Some(start)) => {
                let containers = pods.entry(key.pod.to_string()).or_default();
                containers.insert(key.container.to_string(), (at.0, start));
            }
            _ => {
                broken.insert(key.pod);
            }
        }
    }
    pods.retain(|pod, _| !broken.contains(pod.as_str()));
    pods
}

/// Pods that the API server calls running.
fn running(harness: &Harness) -> BTreeSet<String> {
    let pods = harness.cluster.store().snapshot(Resource::Pods);
    pods.range(None, None)
        .filter(|(_, pod)| pod.meta().field("status.phase") == Some("Running"))
        .map(|(_, pod)| pod.meta().name.to_string())
        .collect()
}

/// This process's resident memory: server, cluster and witness together.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// Waits until the server answers all of these pods.
///
/// # Panics
/// When it does not within a minute: with the pods that are missing, and what the server knows of its scrapes.
async fn every_one_is_answered(harness: &Harness, step: u32, expected: &BTreeSet<String>) {
    let began = Instant::now();
    loop {
        let answered = harness.pods().await;
        let missing: Vec<&String> = expected.difference(&answered).collect();
        if missing.is_empty() {
            return;
        }
        if began.elapsed() > PATIENCE {
            let targets = harness.json("/debug/targets").await;
            panic!("step {step}: not answered: {missing:?}; targets: {targets:#}");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_minutes_of_every_fault() {
    let config = Config {
        nodes: NODES,
        pods_per_node: PODS_PER_NODE,
        seed: 7,
        faults: Faults::Scheduled,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    };
    let harness = Harness::start_with(config, |settings| {
        settings.scrape.timeout = Duration::from_secs(1)
    })
    .await;
    harness.first_step(u64::from(NODES)).await;
    let nodes = harness.cluster.node_names();
    let mut witness = Witness::new();
    let (mut running_before, mut halfway, mut answered) = (BTreeSet::new(), 0, 0);
    for step in 0..STEPS {
        let node = &nodes[(step / 8) as usize % nodes.len()];
        match step % 8 {
            2 => {
                harness
                    .cluster
                    .kill_kubelet(node, KILLS[(step / 8) as usize % KILLS.len()]);
            }
            6 => {
                harness.cluster.heal_kubelet(node);
            }
            _ => {}
        }
        match step {
            50 | 120 => harness.cluster.cut_api(true),
            53 | 124 => harness.cluster.cut_api(false),
            // The watches go on with the old one until their client reads it again.
            140 => harness.cluster.rotate_token().unwrap(),
            90 => harness.cluster.store().expire_watches(),
            _ => {}
        }
        harness.clock.advance(RESOLUTION);
        witness.record(&harness).await;
        // A kubelet that hangs does so in real time: the simulated one waits for it.
        harness.due_scrapes().await;
        let running_now = running(&harness);
        let cut = (50..53).contains(&step) || (120..124).contains(&step);
        if !cut {
            let expected: BTreeSet<String> = witness
                .answerable()
                .into_iter()
                .filter(|pod| running_before.contains(pod) && running_now.contains(pod))
                .collect();
            every_one_is_answered(&harness, step, &expected).await;
            harness.no_absurd_rates().await;
            answered += expected.len();
        }
        running_before = running_now;
        if step == STEPS / 2 {
            halfway = resident();
        }
    }
    let most = (STEPS * NODES * PODS_PER_NODE) as usize;
    assert!(
        answered > most / 2,
        "only {answered} of at most {most} answers were expected: the faults are too many"
    );
    let end = resident();
    assert!(
        end < halfway + halfway / 4,
        "{halfway} KiB halfway, {end} KiB at the end"
    );
}
