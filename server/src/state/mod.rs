//! Persists the state of a server, so that it outlives the process.
//!
//! With a folder (`--state-dir`) the server writes the state every few minutes and at shutdown, and reads it at
//! start: a restarted container answers at once, before any scrape, and has its history. The form ([`wire`]) is
//! protobuf messages and compressed blocks in frames with checksums, so that it is written and read node by node.
//!
//! A server without recent state transfers the state of another replica ([`Peers`]). Incidents are also persisted in
//! a ConfigMap ([`Incidents`]), for the next pod.

mod configmap;
mod file;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod metrics;
mod parts;
mod peers;
mod settings;
pub mod wire;

use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

pub use configmap::{INCIDENTS, Incidents, IncidentsMetrics};
pub use metrics::StateMetrics;
pub use parts::{Origin, Restored, Restorer, StateParts};
pub use peers::{Connection, PATH, PROCESS, PeerCredentials, PeerError, Peers, TRANSFER_TIMEOUT};
pub use settings::{Settings, StateFlags};

use crate::store::Retention;
use crate::telemetry::LogThrottle;
use file::{Folder, Outcome};

/// The shortest time between two log lines about a folder that cannot be written.
const LOG_INTERVAL: Duration = Duration::from_secs(3600);

/// Older state leaves a gap that another replica may fill.
const RECENT: Duration = Duration::from_secs(60);

/// The longest time that the start waits for the file, in case the disk hangs. The rates of the largest cluster take
/// a second.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(10);

/// Persists the state of one server.
#[derive(Debug)]
pub struct StatePersister {
    parts: Arc<StateParts>,
    metrics: StateMetrics,
    /// None if the state is not written.
    target: Option<Target>,
    /// A random id of this process, by which a server recognizes its own address among those of the replicas.
    process: String,
    /// Whether the file was recent; none until the file has been read.
    recent: watch::Sender<Option<bool>>,
}

#[derive(Debug)]
struct Target {
    folder: Folder,
    interval: Duration,
    /// Is locked while the file is written.
    write_lock: Arc<Mutex<()>>,
    problems: Mutex<LogThrottle>,
}

impl StatePersister {
    /// Makes a persister for these parts.
    pub fn new(settings: Option<Settings>, parts: Arc<StateParts>) -> Arc<Self> {
        Arc::new(Self {
            parts,
            metrics: StateMetrics::default(),
            process: uuid::Uuid::new_v4().to_string(),
            recent: watch::Sender::new(None),
            target: settings.map(|settings| Target {
                folder: Folder(settings.folder),
                interval: settings.interval,
                write_lock: Arc::default(),
                problems: Mutex::new(LogThrottle::new(LOG_INTERVAL)),
            }),
        })
    }

    /// The metrics.
    pub fn metrics(&self) -> &StateMetrics {
        &self.metrics
    }

    /// The parts, for a transfer to another replica.
    pub fn parts(&self) -> &Arc<StateParts> {
        &self.parts
    }

    /// The id of this process.
    pub fn process(&self) -> &str {
        &self.process
    }

    /// Transfers the state of another replica, unless the folder had recent state. The other replica sends
    /// everything; what this server already has stays.
    async fn transfer(&self, peers: Peers) {
        let mut recent = self.recent.subscribe();
        let is_recent = recent.wait_for(Option::is_some).await;
        let is_recent = is_recent.is_ok_and(|recent| *recent == Some(true));
        if is_recent {
            return;
        }
        if let Some(restored) = peers.transfer(&self.parts).await {
            self.metrics.from_peer.set(restored.nodes());
            tracing::info!(
                nodes = restored.nodes,
                histories = restored.histories,
                incidents = restored.incidents,
                workloads = restored.workloads,
                left_out = restored.left_out,
                "restored the state of another replica"
            );
        }
    }

    /// Restores the file. Returns when the rates are restored; histories follow in the background.
    pub async fn restore(self: &Arc<Self>) {
        if self.target.is_none() {
            self.recent.send_replace(Some(false));
            return;
        }
        let persister = Arc::clone(self);
        let (ready, is_ready) = oneshot::channel();
        // The task continues by itself.
        drop(spawn_blocking(move || persister.read(ready)));
        // Ready, or failed.
        if timeout(RESTORE_TIMEOUT, is_ready).await.is_err() {
            tracing::warn!(
                "the state was not read within {} s; the server starts without it, and restores it when it arrives; check \
                 the volume of --state-dir",
                RESTORE_TIMEOUT.as_secs()
            );
        }
    }

    fn read(&self, ready: oneshot::Sender<()>) {
        let Some(Target { folder, .. }) = &self.target else {
            return;
        };
        let path = folder.0.display();
        if let Err(error) = folder.prepare() {
            self.log_unwritable(&error);
        }
        let notify = || {
            // The receiver is gone if `restore` has timed out.
            let _sent = ready.send(());
        };
        let outcome = folder.read(&self.parts, notify);
        let recent = matches!(&outcome, Outcome::Complete(restored) if restored.ago <= RECENT);
        self.recent.send_replace(Some(recent));
        match outcome {
            Outcome::Missing => tracing::info!("there is no state in {path} yet"),
            Outcome::Complete(restored) => {
                self.metrics.from_file.set(restored.nodes());
                let ago = GoDuration::from(Duration::from_secs(restored.ago.as_secs()));
                tracing::info!(
                    nodes = restored.nodes,
                    histories = restored.histories,
                    incidents = restored.incidents,
                    workloads = restored.workloads,
                    left_out = restored.left_out,
                    "restored the state in {path}, written {ago} ago"
                );
            }
            Outcome::SetAside(error, restored, aside) => {
                self.metrics.from_file.set(restored.nodes());
                tracing::warn!(
                    nodes = restored.nodes,
                    histories = restored.histories,
                    "the state in {path} is set aside as {}: {error}; the server starts with what was restored of it",
                    aside.display()
                );
            }
            Outcome::Failed(error) => tracing::warn!(
                "cannot read the state in {path}: {error}; the server starts without it; check what is mounted there, \
                 and that it belongs to the user that the server runs as"
            ),
        }
    }

    /// Transfers the state of another replica, then writes the file periodically. Does not return.
    pub async fn run(self: Arc<Self>, peers: Option<Peers>) {
        let transfer = async {
            if let Some(peers) = peers {
                self.transfer(peers).await;
            }
        };
        tokio::join!(transfer, self.write_periodically());
    }

    /// First drops the restored rates of nodes that have not been scraped in time.
    async fn write_periodically(self: &Arc<Self>) {
        let clock = Arc::clone(&self.parts.clock);
        let gone = Retention::of(self.parts.resolution).unchanged;
        clock.sleep(gone).await;
        self.parts.store.drop_restored();
        loop {
            match &self.target {
                Some(target) if !target.interval.is_zero() => clock.sleep(target.interval).await,
                _ => std::future::pending().await,
            }
            self.save().await;
        }
    }

    /// Writes the file. Returns when it is on the disk, or cannot be written.
    pub async fn save(self: &Arc<Self>) {
        let persister = Arc::clone(self);
        // The panic hook has logged a panic.
        let _done = spawn_blocking(move || persister.write()).await;
    }

    fn write(&self) {
        let Some(target) = &self.target else {
            return;
        };
        let _one_at_a_time = target.write_lock.lock();
        match target.folder.write(&self.parts) {
            Ok(bytes) => self.metrics.written(bytes, self.parts.clock.wall()),
            Err(error) => {
                self.metrics.failed.inc();
                self.log_unwritable(&error);
            }
        }
    }

    fn log_unwritable(&self, error: &std::io::Error) {
        let Some(target) = &self.target else {
            return;
        };
        if let Some(unreported) = target.problems.lock().allow() {
            tracing::warn!(
                unreported,
                "cannot write the state into {}: {error}; the server continues, and a restart loses what it has \
                 stored; mount a volume there that the server's user may write to, with enough space, or remove \
                 --state-dir",
                target.folder.0.display()
            );
        }
    }
}

#[cfg(test)]
mod tests;
