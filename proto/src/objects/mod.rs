//! The objects of the Kubernetes API that Kubevitals reads: nodes, pods, events and Jobs. They are parsed leniently and
//! have only the fields that are used. Here are also the rules about them: status words, resources, resizes.

mod bounds;
mod condition;
mod container;
mod event;
pub mod intern;
mod job;
mod key;
mod metadata;
mod node;
pub mod not_running;
mod owner;
mod phase;
mod pod;
mod pools;
mod probe;
mod protobuf;
mod resize;
mod resources;
mod status;
mod template;
mod text;
mod uid;
mod workload;

pub use crate::lenient::{Lenient, lenient};
pub use condition::WireCondition;
pub use container::{ContainerStatus, Ended, State, Waiting};
pub use event::{Event, SELECTOR as EVENT_SELECTOR, WireEvent};
pub use job::{Job, WireJob};
pub use key::{NamespacedName, PodKey};
pub use metadata::{Item, WireMeta};
pub use node::{Address, AddressType, Condition, ConditionStatus, Node, WireNode};
pub use owner::Owner;
pub use phase::Phase;
pub use pod::{Pod, Ready, StatusDetails, WirePod};
pub use pools::Pools;
pub use probe::Probe;
pub use protobuf::Message;
pub use resize::Resize;
pub use resources::Resources;
pub use status::Summary;
pub use template::{ContainerSpec, PodTemplate, Role};
pub use text::time;
pub use uid::Uid;
pub use workload::WireWorkload;
