//! Decodes metrics.k8s.io into usage.
//!
//! A list of 150,000 pods has millions of labels, times and units that `top` does not print: the decoder skips them and
//! converts quantities at once.

use std::borrow::Cow;

use kubevitals_proto::metrics::view::{Body, ContainerView, NodeView, PodView, UsageView};
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::wire::envelope;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::Error;
use super::client::{Answer, unreadable};
use super::status::media_type;
use super::usage::{ContainerUsage, NodeUsage, PodUsage, Usage};

/// The nodes of a list.
pub(super) fn node_list(answer: &Answer) -> Result<Vec<NodeUsage>, Error> {
    if is_protobuf(answer) {
        let nodes = Body::open(&answer.body)
            .and_then(Body::nodes)
            .map_err(unreadable)?;
        return nodes
            .map(|node| convert_node(&node.map_err(unreadable)?))
            .collect();
    }
    let list: JsonList<JsonItem<'_>> = json(answer)?;
    Ok(list.items.into_iter().map(Into::into).collect())
}

/// One node.
pub(super) fn node(answer: &Answer) -> Result<NodeUsage, Error> {
    if is_protobuf(answer) {
        let node = Body::open(&answer.body).and_then(Body::node);
        return convert_node(&node.map_err(unreadable)?);
    }
    Ok(json::<JsonItem<'_>>(answer)?.into())
}

/// The pods of a list.
pub(super) fn pod_list(answer: &Answer) -> Result<Vec<PodUsage>, Error> {
    if is_protobuf(answer) {
        let pods = Body::open(&answer.body)
            .and_then(Body::pods)
            .map_err(unreadable)?;
        return pods
            .map(|pod| convert_pod(&pod.map_err(unreadable)?))
            .collect();
    }
    let list: JsonList<JsonItem<'_>> = json(answer)?;
    Ok(list.items.into_iter().map(Into::into).collect())
}

/// One pod.
pub(super) fn pod(answer: &Answer) -> Result<PodUsage, Error> {
    if is_protobuf(answer) {
        let pod = Body::open(&answer.body).and_then(Body::pod);
        return convert_pod(&pod.map_err(unreadable)?);
    }
    Ok(json::<JsonItem<'_>>(answer)?.into())
}

fn is_protobuf(answer: &Answer) -> bool {
    media_type(&answer.content_type) == envelope::CONTENT_TYPE
}

fn json<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, Error> {
    if answer.body.is_empty() {
        return Err(Error::Request(format!(
            "0-length response with status code: 200 and content type: {}",
            answer.content_type
        )));
    }
    match media_type(&answer.content_type) {
        "application/json" | "" => serde_json::from_slice(&answer.body).map_err(unreadable),
        _ => Err(Error::Request(format!(
            "serializer for {} doesn't exist",
            answer.content_type
        ))),
    }
}

fn convert_node(node: &NodeView<'_>) -> Result<NodeUsage, Error> {
    Ok(NodeUsage {
        name: node.meta.name.to_owned(),
        timestamp: node.timestamp,
        usage: convert_usage(node.usage)?,
    })
}

fn convert_pod(pod: &PodView<'_>) -> Result<PodUsage, Error> {
    let containers = pod.containers().map(|container| {
        let ContainerView { name, usage } = container.map_err(unreadable)?;
        Ok(ContainerUsage {
            name: name.to_owned(),
            usage: convert_usage(usage)?,
        })
    });
    Ok(PodUsage {
        namespace: pod.meta.namespace.to_owned(),
        name: pod.meta.name.to_owned(),
        timestamp: pod.timestamp,
        containers: containers.collect::<Result<_, Error>>()?,
    })
}

fn convert_usage(view: UsageView<'_>) -> Result<Usage, Error> {
    let mut usage = Usage::default();
    for quantity in view.quantities() {
        let (name, quantity) = quantity.map_err(unreadable)?;
        set(&mut usage, name, quantity);
    }
    Ok(usage)
}

fn set(usage: &mut Usage, resource: &str, quantity: Quantity) {
    match resource {
        "cpu" => usage.cpu = quantity,
        "memory" => usage.memory = quantity,
        "swap" => usage.swap = quantity,
        _ => {}
    }
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
    #[serde(default)]
    timestamp: Timestamp,
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
            timestamp: item.timestamp,
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
            timestamp: item.timestamp,
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
