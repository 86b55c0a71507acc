//! The cluster's objects from watches: nodes, pods, Jobs of CronJobs, and events of pods, each with only the used fields.
//!
//! One task for each kind writes, and readers take immutable snapshots. Subscribers that need every change implement
//! [`Observer`].

mod binding;
#[cfg(test)]
mod forms;
mod gone;
mod metrics;
mod observer;
#[cfg(test)]
mod recording;
mod services;
#[cfg(test)]
mod size;
#[cfg(test)]
pub(crate) mod testing;
mod watch;

use std::sync::Arc;

use arc_swap::ArcSwap;
use imbl::OrdMap;
use kubevitals_proto::objects::Pools;
use kubevitals_proto::objects::intern::Interner;

pub use binding::{Binding, Bindings};
pub use gone::{GonePod, GonePods};
pub(crate) use kubevitals_proto::objects::time;
pub use kubevitals_proto::objects::{
    Address, AddressType, Condition, ConditionStatus, ContainerSpec, ContainerStatus,
    EVENT_SELECTOR, Ended, Endpoint, Event, Hpa, Job, Node, Owner, Phase, Pod, PodKey, PodTemplate,
    Probe, Ready, Resize, Resources, Role, State, StatusDetails, Summary, Uid, Waiting,
};
pub use observer::{Observer, Observers};
pub use services::{NamespaceServices, Service, Services, ServicesError};
pub use watch::{Backoff, OWN_EVENTS, Random, Settings, WatchHealth, Watches, random, spawn};

/// Nodes by name.
pub type Nodes = OrdMap<Arc<str>, Arc<Node>>;

/// Pods by namespace and name.
pub type Pods = OrdMap<PodKey, Arc<Pod>>;

/// Jobs of CronJobs by namespace and name. Deleted Jobs stay as long as deleted pods, because their pods are deleted
/// later.
pub type Jobs = OrdMap<PodKey, Arc<Job>>;

/// HorizontalPodAutoscalers by namespace and name.
pub type Hpas = OrdMap<PodKey, Arc<Hpa>>;

/// The current objects of the cluster.
#[derive(Debug, Default)]
pub struct Cluster {
    nodes: ArcSwap<Nodes>,
    pods: ArcSwap<Pods>,
    jobs: ArcSwap<Jobs>,
    gone: ArcSwap<GonePods>,
    hpas: ArcSwap<Hpas>,
    pools: Pools,
}

impl Cluster {
    /// The current nodes.
    pub fn nodes(&self) -> Arc<Nodes> {
        self.nodes.load_full()
    }

    /// The current pods in every phase.
    pub fn pods(&self) -> Arc<Pods> {
        self.pods.load_full()
    }

    /// The current Jobs of CronJobs; none without the permission to watch them.
    pub fn jobs(&self) -> Arc<Jobs> {
        self.jobs.load_full()
    }

    /// The deleted pods that are still stored.
    pub fn gone_pods(&self) -> Arc<GonePods> {
        self.gone.load_full()
    }

    /// The current HorizontalPodAutoscalers; none unless they are watched.
    pub fn hpas(&self) -> Arc<Hpas> {
        self.hpas.load_full()
    }

    /// Stores the endpoints of pods from now on ([`Pod::endpoint`]).
    pub fn store_endpoints(&self) {
        self.pools.store_endpoints();
    }

    /// The interned names.
    pub fn names(&self) -> &Interner {
        &self.pools.names
    }
}
