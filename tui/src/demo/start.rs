//! Starts the simulated cluster and the server of the demo.

use std::env;
use std::error::Error as StdError;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use kubevitals_proto::words::chain;
use kubevitals_server::Server;
use kubevitals_server::config::Settings;
use kubevitals_sim::{Autoscaler, Cluster, Config, Replay, SimClock};
use tempfile::TempDir;

use crate::batch::Error;
use crate::cli::DemoArgs;

use super::autoscalers;

/// A cluster and a server that run in this process.
pub(super) struct Running {
    cluster: Cluster,
    server: Server,
    kubeconfig: Kubeconfig,
    clock: SimClock,
}

/// Starts both. Returns when the server listens and the cluster forwards requests to it.
pub(super) async fn start(args: &DemoArgs) -> Result<Running, Error> {
    let replay = match &args.replay {
        Some(folder) => Some(
            Replay::from_dir(folder)
                .map_err(|error| Error::Flag(format!("--replay: {}", chain(&error))))?,
        ),
        None => None,
    };
    // A recording needs a clock of its own time: otherwise its samples are too old.
    let clock = match replay.as_ref().and_then(Replay::began) {
        Some(began) => SimClock::scaled_from(began, args.speed),
        None => SimClock::scaled(args.speed),
    };
    let cluster = Cluster::start(Config {
        nodes: args.nodes,
        pods_per_node: args.pods_per_node,
        seed: args.seed,
        pod_endpoints: args.pod_metrics.then(|| autoscalers::endpoints(args.nodes)),
        autoscaler: if args.pod_metrics {
            Autoscaler::Running
        } else {
            Autoscaler::None
        },
        replay,
        clock: Some(clock.clone()),
        ..Config::default()
    })
    .await
    .map_err(|error| not_started("the simulated cluster", &error))?;
    if args.pod_metrics {
        autoscalers::add(&cluster);
    }
    // The server uses the provider that is installed first.
    let _provider = crate::source::provider();
    let mut settings = Settings::embedded(cluster.server_kubeconfig(), clock.process())
        .await
        .map_err(|error| not_started("the server", &error))?;
    if args.pod_metrics {
        let scrapes = autoscalers::settings(&cluster);
        settings.pod_metrics = Some(scrapes.map_err(|error| not_started("the server", &error))?);
    }
    let server = Server::start(settings)
        .await
        .map_err(|error| not_started("the server", &error))?;
    cluster.set_aggregated(server.local_addr());
    let kubeconfig = Kubeconfig::write(args.kubeconfig_out.as_deref(), cluster.kubeconfig())?;
    Ok(Running {
        cluster,
        server,
        kubeconfig,
        clock,
    })
}

impl Running {
    /// A kubeconfig that leads to the cluster.
    pub(super) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig.path
    }

    /// The cluster's clock, which can be faster than real time.
    pub(super) fn clock(&self) -> SimClock {
        self.clock.clone()
    }

    /// The number of nodes.
    pub(super) fn nodes(&self) -> usize {
        self.cluster.node_names().len()
    }

    /// Stops both, and removes the temporary files.
    pub(super) async fn stop(self) {
        self.server.shutdown().await;
        self.cluster.shutdown().await;
    }
}

/// The administrator's kubeconfig on disk.
struct Kubeconfig {
    path: PathBuf,
    /// The folder of a temporary one, which is removed at the end.
    _folder: Option<TempDir>,
}

impl Kubeconfig {
    fn write(path: Option<&Path>, text: &str) -> Result<Self, Error> {
        let (path, folder) = match path {
            Some(path) => (path.to_owned(), None),
            None => {
                let folder = tempfile::Builder::new().prefix("vitals-demo-").tempdir();
                let folder = folder.map_err(|error| not_written(&env::temp_dir(), &error))?;
                (folder.path().join("kubeconfig"), Some(folder))
            }
        };
        // The file holds a private key, so no other user may ever read it.
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| not_written(&path, &error))?;
        Ok(Self {
            path,
            _folder: folder,
        })
    }
}

fn not_written(path: &Path, error: &std::io::Error) -> Error {
    Error::Flag(format!(
        "cannot write the kubeconfig to {}: {error}",
        path.display()
    ))
}

fn not_started(part: &str, error: &dyn StdError) -> Error {
    Error::Failed(format!("cannot start {part}: {}", chain(error)))
}
