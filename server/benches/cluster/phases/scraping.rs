//! The cost of scraping: all servers at the same time, without requests.

use std::time::{Duration, Instant};

use crate::metrics::Metrics;
use crate::process::{Cpu, Process, Switches, machine_cpu};
use crate::report::Report;
use crate::server::Server;
use crate::simulator::Simulator;

pub(super) const MIB: f64 = 1_048_576.0;

/// The state of a server at one moment.
pub(super) struct Moment {
    pub(super) cpu: Cpu,
    pub(super) at: Instant,
    switches: Switches,
    rss: Option<f64>,
    peak: Option<f64>,
    pss: Option<f64>,
    threads: usize,
    pub(super) metrics: Metrics,
}

impl Moment {
    /// At the start of a window, after the request for `/metrics`, whose cost does not count.
    pub(super) async fn first(server: &Server) -> Self {
        let metrics = server.metrics().await;
        Self::of(server, metrics)
    }

    /// At the end of a window, before the request for `/metrics`.
    pub(super) async fn last(server: &Server) -> Self {
        let moment = Self::of(server, Metrics::new(String::new()));
        Self {
            metrics: server.metrics().await,
            ..moment
        }
    }

    fn of(server: &Server, metrics: Metrics) -> Self {
        Self {
            cpu: server.process.cpu(),
            at: Instant::now(),
            switches: server.process.switches(),
            rss: server.process.memory("VmRSS"),
            peak: server.process.memory("VmHWM"),
            pss: server.process.proportional_memory(),
            threads: server.process.threads(),
            metrics,
        }
    }

    /// The growth of a counter since an earlier moment.
    pub(super) fn since(&self, earlier: &Self, name: &str, labels: &str) -> Option<f64> {
        let count = self.metrics.sum(name, labels)?;
        Some(count - earlier.metrics.sum(name, labels).unwrap_or_default())
    }

    /// Scrapes that succeeded since an earlier moment.
    pub(super) fn succeeded(&self, earlier: &Self) -> f64 {
        let labels = "success=\"true\"";
        let count = self.since(earlier, "metrics_server_kubelet_request_total", labels);
        count.unwrap_or_default()
    }

    /// Scrapes that a cluster of so many nodes should have had since an earlier moment, and has not.
    pub(super) fn missed(&self, earlier: &Self, nodes: usize) -> f64 {
        let time = self.at.duration_since(earlier.at).as_secs_f64();
        // A turn at either end of the window may fall on the other side.
        let turns = (time / super::RESOLUTION.as_secs_f64()).floor();
        (turns * nodes as f64 - self.succeeded(earlier)).max(0.0)
    }
}

/// Waits until the connections are made, the first rates are replaced, and the allocator has returned what the start
/// needed.
pub(crate) async fn settle() {
    tokio::time::sleep(super::RESOLUTION * 2).await;
}

/// What the servers did within a window.
pub(crate) struct Measured {
    /// The two ends of the window, for each server.
    pub(super) ends: Vec<(Moment, Moment)>,
    /// The CPU time of the simulator.
    simulator: Duration,
}

impl Measured {
    /// Records what the simulator spent on each scrape.
    pub(super) fn record_simulator(&self, report: &mut Report, scrapes: f64) {
        let micros = self.simulator.as_secs_f64() * 1e6 / scrapes.max(1.0);
        report.set_condition("simulatorCpuPerScrape", micros);
    }
}

/// Measures all servers for `window`.
pub(crate) async fn at_the_same_time(
    servers: &[Server],
    cluster: &Simulator,
    window: Duration,
    report: &mut Report,
) -> Measured {
    let mut before = Vec::new();
    for server in servers {
        before.push(Moment::first(server).await);
        server.process.reset_peak();
    }
    let ours = || {
        let servers = servers.iter().map(|server| server.process.cpu());
        let own = Process::own().cpu() + cluster.process.cpu();
        servers.fold(own, |sum, cpu| sum + cpu).total()
    };
    let (simulator, machine, all, began) =
        (cluster.process.cpu(), machine_cpu(), ours(), Instant::now());
    tokio::time::sleep(window).await;
    let simulator = (cluster.process.cpu() - simulator).total();
    let others = (machine_cpu() - machine).saturating_sub(ours() - all);
    let took = began.elapsed();
    let mut ends = Vec::new();
    for (at, (server, before)) in servers.iter().zip(before).enumerate() {
        let after = Moment::last(server).await;
        usage(report, at, &before, &after);
        ends.push((before, after));
    }
    report.set_condition("otherCpu", super::millicores(others, took));
    let memory = cluster.process.memory("VmRSS").unwrap_or_default();
    report.set_condition("simulatorMemory", memory);
    Measured { ends, simulator }
}

/// Records what a server used between two moments.
fn usage(report: &mut Report, at: usize, before: &Moment, after: &Moment) {
    let time = after.at.duration_since(before.at);
    let cpu = after.cpu - before.cpu;
    report.set(at, "cpu", super::millicores(cpu.total(), time));
    report.set(at, "cpuUser", super::millicores(cpu.user, time));
    report.set(at, "cpuSystem", super::millicores(cpu.system, time));
    report.set(at, "rss", after.rss);
    report.set(at, "rssPeak", after.peak);
    report.set(at, "pss", after.pss);
    report.set(at, "threads", after.threads as f64);
    for kind in ["allocated", "active", "resident"] {
        let labels = format!("kind=\"{kind}\"");
        let bytes = after.metrics.sum("kubevitals_allocator_bytes", &labels);
        report.set(at, kind, bytes.map(|bytes| bytes / MIB));
    }
}

/// Records the scrapes of kubelets, and the history.
pub(crate) fn kubelets(measured: &Measured, report: &mut Report) {
    let mut scrapes = 0.0;
    for (at, (before, after)) in measured.ends.iter().enumerate() {
        scrapes += record(report, at, before, after);
        history(report, at, after);
    }
    measured.record_simulator(report, scrapes);
}

/// Records the scrapes of a server between two moments. Returns their number.
fn record(report: &mut Report, at: usize, before: &Moment, after: &Moment) -> f64 {
    let cpu = after.cpu - before.cpu;
    let succeeded = after.succeeded(before);
    let per_scrape = |amount: f64| (succeeded > 0.0).then(|| amount / succeeded);
    let switches = |count: fn(&Switches) -> u64| {
        count(&after.switches).saturating_sub(count(&before.switches)) as f64
    };
    report.set(
        at,
        "cpuPerScrape",
        per_scrape(cpu.total().as_secs_f64() * 1e6),
    );
    report.set(at, "voluntary", per_scrape(switches(|it| it.voluntary)));
    report.set(at, "involuntary", per_scrape(switches(|it| it.involuntary)));
    report.set(at, "succeeded", succeeded);
    let failed = after.since(
        before,
        "metrics_server_kubelet_request_total",
        "success=\"false\"",
    );
    report.set(at, "failed", failed.unwrap_or_default());
    report.set(at, "missed", after.missed(before, report.nodes));
    let skipped = after.since(before, "kubevitals_scrape_turns_skipped_total", "");
    report.set(at, "skipped", skipped);

    let other = |name| after.since(before, name, "");
    let pages = other("kubevitals_page_answers_total").and_then(per_scrape);
    report.set(at, "otherPages", pages);
    let bytes = other("kubevitals_page_bytes_total").and_then(per_scrape);
    report.set(at, "otherPageBytes", bytes.map(|bytes| bytes / 1e3));

    let quantiles = [
        "kubevitals_scrape_duration_seconds",
        "metrics_server_kubelet_request_duration_seconds",
    ]
    .iter()
    .find_map(|name| {
        after
            .metrics
            .quantiles(&before.metrics, name, [0.5, 0.9, 0.99])
    });
    for (quantile, key) in ["latencyP50", "latencyP90", "latencyP99"]
        .iter()
        .enumerate()
    {
        report.set(at, key, quantiles.map(|all| all[quantile] * 1000.0));
    }
    succeeded
}

/// Records the size of the history.
fn history(report: &mut Report, at: usize, after: &Moment) {
    let bytes = after.metrics.sum("kubevitals_history_bytes", "");
    let points = after.metrics.sum("kubevitals_history_points", "");
    report.set(at, "historyBytes", bytes.map(|bytes| bytes / MIB));
    let series = after.metrics.sum("kubevitals_history_series", "");
    report.set(at, "historySeries", series);
    let per_point = bytes.zip(points).filter(|(_, points)| *points > 0.0);
    report.set(
        at,
        "bytesPerPoint",
        per_point.map(|(bytes, points)| bytes / points),
    );
}
