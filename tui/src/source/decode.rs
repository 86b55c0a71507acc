//! Reads lists of metrics.k8s.io straight into what is shown.
//!
//! A list of 150,000 pods carries millions of labels, times and units that `top` does not print:
//! they are skipped as they are read, and quantities become numbers at once.

use std::borrow::Cow;

use bytes::Bytes;
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::wire::envelope;
use prost::Message;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::Error;
use super::client::Answer;
use super::status::{PROTOBUF, media_type};
use super::usage::{ContainerUsage, NodeUsage, PodUsage, Usage};

/// The nodes of a list.
pub(super) fn node_list(answer: &Answer) -> Result<Vec<NodeUsage>, Error> {
    if let Some(raw) = protobuf(answer)? {
        let list = NodeList::decode(raw).map_err(not_understood)?;
        return list.items.into_iter().map(NodeUsage::try_from).collect();
    }
    let list: JsonList<JsonItem<'_>> = json(answer)?;
    Ok(list.items.into_iter().map(Into::into).collect())
}

/// One node.
pub(super) fn node(answer: &Answer) -> Result<NodeUsage, Error> {
    if let Some(raw) = protobuf(answer)? {
        return Node::decode(raw).map_err(not_understood)?.try_into();
    }
    Ok(json::<JsonItem<'_>>(answer)?.into())
}

/// The pods of a list.
pub(super) fn pod_list(answer: &Answer) -> Result<Vec<PodUsage>, Error> {
    if let Some(raw) = protobuf(answer)? {
        let list = PodList::decode(raw).map_err(not_understood)?;
        return list.items.into_iter().map(PodUsage::try_from).collect();
    }
    let list: JsonList<JsonItem<'_>> = json(answer)?;
    Ok(list.items.into_iter().map(Into::into).collect())
}

/// One pod.
pub(super) fn pod(answer: &Answer) -> Result<PodUsage, Error> {
    if let Some(raw) = protobuf(answer)? {
        return Pod::decode(raw).map_err(not_understood)?.try_into();
    }
    Ok(json::<JsonItem<'_>>(answer)?.into())
}

/// The object in a protobuf envelope; nothing if the answer is JSON.
fn protobuf(answer: &Answer) -> Result<Option<Bytes>, Error> {
    if media_type(&answer.content_type) != PROTOBUF {
        return Ok(None);
    }
    unwrap(&answer.body)
        .map(Some)
        .ok_or_else(|| not_understood("it is no Kubernetes protobuf"))
}

/// The bytes of the object in a protobuf envelope, not copied.
pub(super) fn unwrap(body: &Bytes) -> Option<Bytes> {
    #[derive(Clone, PartialEq, Message)]
    struct Envelope {
        #[prost(bytes = "bytes", tag = "2")]
        raw: Bytes,
    }
    let inner = body
        .strip_prefix(envelope::MAGIC.as_slice())
        .map(|inner| body.slice_ref(inner))?;
    Some(Envelope::decode(inner).ok()?.raw)
}

fn json<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, Error> {
    if answer.body.is_empty() {
        return Err(Error::Request(format!(
            "0-length response with status code: 200 and content type: {}",
            answer.content_type
        )));
    }
    match media_type(&answer.content_type) {
        "application/json" | "" => serde_json::from_slice(&answer.body).map_err(not_understood),
        _ => Err(Error::Request(format!(
            "serializer for {} doesn't exist",
            answer.content_type
        ))),
    }
}

fn not_understood(error: impl std::fmt::Display) -> Error {
    Error::Request(format!("the server's answer cannot be understood: {error}"))
}

#[derive(Clone, PartialEq, Message)]
struct NodeList {
    #[prost(message, repeated, tag = "2")]
    items: Vec<Node>,
}

#[derive(Clone, PartialEq, Message)]
struct PodList {
    #[prost(message, repeated, tag = "2")]
    items: Vec<Pod>,
}

#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(message, optional, tag = "1")]
    metadata: Option<Metadata>,
    #[prost(message, repeated, tag = "4")]
    usage: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
struct Pod {
    #[prost(message, optional, tag = "1")]
    metadata: Option<Metadata>,
    #[prost(message, repeated, tag = "4")]
    containers: Vec<Container>,
}

#[derive(Clone, PartialEq, Message)]
struct Container {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    usage: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
struct Metadata {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    namespace: String,
}

/// An entry of a map of quantities.
#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<Text>,
}

/// A quantity, still as text.
#[derive(Clone, PartialEq, Message)]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

impl TryFrom<Node> for NodeUsage {
    type Error = Error;

    fn try_from(node: Node) -> Result<Self, Error> {
        let name = node.metadata.unwrap_or_default().name;
        Ok(Self {
            name,
            usage: usage(&node.usage)?,
        })
    }
}

impl TryFrom<Pod> for PodUsage {
    type Error = Error;

    fn try_from(pod: Pod) -> Result<Self, Error> {
        let Metadata { name, namespace } = pod.metadata.unwrap_or_default();
        let containers = pod.containers.into_iter().map(
            |Container {
                 name,
                 usage: entries,
             }| {
                Ok(ContainerUsage {
                    name,
                    usage: usage(&entries)?,
                })
            },
        );
        Ok(Self {
            namespace,
            name,
            containers: containers.collect::<Result<_, Error>>()?,
        })
    }
}

fn usage(entries: &[Entry]) -> Result<Usage, Error> {
    let mut usage = Usage::default();
    for Entry { key, value } in entries {
        let quantity: &mut Quantity = match key.as_str() {
            "cpu" => &mut usage.cpu,
            "memory" => &mut usage.memory,
            "swap" => &mut usage.swap,
            _ => continue,
        };
        let text = value.as_ref().map_or("", |value| &value.text);
        *quantity = text.parse().map_err(not_understood)?;
    }
    Ok(usage)
}

#[derive(Deserialize)]
struct JsonList<T> {
    #[serde(default = "Vec::new")]
    items: Vec<T>,
}

/// A node, with `usage`, or a pod, with `containers`.
#[derive(Deserialize)]
struct JsonItem<'a> {
    #[serde(borrow, default)]
    metadata: JsonMetadata<'a>,
    #[serde(default, deserialize_with = "json_usage")]
    usage: Usage,
    #[serde(borrow, default)]
    containers: Vec<JsonContainer<'a>>,
}

#[derive(Deserialize)]
struct JsonContainer<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(default, deserialize_with = "json_usage")]
    usage: Usage,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct JsonMetadata<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    namespace: Cow<'a, str>,
}

impl From<JsonItem<'_>> for NodeUsage {
    fn from(item: JsonItem<'_>) -> Self {
        Self {
            name: item.metadata.name.into_owned(),
            usage: item.usage,
        }
    }
}

impl From<JsonItem<'_>> for PodUsage {
    fn from(item: JsonItem<'_>) -> Self {
        let containers = item.containers.into_iter();
        Self {
            namespace: item.metadata.namespace.into_owned(),
            name: item.metadata.name.into_owned(),
            containers: containers
                .map(|JsonContainer { name, usage }| ContainerUsage {
                    name: name.into_owned(),
                    usage,
                })
                .collect(),
        }
    }
}

fn json_usage<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Usage, D::Error> {
    #[derive(Deserialize)]
    #[serde(field_identifier, rename_all = "lowercase")]
    enum Key {
        Cpu,
        Memory,
        Swap,
        #[serde(other)]
        Other,
    }

    struct UsageVisitor;

    impl<'de> Visitor<'de> for UsageVisitor {
        type Value = Usage;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("quantities by resource")
        }

        fn visit_unit<E>(self) -> Result<Usage, E> {
            Ok(Usage::default())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Usage, A::Error> {
            let mut usage = Usage::default();
            while let Some(key) = map.next_key()? {
                match key {
                    Key::Cpu => usage.cpu = map.next_value()?,
                    Key::Memory => usage.memory = map.next_value()?,
                    Key::Swap => usage.swap = map.next_value()?,
                    Key::Other => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(usage)
        }
    }

    deserializer.deserialize_any(UsageVisitor)
}
