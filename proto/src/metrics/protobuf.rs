//! The owned types in protobuf.
//!
//! The messages declare every field that is not a pointer in Go as optional and always set it, for
//! that is how Kubernetes' encoder writes: an empty string is there, with its length of zero.

use super::{
    ContainerMetrics, ListMeta, NodeMetrics, NodeMetricsList, ObjectMeta, PodMetrics,
    PodMetricsList, Version,
};
use crate::duration::GoDuration;
use crate::quantity::Quantity;
use crate::time::Timestamp;
use crate::wire::envelope::{self, EnvelopeError};
use prost::Message;

#[derive(Clone, PartialEq, Eq, Message)]
struct TimeMessage {
    #[prost(int64, optional, tag = "1")]
    seconds: Option<i64>,
    #[prost(int32, optional, tag = "2")]
    nanos: Option<i32>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct DurationMessage {
    #[prost(int64, optional, tag = "1")]
    nanos: Option<i64>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct QuantityMessage {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
}

/// An entry of a map of strings. A prost map would leave out what is empty.
#[derive(Clone, PartialEq, Eq, Message)]
struct StringEntry {
    #[prost(string, optional, tag = "1")]
    key: Option<String>,
    #[prost(string, optional, tag = "2")]
    value: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct UsageEntry {
    #[prost(string, optional, tag = "1")]
    key: Option<String>,
    #[prost(message, optional, tag = "2")]
    value: Option<QuantityMessage>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct ObjectMetaMessage {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    generate_name: Option<String>,
    #[prost(string, optional, tag = "3")]
    namespace: Option<String>,
    #[prost(string, optional, tag = "4")]
    self_link: Option<String>,
    #[prost(string, optional, tag = "5")]
    uid: Option<String>,
    #[prost(string, optional, tag = "6")]
    resource_version: Option<String>,
    #[prost(int64, optional, tag = "7")]
    generation: Option<i64>,
    #[prost(message, optional, tag = "8")]
    creation_timestamp: Option<TimeMessage>,
    #[prost(message, repeated, tag = "11")]
    labels: Vec<StringEntry>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct ListMetaMessage {
    #[prost(string, optional, tag = "1")]
    self_link: Option<String>,
    #[prost(string, optional, tag = "2")]
    resource_version: Option<String>,
    #[prost(string, optional, tag = "3")]
    continue_token: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct ContainerMessage {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(message, repeated, tag = "2")]
    usage: Vec<UsageEntry>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct NodeMessage {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ObjectMetaMessage>,
    #[prost(message, optional, tag = "2")]
    timestamp: Option<TimeMessage>,
    #[prost(message, optional, tag = "3")]
    window: Option<DurationMessage>,
    #[prost(message, repeated, tag = "4")]
    usage: Vec<UsageEntry>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct PodMessage {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ObjectMetaMessage>,
    #[prost(message, optional, tag = "2")]
    timestamp: Option<TimeMessage>,
    #[prost(message, optional, tag = "3")]
    window: Option<DurationMessage>,
    #[prost(message, repeated, tag = "4")]
    containers: Vec<ContainerMessage>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct NodeListMessage {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ListMetaMessage>,
    #[prost(message, repeated, tag = "2")]
    items: Vec<NodeMessage>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct PodListMessage {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ListMetaMessage>,
    #[prost(message, repeated, tag = "2")]
    items: Vec<PodMessage>,
}

fn time_to_message(time: Timestamp) -> TimeMessage {
    // Go drops what is below a second here too, so that both encodings say the same.
    TimeMessage {
        seconds: Some(time.as_secs()),
        nanos: Some(0),
    }
}

fn time_from_message(time: Option<TimeMessage>) -> Option<Timestamp> {
    let seconds = Timestamp::from_secs(time.as_ref()?.seconds?);
    Some(seconds.plus_nanos(time?.nanos.unwrap_or(0).into()))
}

fn window_from_message(window: Option<DurationMessage>) -> GoDuration {
    GoDuration(window.and_then(|window| window.nanos).unwrap_or(0))
}

fn usage_to_message(usage: &super::Usage) -> Vec<UsageEntry> {
    let entry = |(name, quantity): (&str, Quantity)| UsageEntry {
        key: Some(name.to_owned()),
        value: Some(QuantityMessage {
            text: Some(quantity.to_string()),
        }),
    };
    usage.iter().map(entry).collect()
}

fn usage_from_message(entries: Vec<UsageEntry>) -> Result<super::Usage, EnvelopeError> {
    let mut usage = super::Usage::default();
    for entry in entries {
        let text = entry
            .value
            .and_then(|quantity| quantity.text)
            .unwrap_or_default();
        // Go leaves the quantity of an empty text at zero.
        let quantity = if text.is_empty() {
            Ok(Quantity::default())
        } else {
            text.parse::<Quantity>()
        };
        let quantity = quantity.map_err(|source| EnvelopeError::Quantity { text, source })?;
        usage.insert(&entry.key.unwrap_or_default(), quantity);
    }
    Ok(usage)
}

impl From<&ObjectMeta> for ObjectMetaMessage {
    fn from(meta: &ObjectMeta) -> Self {
        let label = |(key, value): (&str, &str)| StringEntry {
            key: Some(key.to_owned()),
            value: Some(value.to_owned()),
        };
        Self {
            name: Some(meta.name.clone()),
            generate_name: Some(String::new()),
            namespace: Some(meta.namespace.clone()),
            self_link: Some(String::new()),
            uid: Some(String::new()),
            resource_version: Some(String::new()),
            generation: Some(0),
            creation_timestamp: Some(
                meta.creation_timestamp
                    .map(time_to_message)
                    .unwrap_or_default(),
            ),
            labels: meta.labels.iter().map(label).collect(),
        }
    }
}

impl From<ObjectMetaMessage> for ObjectMeta {
    fn from(meta: ObjectMetaMessage) -> Self {
        let label = |entry: StringEntry| {
            (
                entry.key.unwrap_or_default(),
                entry.value.unwrap_or_default(),
            )
        };
        Self {
            name: meta.name.unwrap_or_default(),
            namespace: meta.namespace.unwrap_or_default(),
            creation_timestamp: time_from_message(meta.creation_timestamp),
            labels: meta.labels.into_iter().map(label).collect(),
        }
    }
}

impl From<&ListMeta> for ListMetaMessage {
    fn from(meta: &ListMeta) -> Self {
        Self {
            self_link: Some(String::new()),
            resource_version: Some(meta.resource_version.clone()),
            continue_token: Some(meta.continue_token.clone()),
        }
    }
}

impl From<ListMetaMessage> for ListMeta {
    fn from(meta: ListMetaMessage) -> Self {
        Self {
            resource_version: meta.resource_version.unwrap_or_default(),
            continue_token: meta.continue_token.unwrap_or_default(),
        }
    }
}

/// An owned type that has a protobuf message.
trait Wire: Sized {
    const KIND: &'static str;
    type Message: Message + Default;
    fn to_message(&self) -> Self::Message;
    /// `top` is the version in the envelope, for an object that was not inside of another.
    fn from_message(message: Self::Message, top: Option<Version>) -> Result<Self, EnvelopeError>;
    fn version(&self) -> Option<Version>;
}

/// `kind` as the type has it: told at the top, empty inside of a list.
fn kind<T: Wire>(top: Option<Version>) -> std::borrow::Cow<'static, str> {
    top.map_or("", |_| T::KIND).into()
}

impl Wire for NodeMetrics {
    const KIND: &'static str = "NodeMetrics";
    type Message = NodeMessage;

    fn to_message(&self) -> NodeMessage {
        NodeMessage {
            metadata: Some((&self.metadata).into()),
            timestamp: Some(time_to_message(self.timestamp)),
            window: Some(DurationMessage {
                nanos: Some(self.window.0),
            }),
            usage: usage_to_message(&self.usage),
        }
    }

    fn from_message(node: NodeMessage, top: Option<Version>) -> Result<Self, EnvelopeError> {
        Ok(Self {
            kind: kind::<Self>(top),
            api_version: top,
            metadata: node.metadata.unwrap_or_default().into(),
            timestamp: time_from_message(node.timestamp).unwrap_or_default(),
            window: window_from_message(node.window),
            usage: usage_from_message(node.usage)?,
        })
    }

    fn version(&self) -> Option<Version> {
        self.api_version
    }
}

impl Wire for PodMetrics {
    const KIND: &'static str = "PodMetrics";
    type Message = PodMessage;

    fn to_message(&self) -> PodMessage {
        let container = |container: &ContainerMetrics| ContainerMessage {
            name: Some(container.name.clone()),
            usage: usage_to_message(&container.usage),
        };
        PodMessage {
            metadata: Some((&self.metadata).into()),
            timestamp: Some(time_to_message(self.timestamp)),
            window: Some(DurationMessage {
                nanos: Some(self.window.0),
            }),
            containers: self.containers.iter().map(container).collect(),
        }
    }

    fn from_message(pod: PodMessage, top: Option<Version>) -> Result<Self, EnvelopeError> {
        let container = |container: ContainerMessage| {
            let usage = usage_from_message(container.usage)?;
            Ok::<_, EnvelopeError>(ContainerMetrics {
                name: container.name.unwrap_or_default(),
                usage,
            })
        };
        Ok(Self {
            kind: kind::<Self>(top),
            api_version: top,
            metadata: pod.metadata.unwrap_or_default().into(),
            timestamp: time_from_message(pod.timestamp).unwrap_or_default(),
            window: window_from_message(pod.window),
            containers: pod
                .containers
                .into_iter()
                .map(container)
                .collect::<Result<_, _>>()?,
        })
    }

    fn version(&self) -> Option<Version> {
        self.api_version
    }
}

impl Wire for NodeMetricsList {
    const KIND: &'static str = "NodeMetricsList";
    type Message = NodeListMessage;

    fn to_message(&self) -> NodeListMessage {
        NodeListMessage {
            metadata: Some((&self.metadata).into()),
            items: self.items.iter().map(Wire::to_message).collect(),
        }
    }

    fn from_message(list: NodeListMessage, top: Option<Version>) -> Result<Self, EnvelopeError> {
        Ok(Self {
            kind: kind::<Self>(top),
            api_version: top,
            metadata: list.metadata.unwrap_or_default().into(),
            items: list
                .items
                .into_iter()
                .map(|item| NodeMetrics::from_message(item, None))
                .collect::<Result<_, _>>()?,
        })
    }

    fn version(&self) -> Option<Version> {
        self.api_version
    }
}

impl Wire for PodMetricsList {
    const KIND: &'static str = "PodMetricsList";
    type Message = PodListMessage;

    fn to_message(&self) -> PodListMessage {
        PodListMessage {
            metadata: Some((&self.metadata).into()),
            items: self.items.iter().map(Wire::to_message).collect(),
        }
    }

    fn from_message(list: PodListMessage, top: Option<Version>) -> Result<Self, EnvelopeError> {
        Ok(Self {
            kind: kind::<Self>(top),
            api_version: top,
            metadata: list.metadata.unwrap_or_default().into(),
            items: list
                .items
                .into_iter()
                .map(|item| PodMetrics::from_message(item, None))
                .collect::<Result<_, _>>()?,
        })
    }

    fn version(&self) -> Option<Version> {
        self.api_version
    }
}

fn decode<T: Wire>(body: &[u8]) -> Result<T, EnvelopeError> {
    let unknown = envelope::unwrap(body)?;
    let meta = unknown.type_meta.unwrap_or_default();
    let version = Version::from_api_version(meta.api_version.as_deref().unwrap_or_default());
    if version.is_none() || meta.kind.as_deref() != Some(T::KIND) {
        let found = format!(
            "{} {}",
            meta.api_version.unwrap_or_default(),
            meta.kind.unwrap_or_default()
        );
        return Err(EnvelopeError::Kind {
            expected: T::KIND,
            found,
        });
    }
    let message = T::Message::decode(unknown.raw.unwrap_or_default().as_slice())?;
    T::from_message(message, version)
}

fn encode<T: Wire>(object: &T) -> Vec<u8> {
    let version = object.version().unwrap_or(Version::V1beta1);
    envelope::wrap(
        version.api_version(),
        T::KIND,
        object.to_message().encode_to_vec(),
    )
}

macro_rules! protobuf {
    ($($kind:ident),*) => {$(
        impl $kind {
            /// Decodes a protobuf body, envelope and all.
            ///
            /// # Errors
            /// When the body has no envelope, holds another type, or is broken.
            pub fn from_protobuf(body: &[u8]) -> Result<Self, EnvelopeError> {
                decode(body)
            }

            /// Encodes as a protobuf body with its envelope; v1beta1 if it has no version.
            #[must_use]
            pub fn to_protobuf(&self) -> Vec<u8> {
                encode(self)
            }
        }
    )*};
}

protobuf!(NodeMetrics, NodeMetricsList, PodMetrics, PodMetricsList);
