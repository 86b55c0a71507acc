//! `vitals-sim`: a simulated cluster as a process of its own.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use kubevitals_proto::words::chain;
use kubevitals_sim::{Autoscaler, Cluster, Config, Faults, PodEndpoints, Replay};
use tokio::signal::unix::{SignalKind, signal};

/// A simulated Kubernetes cluster over real sockets.
///
/// When everything answers, one line of JSON on stdout says where it is. It serves until SIGTERM or SIGINT.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// How many nodes.
    #[arg(long, default_value_t = 3)]
    nodes: u32,
    /// How many pods each node has.
    #[arg(long, default_value_t = 10)]
    pods_per_node: u32,
    /// Which of all clusters of this size.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many simulated seconds pass in a real one.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Nothing goes wrong.
    #[arg(long)]
    no_faults: bool,
    /// Answer from the files of this folder instead of simulating.
    #[arg(long, value_name = "DIR")]
    replay: Option<PathBuf>,
    /// Let pods that serve requests expose metrics.
    #[arg(long)]
    pod_endpoints: bool,
    /// How many series each pod exposes that nobody asks for.
    #[arg(long, default_value_t = 500, requires = "pod_endpoints")]
    filler_series: u32,
    /// How many nodes have GPUs, and pods that use and export them.
    #[arg(long, default_value_t = 0, requires = "pod_endpoints")]
    gpu_nodes: u32,
    /// The part of its mean by which the rate of requests of each workload swings.
    #[arg(long, default_value_t = 0.0, requires = "pod_endpoints")]
    swing: f64,
    /// Let a controller act on the HorizontalPodAutoscalers.
    #[arg(long)]
    autoscaler: bool,
    /// Where the API server listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The port of all kubelets; 0 picks a free one.
    #[arg(long, default_value_t = 0)]
    kubelet_port: u16,
    /// Let all kubelets together answer only so many requests a second; a TLS handshake takes as long as five.
    #[arg(long, value_name = "RATE")]
    kubelet_rate: Option<f64>,
    /// Begin that after so many seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 0,
        requires = "kubelet_rate"
    )]
    kubelet_rate_after: u64,
    /// End it after so many seconds more.
    #[arg(long, value_name = "SECONDS", requires = "kubelet_rate")]
    kubelet_rate_for: Option<u64>,
    /// Send the aggregated APIs on to the server at this address.
    #[arg(long, value_name = "ADDR")]
    aggregate: Option<SocketAddr>,
    /// Write the administrator's kubeconfig here.
    #[arg(long, value_name = "FILE")]
    write_kubeconfig: Option<PathBuf>,
    /// Write the kubeconfig of the server's service account here.
    #[arg(long, value_name = "FILE")]
    write_server_kubeconfig: Option<PathBuf>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "vitals-sim: {}", chain(&*error));
            ExitCode::from(2)
        }
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    // Before anything else, so that a signal that comes early ends it as well.
    let (mut term, mut int) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let replay = args.replay.map(Replay::from_dir).transpose()?;
    let cluster = Cluster::start(Config {
        nodes: args.nodes,
        pods_per_node: args.pods_per_node,
        seed: args.seed,
        speed: args.speed,
        faults: if args.no_faults {
            Faults::None
        } else {
            Faults::Scheduled
        },
        replay,
        api_listen: args.listen,
        kubelet_port: args.kubelet_port,
        aggregated: args.aggregate,
        pod_endpoints: args.pod_endpoints.then(|| PodEndpoints {
            filler: args.filler_series,
            gpu_nodes: args.gpu_nodes,
            swing: args.swing,
            ..PodEndpoints::default()
        }),
        autoscaler: if args.autoscaler {
            Autoscaler::Running
        } else {
            Autoscaler::None
        },
        clock: None,
    })
    .await?;
    cluster.identities().grant_exports();
    cluster.identities().grant_pod_metrics();
    let folder = cluster.folder();
    let admin = args
        .write_kubeconfig
        .unwrap_or_else(|| folder.join("kubeconfig"));
    let server = args
        .write_server_kubeconfig
        .unwrap_or_else(|| folder.join("server.kubeconfig"));
    cluster.write_kubeconfig(&admin)?;
    cluster.write_server_kubeconfig(&server)?;
    let ready = serde_json::json!({
        "api_url": cluster.api_url(),
        "kubeconfig": admin,
        "server_kubeconfig": server,
        "token": cluster.kubelet_token_path(),
        "ca": cluster.ca_path(),
        "kubelet_port": cluster.kubelet_port(),
        "nodes": cluster.node_names().len(),
    });
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{ready}")?;
    stdout.flush()?;
    let throttled = async {
        if let Some(rate) = args.kubelet_rate {
            tokio::time::sleep(Duration::from_secs(args.kubelet_rate_after)).await;
            cluster.throttle_kubelets(Some(rate));
            if let Some(seconds) = args.kubelet_rate_for {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                cluster.throttle_kubelets(None);
            }
        }
        std::future::pending().await
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
        () = throttled => {}
    }
    cluster.shutdown().await;
    Ok(())
}
