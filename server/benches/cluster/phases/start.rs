//! From the start of a server to its first answers, to those for all nodes, and to the end of the restore.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::process::Cpu;
use crate::report::Report;
use crate::server::{Candidate, Kind, Server};
use crate::simulator::Simulator;

/// The longest time for a start.
const PATIENCE: Duration = Duration::from_secs(600);

/// The part of the history that must be there: meanwhile the oldest points expire.
const COMPLETE: f64 = 0.95;

/// vitals-server logs this when it has restored a state file.
const RESTORED: &str = "restored the state";

struct Answers {
    first: Duration,
    all: Duration,
    cpu: Cpu,
}

/// Waits until the server is ready, and until it has usage of all nodes.
async fn answers(server: &Server, nodes: usize, began: Instant) -> Answers {
    let (ready, nodes) = match server.kind {
        Kind::Metrics => ("/readyz", nodes),
        Kind::Prometheus => ("/-/ready", 0),
    };
    while !server.client.is_ok(ready).await {
        pause(server, began, "is not ready", 10).await;
    }
    let first = began.elapsed();
    while nodes > 0 && server.client.items(super::NODES).await < nodes {
        pause(server, began, "has no usage of some nodes", 200).await;
    }
    Answers {
        first,
        all: began.elapsed(),
        cpu: server.process.cpu(),
    }
}

async fn pause(server: &Server, began: Instant, what: &str, milliseconds: u64) {
    if began.elapsed() > PATIENCE || server.process.has_ended() {
        server.fail(what);
    }
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Starts each server alone and without history, measures its start, and ends it.
pub(crate) async fn alone(
    candidates: &[Candidate],
    cluster: &Simulator,
    port: u16,
    folder: &Path,
    report: &mut Report,
) {
    for (at, candidate) in candidates.iter().enumerate() {
        let empty = folder.join(format!("{at}-empty"));
        let began = Instant::now();
        let server = candidate.start(cluster, port, folder, &empty);
        let answers = answers(&server, cluster.nodes, began).await;
        report.set(at, "firstAnswers", answers.first.as_secs_f64());
        report.set(at, "allAnswers", answers.all.as_secs_f64());
        report.set(at, "startCpu", answers.cpu.total().as_secs_f64());
        report.set(at, "startPeak", server.process.memory("VmHWM"));
    }
}

/// Starts all servers with a history of so many points, and waits until they answer and have restored it.
pub(crate) async fn with_history(
    candidates: &[Candidate],
    cluster: &Simulator,
    ports: &[u16],
    folder: &Path,
    points: usize,
    report: &mut Report,
) -> Vec<Server> {
    let began = Instant::now();
    let all = candidates.iter().zip(ports).enumerate();
    let servers: Vec<Server> = all
        .map(|(at, (candidate, port))| {
            let history = folder.join(format!("{at}-history"));
            candidate.start(cluster, *port, folder, &history)
        })
        .collect();
    let restores = servers
        .iter()
        .zip(candidates)
        .map(|(server, candidate)| async move {
            answers(server, cluster.nodes, began).await;
            match points {
                1.. if candidate.restores() => Some(restore(server, points, began).await),
                _ => None,
            }
        });
    let restores = futures::future::join_all(restores).await;
    for (at, restored) in restores.into_iter().enumerate() {
        let Some(restored) = restored else { continue };
        report.set(at, "historyRestored", restored.after.as_secs_f64());
        report.set(at, "peak", restored.peak);
        report.set(at, "historyPoints", restored.points / 1e6);
    }
    servers
}

struct Restored {
    after: Duration,
    peak: Option<f64>,
    points: f64,
}

/// Waits until a server has restored its history, and checks that it has so many points.
async fn restore(server: &Server, points: usize, began: Instant) -> Restored {
    // The log, because a request for `/metrics` would count for the peak of memory.
    while !server.log().contains(RESTORED) {
        pause(server, began, "has not restored the history", 100).await;
    }
    let (after, peak) = (began.elapsed(), server.process.memory("VmHWM"));
    let restored = server.metrics().await.sum("kubevitals_history_points", "");
    let restored = restored.unwrap_or_default();
    if restored < COMPLETE * points as f64 {
        server.fail(&format!("has {restored} points of history, of {points}"));
    }
    Restored {
        after,
        peak,
        points: restored,
    }
}
