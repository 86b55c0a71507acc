//! A protobuf body decoded in place, for a client with a hundred thousand pods.

use super::Version;
use super::encode::Kind;
use crate::duration::GoDuration;
use crate::quantity::Quantity;
use crate::time::Timestamp;
use crate::wire::envelope::{self, EnvelopeError, TypeMeta};
use crate::wire::protobuf::{Fields, Malformed, Value};

/// The field of a list with its items.
const ITEMS: u32 = 2;

/// A body of `metrics.k8s.io`: a list or one object.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a> {
    /// The API's version.
    pub version: Version,
    /// The object's type, such as `PodMetricsList`.
    pub kind: &'a str,
    raw: &'a [u8],
}

impl<'a> Body<'a> {
    /// Takes a body out of its envelope.
    ///
    /// # Errors
    /// When it has none, or has an object of another group.
    pub fn open(body: &'a [u8]) -> Result<Self, EnvelopeError> {
        let unknown = envelope::unwrap(body)?;
        Ok(Self {
            version: version(unknown.api_version, unknown.kind)?,
            kind: unknown.kind,
            raw: unknown.raw,
        })
    }

    /// The message, if its object is a `kind`.
    fn of_kind(self, kind: &'static str) -> Result<&'a [u8], EnvelopeError> {
        expect_kind(self.version, self.kind, kind)?;
        Ok(self.raw)
    }

    /// One pod.
    ///
    /// # Errors
    /// When it is no pod, or broken.
    pub fn pod(self) -> Result<PodView<'a>, EnvelopeError> {
        Ok(PodView::read(self.of_kind(Kind::Pod.object())?)?)
    }

    /// One node.
    ///
    /// # Errors
    /// When it is no node, or broken.
    pub fn node(self) -> Result<NodeView<'a>, EnvelopeError> {
        Ok(NodeView::read(self.of_kind(Kind::Node.object())?)?)
    }

    /// The pods of a list.
    ///
    /// # Errors
    /// When it is no list of pods. Each pod may be broken by itself.
    pub fn pods(
        self,
    ) -> Result<impl Iterator<Item = Result<PodView<'a>, Malformed>>, EnvelopeError> {
        Ok(items(self.of_kind(Kind::Pod.list())?).map(|item| PodView::read(item?)))
    }

    /// The nodes of a list.
    ///
    /// # Errors
    /// When it is no list of nodes. Each node may be broken by itself.
    pub fn nodes(
        self,
    ) -> Result<impl Iterator<Item = Result<NodeView<'a>, Malformed>>, EnvelopeError> {
        Ok(items(self.of_kind(Kind::Node.list())?).map(|item| NodeView::read(item?)))
    }
}

/// The version of the API, if an envelope has a type of this group.
fn version(api_version: &str, kind: &str) -> Result<Version, EnvelopeError> {
    Version::from_api_version(api_version).ok_or_else(|| EnvelopeError::Kind {
        expected: super::GROUP,
        found: format!("{api_version} {kind}"),
    })
}

fn expect_kind(version: Version, kind: &str, expected: &'static str) -> Result<(), EnvelopeError> {
    if kind == expected {
        return Ok(());
    }
    Err(EnvelopeError::Kind {
        expected,
        found: format!("{} {kind}", version.api_version()),
    })
}

/// Checks that an envelope has a list of pods, for a list that is read object by object.
///
/// # Errors
/// When it has another type.
pub fn expect_pods(type_meta: &TypeMeta) -> Result<(), EnvelopeError> {
    let TypeMeta { api_version, kind } = type_meta;
    expect_kind(version(api_version, kind)?, kind, Kind::Pod.list())
}

fn items(list: &[u8]) -> impl Iterator<Item = Result<&[u8], Malformed>> {
    repeated(list, ITEMS).map(|item| item?.bytes())
}

/// The values of one field of a message.
fn repeated(message: &[u8], number: u32) -> impl Iterator<Item = Result<Value<'_>, Malformed>> {
    Fields::new(message).filter_map(move |field| match field {
        Ok((at, value)) => (at == number).then_some(Ok(value)),
        Err(error) => Some(Err(error)),
    })
}

/// The metadata of a node or pod.
#[derive(Debug, Clone, Copy, Default)]
pub struct MetaView<'a> {
    /// The name.
    pub name: &'a str,
    /// The pod's namespace; empty for a node.
    pub namespace: &'a str,
    /// The time of the response.
    pub creation: Option<Timestamp>,
    raw: &'a [u8],
}

impl<'a> MetaView<'a> {
    fn read(raw: &'a [u8]) -> Result<Self, Malformed> {
        let mut meta = Self {
            raw,
            ..Self::default()
        };
        for field in Fields::new(raw) {
            match field? {
                (1, value) => meta.name = value.str()?,
                (3, value) => meta.namespace = value.str()?,
                (8, value) => meta.creation = time(value)?,
                _ => {}
            }
        }
        Ok(meta)
    }

    /// Its labels, key and value.
    pub fn labels(&self) -> impl Iterator<Item = Result<(&'a str, &'a str), Malformed>> {
        repeated(self.raw, 11).map(|entry| {
            let (key, value) = entry_of(entry?)?;
            Ok((key, value.map_or(Ok(""), Value::str)?))
        })
    }
}

/// A node.
#[derive(Debug, Clone, Copy)]
pub struct NodeView<'a> {
    /// The node's metadata.
    pub meta: MetaView<'a>,
    /// The end of the window.
    pub timestamp: Timestamp,
    /// The window of the CPU rate.
    pub window: GoDuration,
    /// CPU and memory.
    pub usage: UsageView<'a>,
}

/// A pod.
#[derive(Debug, Clone, Copy)]
pub struct PodView<'a> {
    /// The pod's metadata.
    pub meta: MetaView<'a>,
    /// The end of the window.
    pub timestamp: Timestamp,
    /// The window of the CPU rate.
    pub window: GoDuration,
    raw: &'a [u8],
}

/// The fields that nodes and pods share.
fn read_head(raw: &[u8]) -> Result<(MetaView<'_>, Timestamp, GoDuration), Malformed> {
    let (mut meta, mut timestamp, mut window) = (
        MetaView::default(),
        Timestamp::default(),
        GoDuration::default(),
    );
    for field in Fields::new(raw) {
        match field? {
            (1, value) => meta = MetaView::read(value.bytes()?)?,
            (2, value) => timestamp = time(value)?.unwrap_or_default(),
            (3, value) => {
                for field in value.fields()? {
                    if let (1, nanos) = field? {
                        window = GoDuration(nanos.int()?);
                    }
                }
            }
            _ => {}
        }
    }
    Ok((meta, timestamp, window))
}

impl<'a> NodeView<'a> {
    fn read(raw: &'a [u8]) -> Result<Self, Malformed> {
        let (meta, timestamp, window) = read_head(raw)?;
        Ok(Self {
            meta,
            timestamp,
            window,
            usage: UsageView { raw, field: 4 },
        })
    }
}

impl<'a> PodView<'a> {
    /// Decodes a pod.
    ///
    /// # Errors
    /// When the bytes are not a message, or a field is of another type.
    pub fn read(raw: &'a [u8]) -> Result<Self, Malformed> {
        let (meta, timestamp, window) = read_head(raw)?;
        Ok(Self {
            meta,
            timestamp,
            window,
            raw,
        })
    }

    /// Its containers.
    pub fn containers(&self) -> impl Iterator<Item = Result<ContainerView<'a>, Malformed>> {
        repeated(self.raw, 4).map(|container| {
            let raw = container?.bytes()?;
            let name = repeated(raw, 1).last().map_or(Ok(""), |name| name?.str())?;
            Ok(ContainerView {
                name,
                usage: UsageView { raw, field: 2 },
            })
        })
    }
}

/// A container.
#[derive(Debug, Clone, Copy)]
pub struct ContainerView<'a> {
    /// Its name within its pod.
    pub name: &'a str,
    /// CPU and memory.
    pub usage: UsageView<'a>,
}

/// The usage of each resource.
#[derive(Debug, Clone, Copy)]
pub struct UsageView<'a> {
    raw: &'a [u8],
    field: u32,
}

impl<'a> UsageView<'a> {
    /// Names and quantities as they stand.
    pub fn iter(self) -> impl Iterator<Item = Result<(&'a str, &'a str), Malformed>> {
        repeated(self.raw, self.field).map(|entry| {
            let (name, quantity) = entry_of(entry?)?;
            let mut text = "";
            for field in quantity.map_or(Ok(Fields::new(&[])), Value::fields)? {
                if let (1, value) = field? {
                    text = value.str()?;
                }
            }
            Ok((name, text))
        })
    }

    /// Names and quantities.
    ///
    /// Each is an error if the message is broken or the quantity is none.
    pub fn quantities(self) -> impl Iterator<Item = Result<(&'a str, Quantity), EnvelopeError>> {
        self.iter().map(|entry| {
            let (name, text) = entry?;
            // Go leaves the quantity of an empty text at zero.
            let quantity = if text.is_empty() {
                Ok(Quantity::default())
            } else {
                text.parse()
            };
            quantity
                .map(|quantity| (name, quantity))
                .map_err(|source| EnvelopeError::Quantity {
                    text: text.to_owned(),
                    source,
                })
        })
    }
}

/// Key and value of a map's entry.
fn entry_of(entry: Value<'_>) -> Result<(&str, Option<Value<'_>>), Malformed> {
    let (mut key, mut value) = ("", None);
    for field in entry.fields()? {
        match field? {
            (1, text) => key = text.str()?,
            (2, found) => value = Some(found),
            _ => {}
        }
    }
    Ok((key, value))
}

/// `metav1.Time`; an empty message is no time.
fn time(value: Value<'_>) -> Result<Option<Timestamp>, Malformed> {
    let (mut seconds, mut nanos) = (None, 0);
    for field in value.fields()? {
        match field? {
            (1, value) => seconds = Some(value.int()?),
            (2, value) => nanos = value.int()?,
            _ => {}
        }
    }
    Ok(seconds.map(|seconds| Timestamp::from_secs(seconds).plus_nanos(nanos)))
}
