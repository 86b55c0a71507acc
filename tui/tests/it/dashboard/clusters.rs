//! The dashboard on clusters with missing parts, and on a cluster that is lost and returns.

use std::path::PathBuf;
use std::sync::Arc;

use kubevitals_server::Server;
use kubevitals_server::clock::SystemClock;
use kubevitals_server::config::Settings;
use kubevitals_sim::identity::{Rule, Subject};
use kubevitals_sim::{Cluster, Config, Faults};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::terminal::Terminal;

/// A simulated cluster and its metrics server, in this process.
pub(super) struct Lab {
    /// The runtime of both.
    runtime: Runtime,
    pub(super) cluster: Cluster,
    server: Option<Server>,
    pub(super) folder: TempDir,
}

impl Lab {
    pub(super) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let config = Config {
            nodes: 2,
            pods_per_node: 10,
            faults: Faults::None,
            ..Config::default()
        };
        let cluster = runtime.block_on(Cluster::start(config)).unwrap();
        let mut lab = Self {
            runtime,
            cluster,
            server: None,
            folder: TempDir::new().unwrap(),
        };
        lab.start_server();
        lab
    }

    fn start_server(&mut self) {
        let clock = Arc::new(SystemClock::default());
        let cluster = &self.cluster;
        let server = self.runtime.block_on(async {
            let settings = Settings::embedded(cluster.server_kubeconfig(), clock)
                .await
                .unwrap();
            Server::start(settings).await.unwrap()
        });
        cluster.set_aggregated(server.local_addr());
        self.server = Some(server);
    }

    fn stop_server(&mut self) {
        let server = self.server.take().unwrap();
        self.runtime.block_on(server.shutdown());
    }

    /// Opens the dashboard with this kubeconfig.
    pub(super) fn dashboard(&self, kubeconfig: &str, arguments: &[&str]) -> Terminal {
        let terminal = self.open(kubeconfig, arguments);
        terminal.wait_for("the dashboard", |text| text.contains("Overview"));
        terminal
    }

    /// Opens the dashboard; a credential plugin may prompt first.
    pub(super) fn open(&self, kubeconfig: &str, arguments: &[&str]) -> Terminal {
        let path: PathBuf = self.folder.path().join("kubeconfig");
        std::fs::write(&path, kubeconfig).unwrap();
        let path = path.display().to_string();
        let arguments = [&["--kubeconfig", &path], arguments].concat();
        let place = self.folder.path().display().to_string();
        Terminal::start(&arguments, &place, 160, 40, &[])
    }

    fn dashboard_as_admin(&self, arguments: &[&str]) -> Terminal {
        self.dashboard(self.cluster.kubeconfig(), arguments)
    }
}

/// Whether a row has usage: millicores and bytes.
fn has_usage(row: &str) -> bool {
    let is = |word: &str, unit: &str| {
        word.strip_suffix(unit)
            .is_some_and(|number| number.parse::<f64>().is_ok())
    };
    let mut words = row.split_whitespace();
    words.any(|word| is(word, "m")) && words.any(|word| is(word, "Mi") || is(word, "Gi"))
}

#[test]
fn with_metrics_k8s_io_only_its_usage_is_shown() {
    let lab = Lab::start();
    lab.cluster.api().set_without(&["kubevitals.io"]);
    let mut terminal = lab.dashboard_as_admin(&["--view", "pods"]);
    terminal.wait_for("the source and why", |text| {
        text.contains("source metrics") && text.contains("metrics.k8s.io/v1")
    });
    terminal.wait_for("usage", |text| text.lines().skip(8).any(has_usage));
    terminal.press("8");
    terminal.wait_for_text("Incidents need vitals-server in the cluster");
}

#[test]
fn without_metrics_the_reason_and_the_rest_are_shown() {
    let lab = Lab::start();
    let groups = ["kubevitals.io", "metrics.k8s.io"];
    lab.cluster.api().set_without(&groups);
    let mut terminal = lab.dashboard_as_admin(&["--view", "pods"]);
    terminal.wait_for("the source and why", |text| {
        text.contains("source none") && text.contains("the cluster has no metrics.k8s.io")
    });
    let text = terminal.wait_for("pods", |text| text.contains("Running"));
    assert!(!text.lines().skip(8).any(has_usage), "{text}");
    terminal.press("6");
    // Requests are shown without metrics.
    terminal.wait_for("namespaces", |text| {
        text.contains("CPU REQ") && text.contains("kube-system")
    });
    // A server that is installed later is found.
    lab.cluster.api().set_without(&[]);
    terminal.wait_for_text("source vitals");
    terminal.press("3");
    terminal.wait_for("usage", |text| text.lines().skip(8).any(has_usage));
}

#[test]
fn without_a_context_the_list_of_contexts_opens() {
    let lab = Lab::start();
    let whole = lab.cluster.kubeconfig();
    let without: String = whole
        .lines()
        .filter(|line| !line.starts_with("current-context:"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_ne!(without.lines().count(), whole.lines().count());
    for chosen in ["", "current-context: ''\n", "current-context: null\n"] {
        let mut terminal = lab.dashboard(&format!("{without}{chosen}"), &[]);
        terminal.wait_for_text("Contexts ─");
        terminal.press("enter");
        terminal.wait_for("the cluster of the chosen context", |text| {
            !text.contains("Contexts ─") && text.contains("LIVE") && text.contains("source vitals")
        });
        terminal.press("q");
        terminal.wait_for_end();
    }
}

#[test]
fn missing_permissions_and_the_rest_are_shown() {
    let lab = Lab::start();
    let subject = Subject::service_account("shop", "jane");
    let identities = lab.cluster.identities();
    let see = |group: &str, resources: &[&str]| {
        Rule::resources(&["get", "list", "watch"], group, resources)
    };
    identities.grant(
        subject.clone(),
        see("kubevitals.io", &["podvitals", "podvitals/history"]).in_namespace("shop"),
    );
    identities.grant(subject, see("", &["pods", "events"]).in_namespace("shop"));
    let api = lab.cluster.api();
    let kubeconfig = api
        .service_account_kubeconfig("shop", "jane")
        .replace("namespace: default", "namespace: shop");
    let mut terminal = lab.dashboard(&kubeconfig, &["--view", "pods"]);
    terminal.wait_for("the pods of the own namespace, and why no others", |text| {
        let why =
            "pods of other namespaces: forbidden: User \"system:serviceaccount:shop:jane\" cannot";
        text.contains(why)
            && text.contains("source vitals, ns shop")
            && text.lines().skip(8).any(has_usage)
    });
    // The header counts the visible part of the cluster.
    terminal.wait_for("counts of those pods", |text| {
        let counts = text.lines().any(|line| line.contains("9 running"));
        counts && text.contains("nodes -")
    });
    for (key, what, why) in [
        (
            "2",
            "nodes: forbidden: ",
            "cannot watch nodevitals.kubevitals.io",
        ),
        (
            "8",
            "incidents: forbidden: ",
            "cannot watch incidents.kubevitals.io in namespace shop",
        ),
        (
            "7",
            "HPAs: forbidden: ",
            "cannot list horizontalpodautoscalers.autoscaling in namespace shop",
        ),
    ] {
        terminal.press(key);
        terminal.wait_for(why, |text| {
            let line = |line: &str| line.contains(what) && line.contains(why);
            text.lines().any(line) && text.contains("PARTLY LIVE")
        });
    }
    terminal.press("3");
    terminal.press("left");
    terminal.wait_for("those pods as they were", |text| {
        let title = text.lines().next().unwrap_or_default();
        title.contains(" PAST ") && !title.contains("loading") && text.contains("9 running")
    });
    terminal.press("end");
    terminal.press("5");
    terminal.wait_for("workloads of what is seen", |text| {
        text.contains("Deployment")
    });
}

#[test]
fn while_vitals_server_is_down_another_source_is_used() {
    let mut lab = Lab::start();
    let mut terminal = lab.dashboard_as_admin(&["--view", "pods"]);
    terminal.wait_for("usage", |text| text.lines().skip(8).any(has_usage));
    lab.stop_server();
    let text = terminal.wait_for("the source that is left, and why", |text| {
        text.contains("source none") && text.contains("PARTLY LIVE") && text.contains("usage: ")
    });
    // The last rows stay.
    assert!(text.lines().skip(8).any(has_usage), "{text}");
    terminal.press("8");
    terminal.wait_for_text("incidents: kubevitals.io: not available");
    terminal.press("3");
    lab.start_server();
    terminal.wait_for("that it is back", |text| {
        let title = text.lines().next().unwrap_or_default();
        title.contains("source vitals") && title.trim_end().ends_with("  LIVE")
    });
    terminal.wait_for("usage", |text| text.lines().skip(8).any(has_usage));
}

#[test]
fn an_unreachable_cluster_is_retried_until_it_answers() {
    let lab = Lab::start();
    let mut terminal = lab.dashboard_as_admin(&["--view", "pods"]);
    terminal.wait_for("usage", |text| text.lines().skip(8).any(has_usage));
    lab.cluster.cut_api(true);
    terminal.wait_for("that it is lost", |text| text.contains("LOST"));
    // Keys still work.
    terminal.press("2");
    terminal.wait_for("nodes as they were", |text| text.contains("node-0001"));
    lab.cluster.cut_api(false);
    terminal.wait_for("that it is back", |text| !text.contains("LOST"));
}
