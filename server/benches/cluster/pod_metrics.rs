//! Pods' own metrics: vitals-server with and without them, and Debian's Prometheus with the same targets, all at the same
//! time on one cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::phases;
use crate::report::Report;
use crate::server::Candidate;
use crate::simulator::Simulator;

/// The series that each pod exposes beside the 22 of its process and its requests.
const FILLER: usize = 478;

/// The series that each pod exposes: those of the text format without comments.
const SERIES: usize = FILLER + 22;

/// The families of which one series each is kept.
const KEPT: [&str; 3] = [
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "queue_length",
];

/// The servers, in the order of the table.
pub(crate) const SERVERS: [&str; 4] = [
    "vitals-server --pod-metrics",
    "vitals-server without",
    "Prometheus, the same 3 kept",
    "Prometheus, all kept",
];

/// The simulator's options for pods with metrics of their own.
pub(crate) fn simulated() -> [String; 3] {
    let filler = FILLER.to_string();
    ["--pod-endpoints", "--filler-series", &filler].map(str::to_owned)
}

/// Starts the servers on the cluster, and measures their scrapes for `window`.
pub(crate) async fn measure(
    cluster: &Simulator,
    ports: &[u16],
    folder: &Path,
    window: Duration,
    report: &mut Report,
) {
    let mut endpoints = Vec::new();
    cluster
        .for_each_pod(|pod| endpoints.extend(pod.endpoint()))
        .await;
    report.set_condition("podTargets", endpoints.len() as f64);
    report.set_condition("podPageSeries", SERIES as f64);
    let config = json!({"allowed_addresses": ["127.0.0.0/8"], "keep": KEPT});
    let config = write(folder, "pod-metrics.yaml", &config);
    let [with, without, few, all] = SERVERS;
    let candidates = [
        Candidate::own_with(
            with,
            &format!("--pod-metrics --pod-metrics-config='{}'", config.display()),
        ),
        Candidate::own_with(without, ""),
        Candidate::prometheus(few, &prometheus(folder, "few.yml", &endpoints, &KEPT)),
        Candidate::prometheus(all, &prometheus(folder, "all.yml", &endpoints, &[])),
    ];
    let servers = phases::with_history(&candidates, cluster, ports, folder, 0, report).await;
    phases::settle().await;
    let measured = phases::at_the_same_time(&servers, cluster, window, report).await;
    phases::pods(&servers, &measured, endpoints.len(), report).await;
}

/// The config of a Prometheus that scrapes the endpoints and keeps these families; all without any.
fn prometheus(folder: &Path, name: &str, endpoints: &[String], kept: &[&str]) -> PathBuf {
    let mut job = json!({"job_name": "pods", "static_configs": [{"targets": endpoints}]});
    if !kept.is_empty() {
        job["metric_relabel_configs"] =
            json!([{"source_labels": ["__name__"], "regex": kept.join("|"), "action": "keep"}]);
    }
    let config = json!({"global": {"scrape_interval": "15s"}, "scrape_configs": [job]});
    write(folder, name, &config)
}

/// Writes a config in JSON, which is YAML too.
fn write(folder: &Path, name: &str, config: &serde_json::Value) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, config.to_string()).expect("space on the disk");
    path
}
