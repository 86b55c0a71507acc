//! The metrics of real programs, read as if they were pods, compared with what a real Prometheus computes of the same
//! pages.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::objects::PodKey;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::Timestamp;
use kubevitals_server::pod_metrics;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, Faults, SimClock};
use parking_lot::Mutex;
use serde_json::json;

use crate::harness::{Harness, wait_until};
use crate::prometheus::Prometheus;

const INTERVAL: Duration = Duration::from_secs(15);
const START: i64 = 1_800_000_000;

/// Serves one page over and over: whatever it is now. Returns the port.
fn serve(page: Arc<Mutex<String>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 8192];
            let Ok(1..) = stream.read(&mut request) else {
                continue;
            };
            let page = page.lock().clone();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
            // A client that has gone away is no failure.
            let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{page}", page.len());
        }
    });
    port
}

/// A page in OpenMetrics without metadata, each sample with this time.
fn stamped(page: &str, at: i64) -> String {
    let lines = page
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| format!("{line} {at}\n")).collect()
}

/// What is compared: our name, and the query.
const COMPARED: [(&str, &str); 4] = [
    (
        "prometheus_http_requests_per_second",
        "sum(rate(prometheus_http_requests_total[1m]))",
    ),
    (
        "prometheus_http_request_duration_seconds_p95",
        "histogram_quantile(0.95,sum by (le) (rate(prometheus_http_request_duration_seconds_bucket[1m])))",
    ),
    (
        "prometheus_http_request_duration_seconds_mean",
        "sum(rate(prometheus_http_request_duration_seconds_sum[1m]))/sum(rate(prometheus_http_request_duration_seconds_count[1m]))",
    ),
    ("go_goroutines", "go_goroutines"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rates_and_quantiles_are_those_of_prometheus() {
    if Command::new("promtool").arg("--version").output().is_err() {
        println!("skipped: promtool is not installed (scripts/tools.sh)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (real, past) = (folder.path().join("real"), folder.path().join("past"));
    for path in [&real, &past] {
        fs::create_dir(path).unwrap();
    }
    // The program whose metrics are read.
    let exporter = Prometheus::start(&real, "scrape_configs: []\n");
    wait_until("the exporter answers", async || {
        exporter.value("vector(1)").await.is_some()
    })
    .await;
    let page = Arc::new(Mutex::new(String::new()));
    let port = serve(page.clone());
    let file = folder.path().join("pod-metrics.yaml");
    fs::write(
        &file,
        "allowed_addresses: [\"127.0.0.0/8\"]\nkeep: [\"prometheus_http_.*\", \"go_goroutines\"]\n",
    )
    .unwrap();
    let clock = SimClock::manual(Timestamp::from_secs(START));
    let config = Config {
        nodes: 1,
        pods_per_node: 2,
        faults: Faults::None,
        clock: Some(clock.clone()),
        ..Config::default()
    };
    let add = |cluster: &Cluster| {
        cluster.identities().grant_pod_metrics();
        cluster.store().apply(
            Resource::Pods,
            json!({
                "metadata": {"namespace": "monitoring", "name": "exporter", "uid": "1", "annotations": {
                    "prometheus.io/scrape": "true", "prometheus.io/port": port.to_string(),
                }},
                "spec": {"nodeName": "node-0001", "containers": [{"name": "exporter", "image": "e"}]},
                "status": {"phase": "Running", "podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]},
            }),
        );
    };
    let harness = Harness::start_changed(config, add, |settings| {
        settings.pod_metrics = Some(pod_metrics::Settings {
            config: Some(file),
            ..pod_metrics::Settings::default()
        });
    })
    .await;
    let key = PodKey::new("monitoring", "exporter");
    let all = LabelSelector::default();
    let own = || harness.server.query().pod_metrics().unwrap();
    let mut recorded = String::new();
    let mut at = None;
    for n in 0..8 {
        // Some requests, and not as many each time.
        for _ in 0..20 + 7 * n {
            exporter.ask("query?query=vector(1)").await.unwrap();
        }
        *page.lock() = exporter.page().await;
        harness.cluster.advance(INTERVAL);
        wait_until("the page is read", async || {
            let value = own().read(&key, "go_goroutines", &all);
            let new = value.as_ref().is_ok_and(|it| Some(it.at) != at);
            at = value.map_or(at, |it| Some(it.at));
            new
        })
        .await;
        recorded.push_str(&stamped(&page.lock(), at.unwrap().as_secs()));
    }
    recorded.push_str("# EOF\n");
    let input = folder.path().join("recorded");
    fs::write(&input, recorded).unwrap();
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&input, &past.join("data")])
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let judge = Prometheus::start(&past, "scrape_configs: []\n");
    wait_until("Prometheus answers", async || {
        judge.value("vector(1)").await.is_some()
    })
    .await;
    for (name, query) in COMPARED {
        let ours = own().read(&key, name, &all).unwrap().value;
        let query = query.replace('+', "%2B");
        let path = format!("{query}&time={}", clock.now().as_secs());
        let theirs = judge.value(&path).await.unwrap();
        assert!(
            (ours - theirs).abs() <= 0.01 * theirs.abs(),
            "{name}: {ours}, Prometheus: {theirs}"
        );
    }
}
