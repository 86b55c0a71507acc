//! A real Prometheus scrapes the server, over TLS that it verifies, with a bearer token.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::identity::{Rule, Subject, UserInfo};
use kubevitals_sim::{Config, Faults, SimClock};
use serde_json::Value;

use crate::harness::{Harness, client, wait_until};
use crate::limits::certified;

/// A Prometheus that runs until dropped, with its data and its log in a folder of its own.
pub(crate) struct Prometheus {
    child: Child,
    address: String,
    client: reqwest::Client,
}

/// A free address. The programs do not say which port they got, so they are given one; another that takes it in between
/// would be seen as a target that never comes up.
pub(crate) fn free_address() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().to_string()
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // Already gone is as good.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

impl Prometheus {
    /// Starts one with this configuration on a free port.
    pub(crate) fn start(folder: &Path, configuration: &str) -> Self {
        Self::start_with(folder, configuration, &[])
    }

    /// The same, with more arguments.
    pub(crate) fn start_with(folder: &Path, configuration: &str, arguments: &[&str]) -> Self {
        let file = folder.join("prometheus.yml");
        fs::write(&file, configuration).unwrap();
        let address = free_address();
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus is installed (scripts/tools.sh)");
        Self {
            child,
            address,
            client: client(None),
        }
    }

    /// Asks its API; nothing while it does not answer.
    pub(crate) async fn ask(&self, path: &str) -> Option<Value> {
        let url = format!("http://{}/api/v1/{path}", self.address);
        let response = self.client.get(url).send().await.ok()?;
        let answer: Value = serde_json::from_slice(&response.bytes().await.ok()?).ok()?;
        (answer["status"] == "success").then(|| answer["data"].clone())
    }

    /// The page of its own metrics.
    pub(crate) fn page(&self) -> String {
        format!("http://{}/metrics", self.address)
    }

    /// The one value that a query gives.
    pub(crate) async fn value(&self, query: &str) -> Option<f64> {
        let path = format!("query?query={query}");
        let answer = self.ask(&path).await?;
        answer["result"][0]["value"][1].as_str()?.parse().ok()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_prometheus_scrapes_it_over_tls_with_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = certified(folder.path());
    let config = Config {
        nodes: 3,
        pods_per_node: 4,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    };
    let ca = files.0.display().to_string();
    let harness =
        Harness::start_with(config, |settings| settings.tls.certificate = Some(files)).await;
    harness.first_step(3).await;
    // What the cluster's own Prometheus may do, and no more.
    let identities = harness.cluster.identities();
    let token = identities.mint_token(UserInfo::service_account("monitoring", "prometheus"));
    identities.grant(
        Subject::service_account("monitoring", "prometheus"),
        Rule::paths(&["/metrics"]),
    );
    let (token_file, wrong_file) = (folder.path().join("token"), folder.path().join("wrong"));
    fs::write(&token_file, token).unwrap();
    let nobody = identities.mint_token(UserInfo::new("nobody", []));
    fs::write(&wrong_file, nobody).unwrap();
    let job = |name: &str, token: &Path| {
        format!(
            "- job_name: {name}\n  scheme: https\n  scrape_interval: 2s\n  scrape_timeout: 2s\n  \
             authorization: {{credentials_file: {}}}\n  tls_config: {{ca_file: {ca}, server_name: localhost}}\n  \
             static_configs: [{{targets: [\"{}\"]}}]\n",
            token.display(),
            harness.server.local_addr(),
        )
    };
    let (may, may_not) = (job("may", &token_file), job("maynot", &wrong_file));
    let prometheus = Prometheus::start(folder.path(), &format!("scrape_configs:\n{may}{may_not}"));
    wait_until("both targets have been scraped", async || {
        prometheus.value("up{job=\"may\"}").await == Some(1.0)
            && prometheus.value("up{job=\"maynot\"}").await == Some(0.0)
    })
    .await;
    wait_until("what it scraped can be queried", async || {
        prometheus
            .value("kubevitals_nodes{state=\"answering\"}")
            .await
            == Some(3.0)
    })
    .await;
    assert_eq!(
        prometheus
            .value("sum(metrics_server_kubelet_request_total{success=\"true\"})")
            .await,
        Some(3.0)
    );
    let data = prometheus.ask("targets?state=active").await.unwrap();
    let targets = data["activeTargets"].as_array().unwrap();
    let error = |job: &str| {
        let found = targets.iter().find(|target| target["labels"]["job"] == job);
        found.unwrap()["lastError"].as_str().unwrap().to_owned()
    };
    assert_eq!(error("may"), "");
    assert!(error("maynot").contains("403"), "{}", error("maynot"));
}
