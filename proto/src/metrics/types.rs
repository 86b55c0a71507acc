//! The owned types, with JSON in Go's field order.

use super::Version;
use crate::duration::GoDuration;
use crate::quantity::Quantity;
use crate::time::Timestamp;
use crate::wire::meta::{ListMeta, ObjectMeta};
use schemars::JsonSchema;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Usage by resource, sorted by the resource's name.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema)]
#[schemars(inline, with = "BTreeMap<String, Quantity>")]
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

/// The usage of a node, with the system's own processes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NodeMetrics {
    /// `NodeMetrics`; absent in the items of a list.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Cow<'static, str>,
    /// The API group and version, such as `metrics.k8s.io/v1`; absent in the items of a list.
    #[serde(rename = "apiVersion", skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Version>,
    /// The name and labels of the node. The creation time is the time of this answer.
    pub metadata: ObjectMeta,
    /// The end of the window: when the kubelet took the sample. It may lie up to two and a half resolutions back.
    pub timestamp: Timestamp,
    /// The time over which CPU was averaged.
    // Without a description of its own, as at metrics-server: that of Duration says it.
    #[schemars(description = "")]
    pub window: GoDuration,
    /// Usage by resource. `cpu` is in cores, averaged over the window. `memory` is the working set in bytes at the
    /// timestamp: what the kernel cannot reclaim under pressure, and what the out-of-memory killer counts.
    pub usage: Usage,
}

/// The usage of a pod: of all of its running containers, or the pod has no metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PodMetrics {
    /// `PodMetrics`; absent in the items of a list.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Cow<'static, str>,
    /// The API group and version, such as `metrics.k8s.io/v1`; absent in the items of a list.
    #[serde(rename = "apiVersion", skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Version>,
    /// The name, namespace and labels of the pod. The creation time is the time of this answer.
    pub metadata: ObjectMeta,
    /// The end of the window: when the kubelet took the sample. It may lie up to two and a half resolutions back.
    pub timestamp: Timestamp,
    /// The time over which CPU was averaged.
    // Without a description of its own, as at metrics-server: that of Duration says it.
    #[schemars(description = "")]
    pub window: GoDuration,
    /// The usage of each container, all over the same window.
    #[serde(deserialize_with = "null_is_empty")]
    pub containers: Vec<ContainerMetrics>,
}

/// The usage of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ContainerMetrics {
    /// The container's name in `pod.spec.containers` or, of a sidecar, in `pod.spec.initContainers`.
    pub name: String,
    /// Usage by resource. `cpu` is in cores, averaged over the window. `memory` is the working set in bytes at the
    /// timestamp: what the kernel cannot reclaim under pressure, and what the out-of-memory killer counts.
    pub usage: Usage,
}

/// The usage of the nodes that have metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NodeMetricsList {
    /// Always `NodeMetricsList`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Cow<'static, str>,
    /// The API group and version, such as `metrics.k8s.io/v1`.
    #[serde(rename = "apiVersion", skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Version>,
    /// Empty: a list is always whole, and of the time of the request.
    pub metadata: ListMeta,
    /// The nodes, by name.
    #[serde(deserialize_with = "null_is_empty")]
    pub items: Vec<NodeMetrics>,
}

/// The usage of the pods that have metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PodMetricsList {
    /// Always `PodMetricsList`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Cow<'static, str>,
    /// The API group and version, such as `metrics.k8s.io/v1`.
    #[serde(rename = "apiVersion", skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Version>,
    /// Empty: a list is always whole, and of the time of the request.
    pub metadata: ListMeta,
    /// The pods, by namespace and name.
    #[serde(deserialize_with = "null_is_empty")]
    pub items: Vec<PodMetrics>,
}

/// Go writes a list that was never made as null.
fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
