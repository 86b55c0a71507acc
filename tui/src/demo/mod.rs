//! `vitals demo`: a simulated cluster, the server and a client, in one process, over real sockets.

mod autoscalers;
mod start;

use std::time::Duration;

use kubevitals_proto::metrics::Version;

use crate::batch::top::{node_table, pod_table};
use crate::batch::{Error, Streams};
use crate::cli::{Connection, DemoArgs, SortBy, TopNode, TopPod};
use crate::clock::Clock;
use crate::dashboard;
use crate::shutdown::ShutdownSignals;
use crate::source::kubeconfig::Settings;
use crate::source::{
    self, ApiClient, MetricsApi, NodeCapacity, NodeUsage, PodUsage, Selection, Terminal,
};

/// How long the server may take until it has metrics of every node.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the demo until a signal ends it; with `--once`, until the tables are printed.
///
/// # Errors
/// The cluster, the server or the client failed.
pub fn run(args: &DemoArgs, streams: &mut Streams<'_>) -> Result<(), Error> {
    let plain = args.dashboard.plain;
    let dashboard = !args.once && (plain || dashboard::is_on_a_terminal());
    if dashboard && !plain {
        dashboard::can_be_drawn()?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut ending = ShutdownSignals::listen()?;
        let running = tokio::select! {
            running = start::start(args) => running?,
            () = ending.wait() => return Ok(()),
        };
        let result = if dashboard {
            let connection = connection(&running);
            let simulated = running.clock();
            let clock = Clock::new(move || simulated.now(), args.speed);
            dashboard::run(&connection, &[], &args.dashboard, clock, ending, streams).await
        } else {
            tokio::select! {
                result = show(args, &running, streams) => result,
                () = ending.wait() => Ok(()),
            }
        };
        running.stop().await;
        result
    })
}

/// The connection to the demo's cluster; the user's own kubeconfig does not matter.
fn connection(running: &start::Running) -> Connection {
    Connection {
        kubeconfig: Some(running.kubeconfig().display().to_string()),
        ..Connection::default()
    }
}

async fn show(
    args: &DemoArgs,
    running: &start::Running,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let kubeconfig = running.kubeconfig().display().to_string();
    let target = Settings::read(&connection(running))?.target(&Terminal::default())?;
    let api = MetricsApi::new(ApiClient::new(target)?, true);
    if args.once {
        return once(&api, running.nodes(), streams).await;
    }
    writeln!(
        streams.out,
        "vitals demo: a simulated cluster. Ctrl-C ends it. Any Kubernetes client can use it:\n  kubectl --kubeconfig {kubeconfig} top pods -A"
    )?;
    streams.out.flush()?;
    std::future::pending().await
}

/// Waits until every listed node and pod has metrics, then prints both tables.
async fn once(api: &MetricsApi, nodes: usize, streams: &mut Streams<'_>) -> Result<(), Error> {
    let begin = tokio::time::Instant::now();
    let snapshot = loop {
        let last = Snapshot::take(api, Version::V1beta1).await;
        match last {
            // The pods may have been requested a moment before the last node responded.
            Ok(snapshot) if snapshot.is_complete(nodes) => {
                break Snapshot::take(api, Version::V1beta1).await?;
            }
            Ok(snapshot) if begin.elapsed() >= PATIENCE && !snapshot.is_empty() => break snapshot,
            Ok(_) if begin.elapsed() >= PATIENCE => {
                return Err(Error::Failed("metrics not available yet".to_owned()));
            }
            Err(error) if begin.elapsed() >= PATIENCE => return Err(error.into()),
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    };
    let by_name = SortBy::Name.into();
    let flags = TopNode::default();
    let nodes = node_table(snapshot.nodes, snapshot.capacities, by_name, &flags);
    let flags = TopPod {
        all_namespaces: true,
        ..TopPod::default()
    };
    let pods = pod_table(snapshot.pods, by_name, &flags);
    nodes.write_to(&mut streams.out)?;
    writeln!(streams.out)?;
    pods.write_to(&mut streams.out)?;
    Ok(streams.out.flush()?)
}

/// The metrics of a cluster at a moment.
#[derive(Debug, Clone, Default)]
struct Snapshot {
    /// The usage of the nodes.
    nodes: Vec<NodeUsage>,
    /// The capacity of the nodes.
    capacities: Vec<NodeCapacity>,
    /// The usage of the pods.
    pods: Vec<PodUsage>,
}

impl Snapshot {
    /// Requests everything at once.
    async fn take(api: &MetricsApi, version: Version) -> Result<Self, source::Error> {
        let all = Selection::default();
        let (nodes, capacities, pods) = tokio::try_join!(
            api.nodes(version, all),
            api.node_capacities(all),
            api.pods(version, "", all)
        )?;
        Ok(Self {
            nodes,
            capacities,
            pods,
        })
    }

    /// Whether this many nodes, and all that exist, have metrics, and some pods.
    fn is_complete(&self, nodes: usize) -> bool {
        self.nodes.len() >= nodes
            && self.nodes.len() >= self.capacities.len()
            && !self.pods.is_empty()
    }

    /// Whether there are no metrics at all.
    fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.pods.is_empty()
    }
}
