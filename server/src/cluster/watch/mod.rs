//! The watches: lists, then changes, for ever. A watch that breaks, expires or repeats itself leaves
//! what is known in place until the next list replaces it.

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
use kubevitals_proto::objects::{SlimEvent, SlimJob, SlimNode, SlimPod};
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
    /// The watch of events, without which causes are known less surely.
    pub events: Arc<WatchHealth>,
    /// The watch of Jobs, without which a CronJob's pods are told as their Jobs'.
    pub jobs: Arc<WatchHealth>,
    /// Notified when the set of nodes, or one of them, has changed.
    pub nodes_changed: watch::Sender<()>,
    /// Which nodes are watched, in Kubernetes' label selector form; all of them without.
    pub node_selector: Option<String>,
}

impl Watches {
    /// All of them, by what they are of.
    pub fn all(&self) -> [(&'static str, &WatchHealth); 4] {
        [
            ("nodes", &self.nodes),
            ("pods", &self.pods),
            ("events", &self.events),
            ("jobs", &self.jobs),
        ]
    }
}

/// What is watched, and for whom.
#[derive(Debug, Default)]
pub struct Settings {
    /// Which nodes are watched, in Kubernetes' label selector form; all of them without.
    pub node_selector: Option<String>,
    /// For how long what is gone is remembered; zero: not at all.
    pub retention: Duration,
    /// Who is told of each change.
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

    let collection = Collection::all::<SlimNode>().labels(node_selector);
    let stream = Reflector::<SlimNode>::new(client, collection, true, random).stream();
    let publisher = NodePublisher {
        cluster: Arc::clone(cluster),
        observers: observers.clone(),
        changed: watches.nodes_changed.clone(),
    };
    let mut cache = ObjectCache::<SlimNode, _>::new(publisher);
    let (cluster_ref, health) = (Arc::clone(cluster), Arc::clone(&watches.nodes));
    let shared = Arc::clone(&outages);
    tasks.spawn("watch of nodes", async move {
        let reporter = Reporter::new(&health, &shared, "nodes", Need::Required);
        follow(stream, &mut cache, &cluster_ref.pools, &health, reporter).await;
    });

    let collection = Collection::all::<SlimPod>();
    let stream = Reflector::<SlimPod>::new(client, collection, true, random).stream();
    let publisher = PodPublisher::new(cluster, observers.clone(), retention, clock);
    let mut cache = ObjectCache::<SlimPod, _>::new(publisher);
    let (cluster_ref, health) = (Arc::clone(cluster), Arc::clone(&watches.pods));
    let shared = Arc::clone(&outages);
    tasks.spawn("watch of pods", async move {
        let reporter = Reporter::new(&health, &shared, "pods", Need::Required);
        follow(stream, &mut cache, &cluster_ref.pools, &health, reporter).await;
    });

    // Events have no cache in the API server that a watch could begin with; of Jobs there are few.
    let collection = Collection::all::<SlimEvent>().fields(super::EVENT_SELECTOR);
    let stream = Reflector::<SlimEvent>::new(client, collection, false, random).stream();
    let mut feed = EventFeed::new(observers);
    let (cluster_ref, health) = (Arc::clone(cluster), Arc::clone(&watches.events));
    let pods_health = Arc::clone(&watches.pods);
    let shared = Arc::clone(&outages);
    tasks.spawn("watch of events", async move {
        // Whom an event is about should be known when it is told.
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

    let collection = Collection::all::<SlimJob>();
    let stream = Reflector::<SlimJob>::new(client, collection, false, random).stream();
    let publisher = JobPublisher::new(cluster, retention, clock);
    let mut cache = ObjectCache::<SlimJob, _>::new(publisher);
    let (cluster_ref, health) = (Arc::clone(cluster), Arc::clone(&watches.jobs));
    let shared = Arc::clone(&outages);
    tasks.spawn("watch of jobs", async move {
        let reporter = Reporter::new(&health, &shared, "jobs", Need::Optional);
        follow(stream, &mut cache, &cluster_ref.pools, &health, reporter).await;
    });

    watches
}
