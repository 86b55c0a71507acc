//! Objects read straight into what is used of them.
//!
//! kube's watcher asks for `metadata` as a whole `ObjectMeta`; ours is filled with the few fields we use, so
//! that annotations and managed fields, most of a pod's bytes, are skipped by the parser and never built.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use k8s_openapi::jiff;
use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::Pools;
use super::loose::loose;
use super::text::as_seconds;

/// The part of `metadata` that is read; `A` is what becomes of the annotations.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SlimMeta<A> {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    #[serde(default, deserialize_with = "loose")]
    creation_timestamp: String,
    #[serde(default, deserialize_with = "loose")]
    deletion_timestamp: String,
    #[serde(default, deserialize_with = "loose")]
    labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "loose")]
    owner_references: Vec<Option<SlimOwner>>,
    annotations: Option<A>,
}

/// An owner on the wire.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct SlimOwner {
    #[serde(deserialize_with = "loose")]
    kind: String,
    #[serde(deserialize_with = "loose")]
    name: String,
    #[serde(deserialize_with = "loose")]
    controller: bool,
}

impl<A> SlimMeta<A> {
    fn widen(self, annotations: impl FnOnce(A) -> Option<BTreeMap<String, String>>) -> ObjectMeta {
        let owners = self.owner_references.into_iter().flatten();
        let controllers = owners
            .filter(|owner| owner.controller)
            .map(|owner| OwnerReference {
                kind: owner.kind,
                name: owner.name,
                controller: Some(true),
                ..OwnerReference::default()
            });
        ObjectMeta {
            name: self.name,
            namespace: self.namespace,
            uid: self.uid,
            resource_version: self.resource_version,
            creation_timestamp: time(&self.creation_timestamp),
            deletion_timestamp: time(&self.deletion_timestamp),
            labels: Some(self.labels).filter(|labels| !labels.is_empty()),
            owner_references: Some(controllers.collect()),
            annotations: self.annotations.and_then(annotations),
            ..ObjectMeta::default()
        }
    }
}

/// A time that is none must not cost us the object.
fn time(text: &str) -> Option<Time> {
    let time: Timestamp = text.parse().ok()?;
    jiff::Timestamp::from_second(time.as_secs()).ok().map(Time)
}

/// A time of the metadata in seconds since the epoch; zero for none.
pub(super) fn seconds(time: Option<&Time>) -> u32 {
    let seconds = time.map(|time| Timestamp::from_secs(time.0.as_second()));
    seconds.map(as_seconds).unwrap_or_default()
}

/// The labels, shared with all objects that have the same.
pub(super) fn labels(labels: Option<BTreeMap<String, String>>, pools: &Pools) -> Labels {
    let labels = labels.unwrap_or_default();
    let labels: Labels = labels
        .iter()
        .map(|(key, value)| (pools.names.intern(key), pools.names.intern(value)))
        .collect();
    if labels.is_empty() {
        // They share as it is.
        return labels;
    }
    pools.labels.share(labels)
}

/// `metadata` without annotations.
pub(super) fn metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    SlimMeta::<IgnoredAny>::deserialize(deserializer).map(|slim| slim.widen(|IgnoredAny| None))
}

/// `metadata` with annotations.
pub(super) fn annotated_metadata<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ObjectMeta, D::Error> {
    SlimMeta::deserialize(deserializer).map(|slim| slim.widen(Some))
}

/// Implements kube's `Resource` for a core/v1 kind whose metadata is in the field `metadata`.
macro_rules! core_v1 {
    ($type:ty, $kind:literal, $plural:literal, $scope:ty) => {
        impl kube::Resource for $type {
            type DynamicType = ();
            type Scope = $scope;

            fn kind((): &()) -> std::borrow::Cow<'_, str> {
                $kind.into()
            }

            fn group((): &()) -> std::borrow::Cow<'_, str> {
                "".into()
            }

            fn version((): &()) -> std::borrow::Cow<'_, str> {
                "v1".into()
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
pub(super) use core_v1;
