//! The same rule gives the same figure in every source, and the time is the server's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kubevitals::cli::Connection;
use kubevitals::clock::Clock;
use kubevitals::export::{TableRecords, export};
use kubevitals::model::row::{ContainerRow, NamespaceRow, NodeRow, PodRow, WorkloadRow};
use kubevitals::model::{ExportAs, Row, State, Table, View, refresh};
use kubevitals::source::Connector;
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::{Cluster, Config, Faults, SimClock};
use serde_json::Value;
use tempfile::TempDir;

use crate::api::{self, Api};
use crate::simulated::troubled;
use crate::terminal::Terminal;

/// What is exported of a row, by column.
type Exported = BTreeMap<String, Value>;

/// What the API server says of a liveness probe.
const LIVENESS: &str = "the API server says nothing of a liveness probe until it kills";

/// What it says of restarts.
const LAST_END: &str =
    "the API server says when the last restart was, and of those before it only how many they were";

/// What it says of the reason of a restart.
const CAUSE: &str = "the API server has the exit code; that a probe failed before, only Events and the probes' counters say";

/// What source `vitals` and source `metrics` say differently, and why that is so. Where it is a number, source
/// `metrics` has fewer.
const DIFFERENT: &[(View, &str, &str)] = &[
    (View::Nodes, "restarts-1h", LAST_END),
    (View::Pods, "probe", LIVENESS),
    (View::Pods, "cause", CAUSE),
    (View::Pods, "restarts-1h", LAST_END),
    (View::Containers, "probe", LIVENESS),
    (View::Containers, "cause", CAUSE),
    (View::Containers, "restarts-1h", LAST_END),
    (View::Workloads, "restarts-1h", LAST_END),
    (View::Workloads, "failing", LIVENESS),
    (View::Namespaces, "restarts-1h", LAST_END),
    (View::Namespaces, "failing", LIVENESS),
];

fn exported<R: Row>(table: &Table<R>, now: Timestamp) -> Vec<Exported> {
    let places: Vec<u32> = (0..).take(table.len()).collect();
    let records = TableRecords::new(&R::columns(), table, &places, now);
    let mut json = Vec::new();
    export(ExportAs::Json, &records, &mut json).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// Every table that both sources have.
fn tables(state: &mut State) -> BTreeMap<&'static str, (View, Vec<Exported>)> {
    for view in View::SWITCHABLE {
        state.screen_mut().view = view;
        refresh(state);
    }
    let (live, now) = (&state.live, state.now);
    [
        (View::Nodes, exported::<NodeRow>(&live.nodes, now)),
        (View::Pods, exported::<PodRow>(&live.pods, now)),
        (
            View::Containers,
            exported::<ContainerRow>(&live.containers, now),
        ),
        (
            View::Workloads,
            exported::<WorkloadRow>(&live.workloads, now),
        ),
        (
            View::Namespaces,
            exported::<NamespaceRow>(&live.namespaces, now),
        ),
    ]
    .into_iter()
    .map(|(view, rows)| (view.title(), (view, rows)))
    .collect()
}

/// Whether a value is unknown to the source.
fn is_unknown(value: &Value) -> bool {
    value.is_null() || value == ""
}

fn are_equal(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        // Sums of floating point numbers in another order.
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(1.0),
        _ => one == other,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_cluster_has_the_same_values_in_every_source() {
    let mut running = troubled().await;
    running.open().await;
    let vitals = tables(&mut running.state);
    let headers = running.state.live.cluster.clone();
    running.look_by_metrics().await;
    let metrics = tables(&mut running.state);
    let header = running.state.live.cluster.clone();

    let mut differences: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
    let mut compared = 0;
    for (title, (_, of_vitals)) in &vitals {
        let (_, of_metrics) = &metrics[title];
        assert_eq!(of_vitals.len(), of_metrics.len(), "rows of {title}");
        for (by_vitals, by_metrics) in of_vitals.iter().zip(of_metrics) {
            for (column, value) in by_vitals {
                let other = &by_metrics[column];
                if is_unknown(other) || is_unknown(value) && other == 0 {
                    continue;
                }
                compared += 1;
                if !are_equal(value, other) {
                    let (more, fewer) = (value.as_f64(), other.as_f64());
                    assert!(fewer <= more, "{column}: {value} and {other}");
                    let name = ["name", "workload", "namespace"].iter();
                    let name = name.filter_map(|column| by_vitals.get(*column)).next();
                    let which = format!("{name:?}: {value} and {other}");
                    let of_column = differences.entry((*title, column.clone())).or_default();
                    of_column.push(which);
                }
            }
        }
    }
    let found: BTreeSet<(&str, &str)> = differences
        .keys()
        .map(|(title, column)| (*title, &**column))
        .collect();
    let justified = DIFFERENT
        .iter()
        .map(|(view, column, _)| (view.title(), *column))
        .collect();
    assert_eq!(found, justified, "{differences:#?}");
    assert!(compared > 1_000, "{compared}");

    assert_eq!(header.usage, headers.usage);
    assert_eq!(header.reporting, headers.reporting);
    assert_eq!(header.allocatable, headers.allocatable);
    assert_eq!(header.requests, headers.requests);
    assert_eq!(header.nodes_reporting, headers.nodes_reporting);
    assert_eq!(header.phases, headers.phases);
    assert_eq!(header.pods_ready, headers.pods_ready);
    running.stop().await;
}

/// A cluster whose clock is off by so many seconds from this machine's, as a machine's whose clock is wrong is from its
/// cluster's.
async fn cluster_off_by(seconds: i64) -> (Cluster, TempDir, Connector) {
    let now = Clock::system().now().plus_nanos(seconds * 1_000_000_000);
    let cluster = Cluster::start(Config {
        nodes: 1,
        pods_per_node: 2,
        faults: Faults::None,
        clock: Some(SimClock::scaled_from(now, 1.0)),
        ..Config::default()
    })
    .await
    .unwrap();
    let folder = TempDir::new().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    cluster.write_kubeconfig(&kubeconfig).unwrap();
    let connection = Connection {
        kubeconfig: Some(kubeconfig.display().to_string()),
        ..Connection::default()
    };
    let connector = Connector::new(connection, None, Clock::system());
    (cluster, folder, connector)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_follows_the_servers_date_header() {
    const DAY: i64 = 86_400;
    for (off, words) in [
        (600, Some("your clock is 10m behind the server's")),
        (-600, Some("your clock is 10m ahead of the server's")),
        (DAY, Some("behind the server's")),
        (0, None),
    ] {
        let (cluster, _folder, connector) = cluster_off_by(off).await;
        let (_, mut feed) = connector.connect(None).await.unwrap();
        let message = tokio::time::timeout(Duration::from_secs(60), feed.next());
        message.await.expect("a message");
        let before = cluster.clock().now();
        let now = feed.clock().now();
        let after = cluster.clock().now();
        let slack = 2_000_000_000;
        assert!(
            now.since(before) > -slack && after.since(now) > -slack,
            "{off}: {now}"
        );
        let said = feed.clock().difference();
        assert_eq!(said.is_some(), words.is_some(), "{off}: {said:?}");
        let said = said.unwrap_or_default();
        assert!(said.contains(words.unwrap_or_default()), "{off}: {said}");
        cluster.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_clock_is_reported() {
    let (cluster, folder, _) = cluster_off_by(-600).await;
    let place = folder.path().display().to_string();
    let kubeconfig = format!("--kubeconfig={place}/kubeconfig");
    tokio::task::block_in_place(|| {
        let terminal = Terminal::start(&[&kubeconfig], &place, 160, 40, &[]);
        terminal.wait_for_text("your clock is 10m ahead of the server's; times are the server's");
    });
    cluster.shutdown().await;
}

#[test]
fn a_server_without_a_date_leaves_the_machines_time() {
    let api = Api::serve(api::Cluster::default());
    let connection = Connection {
        kubeconfig: Some(api.kubeconfig().display().to_string()),
        ..Connection::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let wrong = Timestamp::from_secs(1_000_000);
        let clock = Clock::of_server(move || wrong, || 0);
        let connector = Connector::new(connection, None, clock);
        let (_, mut feed) = connector.connect(None).await.unwrap();
        let message = tokio::time::timeout(Duration::from_secs(60), feed.next());
        message.await.expect("a message");
        assert_eq!(feed.clock().now(), wrong);
        assert_eq!(feed.clock().difference(), None);
    });
}
