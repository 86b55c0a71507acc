//! The cost of pods' own metrics, in vitals-server and in Prometheus.

use super::scraping::{MIB, Measured, Moment};
use crate::report::Report;
use crate::server::{Kind, Server};

/// The scrapes of pods within a window, and what is kept of them.
struct Scrapes {
    succeeded: f64,
    failed: f64,
    series: f64,
    bytes: Option<f64>,
}

/// Records the scrapes of `targets` pods. What a vitals-server spends on them is what it uses beyond one that scrapes
/// only the same kubelets; a Prometheus does nothing else.
pub(crate) async fn pods(
    servers: &[Server],
    measured: &Measured,
    targets: usize,
    report: &mut Report,
) {
    let mut all = Vec::new();
    for (server, (before, after)) in servers.iter().zip(&measured.ends) {
        all.push(match server.kind {
            Kind::Metrics => of_server(before, after),
            Kind::Prometheus => Some(of_prometheus(server, report.window_seconds, after).await),
        });
    }
    let without = all.iter().position(Option::is_none);
    let without = |key| without.and_then(|at| report.get(at, key));
    let (cpu_without, rss_without) = (without("cpu"), without("rss"));
    let mut total = 0.0;
    for (at, (server, scrapes)) in servers.iter().zip(all).enumerate() {
        let Some(scrapes) = scrapes else { continue };
        total += scrapes.succeeded;
        let turns = (report.window_seconds / super::RESOLUTION.as_secs()) as usize;
        let missed = (turns * targets) as f64 - scrapes.succeeded;
        report.set(at, "podScrapes", scrapes.succeeded);
        report.set(at, "podFailed", scrapes.failed);
        report.set(at, "podMissed", missed.max(0.0));
        report.set(at, "podSeries", scrapes.series);
        report.set(at, "podBytes", scrapes.bytes.map(|bytes| bytes / MIB));
        let beyond = |without: Option<f64>, used: Option<f64>| match server.kind {
            Kind::Metrics => Some(used? - without?),
            Kind::Prometheus => used,
        };
        let cpu = beyond(cpu_without, report.get(at, "cpu"));
        report.set(at, "podCpu", cpu);
        let seconds = report.window_seconds as f64;
        let each = cpu.map(|millicores| millicores * seconds * 1e3 / scrapes.succeeded);
        report.set(at, "podCpuPerScrape", each);
        let memory = beyond(rss_without, report.get(at, "rss"));
        report.set(at, "podMemory", memory);
    }
    measured.record_simulator(report, total);
}

/// What a vitals-server has counted; none if it does not scrape pods.
fn of_server(before: &Moment, after: &Moment) -> Option<Scrapes> {
    const SCRAPES: &str = "kubevitals_pod_metrics_scrapes_total";
    let all = after.since(before, SCRAPES, "")?;
    let succeeded = after.since(before, SCRAPES, "result=\"success\"")?;
    Some(Scrapes {
        succeeded,
        failed: all - succeeded,
        series: after.metrics.sum("kubevitals_pod_metrics_series", "")?,
        bytes: after.metrics.sum("kubevitals_pod_metrics_bytes", ""),
    })
}

/// What a Prometheus has recorded of its scrapes.
async fn of_prometheus(server: &Server, seconds: u64, after: &Moment) -> Scrapes {
    let query = async |query: &str| {
        let query = form_urlencoded::byte_serialize(query.as_bytes()).collect::<String>();
        let path = format!("/api/v1/query?query={query}");
        let answer = server.client.json(&path).await.unwrap_or_default();
        let value = answer["data"]["result"][0]["value"][1].as_str();
        let value = value.and_then(|value| value.parse::<f64>().ok());
        value.unwrap_or_else(|| server.fail("does not answer a query"))
    };
    let (succeeded, all) = (
        format!("sum_over_time(up[{seconds}s])"),
        format!("count_over_time(up[{seconds}s])"),
    );
    Scrapes {
        succeeded: query(&format!("sum({succeeded})")).await,
        // One query: between two the window moves.
        failed: query(&format!("sum({all} - {succeeded})")).await,
        series: after
            .metrics
            .sum("prometheus_tsdb_head_series", "")
            .unwrap_or_default(),
        bytes: None,
    }
}
