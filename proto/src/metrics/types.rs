//! The owned types, with JSON in Go's field order.

use super::Version;
use crate::duration::GoDuration;
use crate::quantity::Quantity;
use crate::time::Timestamp;
use crate::wire::meta::{ListMeta, ObjectMeta};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// How much of each resource is used, sorted by the resource's name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage(Vec<(Cow<'static, str>, Quantity)>);

impl Usage {
    /// The usage of the resource called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Quantity> {
        self.0
            .iter()
            .find(|(resource, _)| resource == name)
            .map(|(_, quantity)| *quantity)
    }

    /// CPU, in cores.
    #[must_use]
    pub fn cpu(&self) -> Option<Quantity> {
        self.get("cpu")
    }

    /// Memory, in bytes.
    #[must_use]
    pub fn memory(&self) -> Option<Quantity> {
        self.get("memory")
    }

    /// Names and quantities, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Quantity)> {
        self.0.iter().map(|(name, quantity)| (&**name, *quantity))
    }

    /// Sets the usage of a resource.
    pub fn insert(&mut self, name: &str, quantity: Quantity) {
        match self
            .0
            .binary_search_by(|(resource, _)| (**resource).cmp(name))
        {
            Ok(at) => {
                if let Some((_, old)) = self.0.get_mut(at) {
                    *old = quantity;
                }
            }
            Err(at) => self.0.insert(at, (well_known(name), quantity)),
        }
    }
}

/// The names that every usage has need no allocation.
fn well_known(name: &str) -> Cow<'static, str> {
    match name {
        "cpu" => Cow::Borrowed("cpu"),
        "memory" => Cow::Borrowed("memory"),
        "swap" => Cow::Borrowed("swap"),
        name => Cow::Owned(name.to_owned()),
    }
}

impl<'a> FromIterator<(&'a str, Quantity)> for Usage {
    fn from_iter<I: IntoIterator<Item = (&'a str, Quantity)>>(quantities: I) -> Self {
        let mut usage = Self::default();
        for (name, quantity) in quantities {
            usage.insert(name, quantity);
        }
        usage
    }
}

impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Usage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Resources;
        impl<'de> Visitor<'de> for Resources {
            type Value = Usage;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of quantities")
            }
            fn visit_unit<E>(self) -> Result<Usage, E> {
                Ok(Usage::default())
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Usage, M::Error> {
                let mut usage = Usage::default();
                while let Some((name, quantity)) = map.next_entry::<Cow<'de, str>, Quantity>()? {
                    usage.insert(&name, quantity);
                }
                Ok(usage)
            }
        }
        deserializer.deserialize_any(Resources)
    }
}

/// What a node used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeMetrics {
    /// `NodeMetrics`, or empty inside of a list.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Cow<'static, str>,
    /// The version, or none inside of a list.
    #[serde(rename = "apiVersion", skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Version>,
    /// Which node.
    pub metadata: ObjectMeta,
    /// The end of the window.
    pub timestamp: Timestamp,
    /// The time over which CPU was averaged.
    pub window: GoDuration,
    /// CPU and memory.
    pub usage: Usage,
}

/// What a pod used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PodMetrics {
    /// `PodMetrics`, or empty inside of a list.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Cow<'static, str>,
    /// The version, or none inside of a list.
    #[serde(rename = "apiVersion", skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Version>,
    /// Which pod.
    pub metadata: ObjectMeta,
    /// The end of the window.
    pub timestamp: Timestamp,
    /// The time over which CPU was averaged.
    pub window: GoDuration,
    /// What each container used.
    #[serde(deserialize_with = "null_is_empty")]
    pub containers: Vec<ContainerMetrics>,
}

/// What a container used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerMetrics {
    /// The container's name within its pod.
    pub name: String,
    /// CPU and memory.
    pub usage: Usage,
}

/// Many [`NodeMetrics`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeMetricsList {
    /// `NodeMetricsList`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Cow<'static, str>,
    /// The version.
    #[serde(rename = "apiVersion", skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Version>,
    /// About the list itself.
    pub metadata: ListMeta,
    /// The nodes.
    #[serde(deserialize_with = "null_is_empty")]
    pub items: Vec<NodeMetrics>,
}

/// Many [`PodMetrics`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PodMetricsList {
    /// `PodMetricsList`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Cow<'static, str>,
    /// The version.
    #[serde(rename = "apiVersion", skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Version>,
    /// About the list itself.
    pub metadata: ListMeta,
    /// The pods.
    #[serde(deserialize_with = "null_is_empty")]
    pub items: Vec<PodMetrics>,
}

/// Go writes a list that was never made as null.
fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
