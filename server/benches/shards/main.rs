//! Several shards on one simulated cluster, each a process of its own: what each costs, and what clients see while one is
//! killed, started again and added, under a load of lists.
//!
//! `make bench-shards NODES=1000 SHARDS=1,2,4` builds the programs and runs it. The table is Markdown, for
//! docs/scaling.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a benchmark is a program for its author: it stops where it fails, and prints"
)]

#[path = "../cluster/process.rs"]
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use kubevitals_sim::identity::{Rule, SERVER_ACCOUNT, Subject};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, Faults};
use parking_lot::Mutex;
use serde_json::{Value, json};

use process::Running;

const SET: &str = "vitals-server";
const NODES_PATH: &str = "/apis/metrics.k8s.io/v1beta1/nodes";
const PODS_PATH: &str = "/apis/metrics.k8s.io/v1beta1/pods";

/// Measures shards on a simulated cluster.
#[derive(Debug, Parser)]
struct Arguments {
    /// Nodes.
    #[arg(long, default_value_t = 1000)]
    nodes: u32,
    /// Pods on each node.
    #[arg(long, default_value_t = 30)]
    pods: u32,
    /// Shards; of several numbers, one fleet after another.
    #[arg(long, value_delimiter = ',', default_value = "1,2,4")]
    shards: Vec<u32>,
    /// Seconds of each phase.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// `cargo bench` adds this.
    #[arg(long, hide = true)]
    bench: bool,
}

struct Shard {
    process: Running,
    port: u16,
}

struct Fleet {
    cluster: Cluster,
    folder: tempfile::TempDir,
    client: reqwest::Client,
    shards: BTreeMap<u32, Shard>,
    arguments: Arguments,
    /// The ports that serve lists.
    ports: Arc<Mutex<Vec<u16>>>,
}

/// What the clients of a phase saw.
#[derive(Debug, Default)]
struct Load {
    lists: Vec<Duration>,
    full: Vec<Duration>,
    failed: usize,
    /// Per half second: the number of nodes without metrics.
    absent: Vec<(Instant, usize)>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let _provider = kubevitals_server::tls::provider();
    let arguments = Arguments::parse();
    for count in arguments.shards.clone() {
        let mut fleet = Fleet::start(&arguments, count).await;
        fleet.measure(count).await;
    }
}

impl Fleet {
    async fn start(arguments: &Arguments, count: u32) -> Self {
        let cluster = Cluster::start(Config {
            nodes: arguments.nodes,
            pods_per_node: arguments.pods,
            faults: Faults::None,
            ..Config::default()
        })
        .await
        .expect("a cluster");
        let label = json!({"app.kubernetes.io/managed-by": SET});
        let object = |name: &str| json!({"metadata": {"name": name, "namespace": "kube-system", "labels": label}});
        let store = cluster.store();
        store.apply(Resource::Secrets, object("vitals-server-ca"));
        store.apply(Resource::ConfigMaps, object("vitals-server-ca"));
        store.apply(Resource::ConfigMaps, object("vitals-server-incidents"));
        let (namespace, name) = SERVER_ACCOUNT;
        let rule = Rule::resources(&["get"], "apps", &["statefulsets"]).in_namespace(namespace);
        let account = Subject::service_account(namespace, name);
        cluster.identities().grant(account, rule);
        let admin = cluster.pki().cluster();
        let admin = admin
            .issue_client("bench", &["system:masters"])
            .expect("a certificate");
        let pem = format!("{}{}", admin.cert_pem, admin.key_pem);
        let client = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap())
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        cluster
            .write_server_kubeconfig(folder.path().join("kubeconfig"))
            .unwrap();
        let mut fleet = Self {
            cluster,
            folder,
            client,
            shards: BTreeMap::new(),
            arguments: Arguments {
                shards: Vec::new(),
                ..*arguments
            },
            ports: Arc::default(),
        };
        fleet.scale(count);
        for index in 0..count {
            fleet.start_shard(index, count > 1);
        }
        fleet.until_complete().await;
        fleet
    }

    fn scale(&self, replicas: u32) {
        let set = json!({
            "metadata": {"name": SET, "namespace": "kube-system"},
            "spec": {"replicas": replicas, "selector": {}, "serviceName": SET, "template": {}},
        });
        self.cluster.store().apply(Resource::StatefulSets, set);
    }

    fn start_shard(&mut self, index: u32, sharded: bool) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let log = File::create(self.folder.path().join(format!("{index}-{port}.log"))).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_vitals-server"));
        command
            .arg(format!(
                "--kubeconfig={}",
                self.folder.path().join("kubeconfig").display()
            ))
            .args(["--bind-address=127.0.0.1", "--metric-resolution=15s"])
            .arg(format!("--secure-port={port}"))
            .args([
                "--kubelet-use-node-status-port",
                "--kubelet-preferred-address-types=InternalIP",
                "--service-namespace=kube-system",
                "--manage-apiservice-ca",
                "--incidents-configmap=",
            ])
            .env("HOSTNAME", format!("{SET}-{index}"))
            .stdout(Stdio::null())
            .stderr(log);
        if sharded {
            command.arg("--shard=auto");
        }
        let process = Running::start(&mut command);
        self.shards.insert(index, Shard { process, port });
        self.publish();
    }

    /// Updates the EndpointSlices, and the servers that get lists.
    fn publish(&self) {
        for (index, shard) in &self.shards {
            let slice = json!({
                "metadata": {
                    "name": format!("{SET}-{index}"), "namespace": "kube-system",
                    "labels": {"kubernetes.io/service-name": SET},
                },
                "addressType": "IPv4",
                "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"serving": true}}],
                "ports": [{"name": "https", "port": shard.port, "protocol": "TCP"}],
            });
            self.cluster.store().apply(Resource::EndpointSlices, slice);
        }
    }

    async fn items(&self, port: u16, path: &str) -> Option<Vec<Value>> {
        let url = format!("https://127.0.0.1:{port}{path}");
        let response = self.client.get(url).send().await.ok()?;
        let body = response.error_for_status().ok()?.bytes().await.ok()?;
        let list: Value = serde_json::from_slice(&body).ok()?;
        list["items"].as_array().cloned()
    }

    /// Waits until each shard has all nodes.
    async fn until_complete(&self) {
        for shard in self.shards.values() {
            let began = Instant::now();
            loop {
                let nodes = self.items(shard.port, NODES_PATH).await.unwrap_or_default();
                if nodes.len() == self.arguments.nodes as usize {
                    break;
                }
                assert!(
                    began.elapsed() < Duration::from_secs(180),
                    "{} of {} nodes; the logs are in {}",
                    nodes.len(),
                    self.arguments.nodes,
                    self.folder.path().display()
                );
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        }
        *self.ports.lock() = self.shards.values().map(|shard| shard.port).collect();
    }

    /// Lists the pods of a namespace 50 times a second and all pods every 5 s, at each shard in turn, and counts the
    /// nodes without metrics at the first one every half second.
    async fn load(&self, seconds: u64) -> Load {
        let load = Arc::new(Mutex::new(Load::default()));
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut lists = tokio::time::interval(Duration::from_millis(20));
        let (mut turn, mut tasks) = (0_usize, tokio::task::JoinSet::new());
        let first = self.shards[&0].port;
        while Instant::now() < end {
            lists.tick().await;
            turn += 1;
            let ports = self.ports.lock().clone();
            let port = ports[turn % ports.len()];
            let (client, load) = (self.client.clone(), Arc::clone(&load));
            let nodes = self.arguments.nodes as usize;
            tasks.spawn(async move {
                let fetch = async |port: u16, path: &str| {
                    let url = format!("https://127.0.0.1:{port}{path}");
                    let began = Instant::now();
                    let response = client.get(url).send().await?.error_for_status()?;
                    let body = response.bytes().await?;
                    Ok::<_, reqwest::Error>((began.elapsed(), body))
                };
                let path = "/apis/metrics.k8s.io/v1beta1/namespaces/kube-system/pods";
                match fetch(port, path).await {
                    Ok((took, _)) => load.lock().lists.push(took),
                    Err(_) => load.lock().failed += 1,
                }
                if turn % 250 == 0
                    && let Ok((took, _)) = fetch(port, PODS_PATH).await
                {
                    load.lock().full.push(took);
                }
                if turn % 25 == 0
                    && let Ok((_, body)) = fetch(first, NODES_PATH).await
                {
                    let list: Value = serde_json::from_slice(&body).unwrap_or_default();
                    let present = list["items"].as_array().map_or(0, Vec::len);
                    load.lock()
                        .absent
                        .push((Instant::now(), nodes - present.min(nodes)));
                }
            });
        }
        while tasks.join_next().await.is_some() {}
        Arc::into_inner(load).unwrap().into_inner()
    }

    async fn measure(&mut self, count: u32) {
        let seconds = self.arguments.seconds;
        println!(
            "\n### {count} shards, {} nodes, {} pods a node, {seconds} s a phase\n",
            self.arguments.nodes, self.arguments.pods
        );
        // The connections and caches of a start.
        tokio::time::sleep(Duration::from_secs(45)).await;
        let before = self.cpu();
        let received = self.received().await;
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        println!("| shard | nodes scraped | CPU, scraping | memory (RSS) | received from others |");
        println!("|---|---|---|---|---|");
        let (after, received_after) = (self.cpu(), self.received().await);
        for (index, shard) in &self.shards {
            let cpu = (after[index] - before[index]).as_secs_f64() / seconds as f64 * 1000.0;
            let memory = shard.process.memory("VmRSS").unwrap_or_default();
            let bytes = (received_after[index] - received[index]) / seconds as f64 / 1000.0;
            let nodes = self.scraped(*index).await.len();
            println!(
                "| {index} | {nodes} | {cpu:.1} millicores | {memory:.1} MiB | {bytes:.0} kB/s |"
            );
        }
        println!(
            "\n| phase | list p50 | list p99 | full list, slowest | failed | nodes absent at most | for |"
        );
        println!("|---|---|---|---|---|---|---|");
        self.report("steady", self.load(seconds).await);
        if count == 1 {
            return;
        }
        let last = count - 1;
        let lost = self.scraped(last).await;
        let killed = Instant::now();
        self.shards.remove(&last);
        *self.ports.lock() = self.shards.values().map(|shard| shard.port).collect();
        let load = self.load(seconds.max(60)).await;
        if let Some((at, _)) = load.absent.iter().find(|(_, absent)| *absent > 0) {
            println!(
                "<!-- {} nodes of shard {last}; the first absent {:.1} s after the kill -->",
                lost.len(),
                at.duration_since(killed).as_secs_f64()
            );
        }
        self.report("one killed", load);
        let began = Instant::now();
        self.start_shard(last, true);
        let complete = async {
            self.until_complete().await;
            began.elapsed().as_secs_f64()
        };
        let (load, took) = tokio::join!(self.load(seconds), complete);
        println!("<!-- all nodes at all shards {took:.1} s after the start -->");
        self.report("started again", load);
        let before: BTreeMap<String, u32> = self.owners().await;
        let points = self.points(&before).await;
        self.scale(count + 1);
        self.start_shard(count, true);
        let (load, ()) = tokio::join!(self.load(seconds), self.until_complete());
        self.report("one added", load);
        let after = self.owners().await;
        let moved: Vec<&String> = after
            .iter()
            .filter(|(node, owner)| before.get(*node) != Some(*owner))
            .map(|(node, _)| node)
            .collect();
        let elsewhere = moved.iter().filter(|node| after[**node] != count).count();
        let later = self.points(&after).await;
        let shortest = moved
            .iter()
            .map(|node| later[*node] as i64 - points[*node] as i64)
            .min();
        println!(
            "\n{} of {} nodes moved to the added shard, {elsewhere} to another. Points of history that a moved node has \
             more than before, at least: {}.",
            moved.len(),
            after.len(),
            shortest.unwrap_or_default()
        );
    }

    fn report(&self, phase: &str, mut load: Load) {
        let mut quantile = |of: f64| {
            load.lists.sort_unstable();
            let at = ((load.lists.len().max(1) - 1) as f64 * of).round() as usize;
            load.lists
                .get(at)
                .map_or(0.0, |it| it.as_secs_f64() * 1000.0)
        };
        let (p50, p99) = (quantile(0.5), quantile(0.99));
        let full = load
            .full
            .iter()
            .max()
            .map_or(0.0, |it| it.as_secs_f64() * 1000.0);
        let most = load
            .absent
            .iter()
            .map(|(_, absent)| *absent)
            .max()
            .unwrap_or_default();
        let times = load
            .absent
            .iter()
            .filter(|(_, absent)| *absent > 0)
            .map(|(at, _)| *at);
        let (first, last) = (times.clone().min(), times.max());
        let span = first.zip(last).map_or(0.0, |(first, last)| {
            last.duration_since(first).as_secs_f64()
        });
        println!(
            "| {phase} | {p50:.1} ms | {p99:.1} ms | {full:.0} ms | {} of {} | {most} | {span:.1} s |",
            load.failed,
            load.failed + load.lists.len()
        );
    }

    fn cpu(&self) -> BTreeMap<u32, Duration> {
        let cpu = self.shards.iter();
        cpu.map(|(index, shard)| (*index, shard.process.cpu().total()))
            .collect()
    }

    /// The bytes that each shard has received from the others.
    async fn received(&self) -> BTreeMap<u32, f64> {
        let mut received = BTreeMap::new();
        for (index, shard) in &self.shards {
            let url = format!("https://127.0.0.1:{}/metrics", shard.port);
            let page = self
                .client
                .get(url)
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap();
            let bytes = page
                .lines()
                .find_map(|line| line.strip_prefix("kubevitals_shard_received_bytes_total "))
                .map_or(0.0, |value| value.parse().unwrap());
            received.insert(*index, bytes);
        }
        received
    }

    /// The nodes that a shard scrapes.
    async fn scraped(&self, index: u32) -> BTreeSet<String> {
        let url = format!(
            "https://127.0.0.1:{}/debug/targets",
            self.shards[&index].port
        );
        let body = self
            .client
            .get(url)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        let targets: Value = serde_json::from_slice(&body).unwrap();
        let targets = targets["targets"].as_array().unwrap().iter();
        targets
            .map(|it| it["node"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn owners(&self) -> BTreeMap<String, u32> {
        let mut owners = BTreeMap::new();
        for index in self.shards.keys() {
            owners.extend(
                self.scraped(*index)
                    .await
                    .into_iter()
                    .map(|node| (node, *index)),
            );
        }
        owners
    }

    /// The points of history of each node, at the first shard.
    async fn points(&self, nodes: &BTreeMap<String, u32>) -> BTreeMap<String, usize> {
        let mut points = BTreeMap::new();
        for node in nodes.keys() {
            let url = format!(
                "https://127.0.0.1:{}/apis/kubevitals.io/v1alpha1/nodevitals/{node}/history?since=55m&step=15s",
                self.shards[&0].port
            );
            let body = self
                .client
                .get(url)
                .send()
                .await
                .unwrap()
                .bytes()
                .await
                .unwrap();
            let history: Value = serde_json::from_slice(&body).unwrap_or_default();
            let all = history["total"]["points"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            points.insert(node.clone(), all.iter().filter(|it| !it.is_null()).count());
        }
        points
    }
}
