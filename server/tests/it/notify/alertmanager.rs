//! A real Alertmanager receives the incidents, and notifies a receiver of a test.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use kubevitals_proto::clock::system_time;
use serde_json::Value;

use super::World;
use super::receiver::Receiver;
use crate::harness::{client, wait_until};

/// An Alertmanager that runs until dropped, with its data and its log in a folder of its own.
struct Alertmanager {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        // Already gone is as good.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

impl Alertmanager {
    /// Starts one on a free port that notifies `receiver` soon.
    fn start(folder: &Path, receiver: &str) -> Self {
        let file = folder.join("alertmanager.yml");
        let configuration = format!(
            "route: {{receiver: test, group_by: [incident], group_wait: 50ms, group_interval: 100ms}}\n\
             receivers: [{{name: test, webhook_configs: [{{url: \"{receiver}\", send_resolved: true}}]}}]\n"
        );
        fs::write(&file, configuration).unwrap();
        // As for Prometheus: it does not say which port it got.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let log = fs::File::create(folder.join("log")).unwrap();
        let client = client(None);
        let child = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus-alertmanager is installed (scripts/tools.sh)");
        Self {
            child,
            url: format!("http://{address}"),
            client,
        }
    }

    /// Its active alerts; none while it does not answer.
    async fn active(&self) -> Option<Vec<Value>> {
        let url = format!("{}/api/v2/alerts?active=true", self.url);
        let response = self.client.get(url).send().await.ok()?;
        serde_json::from_slice(&response.bytes().await.ok()?).ok()
    }
}

/// The status and the annotations of each alert that the receiver was notified of.
fn notified(receiver: &Receiver) -> Vec<(String, Value)> {
    let requests = receiver.requests();
    let alerts = requests.iter().flat_map(|request| {
        let alerts = request.json()["alerts"].as_array().unwrap().clone();
        alerts.into_iter()
    });
    alerts
        .map(|it| {
            (
                it["status"].as_str().unwrap().to_owned(),
                it["annotations"].clone(),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alertmanager_shows_an_incident_of_two_replicas_once_and_its_end() {
    // Alertmanager has the machine's clock, and an end in its future would not be one yet.
    let start = system_time().plus_nanos(-7200 * 1_000_000_000);
    let world = World::at(start).await;
    let receiver = Receiver::start([]).await;
    let alertmanager = Alertmanager::start(world.folder.path(), &receiver.url("/notified"));
    wait_until("Alertmanager answers", async || {
        alertmanager.active().await.is_some()
    })
    .await;
    let flags = [format!("--alertmanager-url={}", alertmanager.url)];
    let (first, second) = (world.serve(&flags).await, world.serve(&flags).await);
    world.breaks("web-1");
    world
        .until("the receiver is notified", async || {
            !notified(&receiver).is_empty()
        })
        .await;
    let alerts = alertmanager.active().await.unwrap();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let (alert, labels) = (&alerts[0], &alerts[0]["labels"]);
    assert_eq!(labels["alertname"], "KubevitalsIncident");
    assert_eq!(
        (&labels["namespace"], &labels["object"]),
        (&"shop".into(), &"web-1".into())
    );
    assert_eq!(alert["annotations"]["cause"], "Exited");
    let delivered = |server| world.notices(server, "alertmanager", "delivered");
    let (of_first, of_second) = (delivered(&first).await, delivered(&second).await);
    world
        .until("both replicas have sent it again", async || {
            delivered(&first).await > of_first + 3 && delivered(&second).await > of_second + 3
        })
        .await;
    assert_eq!(alertmanager.active().await.unwrap().len(), 1);
    world.recovers("web-1");
    world
        .until("the receiver is notified of the end", async || {
            notified(&receiver).len() > 1
        })
        .await;
    let (of_first, of_second) = (delivered(&first).await, delivered(&second).await);
    world
        .until("both replicas have sent the end again", async || {
            delivered(&first).await > of_first + 3 && delivered(&second).await > of_second + 3
        })
        .await;
    assert_eq!(alertmanager.active().await.unwrap(), Vec::<Value>::new());
    let notified = notified(&receiver);
    let statuses: Vec<&str> = notified.iter().map(|(status, _)| &**status).collect();
    assert_eq!(statuses, ["firing", "resolved"]);
    let summary = notified[0].1["summary"].as_str().unwrap();
    assert!(
        summary.contains("web") && summary.contains('7'),
        "{summary}"
    );
}
