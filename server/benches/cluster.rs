//! The server under load, as a process of its own beside a simulated cluster of real sockets: what it costs at
//! rest, how long scrapes take, what a full list costs.
//!
//! `cargo bench -p kubevitals-server --bench cluster` after `cargo build --release --bin vitals-sim`.
//! `VITALS_BENCH_NODES` (1000), `VITALS_BENCH_PODS` (30 a node) and `VITALS_BENCH_SECONDS` (120) change its size.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark is a program for its author: it stops where it fails, and prints"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use std::io::{BufRead, BufReader};

use serde_json::Value;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable)
        .ok()
        .map_or(default, |text| text.parse().expect("a number"))
}

/// A child that ends with the benchmark.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _already_ended = self.0.kill();
        let _already_waited = self.0.wait();
    }
}

impl Running {
    /// User and system time so far.
    fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))
            .expect("the process lives");
        // The name, in parentheses, may hold anything; the fields are counted from behind it.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .expect("a name")
            .1
            .split_whitespace()
            .collect();
        let ticks: u64 = fields
            .iter()
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().expect("ticks"))
            .sum();
        // USER_HZ is 100 on every Linux.
        Duration::from_millis(ticks * 10)
    }

    /// A line of /proc/PID/status in MiB.
    fn memory(&self, line: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))
            .expect("the process lives");
        let kibibytes: f64 = status
            .lines()
            .find_map(|found| {
                found
                    .strip_prefix(line)?
                    .trim_start_matches(':')
                    .trim()
                    .strip_suffix(" kB")
            })
            .expect("a line of that name")
            .trim()
            .parse()
            .expect("a number");
        kibibytes / 1024.0
    }
}

fn sibling(name: &str) -> PathBuf {
    let server = Path::new(env!("CARGO_BIN_EXE_vitals-server"));
    let path = server.parent().expect("a folder").join(name);
    assert!(
        path.exists(),
        "{} is missing: cargo build --release --bin {name}",
        path.display()
    );
    path
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
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let nodes = number("VITALS_BENCH_NODES", 1000);
    let pods = number("VITALS_BENCH_PODS", 30);
    let span = Duration::from_secs(number("VITALS_BENCH_SECONDS", 120));
    let port = free_port();

    println!(
        "## {nodes} nodes of {pods} pods, resolution 15 s, TLS, {} s",
        span.as_secs()
    );
    let mut simulator = Running(
        Command::new(sibling("vitals-sim"))
            .args([
                "--nodes",
                &nodes.to_string(),
                "--pods-per-node",
                &pods.to_string(),
                "--seed",
                "1",
            ])
            .args(["--no-faults", "--aggregate", &format!("127.0.0.1:{port}")])
            .stdout(Stdio::piped())
            .spawn()
            .expect("vitals-sim starts"),
    );
    let mut line = String::new();
    BufReader::new(simulator.0.stdout.take().unwrap())
        .read_line(&mut line)
        .expect("vitals-sim says where it is");
    let cluster: Value = serde_json::from_str(&line).expect("one line of JSON");
    let kubeconfig = cluster["server_kubeconfig"]
        .as_str()
        .expect("a kubeconfig")
        .to_owned();

    let began = Instant::now();
    let server = Running(
        Command::new(env!("CARGO_BIN_EXE_vitals-server"))
            .args([
                "--kubeconfig",
                &kubeconfig,
                "--bind-address=127.0.0.1",
                "--secure-port",
                &port.to_string(),
            ])
            .args([
                "--kubelet-use-node-status-port",
                "--kubelet-preferred-address-types=InternalIP",
            ])
            .stderr(Stdio::null())
            .spawn()
            .expect("vitals-server starts"),
    );
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    let url = |path: &str| format!("https://127.0.0.1:{port}{path}");
    let get = async |path: &str| client.get(url(path)).send().await?.bytes().await;

    let expected = usize::try_from(nodes).unwrap();
    loop {
        let ready = client
            .get(url("/readyz"))
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success());
        if ready {
            break;
        }
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
    loop {
        let list: Value =
            serde_json::from_slice(&get("/apis/metrics.k8s.io/v1beta1/nodes").await.unwrap())
                .unwrap();
        if list["items"].as_array().unwrap().len() == expected {
            break;
        }
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
    let scrapes: Value = serde_json::from_slice(&get("/debug/scrapes").await.unwrap()).unwrap();
    println!(
        "scrapes                     {:>10} ok, {} failed",
        scrapes["succeeded"], scrapes["failed"]
    );
    let latency = &scrapes["latencyMicroseconds"];
    println!(
        "scrape latency              p50 {} p90 {} p99 {} max {} µs",
        latency["p50"], latency["p90"], latency["p99"], latency["max"]
    );

    const LISTS: u32 = 10;
    let (cpu, at) = (server.cpu(), Instant::now());
    let mut bytes = 0;
    for _ in 0..LISTS {
        bytes = get("/apis/metrics.k8s.io/v1beta1/pods")
            .await
            .unwrap()
            .len();
    }
    let (cpu, wall) = (server.cpu() - cpu, at.elapsed());
    println!(
        "list of all pods, JSON      {:>10.1} ms CPU",
        cpu.as_secs_f64() * 1000.0 / f64::from(LISTS)
    );
    println!(
        "                            {:>10.1} ms",
        wall.as_secs_f64() * 1000.0 / f64::from(LISTS)
    );
    println!(
        "                            {:>10.1} MB",
        bytes as f64 / 1e6
    );
    println!(
        "memory after ten lists      {:>10.1} MiB",
        server.memory("VmRSS")
    );
    println!(
        "the simulator itself        {:>10.1} s CPU, {:.0} MiB",
        simulator.cpu().as_secs_f64(),
        simulator.memory("VmRSS")
    );
}
