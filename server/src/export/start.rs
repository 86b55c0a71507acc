//! Starts what is on.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio_util::sync::CancellationToken;

use super::election::{Candidate, Election};
use super::notify;
use super::remote_write::{self, RemoteWriteMetrics};
use super::settings::ExportSettings;
use crate::availability::Availability;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::health::Health;
use crate::store::Store;
use crate::tasks::Tasks;
use crate::telemetry::metrics::Registry;

/// What leaves the server is made of these.
pub(crate) struct ExportParts {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) store: Arc<Store>,
    pub(crate) health: Arc<Health>,
    pub(crate) availability: Option<Arc<Availability>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) client: Client,
    /// The namespace of the Lease.
    pub(crate) namespace: String,
    /// The folder of the state, if there is one.
    pub(crate) folder: Option<PathBuf>,
    /// The time between two scrapes of a node.
    pub(crate) resolution: Duration,
    /// Whether this server is one of several shards: each has the usage of its own nodes.
    pub(crate) sharded: bool,
    /// The URL of the API server, for links.
    pub(crate) cluster_url: String,
    /// Cancelled when the server ends.
    pub(crate) stop: CancellationToken,
}

/// Starts the tasks of what is on; none if nothing is. Returns the election, which gives its Lease back when the server
/// ends.
///
/// # Errors
/// The operating system starts no thread.
pub(crate) fn start(
    settings: ExportSettings,
    incidents: Option<notify::Settings>,
    parts: ExportParts,
    registry: &mut Registry,
    tasks: &mut Tasks,
) -> io::Result<Option<Election>> {
    let writes = settings.remote_write.is_some() && !settings.each_writes;
    let notifies = incidents
        .as_ref()
        .is_some_and(notify::Settings::has_notices);
    let election = (settings.leader_elect && (writes || notifies)).then(|| {
        let (client, clock) = (&parts.client, Arc::clone(&parts.clock));
        let folder = parts.folder.as_deref();
        let (candidate, election) = Candidate::new(client, &parts.namespace, folder, clock);
        tasks.spawn("election", candidate.run(parts.stop));
        election
    });
    if let Some(incidents) = incidents {
        let parts = notify::Parts {
            client: parts.client.clone(),
            cluster_url: parts.cluster_url,
            health: Arc::clone(&parts.health),
            clock: Arc::clone(&parts.clock),
            writer: election.as_ref().map(Election::notifies),
        };
        notify::start(incidents, parts, registry, tasks);
    }
    if let Some(remote_write) = settings.remote_write {
        let metrics = RemoteWriteMetrics::default();
        metrics.register(registry);
        let elected = election.clone().filter(|_| writes);
        let (objects, elected) = if parts.sharded {
            (elected, None)
        } else {
            (None, elected)
        };
        let parts = remote_write::Parts {
            cluster: parts.cluster,
            store: parts.store,
            health: parts.health,
            availability: parts.availability,
            clock: parts.clock,
            client: parts.client,
            election: elected.unwrap_or_else(Election::off),
            objects,
            metrics,
            folder: parts.folder,
            resolution: parts.resolution,
        };
        // On a thread of its own, so that a round over a large cluster delays no request.
        tasks.spawn_on_thread("remote write", remote_write::run(remote_write, parts))?;
    }
    Ok(election)
}
