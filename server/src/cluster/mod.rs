//! What exists: nodes, pods and the Jobs of CronJobs, by watch, and of each only what is used; and what is said of
//! pods.
//!
//! One task a kind writes; everyone else reads immutable snapshots, which cost nothing to take and do not
//! change under the reader. Who must not miss a change is told of each: [`Observer`].

mod binding;
mod condition;
mod container;
mod event;
#[cfg(test)]
mod forms;
mod gone;
mod job;
mod loose;
mod node;
mod observer;
mod owner;
mod pod;
mod probe;
mod protobuf;
#[cfg(test)]
mod recording;
mod resize;
mod resources;
#[cfg(test)]
mod size;
mod slim;
mod status;
mod template;
#[cfg(test)]
pub(crate) mod testing;
mod text;
mod uid;
mod watch;

use std::sync::Arc;

use arc_swap::ArcSwap;
use imbl::OrdMap;
use kubevitals_proto::labels::Labels;

pub use binding::{Binding, Bindings};
pub use container::{ContainerStatus, Ended, State, Waiting};
pub use event::{Event, SELECTOR as EVENT_SELECTOR};
pub use gone::{GonePod, GonePods};
pub use job::Job;
pub use node::{Address, AddressType, Condition, ConditionStatus, Node};
pub use observer::{Observer, Observers};
pub use owner::Owner;
pub use pod::{Phase, Pod, PodKey, Ready, Said};
pub use probe::Probe;
pub use resize::Resize;
pub use resources::Resources;
pub use status::Summary;
pub use template::{ContainerSpec, PodTemplate, Role};
pub(crate) use text::time;
pub use uid::Uid;
pub use watch::{Backoff, Random, Settings, WatchHealth, WatchTasks, Watches, random, spawn};

use crate::intern::{Interner, Pool};

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

/// What many objects share.
#[derive(Debug, Default)]
struct Pools {
    names: Interner,
    labels: Pool<Labels>,
    owners: Pool<Arc<Owner>>,
    templates: Pool<Arc<PodTemplate>>,
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
