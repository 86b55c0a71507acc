//! What exists: nodes, pods and the Jobs of CronJobs, by watch, and of each only what is used; and what is said of
//! pods.
//!
//! One task a kind writes; everyone else reads immutable snapshots, which cost nothing to take and do not
//! change under the reader. Who must not miss a change is told of each: [`Observer`].

mod binding;
#[cfg(test)]
mod forms;
mod gone;
mod metrics;
mod observer;
#[cfg(test)]
mod recording;
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
    EVENT_SELECTOR, Ended, Event, Job, Node, Owner, Phase, Pod, PodKey, PodTemplate, Probe, Ready,
    Resize, Resources, Role, Said, State, Summary, Uid, Waiting,
};
pub use observer::{Observer, Observers};
pub use watch::{Backoff, Random, Settings, WatchHealth, Watches, random, spawn};

/// Nodes by name.
pub type Nodes = OrdMap<Arc<str>, Arc<Node>>;

/// Pods by namespace and name.
pub type Pods = OrdMap<PodKey, Arc<Pod>>;

/// Jobs of CronJobs by namespace and name, those that went within the time that pods are remembered included: their
/// pods go after them.
pub type Jobs = OrdMap<PodKey, Arc<Job>>;

/// The cluster as last seen.
#[derive(Debug, Default)]
pub struct Cluster {
    nodes: ArcSwap<Nodes>,
    pods: ArcSwap<Pods>,
    jobs: ArcSwap<Jobs>,
    gone: ArcSwap<GonePods>,
    pools: Pools,
}

impl Cluster {
    /// All nodes, as of now.
    pub fn nodes(&self) -> Arc<Nodes> {
        self.nodes.load_full()
    }

    /// All pods, in every phase, as of now.
    pub fn pods(&self) -> Arc<Pods> {
        self.pods.load_full()
    }

    /// The Jobs of CronJobs, as of now; none where they may not be watched.
    pub fn jobs(&self) -> Arc<Jobs> {
        self.jobs.load_full()
    }

    /// The pods that are gone and still remembered.
    pub fn gone_pods(&self) -> Arc<GonePods> {
        self.gone.load_full()
    }

    /// The names in use.
    pub fn names(&self) -> &Interner {
        &self.pools.names
    }
}
