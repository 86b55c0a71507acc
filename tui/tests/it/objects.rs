//! One table of pods, read by all: the server, the dashboard with either source, the simulated API server's printer, and
//! the real kubectl where it computes something itself.

#[path = "../../../proto/tests/cases/mod.rs"]
mod cases;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kubevitals::cli::Connection;
use kubevitals::clock::Clock;
use kubevitals::model::row::{Bounds, PodRow};
use kubevitals::model::{Amounts, Settings, SourceKind, State, apply, refresh};
use kubevitals::source::Connector;
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::vitals::{self, PodVitals, ProbesInWords};
use kubevitals_server::Server;
use kubevitals_server::clock::SystemClock;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, Faults};
use tempfile::TempDir;

use self::cases::{Case, NAMESPACE, Said, amounts};
use crate::ask::{At, kubectl};

/// Longer than anything takes that must happen; it bounds a hang, not a speed.
const PATIENCE: Duration = Duration::from_secs(90);

/// A simulated cluster whose pods are those of the table.
struct Table {
    cluster: Cluster,
    folder: TempDir,
}

impl At for Table {
    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    fn directory(&self) -> &Path {
        self.folder.path()
    }
}

impl Table {
    /// The cluster, with nothing of the table in it.
    async fn start() -> Self {
        let config = Config {
            nodes: 1,
            pods_per_node: 0,
            faults: Faults::None,
            ..Config::default()
        };
        let table = Self {
            cluster: Cluster::start(config).await.unwrap(),
            folder: TempDir::new().unwrap(),
        };
        std::fs::write(table.kubeconfig(), table.cluster.kubeconfig()).unwrap();
        table
    }

    fn node(&self) -> String {
        self.cluster.node_names().remove(0)
    }

    /// Puts these pods into the cluster.
    fn put(&self, cases: impl Iterator<Item = Case>) {
        for mut case in cases {
            case.pod["spec"]["nodeName"] = self.node().into();
            self.cluster.store().apply(Resource::Pods, case.pod);
        }
    }

    /// Lines of kubectl's output, as words.
    fn kubectl(&self, arguments: &[&str]) -> Vec<Vec<String>> {
        let said = kubectl(self, arguments);
        assert_eq!(said.code, Some(0), "{}", said.err);
        let lines = said.out.lines();
        lines
            .map(|line| line.split_whitespace().map(str::to_owned).collect())
            .collect()
    }

    /// The rows of a dashboard with this source.
    async fn rows(&self, source: SourceKind) -> HashMap<String, Arc<PodRow>> {
        let connection = Connection {
            kubeconfig: Some(self.kubeconfig().display().to_string()),
            ..Connection::default()
        };
        let connector = Connector::new(connection, Some(source), Clock::system());
        let (session, mut feed) = connector.connect(None).await.unwrap();
        let mut state = State::new(session, Settings::default());
        let (began, pods) = (Instant::now(), cases::all().len());
        let is_all = |state: &State| {
            let is_cron_job = |pod: &Arc<PodRow>| {
                let workload = pod.workload.as_ref();
                workload.is_some_and(|workload| &*workload.kind == "CronJob")
            };
            let rows = state.live.pods.rows();
            rows.len() == pods && rows.iter().any(is_cron_job)
        };
        while !is_all(&state) {
            let left = PATIENCE.saturating_sub(began.elapsed());
            let message = tokio::time::timeout(left, feed.next()).await;
            let Ok(message) = message else {
                let rows = state.live.pods.rows().len();
                panic!("{rows} pods of {pods}; {:?}", state.parts);
            };
            let _asks = apply(&mut state, message);
            refresh(&mut state);
        }
        let rows = state.live.pods.rows().iter();
        rows.map(|row| (row.name.to_string(), Arc::clone(row)))
            .collect()
    }
}

fn of_amounts(amounts: Amounts) -> Option<String> {
    let millicores = amounts.cpu.get().map(|cpu| cpu.0 / 1_000_000);
    let bytes = amounts.memory.get().map(|memory| memory.0);
    Some(cases::amounts(millicores, bytes))
}

fn of_quantities(amounts: &vitals::Amounts) -> Option<String> {
    of_amounts(amounts.into())
}

/// `250m` and `64Mi` as kubectl prints them.
fn of_texts(cpu: &str, memory: &str) -> Option<String> {
    let cpu: Quantity = cpu.parse().unwrap();
    let memory: Quantity = memory.parse().unwrap();
    Some(amounts(
        Some(cpu.to_nanocores().0 / 1_000_000),
        Some(memory.to_bytes().0),
    ))
}

/// What a row says; the source `vitals` does not say what a node counts the pod as.
fn of_row(row: &PodRow, counts: bool) -> Said {
    let workload = row.workload.as_deref();
    let Bounds { requests, limits } = row.counted();
    Said {
        line: Some(format!(
            "{}/{} {} {}",
            row.ready_containers, row.total_containers, row.status, row.restarts.count
        )),
        requests: of_amounts(row.requests),
        limits: of_amounts(row.limits),
        counted: of_amounts(requests).filter(|_| counts),
        summed: of_amounts(limits).filter(|_| counts),
        workload: Some(workload.map_or_else(String::new, |it| format!("{} {}", it.kind, it.name))),
        probes: Some(row.probes.text().into_owned()),
    }
}

fn of_vitals(pod: &PodVitals) -> Said {
    let workload = pod.workload.as_ref();
    let probes = pod.probes.iter().map(|probe| (probe.kind, probe.status));
    Said {
        line: Some(format!(
            "{}/{} {} {}",
            pod.ready_containers, pod.total_containers, pod.status, pod.restarts.count
        )),
        requests: of_quantities(&pod.requests),
        limits: of_quantities(&pod.limits),
        counted: None,
        summed: None,
        workload: Some(workload.map_or_else(String::new, |it| format!("{} {}", it.kind, it.name))),
        probes: Some(ProbesInWords::of(probes).to_string()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reader_agrees_with_kubectl_on_each_pod() {
    let table = Table::start().await;
    for job in cases::jobs() {
        table.cluster.store().apply(Resource::Jobs, job);
    }
    let conforming = cases::all().into_iter().filter(|case| case.conforms);
    table.put(conforming);

    // Namespace, name, and amounts, each with its percentage.
    let lines = table.kubectl(&["describe", "node", &table.node()]);
    let described: HashMap<&str, &Vec<String>> = lines
        .iter()
        .filter(|line| line.first().is_some_and(|first| first == NAMESPACE))
        .map(|line| (line[1].as_str(), line))
        .collect();
    assert!(described.len() > 40, "{lines:?}");
    cases::check("kubectl describe node", |case| {
        let line = described.get(case.name).filter(|_| case.judged);
        line.map_or_else(Said::default, |line| Said {
            counted: of_texts(&line[2], &line[6]),
            summed: of_texts(&line[4], &line[8]),
            ..Said::default()
        })
    });

    let others = cases::all().into_iter().filter(|case| !case.conforms);
    table.put(others);
    let lines = table.kubectl(&["get", "pods", "--no-headers", "-n", NAMESPACE]);
    let printed: HashMap<&str, &Vec<String>> =
        lines.iter().map(|line| (line[0].as_str(), line)).collect();
    cases::check("kubectl get pods", |case| {
        let line = printed[case.name];
        Said {
            line: Some(format!("{} {} {}", line[1], line[2], line[3])),
            ..Said::default()
        }
    });

    let clock = Arc::new(SystemClock::default());
    let kubeconfig = table.cluster.server_kubeconfig();
    let settings = kubevitals_server::config::Settings::embedded(kubeconfig, clock).await;
    let server = Server::start(settings.unwrap()).await.unwrap();
    table.cluster.set_aggregated(server.local_addr());
    let rows = table.rows(SourceKind::Vitals).await;
    cases::check("source vitals", |case| of_row(&rows[case.name], false));
    let mut builder = server.query().vitals().now();
    let pods = Arc::clone(builder.pods());
    let vitals = pods.values().map(|pod| builder.pod(pod));
    let vitals: HashMap<_, _> = vitals
        .map(|pod| (pod.metadata.name.clone(), of_vitals(&pod)))
        .collect();
    cases::check("server", |case| vitals[case.name].clone());

    let rows = table.rows(SourceKind::Metrics).await;
    cases::check("source metrics", |case| of_row(&rows[case.name], true));
    server.shutdown().await;
    table.cluster.shutdown().await;
}
