//! Decodes metrics.k8s.io into usage.
//!
//! A list of 150,000 pods has millions of labels, times and units that `top` does not print: the decoder skips them and
//! converts quantities at once.

use kubevitals_proto::metrics::view::{self, Body, ContainerView, NodeView, PodView, UsageView};
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Error;
use super::list_items::ListItems;
use super::response::ApiResponse;
use super::usage::{ContainerUsage, NodeUsage, PodUsage, Usage, or_default};

/// The nodes of a list.
pub(super) fn node_list(response: &ApiResponse) -> Result<Vec<NodeUsage>, Error> {
    if !response.is_protobuf() {
        return json_list(response);
    }
    Body::open(&response.body)
        .and_then(Body::nodes)
        .map_err(Error::unreadable)?
        .map(|node| convert_node(&node.map_err(Error::unreadable)?))
        .collect()
}

/// One node.
pub(super) fn node(response: &ApiResponse) -> Result<NodeUsage, Error> {
    if !response.is_protobuf() {
        return Ok(json::<JsonItem>(response)?.into());
    }
    let node = Body::open(&response.body).and_then(Body::node);
    convert_node(&node.map_err(Error::unreadable)?)
}

/// Reads the pods of a list while it arrives, and converts each at once.
pub(super) fn pod_reader<T, F: Fn(PodUsage) -> T>(
    convert: F,
) -> ListItems<T, impl Fn(&[u8]) -> Result<T, Error>> {
    ListItems::new(view::expect_pods, move |pod| {
        let pod = PodView::read(pod).map_err(Error::unreadable)?;
        Ok(convert(convert_pod(&pod)?))
    })
}

/// The pods of a list in JSON.
pub(super) fn json_pods(response: &ApiResponse) -> Result<Vec<PodUsage>, Error> {
    json_list(response)
}

/// One pod.
pub(super) fn pod(response: &ApiResponse) -> Result<PodUsage, Error> {
    if !response.is_protobuf() {
        return Ok(json::<JsonItem>(response)?.into());
    }
    let pod = Body::open(&response.body).and_then(Body::pod);
    convert_pod(&pod.map_err(Error::unreadable)?)
}

fn json_list<T: From<JsonItem>>(response: &ApiResponse) -> Result<Vec<T>, Error> {
    let list: JsonList = json(response)?;
    Ok(list.items.into_iter().map(Into::into).collect())
}

fn json<T: DeserializeOwned>(response: &ApiResponse) -> Result<T, Error> {
    if response.body.is_empty() {
        return Err(Error::Request(format!(
            "0-length response with status code: 200 and content type: {}",
            response.content_type
        )));
    }
    match response.media_type() {
        "application/json" | "" => {
            serde_json::from_slice(&response.body).map_err(Error::unreadable)
        }
        _ => Err(Error::Request(format!(
            "serializer for {} doesn't exist",
            response.content_type
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
        let ContainerView { name, usage } = container.map_err(Error::unreadable)?;
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
        let (name, quantity) = quantity.map_err(Error::unreadable)?;
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
struct JsonList {
    #[serde(default)]
    items: Vec<JsonItem>,
}

/// A node, with `usage`, or a pod, with `containers`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct JsonItem {
    metadata: JsonMetadata,
    timestamp: Timestamp,
    #[serde(deserialize_with = "or_default")]
    usage: Usage,
    containers: Vec<ContainerUsage>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct JsonMetadata {
    name: String,
    namespace: String,
}

impl From<JsonItem> for NodeUsage {
    fn from(item: JsonItem) -> Self {
        Self {
            name: item.metadata.name,
            timestamp: item.timestamp,
            usage: item.usage,
        }
    }
}

impl From<JsonItem> for PodUsage {
    fn from(item: JsonItem) -> Self {
        Self {
            namespace: item.metadata.namespace,
            name: item.metadata.name,
            timestamp: item.timestamp,
            containers: item.containers,
        }
    }
}
