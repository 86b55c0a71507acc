//! The server under load, as a process of its own beside a simulated cluster of real sockets, with an hour of history:
//! what scraping, lists, watches and starts cost. Other metrics servers run behind the same cluster at the same time.
//!
//! `make bench-scale NODES=1000,5000` builds the programs and runs it; `-- --help` lists the options.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a benchmark is a program for its author: it stops where it fails, and prints; it shares what a test uses"
)]

mod client;
mod documents;
#[path = "../../tests/feed/mod.rs"]
mod feed;
mod figures;
mod fit;
mod history;
mod metrics;
mod phases;
mod plot;
mod pod_metrics;
mod process;
mod report;
mod server;
mod simulator;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use kubevitals_proto::clock::system_time;
use serde::{Deserialize, Serialize};

use report::{Report, aligned};
use server::Candidate;
use simulator::Simulator;

/// Measures vitals-server, and other metrics servers beside it, on simulated clusters.
#[derive(Debug, Parser)]
struct Arguments {
    /// Nodes; of several sizes, one cluster after another.
    #[arg(long, value_delimiter = ',', default_value = "1000")]
    nodes: Vec<usize>,
    /// Pods on each node.
    #[arg(long, default_value_t = 30)]
    pods: usize,
    /// Seconds for which scraping is measured.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Minutes of history with which the servers start; 0 for none.
    #[arg(long, value_name = "MINUTES", default_value_t = 60)]
    history: u64,
    /// Another server, behind the same cluster at the same time. {port}, {kubeconfig} and {history} (a folder with a
    /// state file of vitals-server) are replaced. May be repeated.
    #[arg(long, value_name = "[NAME=]COMMAND")]
    server_cmd: Vec<Candidate>,
    /// Minutes of load: 50 lists by selector a second, 20 watchers, and a full list every 5 s; 0 for none.
    #[arg(long, value_name = "MINUTES", default_value_t = 0.0)]
    load: f64,
    /// Seconds for which strace counts system calls; 0 for none.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    strace: u64,
    /// Only scraping: no lists, watches and commands.
    #[arg(long)]
    scraping_only: bool,
    /// Only pods' own metrics, beside a Prometheus.
    #[arg(long, conflicts_with_all = ["server_cmd", "load", "strace", "scraping_only"])]
    pod_metrics: bool,
    /// Write the results as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Instead of a run: write the tables and the plot of these results into the documents of this repository.
    #[arg(long, value_name = "FILE")]
    render: Option<PathBuf>,
    /// `cargo bench` adds this.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The results of a run.
#[derive(Debug, Serialize, Deserialize)]
struct Results {
    /// When the run ended.
    taken: String,
    /// The processor.
    machine: String,
    clusters: Vec<Report>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments = Arguments::parse();
    // `cargo bench` runs it in the folder of the crate.
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if let Some(file) = &arguments.render {
        let text = std::fs::read_to_string(repository.join(file)).expect("results");
        let results = serde_json::from_str(&text).expect("results of this benchmark");
        return documents::write(&results, &repository.join("docs"));
    }
    // Before any client is made.
    let _provider = kubevitals_server::tls::provider();
    let mut results = Results {
        taken: String::new(),
        machine: machine(),
        clusters: Vec::new(),
    };
    for nodes in &arguments.nodes {
        let report = match arguments.pod_metrics {
            true => pods(*nodes, &arguments).await,
            false => cluster(*nodes, &arguments).await,
        };
        println!("\n{}", aligned(&report.markdown()));
        results.clusters.push(report);
        results.taken = system_time().to_rfc3339_seconds();
        // After each size: a run of hours that is interrupted leaves its results.
        if let Some(file) = &arguments.json {
            let json = serde_json::to_string_pretty(&results).expect("JSON");
            std::fs::write(repository.join(file), json + "\n").expect("space on the disk");
        }
    }
}

impl Arguments {
    /// A report without figures.
    fn report(&self, nodes: usize, history: Duration, servers: Vec<String>) -> Report {
        let mut report = Report {
            nodes,
            pods_per_node: self.pods,
            history_seconds: history.as_secs(),
            window_seconds: self.seconds,
            servers,
            ..Report::default()
        };
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        report.set_condition("cores", cores as f64);
        report
    }
}

/// Pods' own metrics on one cluster.
async fn pods(nodes: usize, arguments: &Arguments) -> Report {
    let servers = pod_metrics::SERVERS;
    let ports = servers.map(|_| free_port());
    let servers = servers.map(str::to_owned).to_vec();
    let mut report = arguments.report(nodes, Duration::ZERO, servers);
    let folder = tempfile::tempdir().expect("a folder");
    progress(nodes, "start the simulated cluster");
    let options = pod_metrics::simulated();
    let cluster = Simulator::start(nodes, arguments.pods, ports[0], &options);
    cluster.warm_up().await;
    progress(nodes, "scrapes of pods");
    let window = Duration::from_secs(arguments.seconds);
    pod_metrics::measure(&cluster, &ports, folder.path(), window, &mut report).await;
    report
}

/// One cluster from its start to its end.
async fn cluster(nodes: usize, arguments: &Arguments) -> Report {
    let mut candidates = vec![Candidate::own()];
    candidates.extend(arguments.server_cmd.iter().cloned());
    let ports: Vec<u16> = candidates.iter().map(|_| free_port()).collect();
    let history = Duration::from_secs(arguments.history * 60);
    let servers = candidates.iter().map(|it| it.name.clone()).collect();
    let mut report = arguments.report(nodes, history, servers);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();

    progress(nodes, "start the simulated cluster");
    let cluster = Simulator::start(nodes, arguments.pods, ports[0], &[]);
    cluster.warm_up().await;
    progress(nodes, "start each server alone");
    phases::alone(&candidates, &cluster, ports[0], folder, &mut report).await;
    let mut points = 0;
    if !history.is_zero() {
        progress(nodes, "write the history");
        let written = history::write(&cluster, history, folder).await;
        println!("{written:?}");
        report.set_condition("historyWritten", written.points as f64 / 1e6);
        for (at, candidate) in candidates.iter().enumerate() {
            if candidate.restores() {
                written.copy_to(&folder.join(format!("{at}-history")));
            }
        }
        points = written.points;
    }
    progress(nodes, "start all servers with history");
    let servers =
        phases::with_history(&candidates, &cluster, &ports, folder, points, &mut report).await;
    phases::settle().await;
    progress(nodes, "scraping");
    let window = Duration::from_secs(arguments.seconds);
    let measured = phases::at_the_same_time(&servers, &cluster, window, &mut report).await;
    phases::kubelets(&measured, &mut report);
    let paths = cluster.selector_paths().await;
    for (at, server) in servers.iter().enumerate() {
        if !arguments.scraping_only {
            progress(nodes, &format!("requests to {}", server.name));
            phases::lists(server, &cluster, at, &mut report).await;
            phases::selectors(server, &paths, at, &mut report).await;
            phases::watches(server, at, &mut report).await;
            phases::top(server, &cluster, folder, at, &mut report).await;
        }
        if arguments.strace > 0 {
            let window = Duration::from_secs(arguments.strace);
            phases::system_calls(server, window, at, &mut report).await;
        }
        if arguments.load > 0.0 {
            progress(nodes, &format!("load on {}", server.name));
            let window = Duration::from_secs_f64(arguments.load * 60.0);
            phases::load(server, &paths, window, at, &mut report).await;
        }
    }
    report
}

fn progress(nodes: usize, what: &str) {
    println!(
        "{} {nodes} nodes: {what}",
        system_time().to_rfc3339_seconds()
    );
}

/// The processor and the kernel.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let name = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let name = name.map_or("unknown processor", |(_, name)| name);
    format!(
        "{name}, Linux {}",
        read("/proc/sys/kernel/osrelease").trim()
    )
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The path of another program in the same target directory.
fn sibling(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_vitals-server")).with_file_name(name);
    let exists = path.exists();
    assert!(
        exists,
        "{} is missing: cargo build --release --bin {name}",
        path.display()
    );
    path
}
