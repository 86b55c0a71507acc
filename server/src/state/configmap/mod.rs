//! Persists incidents in a ConfigMap, compressed, so that they outlive the pod.
//!
//! The manifests create the ConfigMap empty; the server only updates it. The server reads it at start, and writes it
//! when the incidents have changed: at most once a minute, and at shutdown. The replicas share it. Each write has the
//! resourceVersion that was read; after a conflict the server merges what the other replica wrote, and writes again.

mod form;
mod metrics;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kube::{Api, Client};
use kubevitals_proto::time::Timestamp;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

pub use metrics::IncidentsMetrics;

use self::form::UnpackError;
use crate::clock::Clock;
use crate::health::{Health, Snapshot, SnapshotError};
use crate::manage::with_timeout;
use crate::telemetry::chain;

/// The name of the ConfigMap in the manifests.
pub const INCIDENTS: &str = "vitals-server-incidents";

/// The key of the incidents in `binaryData`.
const KEY: &str = "incidents.json.gz";

/// The key in `data` of the time they were written.
const WRITTEN: &str = "written";

/// The shortest time between two writes.
const INTERVAL: Duration = Duration::from_secs(60);

/// The delay of the first retry; each further one waits twice as long.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(5);

/// The longest delay of a retry: after a failure, and after a denial, which an administrator has to resolve.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);
const MAX_RETRY_DELAY_DENIED: Duration = Duration::from_secs(600);

/// The number of attempts in one round after conflicts.
const ATTEMPTS: usize = 5;

/// The longest time that the start waits for the first read, and the shutdown for the last write.
const TIMEOUT: Duration = Duration::from_secs(3);

/// How long the content of a later version is not overwritten, in nanoseconds. Incidents are retained no longer.
const LATER_FORM_NANOS: i64 = 24 * 3600 * 1_000_000_000;

/// Why the ConfigMap cannot be used now.
#[derive(Debug, thiserror::Error)]
enum ConfigMapError {
    #[error(
        "there is no such ConfigMap; apply deploy/base/configmaps.yaml, or set --incidents-configmap= to go without"
    )]
    Missing,
    #[error(
        "{0}; grant get and update on it (deploy/base/rbac.yaml), or set --incidents-configmap= to go without"
    )]
    Denied(String),
    #[error(
        "it has form {0}, which a later version of this program writes, and is not overwritten for a day; delete its data \
         to use it now"
    )]
    Later(u32),
    #[error("{}", chain(.0.as_ref()))]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

impl ConfigMapError {
    fn of(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if status.code == 404 => Self::Missing,
            kube::Error::Api(status) if status.code == 403 => Self::Denied(status.message),
            kube::Error::Api(status) => Self::Failed(status.message.into()),
            error => Self::Failed(error.into()),
        }
    }

    /// The longest delay of a retry.
    fn max_retry_delay(&self) -> Duration {
        match self {
            Self::Failed(_) => MAX_RETRY_DELAY,
            Self::Missing | Self::Denied(_) | Self::Later(_) => MAX_RETRY_DELAY_DENIED,
        }
    }
}

/// Reads and writes the ConfigMap.
#[derive(Debug)]
pub struct Incidents {
    api: Api<ConfigMap>,
    /// Namespace and name, for log lines.
    location: String,
    name: String,
    health: Arc<Health>,
    clock: Arc<dyn Clock>,
    metrics: IncidentsMetrics,
    observed: Mutex<Observed>,
}

/// The ConfigMap as it was last read or written.
#[derive(Debug, Default)]
struct Observed {
    /// The object without the incidents; none until it was read, and after a failed write.
    object: Option<ConfigMap>,
    /// The digest of its incidents; none if they cannot be used.
    digest: Option<u64>,
    /// The version of the incidents that it contains.
    version: u64,
    /// The kind of error that was logged and lasts.
    logged: Option<std::mem::Discriminant<ConfigMapError>>,
    /// Whether it was logged that not all incidents fit.
    logged_left_out: bool,
}

impl Incidents {
    /// Makes it for the incidents of `health`, and the ConfigMap of this namespace and name.
    pub fn new(
        client: &Client,
        (namespace, name): (&str, &str),
        health: &Arc<Health>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        Self {
            api: Api::namespaced(client.clone(), namespace),
            location: format!("{namespace}/{name}"),
            name: name.to_owned(),
            health: Arc::clone(health),
            clock: Arc::clone(clock),
            metrics: IncidentsMetrics::default(),
            observed: Mutex::default(),
        }
    }

    /// The metrics.
    pub fn metrics(&self) -> &IncidentsMetrics {
        &self.metrics
    }

    /// Restores the incidents, before the watches start. If the API server does not answer in time, the first round
    /// restores them.
    pub async fn restore(&self) {
        let read = async {
            let mut observed = self.observed.lock().await;
            let outcome = self.read(&mut observed).await;
            self.log_outcome(&mut observed, &outcome);
        };
        // After a timeout the first round reads the ConfigMap.
        let _late = timeout(TIMEOUT, read).await;
    }

    /// Writes the incidents whenever they have changed. Does not return.
    pub async fn run(&self) {
        let mut versions = self.health.version();
        let mut pause = FIRST_RETRY_DELAY;
        loop {
            let (written, read) = {
                let observed = self.observed.lock().await;
                (observed.version, observed.object.is_some())
            };
            if read {
                // The sender lives as long as `self.health`.
                let _changed = versions.wait_for(|version| *version > written).await;
            }
            match self.round().await {
                Ok(()) => {
                    pause = FIRST_RETRY_DELAY;
                    self.clock.sleep(INTERVAL).await;
                }
                Err(error) => {
                    self.clock.sleep(pause).await;
                    pause = (pause * 2).min(error.max_retry_delay());
                }
            }
        }
    }

    /// Writes changes that have not been written yet, at shutdown.
    pub async fn save(&self) {
        let written = self.observed.lock().await.version;
        let changed = *self.health.version().borrow() > written;
        if changed && timeout(TIMEOUT, self.round()).await.is_err() {
            tracing::warn!(
                configmap = self.location,
                "the incidents of the last minute are not written: the API server does not answer"
            );
        }
    }

    /// Synchronizes the ConfigMap, and logs the result.
    async fn round(&self) -> Result<(), ConfigMapError> {
        let mut observed = self.observed.lock().await;
        let outcome = self.synchronize(&mut observed).await;
        self.log_outcome(&mut observed, &outcome);
        outcome
    }

    async fn synchronize(&self, observed: &mut Observed) -> Result<(), ConfigMapError> {
        for _ in 0..ATTEMPTS {
            if observed.object.is_none() {
                self.read(observed).await?;
            }
            let version = *self.health.version().borrow();
            let snapshot = self.health.export();
            let digest = snapshot.digest();
            if observed.digest == Some(digest) || self.write(observed, snapshot, digest).await? {
                observed.version = version;
                return Ok(());
            }
        }
        Err(ConfigMapError::Failed(
            "other writers change it continuously".into(),
        ))
    }

    /// Reads the ConfigMap, and merges its incidents.
    async fn read(&self, observed: &mut Observed) -> Result<(), ConfigMapError> {
        let read = with_timeout(self.api.get(&self.name)).await;
        let mut object = read.map_err(ConfigMapError::of)?;
        let data = object.binary_data.as_mut();
        let bytes = data.and_then(|data| data.remove(KEY));
        let written = object.data.as_ref().and_then(|data| data.get(WRITTEN));
        let written = written.and_then(|at| at.parse::<Timestamp>().ok());
        let written = written.unwrap_or(Timestamp(0));
        observed.digest = match bytes {
            None => Some(Snapshot::default().digest()),
            Some(ByteString(bytes)) => self.merge(bytes, written).await?,
        };
        observed.object = Some(object);
        Ok(())
    }

    /// Merges incidents that were written at `written`. Returns their digest; none if they cannot be used.
    async fn merge(
        &self,
        bytes: Vec<u8>,
        written: Timestamp,
    ) -> Result<Option<u64>, ConfigMapError> {
        let unpacked = spawn_blocking(move || form::unpack(&bytes)).await;
        let unpacked = unpacked.map_err(|error| ConfigMapError::Failed(error.into()))?;
        let merged = unpacked.and_then(|snapshot| {
            let digest = snapshot.digest();
            let merged = self.health.merge(snapshot, written)?;
            Ok((digest, merged))
        });
        match merged {
            Ok((digest, merged)) => {
                self.metrics.restored.inc_by(merged.added as u64);
                if merged.added > 0 {
                    tracing::info!(
                        configmap = self.location,
                        incidents = merged.added,
                        known = merged.known,
                        left_out = merged.left_out,
                        written = %written,
                        "restored incidents from the ConfigMap"
                    );
                }
                Ok(Some(digest))
            }
            Err(UnpackError::Snapshot(SnapshotError::Form(form)))
                if form > Snapshot::FORM && self.clock.wall().since(written) < LATER_FORM_NANOS =>
            {
                Err(ConfigMapError::Later(form))
            }
            Err(error) => {
                tracing::warn!(
                    configmap = self.location,
                    "cannot use the incidents in the ConfigMap: {error}; they are ignored and will be overwritten"
                );
                Ok(None)
            }
        }
    }

    /// Writes the incidents. Returns false after a conflict.
    async fn write(
        &self,
        observed: &mut Observed,
        snapshot: Snapshot,
        digest: u64,
    ) -> Result<bool, ConfigMapError> {
        let packed = spawn_blocking(move || form::pack(&snapshot)).await;
        let packed = packed
            .map_err(|error| ConfigMapError::Failed(error.into()))?
            .map_err(|error| ConfigMapError::Failed(error.into()))?;
        let (bytes, left_out) = (packed.bytes.len(), packed.left_out);
        let mut object = observed.object.clone().unwrap_or_default();
        let at = self.clock.wall().to_rfc3339_seconds();
        let data = object.data.get_or_insert_with(BTreeMap::new);
        data.insert(WRITTEN.to_owned(), at);
        let data = object.binary_data.get_or_insert_with(BTreeMap::new);
        data.insert(KEY.to_owned(), ByteString(packed.bytes));
        // The object has the resourceVersion that was read.
        let params = PostParams::default();
        let replaced = with_timeout(self.api.replace(&self.name, &params, &object)).await;
        // After a failure the content is unknown: read it again.
        observed.object = None;
        match replaced {
            Ok(mut object) => {
                if let Some(data) = &mut object.binary_data {
                    data.remove(KEY);
                }
                observed.object = Some(object);
                observed.digest = Some(digest);
                self.metrics.written.inc();
                self.metrics.bytes.set(bytes as u64);
                self.metrics.left_out.set(left_out as u64);
                self.log_left_out(observed, left_out);
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(ConfigMapError::of(error)),
        }
    }

    /// Logs an error once while it lasts, and its end.
    fn log_outcome(&self, observed: &mut Observed, outcome: &Result<(), ConfigMapError>) {
        self.metrics.available.set(outcome.is_ok().into());
        if outcome.is_err() {
            self.metrics.failed.inc();
        }
        let error = outcome.as_ref().err();
        let kind = error.map(std::mem::discriminant);
        let before = std::mem::replace(&mut observed.logged, kind);
        match error {
            _ if before == kind => {}
            None => tracing::info!(
                configmap = self.location,
                "the ConfigMap for incidents can be used again"
            ),
            // Usual where the server replaces metrics-server and has only metrics-server's permissions.
            Some(error @ (ConfigMapError::Missing | ConfigMapError::Denied(_))) => tracing::info!(
                configmap = self.location,
                "incidents are not persisted and end with this pod: {error}"
            ),
            Some(error) => tracing::warn!(
                configmap = self.location,
                "cannot persist incidents in the ConfigMap: {error}; the server retries"
            ),
        }
    }

    fn log_left_out(&self, observed: &mut Observed, left_out: usize) {
        let full = left_out > 0;
        if full && !observed.logged_left_out {
            tracing::warn!(
                configmap = self.location,
                left_out,
                "not all incidents fit into the ConfigMap: the ones that ended longest ago are left out"
            );
        }
        observed.logged_left_out = full;
    }
}
