//! The server under load, as a process of its own beside a simulated cluster of real sockets: what it costs at
//! rest, how long scrapes take, what full lists cost, alone and ten at once.
//!
//! `cargo bench -p kubevitals-server --bench cluster` after `cargo build --release --bin vitals-sim`.
//! `VITALS_BENCH_NODES` (1000,5000: one run each), `VITALS_BENCH_PODS` (30 a node) and `VITALS_BENCH_SECONDS` (120)
//! change its size.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark is a program for its author: it stops where it fails, and prints"
)]

mod lists;
mod process;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kube::config::Kubeconfig;
use serde_json::Value;

use lists::Client;
use process::{Running, sibling};

fn setting(variable: &str, default: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| default.to_owned())
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let span = Duration::from_secs(setting("VITALS_BENCH_SECONDS", "120").parse().unwrap());
    let pods: usize = setting("VITALS_BENCH_PODS", "30").parse().unwrap();
    for nodes in setting("VITALS_BENCH_NODES", "1000,5000").split(',') {
        cluster(nodes.parse().unwrap(), pods, span).await;
    }
}

/// One cluster from its start to its end.
async fn cluster(nodes: usize, pods: usize, span: Duration) {
    let port = free_port();
    println!(
        "\n## {nodes} nodes of {pods} pods, resolution 15 s, TLS, {} s",
        span.as_secs()
    );
    let mut simulator = Running::start(
        Command::new(sibling("vitals-sim"))
            .args(["--nodes", &nodes.to_string()])
            .args(["--pods-per-node", &pods.to_string(), "--seed", "1"])
            .args(["--no-faults", "--aggregate", &format!("127.0.0.1:{port}")])
            .stdout(Stdio::piped()),
    );
    let mut line = String::new();
    BufReader::new(simulator.0.stdout.take().unwrap())
        .read_line(&mut line)
        .expect("vitals-sim says where it is");
    let started: Value = serde_json::from_str(&line).expect("one line of JSON");
    let path = |name: &str| started[name].as_str().expect("a path").to_owned();

    let began = Instant::now();
    let server = Running::start(
        Command::new(env!("CARGO_BIN_EXE_vitals-server"))
            .args(["--kubeconfig", &path("server_kubeconfig")])
            .args(["--bind-address=127.0.0.1", "--secure-port"])
            .arg(port.to_string())
            .args([
                "--metric-resolution=15s",
                "--kubelet-use-node-status-port",
                "--kubelet-preferred-address-types=InternalIP",
            ])
            .stderr(Stdio::null()),
    );
    let admin = Kubeconfig::read_from(path("kubeconfig")).expect("the administrator's kubeconfig");
    let client = Client::new(port, &admin);
    start(&client, nodes, began).await;
    rest(&server, &client, span).await;
    lists::measure(&server, &client, nodes * pods).await;
    println!(
        "the simulator itself        {:>10.1} s CPU, {:.0} MiB",
        simulator.cpu().as_secs_f64(),
        simulator.memory("VmRSS")
    );
}

/// The time from the start to the first and to all responses.
async fn start(client: &Client, nodes: usize, began: Instant) {
    while !client
        .get("/readyz")
        .await
        .is_ok_and(|answer| answer.status().is_success())
    {
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "not ready within two minutes"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!(
        "start to first answers      {:>10.2} s",
        began.elapsed().as_secs_f64()
    );
    while client.items("/apis/metrics.k8s.io/v1beta1/nodes").await < nodes {
        assert!(
            began.elapsed() < Duration::from_secs(300),
            "not all nodes within five minutes"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!(
        "start to all answers        {:>10.2} s",
        began.elapsed().as_secs_f64()
    );
}

/// The cost without requests.
async fn rest(server: &Running, client: &Client, span: Duration) {
    // Two resolutions to settle: connections made, first rates replaced.
    tokio::time::sleep(Duration::from_secs(30)).await;
    let (cpu, at) = (server.cpu(), Instant::now());
    tokio::time::sleep(span).await;
    let millicores = (server.cpu() - cpu).as_secs_f64() / at.elapsed().as_secs_f64() * 1000.0;
    println!("CPU, scraping only          {millicores:>10.1} millicores");
    println!(
        "memory, scraping only       {:>10.1} MiB",
        server.memory("VmRSS")
    );
    println!(
        "peak                        {:>10.1} MiB",
        server.memory("VmHWM")
    );
    let scrapes = client.json("/debug/scrapes").await;
    println!(
        "scrapes                     {:>10} ok, {} failed",
        scrapes["succeeded"], scrapes["failed"]
    );
    let latency = &scrapes["latencyMicroseconds"];
    println!(
        "scrape latency              p50 {} p90 {} p99 {} max {} µs",
        latency["p50"], latency["p90"], latency["p99"], latency["max"]
    );
}
