//! Two days back: the dashboard and the commands on a server that reads what is older than its memory from a real engine.

#[path = "../../../server/tests/it/long_history/engines.rs"]
mod engines;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_server::Server;
use kubevitals_server::clock::{Clock as _, SystemClock};
use kubevitals_server::config::Settings;
use kubevitals_server::engine;
use kubevitals_sim::{Cluster, Config, Faults};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::ask::{At, vitals};
use crate::terminal::Terminal;
use engines::{RunningEngine, Samples};

const HOUR: i64 = 3_600;

/// A simulated cluster, its metrics server, and an engine with two days of data.
struct Lab {
    runtime: Runtime,
    cluster: Cluster,
    _server: Server,
    engine: Option<RunningEngine>,
    folder: TempDir,
    now: Timestamp,
}

impl At for Lab {
    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    fn directory(&self) -> &Path {
        self.folder.path()
    }
}

/// A pod that ran from two days ago until twenty hours ago, and whose container was killed 26 hours ago.
fn ghost(now: i64) -> Samples {
    let mut samples = Samples::default();
    let (begin, killed, end) = (now - 48 * HOUR, now - 26 * HOUR, now - 20 * HOUR);
    let pod = r#"namespace="shop",pod="ghost-1",uid="0a3c7d4e-5a5f-4a53-9d3f-0123456789ab""#;
    let container = format!(r#"{pod},container="app""#);
    let with = |labels: &str| format!("{pod},{labels}");
    for seconds in (begin..end).step_by(30) {
        let mut add = |metric, labels: &str, value| samples.add(metric, labels, seconds, value);
        add(
            "container_cpu_usage_seconds_total",
            &container,
            0.25 * (seconds - begin) as f64,
        );
        add("container_memory_working_set_bytes", &container, 1e8);
        add("kube_pod_info", &with(r#"node="gone-node""#), 1.0);
        add("kube_pod_created", pod, begin as f64);
        add("kube_pod_status_phase", &with(r#"phase="Running""#), 1.0);
        add("kube_pod_status_ready", &with(r#"condition="true""#), 1.0);
        add("kube_pod_container_status_running", &container, 1.0);
        let restarts = f64::from(seconds >= killed);
        add(
            "kube_pod_container_status_restarts_total",
            &container,
            restarts,
        );
        if seconds >= killed {
            let cause =
                format!(r#"{container},cause="OomKilled",reason="OOMKilled",exit_code="137""#);
            add(
                "kubevitals_container_last_restart_timestamp_seconds",
                &cause,
                killed as f64,
            );
        }
        for node in ["node-0001", "node-0002"] {
            let node = format!(r#"node="{node}""#);
            add("kube_node_info", &node, 1.0);
            add(
                "node_cpu_usage_seconds_total",
                &node,
                (seconds - begin) as f64,
            );
            add("node_memory_working_set_bytes", &node, 1e9);
        }
    }
    samples
}

impl Lab {
    fn start(engine: impl AsyncFnOnce(&Path, &Samples) -> RunningEngine) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(SystemClock::default());
        let now = clock.wall();
        let config = Config {
            nodes: 2,
            pods_per_node: 10,
            faults: Faults::None,
            ..Config::default()
        };
        let (cluster, server, engine) = runtime.block_on(async {
            let data = folder.path().join("engine");
            std::fs::create_dir(&data).unwrap();
            let engine = engine(&data, &ghost(now.as_secs())).await;
            let cluster = Cluster::start(config).await.unwrap();
            let kubeconfig = cluster.server_kubeconfig();
            let mut settings = Settings::embedded(kubeconfig, clock).await.unwrap();
            settings.engine = Some(engine::Settings {
                url: engine.url.parse().unwrap(),
                timeout: std::time::Duration::from_secs(40),
                http_config: None,
                matchers: Vec::new(),
            });
            let server = Server::start(settings).await.unwrap();
            cluster.set_aggregated(server.local_addr());
            (cluster, server, engine)
        });
        let lab = Self {
            runtime,
            cluster,
            _server: server,
            engine: Some(engine),
            folder,
            now,
        };
        std::fs::write(lab.kubeconfig(), lab.cluster.kubeconfig()).unwrap();
        lab
    }

    fn dashboard(&self, arguments: &[&str]) -> Terminal {
        let kubeconfig = self.kubeconfig().display().to_string();
        let arguments = [&["--kubeconfig", &kubeconfig], arguments].concat();
        let place = self.folder.path().display().to_string();
        let terminal = Terminal::start(&arguments, &place, 160, 40, &[]);
        terminal.wait_for("pods", |text| {
            text.contains("Running") && text.contains(" LIVE ")
        });
        terminal
    }

    /// The engine is gone.
    fn lose_engine(&mut self) {
        let _runtime = self.runtime.enter();
        self.engine = None;
    }
}

/// Goes back two days and returns, in the dashboard and by commands.
fn goes_back(lab: &mut Lab) {
    let mut terminal = lab.dashboard(&["--view", "pods"]);
    assert!(!terminal.text().contains("ghost-1"));
    terminal.press("(");
    let parts = [
        "shop",
        "ghost-1",
        "Running",
        "OOM",
        "250m",
        "95.3Mi",
        "gone-node",
    ];
    terminal.wait_for("the pod that is gone", |text| {
        let has_all = |row: &str| parts.iter().all(|part| row.contains(part));
        text.lines().any(has_all)
    });
    terminal.press("(");
    terminal.press("}");
    terminal.wait_until("the time before the kill", |screen, _| {
        let text = screen.contents();
        let row = text.lines().find(|line| line.contains("ghost-1"))?;
        (!row.contains("OOM")).then_some(())
    });
    // Its page has charts of its usage, although the pod is gone.
    terminal.press("/");
    terminal.send("ghost");
    terminal.press("enter");
    terminal.press("enter");
    terminal.wait_for("the page of the pod", |text| {
        text.contains("ghost-1") && text.contains("250m") && !text.contains("no data")
    });
    terminal.press("end");
    terminal.wait_for_text(" LIVE ");
    drop(terminal);

    let since = lab
        .now
        .plus_nanos(-48 * HOUR * 1_000_000_000)
        .to_rfc3339_seconds();
    let said = vitals(
        lab,
        &[
            "history",
            "pod",
            "shop/ghost-1",
            "--span",
            "2d",
            "-o",
            "csv",
        ],
    );
    assert_eq!(said.code, Some(0), "{said:?}");
    let used = said
        .out
        .lines()
        .filter(|line| line.contains(",0.25"))
        .count();
    assert!(
        (50..=58).contains(&used),
        "28 hours, in steps of half an hour: {used}\n{}",
        said.out
    );
    assert!(said.out.contains("OOM"), "{}", said.out);
    let said = vitals(lab, &["history", "pod", "shop/ghost-1", "--since", &since]);
    assert_eq!((said.code, &*said.err), (Some(0), ""), "{said:?}");
    let said = vitals(lab, &["get", "pods", "-n", "shop", "--at", "-1d"]);
    assert!(said.out.contains("ghost-1"), "{said:?}");
    let said = vitals(lab, &["rightsize", "-A", "--span", "2d"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

/// Without the engine, what is in memory can still be read.
fn goes_on(lab: &mut Lab) {
    lab.lose_engine();
    let mut terminal = lab.dashboard(&["--view", "pods"]);
    terminal.press("(");
    terminal.wait_for("the notice", |text| {
        text.contains("only the time in memory can be shown")
            && text.contains("the long history cannot be reached")
    });
    terminal.wait_for_text(" LIVE ");
    let said = vitals(lab, &["history", "cluster", "--span", "2d"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let warning = "warning: only the time in memory: the long history cannot be reached\n";
    assert_eq!(said.err, warning);
    let said = vitals(lab, &["get", "pods", "-A", "--at", "-1d"]);
    assert_ne!(said.code, Some(0), "{said:?}");
    assert!(
        said.err.contains("the long history cannot be reached"),
        "{said:?}"
    );
}

#[test]
fn prometheus_takes_the_dashboard_two_days_back() {
    let mut lab =
        Lab::start(async |folder, samples| RunningEngine::prometheus(folder, samples).await);
    goes_back(&mut lab);
    goes_on(&mut lab);
}

#[test]
fn victoria_metrics_takes_the_dashboard_two_days_back() {
    let mut lab =
        Lab::start(async |folder, samples| RunningEngine::victoria_metrics(folder, samples).await);
    goes_back(&mut lab);
}
