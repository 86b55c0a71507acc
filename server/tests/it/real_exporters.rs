//! The metrics of real programs, read as if they were pods, compared with what a real Prometheus computes of the same
//! pages.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::objects::PodKey;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::Timestamp;
use kubevitals_server::pod_metrics::{self, PodMetrics};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, Faults, SimClock};
use parking_lot::Mutex;
use serde_json::json;

use crate::harness::{Harness, client, wait_until};
use crate::prometheus::{Prometheus, free_address};

pub(crate) const INTERVAL: Duration = Duration::from_secs(15);
const START: i64 = 1_800_000_000;

/// A gauge of the test that each page has.
pub(crate) const PAGES: &str = "test_pages";

/// The `Content-Type` of the text format.
const TEXT: &str = "text/plain; version=0.0.4";

/// Serves what `next` returns at each request. Returns the port.
pub(crate) fn serve(
    content_type: &'static str,
    mut next: impl FnMut() -> Vec<u8> + Send + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 8192];
            let Ok(1..) = stream.read(&mut request) else {
                continue;
            };
            let page = next();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                page.len()
            );
            // A client that has gone away is no failure.
            let _ = stream.write_all(&[head.as_bytes(), &page].concat());
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

/// A cluster with the pod `monitoring/exporter`, which exposes the pages of a test, and a server that keeps some families.
pub(crate) struct Pod {
    harness: Harness,
    page: Arc<Mutex<Vec<u8>>>,
    key: PodKey,
    /// All pages so far, for Prometheus.
    recorded: String,
    pub(crate) pages: u32,
}

/// After this many polls without a scrape, the clock moves on by an interval.
const POLLS_OF_A_TURN: u32 = 100;

impl Pod {
    pub(crate) async fn start(folder: &Path, content_type: &'static str, keep: &[&str]) -> Self {
        let page = Arc::new(Mutex::new(Vec::new()));
        let served = Arc::clone(&page);
        let port = serve(content_type, move || served.lock().clone());
        let file = folder.join("pod-metrics.yaml");
        let keep = json!([keep, &[PAGES]].concat());
        let config = format!("allowed_addresses: [\"127.0.0.0/8\"]\nkeep: {keep}\n");
        fs::write(&file, config).unwrap();
        let config = Config {
            nodes: 1,
            pods_per_node: 2,
            faults: Faults::None,
            clock: Some(SimClock::manual(Timestamp::from_secs(START))),
            ..Config::default()
        };
        let add = |cluster: &Cluster| {
            cluster.identities().grant_pod_metrics();
            let annotations = json!({
                "prometheus.io/scrape": "true", "prometheus.io/port": port.to_string(),
            });
            cluster.store().apply(
                Resource::Pods,
                json!({
                    "metadata": {
                        "namespace": "monitoring", "name": "exporter", "uid": "1", "annotations": annotations,
                    },
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
        let this = Self {
            harness,
            page,
            key: PodKey::new("monitoring", "exporter"),
            recorded: String::new(),
            pages: 0,
        };
        // Until no scrape is due: one in flight could read the first page before its turn.
        let mut polls = 0;
        wait_until("the pod is scraped", async || {
            let all = LabelSelector::default();
            let scrape = this.own().explain(&this.key, PAGES, &all).scrape;
            let now = this.harness.cluster.clock().now();
            if polls % POLLS_OF_A_TURN == 0 {
                this.harness.cluster.advance(INTERVAL);
            }
            polls += 1;
            scrape.is_some_and(|scrape| scrape.at == now)
                && now == this.harness.cluster.clock().now()
        })
        .await;
        this
    }

    fn own(&self) -> &PodMetrics {
        self.harness.server.query().pod_metrics().unwrap()
    }

    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        let value = self.own().read(&self.key, name, &LabelSelector::default());
        value.ok().map(|it| it.value)
    }

    /// Exposes a page until it is read, an interval after the last one.
    async fn expose(&mut self, page: &str) {
        let page = format!("{page}{PAGES} {}\n", self.pages + 1);
        self.expose_page(page.as_bytes()).await;
        let at = self.harness.cluster.clock().now();
        self.recorded.push_str(&stamped(&page, at.as_secs()));
    }

    /// The same with a page in any format that has the gauge of the test.
    pub(crate) async fn expose_page(&mut self, page: &[u8]) {
        self.pages += 1;
        *self.page.lock() = page.to_vec();
        self.harness.cluster.advance(INTERVAL);
        wait_until("the page is read", async || {
            self.value(PAGES) == Some(f64::from(self.pages))
        })
        .await;
    }

    /// Compares a value of ours with that of a Prometheus.
    pub(crate) fn is_near(&self, name: &str, theirs: Option<f64>) {
        let ours = self.value(name);
        let near = ours.zip(theirs).is_some_and(|(ours, theirs)| {
            theirs != 0.0 && (ours - theirs).abs() <= 0.01 * theirs.abs()
        });
        assert!(near, "{name}: {ours:?}, Prometheus: {theirs:?}");
    }

    /// Compares our values with those of queries to a Prometheus that has the same pages.
    async fn compare(self, folder: &Path, compared: &[(&str, &str)]) {
        let past = folder.join("past");
        fs::create_dir(&past).unwrap();
        let input = folder.join("recorded");
        fs::write(&input, format!("{}# EOF\n", self.recorded)).unwrap();
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([&input, &past.join("data")])
            .output()
            .expect("promtool is installed (scripts/tools.sh)");
        let error = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{error}");
        let judge = Prometheus::start(&past, "scrape_configs: []\n");
        wait_until("Prometheus answers", async || {
            judge.value("vector(1)").await.is_some()
        })
        .await;
        // A second later, for a Prometheus before 3.0 counts a sample at the very begin of a range.
        let now = self.harness.cluster.clock().now().as_secs() + 1;
        for (name, query) in compared {
            let path = format!("{query}&time={now}");
            self.is_near(name, judge.value(&path).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rates_and_quantiles_of_a_prometheus_are_as_it_computes_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let real = folder.join("real");
    fs::create_dir(&real).unwrap();
    let exporter = Prometheus::start(&real, "scrape_configs: []\n");
    wait_until("the exporter answers", async || {
        exporter.value("vector(1)").await.is_some()
    })
    .await;
    let mut pod = Pod::start(folder, TEXT, &["prometheus_http_.*", "go_goroutines"]).await;
    for n in 0..8 {
        // Some requests, and not as many each time.
        for _ in 0..20 + 7 * n {
            exporter.ask("query?query=vector(1)").await.unwrap();
        }
        let page = client(None).get(exporter.page()).send().await.unwrap();
        pod.expose(&page.text().await.unwrap()).await;
    }
    let compared = [
        (
            "prometheus_http_requests_per_second",
            "sum(rate(prometheus_http_requests_total[1m]))",
        ),
        (
            "prometheus_http_request_duration_seconds_p95",
            "histogram_quantile(0.95,sum by (le) (rate(prometheus_http_request_duration_seconds_bucket[1m])))",
        ),
        (
            "prometheus_http_response_size_bytes_p50",
            "histogram_quantile(0.5,sum by (le) (rate(prometheus_http_response_size_bytes_bucket[1m])))",
        ),
        (
            "prometheus_http_request_duration_seconds_mean",
            "sum(rate(prometheus_http_request_duration_seconds_sum[1m]))/sum(rate(prometheus_http_request_duration_seconds_count[1m]))",
        ),
        ("go_goroutines", "go_goroutines"),
    ];
    pod.compare(folder, &compared).await;
}

/// A program that runs until dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_a_node_exporter_are_as_prometheus_computes_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let address = free_address();
    let exporter = Command::new("prometheus-node-exporter")
        .arg(format!("--web.listen-address={address}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let exporter = exporter.expect("prometheus-node-exporter is installed (scripts/tools.sh)");
    let _exporter = Running(exporter);
    let (client, url) = (client(None), format!("http://{address}/metrics"));
    wait_until("the exporter answers", async || {
        client.get(&url).send().await.is_ok()
    })
    .await;
    let mut pod = Pod::start(folder, TEXT, &["node_.*", "promhttp_.*"]).await;
    for _ in 0..8 {
        let page = client.get(&url).send().await.unwrap();
        pod.expose(&page.text().await.unwrap()).await;
    }
    let compared = [
        (
            "node_context_switches_per_second",
            "rate(node_context_switches_total[1m])",
        ),
        (
            "promhttp_metric_handler_requests_total",
            "sum(rate(promhttp_metric_handler_requests_total[1m]))",
        ),
        (
            "node_cpu_seconds_per_second",
            "sum(rate(node_cpu_seconds_total[1m]))",
        ),
        (
            "node_memory_MemAvailable_bytes",
            "node_memory_MemAvailable_bytes",
        ),
        (
            "node_filesystem_size_bytes",
            "sum(node_filesystem_size_bytes)",
        ),
    ];
    pod.compare(folder, &compared).await;
}
