//! Objects of the API server, read straight into what is used of them: annotations, managed fields and most of specs
//! are skipped by the parser and never built.

mod event;
mod hpa;
mod node;
mod pod;
mod status;
mod workload;

pub(super) use event::SlimEvent;
pub(super) use hpa::SlimHpa;
pub(super) use node::SlimNode;
pub(super) use pod::{SlimPod, detail};
pub(super) use workload::{DaemonSet, Deployment, Job, StatefulSet};

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kubevitals_proto::time::Timestamp;
use serde::{Deserialize, Deserializer};

/// The part of `metadata` that is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SlimMeta {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    owner_references: Option<Vec<OwnerReference>>,
}

/// `metadata` as kube's watcher asks for it, with what is used in it.
fn metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    SlimMeta::deserialize(deserializer).map(|slim| ObjectMeta {
        name: slim.name,
        namespace: slim.namespace,
        uid: slim.uid,
        resource_version: slim.resource_version,
        labels: slim.labels,
        creation_timestamp: slim.creation_timestamp,
        deletion_timestamp: slim.deletion_timestamp,
        owner_references: slim.owner_references,
        ..ObjectMeta::default()
    })
}

/// A time of `metadata` in ours.
fn told(time: Option<&Time>) -> Option<Timestamp> {
    let nanos = time?.0.as_nanosecond();
    i64::try_from(nanos).ok().map(Timestamp::from_nanos)
}

/// A time as text in ours; one that is none is no reason to lose the object.
fn read(time: Option<&String>) -> Option<Timestamp> {
    time?.parse().ok()
}

/// A time as seconds since the epoch; zero is none.
fn seconds(time: Option<Timestamp>) -> u32 {
    time.and_then(|time| u32::try_from(time.as_secs()).ok())
        .unwrap_or_default()
}

/// A count that Kubernetes has as a signed number.
fn count(count: Option<i64>) -> u32 {
    u32::try_from(count.unwrap_or(0)).unwrap_or(0)
}

/// Implements kube's `Resource` for a kind whose metadata is in the field `metadata`.
macro_rules! kind {
    ($type:ty, $group:literal, $version:literal, $kind:expr, $plural:literal, $scope:ty) => {
        impl kube::Resource for $type {
            type DynamicType = ();
            type Scope = $scope;

            fn kind((): &()) -> std::borrow::Cow<'_, str> {
                $kind.into()
            }

            fn group((): &()) -> std::borrow::Cow<'_, str> {
                $group.into()
            }

            fn version((): &()) -> std::borrow::Cow<'_, str> {
                $version.into()
            }

            fn plural((): &()) -> std::borrow::Cow<'_, str> {
                $plural.into()
            }

            fn meta(&self) -> &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &self.metadata
            }

            fn meta_mut(
                &mut self,
            ) -> &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &mut self.metadata
            }
        }
    };
}
use kind;
