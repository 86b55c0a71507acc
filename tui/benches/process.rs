//! Costs of the dashboard as a process in a pseudo-terminal, with a simulated cluster over real sockets: time to the
//! first frame, time from a key to its frame, CPU and memory while idle.
//!
//! `cargo bench -p kubevitals --bench process` after `cargo build --release --bin vitals-sim --bin vitals-server`.
//! `VITALS_BENCH_CLUSTERS` (`vitals:300,metrics:20000,vitals:30000,vitals:150000`: source and pods, one run each) and
//! `VITALS_BENCH_SECONDS` (30) set its size.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark is a program for its author: it stops where it fails, and prints"
)]
#![allow(dead_code, reason = "tests use all of the terminal, this uses a part")]

#[path = "../tests/it/terminal.rs"]
mod terminal;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use terminal::Terminal;

const PODS_PER_NODE: usize = 30;

/// A child that ends with the benchmark.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _already_ended = self.0.kill();
        let _already_waited = self.0.wait();
    }
}

fn setting(variable: &str, default: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| default.to_owned())
}

fn main() {
    let span = Duration::from_secs(setting("VITALS_BENCH_SECONDS", "30").parse().unwrap());
    let clusters = setting(
        "VITALS_BENCH_CLUSTERS",
        "vitals:300,metrics:20000,vitals:30000,vitals:150000",
    );
    for cluster in clusters.split(',') {
        let (source, pods) = cluster.split_once(':').expect("SOURCE:PODS");
        measure(source, pods.parse().unwrap(), span);
    }
}

/// The path of another program in the same target directory.
fn sibling(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_vitals")).with_file_name(name);
    assert!(
        path.exists(),
        "{} is missing: cargo build --release --bin {name}",
        path.display()
    );
    path
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts a cluster and its server, and waits for usage of nearly all pods. Returns the path of a kubeconfig.
fn cluster(pods: usize) -> (Running, Running, String) {
    let nodes = pods / PODS_PER_NODE;
    let port = free_port();
    let mut simulator = Running(
        Command::new(sibling("vitals-sim"))
            .args(["--nodes", &nodes.to_string()])
            .args(["--pods-per-node", &PODS_PER_NODE.to_string(), "--seed", "1"])
            .args(["--no-faults", "--aggregate", &format!("127.0.0.1:{port}")])
            .stdout(Stdio::piped())
            .spawn()
            .expect("vitals-sim starts"),
    );
    let mut line = String::new();
    BufReader::new(simulator.0.stdout.take().unwrap())
        .read_line(&mut line)
        .expect("vitals-sim says where it is");
    let addresses: Value = serde_json::from_str(&line).expect("one line of JSON");
    let path = |name: &str| addresses[name].as_str().expect("a path").to_owned();
    let server = Running(
        Command::new(sibling("vitals-server"))
            .args(["--kubeconfig", &path("server_kubeconfig")])
            .args(["--bind-address=127.0.0.1", "--secure-port"])
            .arg(port.to_string())
            .args([
                "--metric-resolution=15s",
                "--kubelet-use-node-status-port",
                "--kubelet-preferred-address-types=InternalIP",
            ])
            .stderr(Stdio::null())
            .spawn()
            .expect("vitals-server starts"),
    );
    let kubeconfig = path("kubeconfig");
    let began = Instant::now();
    loop {
        let pods_with_usage = Command::new(env!("CARGO_BIN_EXE_vitals"))
            .args(["--kubeconfig", &kubeconfig, "top", "pods", "-A"])
            .arg("--no-headers")
            .output()
            .expect("vitals runs");
        let output = String::from_utf8_lossy(&pods_with_usage.stdout).into_owned();
        // New pods have no usage yet.
        if output.lines().count() > pods * 95 / 100 {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(600),
            "the server has no usage of some pods"
        );
        std::thread::sleep(Duration::from_secs(2));
    }
    (simulator, server, kubeconfig)
}

fn measure(source: &str, pods: usize, span: Duration) {
    println!("\n## {pods} pods, source {source}, a terminal of 160×50");
    let (_simulator, _server, kubeconfig) = cluster(pods);
    let began = Instant::now();
    let arguments = [
        "--kubeconfig",
        &kubeconfig,
        "--source",
        source,
        "--view",
        "pods",
    ];
    let mut terminal = Terminal::start(&arguments, "/", 160, 50, &[]);
    terminal.wait_for_text("vitals");
    println!(
        "start to first frame        {:>10.0} ms",
        began.elapsed().as_secs_f64() * 1e3
    );
    terminal.wait_for("rows with usage", |text| {
        text.lines().filter(|line| has_usage(line)).count() > 5
    });
    println!(
        "start to pods with usage    {:>10.0} ms",
        began.elapsed().as_secs_f64() * 1e3
    );
    keys(&mut terminal);
    seek(&mut terminal);
    rest("live", &terminal, span);
    terminal.press("space");
    terminal.wait_for_text("PAUSED");
    rest("paused", &terminal, span / 2);
}

/// Whether a line of the screen is a pod with memory usage. The pods with the most CPU use Gi, others Mi or Ki.
fn has_usage(line: &str) -> bool {
    line.contains("node-") && ["Ki ", "Mi ", "Gi "].iter().any(|unit| line.contains(unit))
}

/// Measures the time from the end of a filter to its rows, which the source has not sent before.
fn seek(terminal: &mut Terminal) {
    terminal.press("/");
    let began = Instant::now();
    terminal.send("ns=kube-system node-0007");
    terminal.wait_for("only pods of this node", |text| {
        let mut rows = text.lines().filter(|line| has_usage(line)).peekable();
        rows.peek().is_some() && rows.all(|line| line.contains("node-0007"))
    });
    println!(
        "filter to rows              {:>10.0} ms",
        began.elapsed().as_secs_f64() * 1e3
    );
    terminal.press("esc");
}

/// Measures the time from a key to its frame, through the pseudo-terminal and an emulator.
fn keys(terminal: &mut Terminal) {
    let pointer = |screen: &vt100::Screen| {
        let columns = screen.size().1.get();
        screen.rows(0, columns).position(|row| row.starts_with('▌'))
    };
    terminal.press("space");
    terminal.wait_for_text("PAUSED");
    let mut times = Vec::new();
    for at in 0..60 {
        // The repeat rate of a pressed key.
        std::thread::sleep(Duration::from_millis(33));
        let before = terminal.inspect(pointer);
        let began = Instant::now();
        terminal.press(if at % 2 == 0 { "down" } else { "up" });
        terminal.wait_until("the pointer elsewhere", |screen, _| {
            let now = pointer(screen);
            (now.is_some() && now != before).then_some(())
        });
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "key to paint                {:>10.1} ms (p50), {:.1} ms (p95)",
        times[times.len() / 2],
        times[times.len() * 95 / 100]
    );
    terminal.press("space");
    terminal.wait_for_text("LIVE");
}

/// Measures CPU, output and memory while idle.
fn rest(how: &str, terminal: &Terminal, span: Duration) {
    std::thread::sleep(Duration::from_secs(20));
    let id = terminal.id();
    let (cpu, written, at) = (cpu(id), terminal.written().len(), Instant::now());
    std::thread::sleep(span);
    let seconds = at.elapsed().as_secs_f64();
    println!(
        "CPU, {how:<8}               {:>10.1} % of a core",
        (self::cpu(id) - cpu).as_secs_f64() / seconds * 100.0
    );
    println!(
        "to the terminal, {how:<8}   {:>10.0} bytes a second",
        (terminal.written().len() - written) as f64 / seconds
    );
    println!(
        "memory                      {:>10.1} MiB, peak {:.1}",
        memory(id, "VmRSS"),
        memory(id, "VmHWM")
    );
}

/// User and system time of a process.
fn cpu(id: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("the process lives");
    // The name in parentheses may contain any character; fields are counted after it.
    let fields = stat.rsplit_once(')').expect("a name").1.split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().expect("ticks"))
        .sum();
    // USER_HZ is 100 on every Linux.
    Duration::from_millis(ticks * 10)
}

/// A line of /proc/PID/status in MiB.
fn memory(id: u32, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("the process lives");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .expect("a line of that name");
    let kibibytes = line.trim_start_matches(':').trim().trim_end_matches(" kB");
    kibibytes.parse::<f64>().expect("a number") / 1024.0
}
