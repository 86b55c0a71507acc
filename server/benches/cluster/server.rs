//! The servers under test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;

use crate::client::Client;
use crate::metrics::Metrics;
use crate::process::Running;
use crate::simulator::Simulator;

/// The command of the `vitals-server` of this build. `--state-interval=0` leaves out the periodic write of the state,
/// which a server without `--state-dir` does not have either.
const OWN: &str = " --kubeconfig={kubeconfig} --bind-address=127.0.0.1 --secure-port={port} --metric-resolution=15s \
                   --kubelet-use-node-status-port --kubelet-preferred-address-types=InternalIP --state-dir={history} \
                   --state-interval=0";

/// The command of a Prometheus. Its samples are in memory, and in a log on the disk, for longer than a run.
const PROMETHEUS: &str = "prometheus --config.file={config} --storage.tsdb.path={history} \
                          --web.listen-address=127.0.0.1:{port} --log.level=warn";

/// A server that can be started.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) name: String,
    command: String,
    kind: Kind,
}

/// What a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It scrapes kubelets and serves metrics.k8s.io.
    Metrics,
    /// A Prometheus.
    Prometheus,
}

impl Candidate {
    /// The server of this build.
    pub(crate) fn own() -> Self {
        Self::own_with("vitals-server", "")
    }

    /// The server of this build with flags more.
    pub(crate) fn own_with(name: &str, flags: &str) -> Self {
        Self {
            name: name.to_owned(),
            command: format!("'{}'{OWN} {flags}", env!("CARGO_BIN_EXE_vitals-server")),
            kind: Kind::Metrics,
        }
    }

    /// A Prometheus with a config file.
    pub(crate) fn prometheus(name: &str, config: &Path) -> Self {
        Self {
            name: name.to_owned(),
            command: PROMETHEUS.replace("{config}", &config.display().to_string()),
            kind: Kind::Prometheus,
        }
    }

    /// Whether the server restores a history.
    pub(crate) fn restores(&self) -> bool {
        self.command.contains("{history}")
    }

    /// Starts the server behind a cluster.
    pub(crate) fn start(
        &self,
        cluster: &Simulator,
        port: u16,
        folder: &Path,
        history: &Path,
    ) -> Server {
        fs::create_dir_all(history).expect("a folder");
        let log = folder.join(format!("{}.log", self.name));
        let command = self
            .command
            .replace("{port}", &port.to_string())
            .replace("{kubeconfig}", &cluster.server_path.display().to_string())
            .replace("{history}", &history.display().to_string());
        let process = Running::start(
            Command::new("sh")
                .args(["-c", &format!("exec {command}")])
                .stdout(Stdio::null())
                .stderr(File::create(&log).expect("a log file")),
        );
        let scheme = match self.kind {
            Kind::Metrics => "https",
            Kind::Prometheus => "http",
        };
        let address = format!("{scheme}://127.0.0.1:{port}");
        Server {
            name: self.name.clone(),
            kind: self.kind,
            client: Client::new(&address, &cluster.admin),
            process,
            address,
            log,
        }
    }
}

impl FromStr for Candidate {
    type Err = &'static str;

    /// Parses `[NAME=]COMMAND`. Without a name it is the file name of the program.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = |name: &str| !name.is_empty() && !name.contains(['/', ' ']);
        if let Some((name, command)) = text.split_once('=').filter(|(name, _)| is_name(name)) {
            return Ok(Self {
                name: name.to_owned(),
                command: command.to_owned(),
                kind: Kind::Metrics,
            });
        }
        let program = text
            .split_whitespace()
            .next()
            .ok_or("a command is needed")?;
        let name = Path::new(program)
            .file_name()
            .ok_or("a program is needed")?;
        Ok(Self {
            name: name.display().to_string(),
            command: text.to_owned(),
            kind: Kind::Metrics,
        })
    }
}

/// A server that runs.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) process: Running,
    pub(crate) client: Client,
    pub(crate) address: String,
    log: PathBuf,
}

impl Server {
    /// The metrics of the server, as of now.
    pub(crate) async fn metrics(&self) -> Metrics {
        Metrics::new(self.client.text("/metrics").await.unwrap_or_default())
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends the benchmark with the end of the server's log.
    pub(crate) fn fail(&self, what: &str) -> ! {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = &lines[lines.len().saturating_sub(20)..];
        panic!(
            "{}: {what}; its log ends with:\n{}",
            self.name,
            last.join("\n")
        );
    }
}
