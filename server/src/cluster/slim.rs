//! Objects read straight into what is used of them.
//!
//! kube's watcher asks for `metadata` as a whole `ObjectMeta`; ours is filled with the few fields we use, so
//! that annotations and managed fields, most of a pod's bytes, are skipped by the parser and never built.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// The part of `metadata` that is read; `A` is what becomes of the annotations.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SlimMeta<A> {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<A>,
}

impl<A> SlimMeta<A> {
    fn widen(self, annotations: impl FnOnce(A) -> Option<BTreeMap<String, String>>) -> ObjectMeta {
        ObjectMeta {
            name: self.name,
            namespace: self.namespace,
            uid: self.uid,
            resource_version: self.resource_version,
            labels: self.labels,
            annotations: self.annotations.and_then(annotations),
            ..ObjectMeta::default()
        }
    }
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
