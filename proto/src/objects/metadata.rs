//! Metadata of objects, from JSON or from protobuf.
//!
//! The parser skips the fields that are not used: most annotations, and all managed fields, which are most of a pod's
//! bytes.

use std::collections::BTreeMap;

use crate::wire::protobuf::{Fields, Malformed, Value};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess};

use super::protobuf::{Field, Message, message};
use super::text::WireTime;
use crate::lenient::{Lenient, lenient};

/// A kind of object that is listed and watched.
pub trait Item: Message + DeserializeOwned + Send + 'static {
    /// The path of the collection in all namespaces: `/api/v1/pods`.
    const PATH: &'static str;
    /// Whether only the metadata of the objects is requested.
    const METADATA_ONLY: bool = false;

    /// The metadata.
    fn metadata(&self) -> &WireMeta;

    /// The name of the collection: `pods`.
    fn plural() -> &'static str {
        Self::PATH.rsplit('/').next().unwrap_or_default()
    }
}

message! {
    /// The part of `metadata` that is used.
    pub struct WireMeta {
        /// The name.
        pub name: String = 1,
        /// The namespace; empty for an object without one.
        pub namespace: String = 3,
        /// The UID.
        pub uid: String = 5,
        /// The resource version.
        pub resource_version: String = 6,
        pub(super) creation_timestamp: WireTime = 8,
        pub(super) deletion_timestamp: WireTime = 9,
        pub(super) deletion_grace_period_seconds: i64 = 10,
        pub(super) labels: BTreeMap<String, String> = 11,
        pub(super) owner_references: Vec<Option<WireOwner>> = 13,
        annotations: Option<WireAnnotations> = 12,
    }

    /// An owner on the wire.
    pub(super) struct WireOwner {
        pub(super) kind: String = 1,
        pub(super) name: String = 3,
        pub(super) controller: bool = 6,
    }
}

/// The annotation with another path for a node's resource metrics, the same as in metrics-server.
const METRICS_PATH: &str = "metrics.k8s.io/resource-metrics-path";

/// The annotation of the bookmark after the objects that existed when a watch began.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// The annotations that are used.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct WireAnnotations {
    #[serde(
        rename = "metrics.k8s.io/resource-metrics-path",
        deserialize_with = "lenient"
    )]
    metrics_path: String,
    #[serde(rename = "k8s.io/initial-events-end", deserialize_with = "lenient")]
    initial_events_end: String,
}

impl Message for WireAnnotations {
    fn field(&mut self, _: u32, _: Value<'_>) -> Result<(), Malformed> {
        Ok(())
    }

    /// Reads one entry of the map.
    fn merge(&mut self, entry: &[u8]) -> Result<(), Malformed> {
        let mut key = "";
        for field in Fields::new(entry) {
            match (field?, key) {
                ((1, value), _) => key = value.str().unwrap_or_default(),
                ((2, value), METRICS_PATH) => self.metrics_path.read(value)?,
                ((2, value), INITIAL_EVENTS_END) => self.initial_events_end.read(value)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl WireMeta {
    /// The path of a node's resource metrics, if an annotation has one.
    pub(super) fn metrics_path(&self) -> Option<&str> {
        let path = &self.annotations.as_ref()?.metrics_path;
        (!path.is_empty()).then_some(path)
    }

    /// The creation of the object, in seconds since the epoch; zero if unknown.
    pub fn created_seconds(&self) -> u32 {
        self.creation_timestamp.seconds()
    }

    /// Whether this is the metadata of the bookmark after the objects that existed when the watch began.
    pub fn ends_initial_events(&self) -> bool {
        let annotations = self.annotations.as_ref();
        annotations.is_some_and(|it| !it.initial_events_end.is_empty())
    }
}

/// Metadata of another type than an object is empty.
impl<'de> Lenient<'de> for WireMeta {
    fn object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(object))
    }
}

/// Implements [`Item`] for a struct whose metadata is in the field `metadata`.
macro_rules! item {
    ($type:ty, $path:literal $(, metadata_only: $only:literal)?) => {
        impl $crate::objects::metadata::Item for $type {
            const PATH: &'static str = $path;
            $(const METADATA_ONLY: bool = $only;)?

            fn metadata(&self) -> &$crate::objects::metadata::WireMeta {
                &self.metadata
            }
        }
    };
}
pub(super) use item;
