//! Metadata of objects, from JSON or from protobuf.
//!
//! The parser skips the fields that are not used: most annotations, and all managed fields, which are most of a pod's
//! bytes.

use std::collections::BTreeMap;
use std::fmt;

use crate::wire::protobuf::{Fields, Malformed, Value};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

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

/// The annotations and labels with which a pod asks for a scrape. Ours come first: they have precedence.
pub const SCRAPE_NAMES: [&str; 8] = [
    "kubevitals.io/scrape",
    "kubevitals.io/port",
    "kubevitals.io/path",
    "kubevitals.io/scheme",
    "prometheus.io/scrape",
    "prometheus.io/port",
    "prometheus.io/path",
    "prometheus.io/scheme",
];

/// The annotations that are used.
#[derive(Debug, Clone, Default)]
struct WireAnnotations {
    metrics_path: String,
    initial_events_end: String,
    scrape: Vec<(&'static str, String)>,
}

impl WireAnnotations {
    /// Stores the value of an annotation if it is used.
    fn set(&mut self, key: Option<&'static str>, value: String) {
        match key {
            Some(METRICS_PATH) => self.metrics_path = value,
            Some(INITIAL_EVENTS_END) => self.initial_events_end = value,
            Some(key) => self.scrape.push((key, value)),
            None => {}
        }
    }
}

/// The name of an annotation that is used.
fn used(key: &str) -> Option<&'static str> {
    let mut all = [METRICS_PATH, INITIAL_EVENTS_END]
        .into_iter()
        .chain(SCRAPE_NAMES);
    // Most annotations are not used, and few of them have these lengths.
    all.find(|used| used.len() == key.len() && *used == key)
}

impl Message for WireAnnotations {
    fn field(&mut self, _: u32, _: Value<'_>) -> Result<(), Malformed> {
        Ok(())
    }

    /// Reads one entry of the map.
    fn merge(&mut self, entry: &[u8]) -> Result<(), Malformed> {
        let mut key = None;
        for field in Fields::new(entry) {
            match (field?, key) {
                ((1, value), _) => key = used(value.str().unwrap_or_default()),
                ((2, value), Some(_)) => {
                    let mut text = String::new();
                    text.read(value)?;
                    self.set(key, text);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for WireAnnotations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnnotationsVisitor)
    }
}

struct AnnotationsVisitor;

impl<'de> Visitor<'de> for AnnotationsVisitor {
    type Value = WireAnnotations;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("annotations")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireAnnotations, A::Error> {
        let mut annotations = WireAnnotations::default();
        while let Some(Key(key)) = map.next_key()? {
            if key.is_some() {
                let Text(value) = map.next_value()?;
                annotations.set(key, value);
            } else {
                let IgnoredAny = map.next_value()?;
            }
        }
        Ok(annotations)
    }
}

/// The key of an annotation, which is not copied; none if the annotation is not used.
struct Key(Option<&'static str>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key of an annotation")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(Key(used(key)))
    }
}

/// The value of an annotation.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text(#[serde(deserialize_with = "lenient")] String);

impl WireMeta {
    /// The path of a node's resource metrics, if an annotation has one.
    pub(super) fn metrics_path(&self) -> Option<&str> {
        let path = &self.annotations.as_ref()?.metrics_path;
        (!path.is_empty()).then_some(path)
    }

    /// The annotations and labels that ask for a scrape of the pod, with their names.
    pub(super) fn scrape(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let annotations = self.annotations.iter().flat_map(|it| &it.scrape);
        let annotations = annotations.map(|(key, value)| (*key, &**value));
        let labels = SCRAPE_NAMES
            .into_iter()
            .filter_map(|name| Some((name, &**self.labels.get(name)?)));
        labels.chain(annotations)
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
