//! The watches of the API server: each lists a kind of objects and then follows its changes. A failed or expired
//! watch leaves the cached objects in place until the next list replaces them.

mod cache;
mod events;
mod failure;
mod follow;
mod health;
mod publishers;
mod reflector;
mod report;
mod request;
mod response;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(super) mod testing {
    pub(in super::super) use super::cache::{NullPublisher, ObjectCache};
}

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use kubevitals_proto::objects::{WireEvent, WireJob, WireNode, WirePod};
use tokio::sync::watch;

pub use health::WatchHealth;
pub use kubevitals_proto::backoff::{Backoff, Random, random};

use self::cache::ObjectCache;
use self::events::EventFeed;
use self::follow::follow;
use self::publishers::{JobPublisher, NodePublisher, PodPublisher};
use self::reflector::Reflector;
use self::report::{Need, Outages, Reporter};
use self::request::Collection;
use super::Cluster;
use super::observer::Observers;
use crate::clock::Clock;
use crate::tasks::Tasks;

/// The watches and their health.
#[derive(Debug, Clone, Default)]
pub struct Watches {
    /// The watch of nodes.
    pub nodes: Arc<WatchHealth>,
    /// The watch of pods.
    pub pods: Arc<WatchHealth>,
    /// The watch of events. Without it causes are less certain.
    pub events: Arc<WatchHealth>,
    /// The watch of Jobs. Without it the pods of a CronJob have the Job as workload.
    pub jobs: Arc<WatchHealth>,
    /// Notified when the set of nodes, or one of them, has changed.
    pub nodes_changed: watch::Sender<()>,
    /// The label selector of the watched nodes; without, all nodes.
    pub node_selector: Option<String>,
}

impl Watches {
    /// All watches, with the names of their resources.
    pub fn all(&self) -> [(&'static str, &WatchHealth); 4] {
        [
            ("nodes", &self.nodes),
            ("pods", &self.pods),
            ("events", &self.events),
            ("jobs", &self.jobs),
        ]
    }
}

/// The settings of the watches.
#[derive(Debug, Default)]
pub struct Settings {
    /// The label selector of the watched nodes; without, all nodes.
    pub node_selector: Option<String>,
    /// How long deleted objects are remembered; zero for not at all.
    pub retention: Duration,
    /// The observers of each change.
    pub observers: Observers,
}

/// Starts the watches of nodes, pods, events and Jobs.
pub fn spawn(
    cluster: &Arc<Cluster>,
    client: &Client,
    settings: Settings,
    clock: &Arc<dyn Clock>,
    tasks: &mut Tasks,
) -> Watches {
    let Settings {
        node_selector,
        retention,
        observers,
    } = settings;
    let watches = Watches {
        node_selector: node_selector.clone(),
        ..Watches::default()
    };
    let outages = Arc::new(Outages::default());

    let collection = Collection::all::<WireNode>().labels(node_selector);
    let stream = Reflector::<WireNode>::new(client, collection, true, random).stream();
    let publisher = NodePublisher {
        cluster: Arc::clone(cluster),
        observers: observers.clone(),
        changed: watches.nodes_changed.clone(),
    };
    let mut cache = ObjectCache::<WireNode, _>::new(publisher);
    let (cluster_ref, health) = (Arc::clone(cluster), Arc::clone(&watches.nodes));
    let shared = Arc::clone(&outages);
    tasks.spawn("watch of nodes", async move {
        let reporter = Reporter::new(&health, &shared, "nodes", Need::Required);
        follow(stream, &mut cache, &cluster_ref.pools, &health, reporter).await;
    });

    let collection = Collection::all::<WirePod>();
    let stream = Reflector::<WirePod>::new(client, collection, true, random).stream();
    let publisher = PodPublisher::new(cluster, observers.clone(), retention, clock);
    let mut cache = ObjectCache::<WirePod, _>::new(publisher);
    let (cluster_ref, health) = (Arc::clone(cluster), Arc::clone(&watches.pods));
    let shared = Arc::clone(&outages);
    tasks.spawn("watch of pods", async move {
        let reporter = Reporter::new(&health, &shared, "pods", Need::Required);
        follow(stream, &mut cache, &cluster_ref.pools, &health, reporter).await;
    });

    // Events have no cache in the API server that a watch could start from; Jobs are few.
    let collection = Collection::all::<WireEvent>().fields(super::EVENT_SELECTOR);
    let stream = Reflector::<WireEvent>::new(client, collection, false, random).stream();
    let mut feed = EventFeed::new(observers);
    let (cluster_ref, health) = (Arc::clone(cluster), Arc::clone(&watches.events));
    let pods_health = Arc::clone(&watches.pods);
    let shared = Arc::clone(&outages);
    tasks.spawn("watch of events", async move {
        // Observers need the pod of an event when they are notified of it.
        pods_health.until_synced().await;
        let reporter = Reporter::new(&health, &shared, "events", Need::Optional);
        events::follow(
            stream,
            &mut feed,
            &cluster_ref.pools.names,
            &health,
            reporter,
        )
        .await;
    });

    let collection = Collection::all::<WireJob>();
    let stream = Reflector::<WireJob>::new(client, collection, false, random).stream();
    let publisher = JobPublisher::new(cluster, retention, clock);
    let mut cache = ObjectCache::<WireJob, _>::new(publisher);
    let (cluster_ref, health) = (Arc::clone(cluster), Arc::clone(&watches.jobs));
    let shared = Arc::clone(&outages);
    tasks.spawn("watch of jobs", async move {
        let reporter = Reporter::new(&health, &shared, "jobs", Need::Optional);
        follow(stream, &mut cache, &cluster_ref.pools, &health, reporter).await;
    });

    watches
}
