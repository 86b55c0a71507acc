//! `kubevitals.io/v1alpha1`: nodes, pods, incidents and the cluster as the server sees them, with what is wrong.
//!
//! Owned types, shared by the server and its clients. Their JSON is the API: names are camelCase, CPU and memory are
//! Kubernetes quantities, times RFC 3339. A number that cannot be trusted is left out, and `absent` says why.

/// Defines an enum of the API. In JSON a value is the name of its variant.
macro_rules! api_enum {
    ($(#[$attribute:meta])* pub enum $name:ident { $($(#[$of_variant:meta])* $variant:ident,)* }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$of_variant])* $variant,)*
        }

        impl $name {
            /// The word in the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)*
                }
            }
        }
    };
}

pub mod availability;
mod cause;
mod cluster;
pub mod discovery;
pub mod forecast;
mod history;
mod incident;
mod node;
pub mod openapi;
mod own_metrics;
mod pod;
mod probes;
mod resize;
mod statistics;
pub mod table;
mod usage;
mod volume;

pub use availability::{Availability, AvailabilitySpan, AvailabilityState, Outage};
pub use cause::{Cause, Certainty};
pub use cluster::{ClusterVitals, HistoryStatus, IncidentCounts, NodeCounts, PodCounts};
pub use history::{History, HistorySource, HistoryStore, Mark, Point, Quantiles, Series, Span};
pub use incident::{Affected, Evidence, Incident, IncidentKind, Involved, Severity, Source};
pub use node::{
    Condition, Disk, KubeletPage, Network, NodeImages, NodeRatios, NodeSystem, NodeVitals,
    PodCapacity, Pressure,
};
pub use own_metrics::{OwnMetric, OwnMetrics, OwnScrape, OwnSeries};
pub use pod::{
    ContainerState, ContainerVitals, Ended, LastRestart, PodVitals, Probe, ProbeKind, ProbeStatus,
    Restarts, Role, Workload,
};
pub use probes::ProbesInWords;
pub use resize::{Resize, ResizeState};
pub use statistics::{MemoryRange, Statistics};
pub use usage::{Absence, Amounts, GpuUsage, Ratios, Trend, Usage};
pub use volume::{Inodes, VolumeGrowth, VolumeRatios, VolumeVitals};

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::labels::Labels;
use crate::time::Timestamp;
use crate::wire::meta::ListMeta;
use crate::wire::openapi::schema::kubernetes_type;

/// The API group's name.
pub const GROUP: &str = "kubevitals.io";

/// Its only version.
pub const VERSION: &str = "v1alpha1";

/// Group and version, as `apiVersion` has them.
pub const API_VERSION: &str = "kubevitals.io/v1alpha1";

/// The metadata of an object of this API: name, labels and age of its pod or node, with a UID of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    /// The object's name.
    pub name: String,
    /// Its namespace; empty for one that is in none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The UID, which differs from that of the pod or node: the owner reference has that.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// The resource version, for watches.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// When the pod or node was made, or the incident began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<Timestamp>,
    /// The time of the request to delete the pod or node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<Timestamp>,
    /// The labels of the pod or node, without those by which deployment tools claim objects.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// The pod or node that the object is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owner_references: Vec<OwnerReference>,
}

/// The owner of an object. `controller` and `blockOwnerDeletion` are left out: both are false.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnerReference {
    /// `v1`
    pub api_version: Cow<'static, str>,
    /// `Pod` or `Node`
    pub kind: Cow<'static, str>,
    /// The name.
    pub name: String,
    /// The UID.
    pub uid: String,
}

kubernetes_type! { Meta => "apis.meta.v1.ObjectMeta" }

/// The schema of a list of one of the kinds here. The server writes lists item by item, and clients read the items.
#[derive(JsonSchema)]
#[schemars(
    rename = "{T}List",
    rename_all = "camelCase",
    description = "A list of one kind."
)]
#[expect(dead_code, reason = "only its schema is of use")]
struct List<T> {
    /// The kind of the items, followed by List.
    kind: String,
    /// Always `kubevitals.io/v1alpha1`.
    api_version: String,
    /// The metadata of the list. A watch starts from its resourceVersion.
    #[schemars(default)]
    metadata: ListMeta,
    /// The objects, by namespace and name, or in the order of `sortBy`.
    items: Vec<T>,
}
