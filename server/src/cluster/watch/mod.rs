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
    pub(in super::super) use super::follow::WatchState;
}

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use kubevitals_proto::objects::{Item, WireEvent, WireHpa, WireJob, WireNode, WirePod};
use tokio::sync::watch;

pub use events::OWN_EVENTS;
pub use health::WatchHealth;
pub use kubevitals_proto::backoff::{Backoff, Random, random};

use self::cache::ObjectCache;
use self::events::EventFeed;
use self::follow::{WatchState, follow};
use self::publishers::{HpaPublisher, JobPublisher, NodePublisher, PodPublisher};
use self::reflector::Reflector;
use self::report::{Need, Outages, Reporter};
use self::request::Collection;
use super::Cluster;
use super::observer::Observers;
use crate::clock::Clock;
use crate::memory::{LeftOut, Memory};
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
    /// The watch of HorizontalPodAutoscalers, if there is one. Without it, only the configuration and requests name families to keep.
    pub hpas: Option<Arc<WatchHealth>>,
    /// Notified when the set of nodes, or one of them, has changed.
    pub nodes_changed: watch::Sender<()>,
    /// The label selector of the watched nodes; without, all nodes.
    pub node_selector: Option<String>,
    /// The memory limit, near which objects are left out.
    pub memory: Arc<Memory>,
}

impl Watches {
    /// What the server leaves out because the memory limit is near, for whichever reason.
    pub fn left_out(&self) -> LeftOut {
        LeftOut {
            nodes: self.nodes.left_out() + self.memory.left_out() as u64,
            pods: self.pods.left_out(),
        }
    }

    /// All watches, with the names of their resources.
    pub fn all(&self) -> Vec<(&'static str, &WatchHealth)> {
        let hpas = self.hpas.as_deref();
        let hpas = hpas.map(|health| ("horizontalpodautoscalers", health));
        let always: [(_, &WatchHealth); 4] = [
            ("nodes", &self.nodes),
            ("pods", &self.pods),
            ("events", &self.events),
            ("jobs", &self.jobs),
        ];
        always.into_iter().chain(hpas).collect()
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
    /// The memory limit.
    pub memory: Arc<Memory>,
    /// Whether to watch HorizontalPodAutoscalers; notified when one of them has changed.
    pub hpas_changed: Option<watch::Sender<()>>,
}

/// Starts the watches of nodes, pods, events and Jobs, and of HorizontalPodAutoscalers if they are used.
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
        memory,
        hpas_changed,
    } = settings;
    let watches = Watches {
        node_selector: node_selector.clone(),
        hpas: hpas_changed.is_some().then(Arc::default),
        memory: Arc::clone(&memory),
        ..Watches::default()
    };
    let mut starter = Starter {
        cluster,
        client,
        memory: &memory,
        outages: Arc::default(),
        tasks,
    };
    let publisher = NodePublisher {
        cluster: Arc::clone(cluster),
        observers: observers.clone(),
        changed: watches.nodes_changed.clone(),
    };
    starter.start(
        ("watch of nodes", Need::Required),
        Collection::all::<WireNode>().labels(node_selector),
        &watches.nodes,
        ObjectCache::<WireNode, _>::new(publisher, Arc::clone(&memory)),
        ready(()),
        || {},
    );
    let current = observers.clone();
    let publisher = PodPublisher::new(cluster, observers.clone(), retention, clock);
    starter.start(
        ("watch of pods", Need::Required),
        Collection::all::<WirePod>(),
        &watches.pods,
        ObjectCache::<WirePod, _>::new(publisher, Arc::clone(&memory)),
        ready(()),
        move || current.iter().for_each(|observer| observer.pods_current()),
    );
    let pods = Arc::clone(&watches.pods);
    starter.start(
        ("watch of events", Need::Optional),
        Collection::all::<WireEvent>().fields(super::EVENT_SELECTOR),
        &watches.events,
        EventFeed::new(observers),
        // Observers need the pod of an event when they are notified of it.
        async move { pods.until_synced().await },
        || {},
    );
    let publisher = JobPublisher::new(cluster, retention, clock);
    starter.start(
        ("watch of jobs", Need::Optional),
        Collection::all::<WireJob>(),
        &watches.jobs,
        ObjectCache::<WireJob, _>::new(publisher, Arc::clone(&memory)),
        ready(()),
        || {},
    );
    if let (Some(changed), Some(health)) = (hpas_changed, &watches.hpas) {
        let publisher = HpaPublisher {
            cluster: Arc::clone(cluster),
            changed,
        };
        starter.start(
            ("watch of horizontalpodautoscalers", Need::Optional),
            Collection::all::<WireHpa>(),
            health,
            ObjectCache::<WireHpa, _>::new(publisher, Arc::clone(&memory)),
            ready(()),
            || {},
        );
    }
    watches
}

/// Starts watches.
struct Starter<'a> {
    cluster: &'a Arc<Cluster>,
    client: &'a Client,
    memory: &'a Arc<Memory>,
    outages: Arc<Outages>,
    tasks: &'a mut Tasks,
}

impl Starter<'_> {
    /// Starts a watch in a task of this name when `ready` completes. Calls `when_current` as
    /// [`Reflector::when_current`] does.
    fn start<K: Item>(
        &mut self,
        (task, need): (&'static str, Need),
        collection: Collection,
        health: &Arc<WatchHealth>,
        mut state: impl WatchState<K> + Send + 'static,
        ready: impl Future<Output = ()> + Send + 'static,
        when_current: impl Fn() + Send + 'static,
    ) {
        // Events have no cache in the API server that a watch could start from; Jobs are few.
        let watch_list = need == Need::Required;
        let (cluster, health) = (Arc::clone(self.cluster), Arc::clone(health));
        let (incomplete, memory) = (Arc::clone(&health), Arc::clone(self.memory));
        let must_list =
            move || incomplete.left_out() > 0 && !memory.is_tight() && !memory.is_full();
        let stream = Reflector::<K>::new(self.client, collection, watch_list, random)
            .list_again_if(must_list)
            .when_current(when_current)
            .stream();
        let outages = Arc::clone(&self.outages);
        self.tasks.spawn(task, async move {
            ready.await;
            let reporter = Reporter::new(&health, &outages, K::plural(), need);
            follow(stream, &mut state, &cluster.pools, &health, reporter).await;
        });
    }
}
