//! Real engines with data that a test has written: Debian's Prometheus and VictoriaMetrics.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Samples of several series, in order of time within each metric.
#[derive(Default)]
pub(crate) struct Samples {
    metrics: std::collections::BTreeMap<&'static str, Vec<(String, i64, f64)>>,
}

impl Samples {
    /// Adds a sample. `labels` are as in a selector.
    pub(crate) fn add(&mut self, metric: &'static str, labels: &str, seconds: i64, value: f64) {
        let samples = self.metrics.entry(metric).or_default();
        samples.push((labels.to_owned(), seconds, value));
    }

    /// The text format, with times in units of a second divided by `divisor`.
    fn text(&self, divisor: i64, typed: bool) -> String {
        let mut text = String::new();
        for (metric, samples) in &self.metrics {
            if typed {
                writeln!(text, "# TYPE {metric} unknown").unwrap();
            }
            let mut samples: Vec<_> = samples.iter().collect();
            samples.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(&b.1)));
            for (labels, seconds, value) in samples {
                writeln!(text, "{metric}{{{labels}}} {value} {}", seconds * divisor).unwrap();
            }
        }
        text
    }
}

/// An engine that runs until dropped, with its data and log in a folder of its own.
pub(crate) struct RunningEngine {
    child: Child,
    /// Its URL.
    pub(crate) url: String,
}

impl Drop for RunningEngine {
    fn drop(&mut self) {
        // Already gone is as good.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// A free port. Another process that takes it in between is seen as an engine that never starts.
fn free_address() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().to_string()
}

impl RunningEngine {
    /// A Prometheus with these samples in its blocks.
    pub(crate) async fn prometheus(folder: &Path, samples: &Samples) -> Self {
        let (text, data) = (folder.join("samples"), folder.join("data"));
        fs::write(&text, samples.text(1, true) + "# EOF\n").unwrap();
        let made = Command::new("promtool")
            // Not a block for each two hours of two months.
            .args(["tsdb", "create-blocks-from", "--max-block-duration=486h"])
            .arg("openmetrics")
            .args([&text, &data])
            .output()
            .expect("promtool is installed (scripts/tools.sh)");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let configuration = folder.join("prometheus.yml");
        fs::write(&configuration, "").unwrap();
        let address = free_address();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg("--storage.tsdb.retention.time=10y")
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("log")).unwrap())
            .spawn()
            .expect("prometheus is installed (scripts/tools.sh)");
        Self::started(child, &address, "/-/ready").await
    }

    /// A VictoriaMetrics with these samples.
    pub(crate) async fn victoria_metrics(folder: &Path, samples: &Samples) -> Self {
        let address = free_address();
        let child = Command::new("victoria-metrics")
            .arg(format!(
                "-storageDataPath={}",
                folder.join("data").display()
            ))
            .arg("-retentionPeriod=10y")
            .arg(format!("-httpListenAddr={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("log")).unwrap())
            .spawn()
            .expect("victoria-metrics is installed (scripts/tools.sh)");
        let engine = Self::started(child, &address, "/health").await;
        let url = format!("{}/api/v1/import/prometheus", engine.url);
        let client = reqwest::Client::new();
        let imported = client
            .post(url)
            .body(samples.text(1_000, false))
            .send()
            .await;
        assert!(imported.unwrap().status().is_success());
        // New samples can be read only after a while, unless they are written at once.
        let flushed = client
            .get(format!("{}/internal/force_flush", engine.url))
            .send()
            .await;
        assert!(flushed.unwrap().status().is_success());
        engine
    }

    async fn started(child: Child, address: &str, health: &str) -> Self {
        let _provider = kubevitals_server::tls::provider();
        let mut engine = Self {
            child,
            url: format!("http://{address}"),
        };
        let client = reqwest::Client::new();
        // Two minutes bound a hang, not a speed.
        for _ in 0..12_000 {
            let health = client.get(format!("{}{health}", engine.url)).send().await;
            if health.is_ok_and(|it| it.status().is_success()) {
                return engine;
            }
            let ended = engine.child.try_wait().unwrap();
            assert!(ended.is_none(), "the engine ended: {ended:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the engine does not start");
    }
}
