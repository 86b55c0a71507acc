//! Nothing lost: what a server knows outlives its process.
//!
//! With a folder (`--state-dir`) it is written down every few minutes and at the end, and read at start: a container that
//! was restarted answers at once, before any kubelet did, and has its hour. A form of its own ([`wire`]): protobuf
//! messages and compressed blocks in frames with checksums, so that it can be written and read node by node.
//!
//! Who starts without the last minutes asks another replica for them ([`Peers`]). Incidents are in a ConfigMap too
//! ([`Incidents`]), for the pod that comes after this one.

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
pub use peers::{PATH, PROCESS, PeerCredentials, Peers};
pub use settings::{Settings, StateFlags};

use crate::store::Retention;
use crate::telemetry::LogThrottle;
use file::{Folder, Outcome};

/// How often a folder that cannot be written is told.
const LOG_INTERVAL: Duration = Duration::from_secs(3600);

/// What was written longer ago leaves a gap that another replica may fill.
const RECENT: Duration = Duration::from_secs(60);

/// A disk that hangs must not keep the server from serving. Rates of the largest cluster take a second.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(10);

/// Keeps the state of one server.
#[derive(Debug)]
pub struct StatePersister {
    parts: Arc<StateParts>,
    metrics: StateMetrics,
    /// None where it is kept nowhere.
    target: Option<Target>,
    /// Which process this is, told to others so that nobody asks himself.
    process: String,
    /// Whether what the file held is of the last minutes; nothing until that is known.
    recent: watch::Sender<Option<bool>>,
}

#[derive(Debug)]
struct Target {
    folder: Folder,
    interval: Duration,
    /// Held while it is written.
    write_lock: Arc<Mutex<()>>,
    problems: Mutex<LogThrottle>,
}

impl StatePersister {
    /// For these parts.
    pub fn new(settings: Option<Settings>, parts: Arc<StateParts>) -> Arc<Self> {
        Arc::new(Self {
            parts,
            metrics: StateMetrics::default(),
            process: uuid::Uuid::new_v4().to_string(),
            recent: watch::Sender::new(None),
            target: settings.map(|settings| Target {
                folder: Folder::new(settings.folder),
                interval: settings.interval,
                write_lock: Arc::default(),
                problems: Mutex::new(LogThrottle::new(LOG_INTERVAL)),
            }),
        })
    }

    /// Its metrics.
    pub fn metrics(&self) -> &StateMetrics {
        &self.metrics
    }

    /// What is written, for who asks for it.
    pub fn parts(&self) -> &Arc<StateParts> {
        &self.parts
    }

    /// Which process this is.
    pub fn process(&self) -> &str {
        &self.process
    }

    /// Asks another replica for what it knows, if there is none of the last minutes in the folder. Whoever is asked
    /// gives all it has; what is known already stays.
    async fn transfer(&self, peers: Peers) {
        let mut recent = self.recent.subscribe();
        let is_recent = recent.wait_for(Option::is_some).await;
        let is_recent = is_recent.is_ok_and(|recent| *recent == Some(true));
        if is_recent {
            return;
        }
        if let Some(restored) = peers.transfer(&self.parts, &self.process).await {
            self.metrics.from_peer.set(restored.nodes());
            tracing::info!(
                nodes = restored.nodes,
                histories = restored.histories,
                incidents = restored.incidents,
                left_out = restored.left_out,
                "took over what another replica knows"
            );
        }
    }

    /// Reads what an earlier process wrote. Completes when all is there that answers at once; histories follow in the
    /// background.
    pub async fn restore(self: &Arc<Self>) {
        if self.target.is_none() {
            self.recent.send_replace(Some(false));
            return;
        }
        let persister = Arc::clone(self);
        let (ready, is_ready) = oneshot::channel();
        // Nobody waits for the end of it.
        drop(spawn_blocking(move || persister.read(ready)));
        // Told, or over.
        if timeout(RESTORE_TIMEOUT, is_ready).await.is_err() {
            tracing::warn!(
                "the state is not read within {} s; the server begins without it, and takes it in when it comes. Check \
                 the volume of --state-dir",
                RESTORE_TIMEOUT.as_secs()
            );
        }
    }

    fn read(&self, ready: oneshot::Sender<()>) {
        let Some(Target { folder, .. }) = &self.target else {
            return;
        };
        let path = folder.path().display();
        if let Err(error) = folder.prepare() {
            self.log_unwritable(&error);
        }
        let notify = || {
            // Gone if the server is.
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
                    left_out = restored.left_out,
                    "took over the state in {path}, written {ago} ago"
                );
            }
            Outcome::SetAside(error, restored, aside) => {
                self.metrics.from_file.set(restored.nodes());
                tracing::warn!(
                    nodes = restored.nodes,
                    histories = restored.histories,
                    "the state in {path} is set aside as {}: {error}; the server begins with what was taken over of it",
                    aside.display()
                );
            }
            Outcome::Failed(error) => tracing::warn!(
                "cannot read the state in {path}: {error}; the server begins without it. Check what is mounted there, \
                 and that it belongs to the user that the server runs as"
            ),
        }
    }

    /// Asks other replicas; then writes it down every so often, for ever.
    pub async fn run(self: Arc<Self>, peers: Option<Peers>) {
        let transfer = async {
            if let Some(peers) = peers {
                self.transfer(peers).await;
            }
        };
        tokio::join!(transfer, self.write_periodically());
    }

    /// Forgets first, in time, what was restored of nodes that have not shown up.
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

    /// Writes it down now; completes when it is on the disk, or cannot be.
    pub async fn save(self: &Arc<Self>) {
        let persister = Arc::clone(self);
        // A panic in there has been reported.
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
                "cannot write the state into {}: {error}; the server goes on, and a restart begins without what it \
                 knows. Mount a volume there that the server's user may write to, with room for it, or leave out \
                 --state-dir",
                target.folder.path().display()
            );
        }
    }
}

#[cfg(test)]
mod tests;
