//! `vitals demo`: a simulated cluster, the server and a client over it, in one process, over real
//! sockets.

mod start;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use kubevitals_proto::metrics::Version;

use crate::batch::live::{self, Ending, Screen, Snapshot};
use crate::batch::top::{NodeColumns, PodColumns, node_table, pod_table};
use crate::batch::{Error, Streams};
use crate::cli::{Connection, SortBy};
use crate::source::kubeconfig::Settings;
use crate::source::{ApiClient, MetricsApi};

/// What kind of cluster to simulate, and how to show it.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How many nodes the cluster has
    #[arg(long, default_value_t = 3, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub nodes: u32,
    /// How many pods run on each node
    #[arg(long, default_value_t = 10, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub pods_per_node: u32,
    /// The same seed gives the same cluster with the same life
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub seed: u64,
    /// How many times faster than real time the cluster lives
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", value_parser = speed)]
    pub speed: f64,
    /// Replay scrapes recorded in this folder instead of simulating
    #[arg(long, value_name = "DIR")]
    pub replay: Option<PathBuf>,
    /// Print nodes and pods once, as soon as there are metrics of all, and end
    #[arg(long)]
    pub once: bool,
    /// Where to write the kubeconfig (otherwise a temporary file)
    #[arg(long, value_name = "PATH")]
    pub kubeconfig_out: Option<PathBuf>,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 && speed <= 10_000.0 => Ok(speed),
        _ => Err("must be a number above 0, at most 10000".to_owned()),
    }
}

/// How long the server may take until it knows every node.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the live table is redrawn.
const INTERVAL: Duration = Duration::from_secs(2);

/// Runs the demo until it is told to end, or once.
///
/// # Errors
/// What kept the cluster, the server or the client from working.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut ending = Ending::listen()?;
        let running = tokio::select! {
            running = start::start(args) => running?,
            () = ending.wait() => return Ok(()),
        };
        let shown = tokio::select! {
            shown = show(args, &running, streams) => shown,
            () = ending.wait() => Ok(()),
        };
        running.stop().await;
        shown
    })
}

async fn show(
    args: &Args,
    running: &start::Running,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let kubeconfig = running.kubeconfig().display().to_string();
    let connection = Connection {
        kubeconfig: Some(kubeconfig.clone()),
        ..Connection::default()
    };
    let target = Settings::read(&connection)?.target().await?;
    let api = MetricsApi::new(ApiClient::new(target)?, true);
    if args.once {
        return once(&api, running.nodes(), streams).await;
    }
    let title = format!(
        "vitals demo: a simulated cluster. Ctrl-C ends it. Any Kubernetes client can look:\n  kubectl --kubeconfig {kubeconfig} top pods -A"
    );
    let screen = if std::io::stdout().is_terminal() {
        Screen::Terminal
    } else {
        Screen::Paper
    };
    live::run(&api, Version::V1beta1, &title, screen, INTERVAL, streams).await
}

/// Waits until every node and every pod it lists has metrics, then prints both tables.
async fn once(api: &MetricsApi, nodes: usize, streams: &mut Streams<'_>) -> Result<(), Error> {
    let begin = tokio::time::Instant::now();
    let snapshot = loop {
        let last = Snapshot::take(api, Version::V1beta1).await;
        match last {
            // Pods were asked for beside the nodes, perhaps a moment before the last node answered.
            Ok(snapshot) if snapshot.is_whole(nodes) => {
                break Snapshot::take(api, Version::V1beta1).await?;
            }
            Ok(snapshot) if begin.elapsed() >= PATIENCE && !snapshot.is_empty() => break snapshot,
            Ok(_) if begin.elapsed() >= PATIENCE => {
                return Err(Error::NoMetrics("metrics not available yet".to_owned()));
            }
            Err(error) if begin.elapsed() >= PATIENCE => return Err(error.into()),
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    };
    let headers = NodeColumns {
        headers: true,
        ..NodeColumns::default()
    };
    let nodes = node_table(
        snapshot.nodes,
        snapshot.capacities,
        SortBy::Name.into(),
        headers,
    );
    let headers = PodColumns {
        headers: true,
        namespace: true,
        ..PodColumns::default()
    };
    let pods = pod_table(snapshot.pods, SortBy::Name.into(), headers);
    nodes.write_to(&mut streams.out)?;
    writeln!(streams.out)?;
    pods.write_to(&mut streams.out)?;
    Ok(streams.out.flush()?)
}

#[cfg(test)]
mod tests {
    use crate::cli::{Command, Stop, parse};

    fn parsed(line: &str) -> Result<super::Args, Stop> {
        match parse(line.split_whitespace().map(Into::into))?.command {
            Command::Demo(args) => Ok(args),
            Command::Top { .. } => panic!("not the demo"),
        }
    }

    #[test]
    fn starts_small_and_in_real_time() {
        let args = parsed("vitals demo").unwrap();
        assert_eq!(
            (args.nodes, args.pods_per_node, args.seed, args.speed),
            (3, 10, 1, 1.0)
        );
        assert!(!args.once && args.replay.is_none() && args.kubeconfig_out.is_none());
    }

    #[test]
    fn takes_its_flags() {
        let line =
            "vitals demo --nodes 7 --pods-per-node=5 --seed 9 --speed 2.5 --once --replay dir";
        let args = parsed(line).unwrap();
        assert_eq!(
            (args.nodes, args.pods_per_node, args.seed, args.speed),
            (7, 5, 9, 2.5)
        );
        assert!(args.once && args.replay.is_some());
    }

    #[test]
    fn refuses_what_makes_no_cluster() {
        for line in [
            "--nodes 0",
            "--nodes x",
            "--speed 0",
            "--speed -1",
            "--speed nan",
        ] {
            let refused = parsed(&format!("vitals demo {line}"));
            assert!(matches!(refused, Err(Stop::Fail(_, 2))), "{line}");
        }
    }
}
