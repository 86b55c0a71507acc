//! Real engines: Prometheus and VictoriaMetrics, each with its data in a folder of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::harness::wait_until;

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Prometheus,
    VictoriaMetrics,
}

/// An engine that runs until dropped.
pub(super) struct Engine {
    kind: Kind,
    folder: PathBuf,
    address: String,
    child: Option<Child>,
    client: reqwest::Client,
}

/// Samples by series: milliseconds and value.
pub(super) type Samples = BTreeMap<BTreeMap<String, String>, Vec<(i64, f64)>>;

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Engine {
    /// Starts one with its data below `folder`.
    pub(super) async fn start(kind: Kind, folder: &Path) -> Self {
        let folder = folder.join(format!("{kind:?}"));
        fs::create_dir_all(&folder).unwrap();
        // The engines do not say which port they got, so each is given one.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let _provider = kubevitals_server::tls::provider();
        let mut engine = Self {
            kind,
            folder,
            address,
            child: None,
            client: reqwest::Client::new(),
        };
        engine.resume().await;
        engine
    }

    /// Starts it again, with the data that it had.
    pub(super) async fn resume(&mut self) {
        let data = self.folder.join("data").display().to_string();
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let (program, arguments) = match self.kind {
            Kind::Prometheus => {
                let file = self.folder.join("prometheus.yml");
                fs::write(&file, "global: {}\n").unwrap();
                let arguments = vec![
                    format!("--config.file={}", file.display()),
                    format!("--storage.tsdb.path={data}"),
                    format!("--web.listen-address={}", self.address),
                    "--web.enable-remote-write-receiver".to_owned(),
                ];
                ("prometheus", arguments)
            }
            Kind::VictoriaMetrics => {
                let arguments = vec![
                    format!("-storageDataPath={data}"),
                    format!("-httpListenAddr={}", self.address),
                ];
                ("victoria-metrics", arguments)
            }
        };
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap_or_else(|error| {
            panic!("{program} cannot be started: {error}; scripts/tools.sh installs it")
        }));
        wait_until("the engine answers", async || {
            self.get("/api/v1/query?query=1").await.is_some()
        })
        .await;
    }

    /// Ends it; the URL stays.
    pub(super) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // By SIGTERM: VictoriaMetrics writes its newest samples to the disk.
            let _ended = rustix::process::kill_process(
                rustix::process::Pid::from_child(&child),
                rustix::process::Signal::TERM,
            );
            let _gone = child.wait();
        }
    }

    /// The URL for remote write.
    pub(super) fn write_url(&self) -> String {
        format!("http://{}/api/v1/write", self.address)
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let url = format!("http://{}{path}", self.address);
        let response = self.client.get(url).send().await.ok()?;
        serde_json::from_slice(&response.bytes().await.ok()?).ok()
    }

    /// The values of a query at a time, by labels.
    pub(super) async fn query(
        &self,
        query: &str,
        at: f64,
    ) -> BTreeMap<BTreeMap<String, String>, f64> {
        let query = form_urlencoded::byte_serialize(query.as_bytes()).collect::<String>();
        let answer = self
            .get(&format!("/api/v1/query?query={query}&time={at}"))
            .await
            .unwrap();
        let results = answer["data"]["result"]
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"));
        let value = |it: &Value| it["value"][1].as_str().unwrap().parse().unwrap();
        results
            .iter()
            .map(|it| (labels(&it["metric"]), value(it)))
            .collect()
    }

    /// All samples of a metric between two times, without stale markers.
    pub(super) async fn samples(&self, metric: &str, since: f64, until: f64) -> Samples {
        match self.kind {
            Kind::Prometheus => self.range(metric, since, until).await,
            Kind::VictoriaMetrics => self.exported(metric).await,
        }
    }

    async fn range(&self, metric: &str, since: f64, until: f64) -> Samples {
        let span = (until - since).ceil();
        let path = format!("/api/v1/query?query={metric}%5B{span}s%5D&time={until}");
        let answer = self.get(&path).await.unwrap();
        let results = answer["data"]["result"]
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"));
        let sample = |it: &Value| {
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds")]
            let at = (it[0].as_f64().unwrap() * 1e3).round() as i64;
            (at, it[1].as_str().unwrap().parse().unwrap())
        };
        let samples = |it: &Value| {
            it["values"]
                .as_array()
                .unwrap()
                .iter()
                .map(sample)
                .collect()
        };
        results
            .iter()
            .map(|it| (labels(&it["metric"]), samples(it)))
            .collect()
    }

    /// VictoriaMetrics' export: every sample as it is stored, doubles included.
    async fn exported(&self, metric: &str) -> Samples {
        let base = format!("http://{}", self.address);
        let flushed = self
            .client
            .get(format!("{base}/internal/force_flush"))
            .send()
            .await;
        flushed.unwrap();
        let url = format!("{base}/api/v1/export?match[]={metric}");
        let lines = self
            .client
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let mut all = Samples::new();
        for line in lines.lines() {
            let series: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let times = series["timestamps"].as_array().unwrap().iter();
            let pairs = times.zip(series["values"].as_array().unwrap());
            // A stale marker is null.
            let pairs = pairs.filter_map(|(at, value)| Some((at.as_i64()?, value.as_f64()?)));
            all.entry(labels(&series["metric"]))
                .or_default()
                .extend(pairs);
        }
        for samples in all.values_mut() {
            samples.sort_by_key(|(at, _)| *at);
        }
        all
    }
}

fn labels(metric: &Value) -> BTreeMap<String, String> {
    let labels = metric.as_object().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    labels
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}
