//! Incidents reach a log, webhooks, Events and a real Alertmanager: each once, with the cause, and whatever the target
//! does.

mod alertmanager;
mod delivery;
mod receiver;
mod restart;

use std::path::{Path, PathBuf};
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_server::Server;
use kubevitals_server::config::{Flags, Invocation, Settings};
use kubevitals_server::export::notify;
use kubevitals_server::state::INCIDENTS;
use kubevitals_server::telemetry::{self, LogFormat};
use kubevitals_sim::identity::SERVER_ACCOUNT;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, Faults, SimClock};
use serde_json::{Value, json};

use crate::harness::{clock_of, counted, wait_until};

/// Where these flags send incidents.
pub(crate) fn settings(flags: &[String]) -> Option<notify::Settings> {
    let words = ["vitals-server"].into_iter().map(Into::into);
    match Flags::read(words.chain(flags.iter().map(Into::into))) {
        Ok(Invocation::Serve(flags)) => flags.incidents.settings().unwrap(),
        other => panic!("{other:?}"),
    }
}

/// A cluster with a manual clock, whose pods are healthy except those that a test breaks.
struct World {
    cluster: Cluster,
    clock: SimClock,
    start: Timestamp,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self::at(Timestamp::from_secs(1_800_000_000)).await
    }

    async fn at(start: Timestamp) -> Self {
        telemetry::init(LogFormat::Text, 0);
        let clock = SimClock::manual(start);
        let cluster = Cluster::start(Config {
            nodes: 1,
            pods_per_node: 1,
            faults: Faults::None,
            clock: Some(clock.clone()),
            ..Config::default()
        })
        .await
        .unwrap();
        let metadata = json!({"name": INCIDENTS, "namespace": SERVER_ACCOUNT.0});
        let object = json!({"metadata": metadata});
        cluster.store().apply(Resource::ConfigMaps, object);
        Self {
            cluster,
            clock,
            start,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A server with these flags, that persists incidents in the ConfigMap.
    async fn serve(&self, flags: &[String]) -> Server {
        let kubeconfig = self.cluster.server_kubeconfig();
        let mut settings = Settings::embedded(kubeconfig, clock_of(&self.clock))
            .await
            .unwrap();
        settings.notify = self::settings(flags);
        settings.incidents = Some(INCIDENTS.to_owned());
        Server::start(settings).await.unwrap()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("incidents.jsonl")
    }

    fn log_flag(&self) -> String {
        format!("--incident-log={}", self.log().display())
    }

    fn time(&self, second: i64) -> String {
        Timestamp::from_secs(self.start.as_secs() + second).to_rfc3339_seconds()
    }

    /// Puts a pod whose container has terminated `restarts` times, the last time with exit code 7 at the start.
    fn put(&self, name: &str, restarts: u32, state: &Value) {
        let node = &self.cluster.node_names()[0];
        let ready = state.get("running").is_some();
        let ended = json!({
            "exitCode": 7, "reason": "Error", "containerID": "c://a",
            "startedAt": self.time(-60), "finishedAt": self.time(-30),
        });
        let pod = json!({
            "metadata": {
                "namespace": "shop", "name": name, "uid": format!("00000000-0000-4000-8000-{:012x}", name.len()),
                "creationTimestamp": self.time(-36_000),
            },
            "spec": {"nodeName": node, "containers": [{"name": "web", "image": "web:1"}]},
            "status": {
                "phase": "Running", "startTime": self.time(-36_000),
                "conditions": [{
                    "type": "Ready", "status": if ready { "True" } else { "False" },
                    "lastTransitionTime": self.time(if ready { 30 } else { -30 }),
                }],
                "containerStatuses": [{
                    "name": "web", "image": "web:1", "imageID": "", "ready": ready, "started": ready,
                    "restartCount": restarts, "state": state, "lastState": {"terminated": ended},
                }],
            },
        });
        self.cluster.store().apply(Resource::Pods, pod);
    }

    /// A container of the pod exits and is backed off.
    fn breaks(&self, name: &str) {
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}});
        self.put(name, 1, &waiting);
    }

    /// The container runs again. Ten minutes later the incident is over.
    fn recovers(&self, name: &str) {
        self.put(name, 1, &json!({"running": {"startedAt": self.time(30)}}));
    }

    /// Advances the clock in steps until the condition holds.
    async fn until(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        wait_until(what, async || {
            self.clock.advance(Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(10)).await;
            condition().await
        })
        .await;
    }

    /// Advances the clock by this time in steps, so that every task has its turns.
    async fn pass(&self, seconds: u64) {
        for _ in 0..seconds / 5 {
            self.clock.advance(Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The number of notices of a target with a result.
    async fn notices(&self, server: &Server, target: &str, result: &str) -> u64 {
        let name = "kubevitals_incident_notices_total";
        let sample = format!("{name}{{target=\"{target}\",result=\"{result}\"}}");
        counted(&self.cluster, server, &sample).await
    }
}

/// The action and the object of each line of a log.
fn lines(path: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        brief(&line)
    });
    lines.collect()
}

/// The action and the object of a notice.
fn brief(notice: &Value) -> (String, String) {
    let text = |pointer: &str| {
        notice
            .pointer(pointer)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    (text("/action"), text("/incident/involved/name"))
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = expected.iter();
    owned
        .map(|(action, name)| ((*action).to_owned(), (*name).to_owned()))
        .collect()
}
