//! Reads responses of the API server while they arrive: lists object by object, watches event by event.

use std::marker::PhantomData;
use std::time::Duration;
use std::vec;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use kubevitals_proto::wire::envelope;
use kubevitals_proto::wire::list_reader::{ListPart, ListReader};
use kubevitals_proto::wire::meta::ListMeta;
use kubevitals_proto::wire::protobuf::{Fields, Value};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::failure::Failure;
use super::request::Encoding;
use kubevitals_proto::objects::Item;

/// The longest event in bytes. etcd accepts objects of 1.5 MiB.
const MAX_EVENT: usize = 16 << 20;

/// The longest page of JSON in bytes. A page is read as a whole.
const MAX_PAGE: usize = 512 << 20;

/// The most bytes that are read of an error response.
const MAX_ERROR_BODY: usize = 64 << 10;

/// Reads a body in chunks, each of which must arrive within `silence`.
#[derive(Debug)]
struct ChunkReader {
    body: Body,
    silence: Duration,
}

impl ChunkReader {
    /// The next chunk; none at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let frame = timeout(self.silence, self.body.frame()).await;
            match frame.map_err(|_elapsed| Failure::Silent(self.silence))? {
                None => return Ok(None),
                Some(Err(error)) => return Err(Failure::broken_off(&error)),
                // Trailers are ignored.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// Reads the rest of the body, at most `max` bytes. A longer body is truncated if `truncate` is set, else it is
    /// an error.
    async fn rest(&mut self, max: usize, truncate: bool) -> Result<BytesMut, Failure> {
        let mut rest = BytesMut::new();
        while let Some(chunk) = self.next().await? {
            if rest.len() + chunk.len() > max {
                if truncate {
                    break;
                }
                return Err(Failure::Unreadable(format!(
                    "the body is longer than {max} bytes"
                )));
            }
            rest.extend_from_slice(&chunk);
        }
        Ok(rest)
    }
}

/// Sends a request. Returns the encoding and the body of a successful response.
async fn send(
    client: &Client,
    request: http::Request<Body>,
    silence: Duration,
) -> Result<(Encoding, ChunkReader), Failure> {
    let response = timeout(silence, client.send(request)).await;
    let response = response
        .map_err(|_elapsed| Failure::Silent(silence))?
        .map_err(|error| Failure::connection(&error))?;
    let (head, body) = response.into_parts();
    let mut body = ChunkReader { body, silence };
    if !head.status.is_success() {
        // An error response counts, even if its message is truncated.
        let error_body = body.rest(MAX_ERROR_BODY, true).await.unwrap_or_default();
        return Err(Failure::status_response(head.status.as_u16(), &error_body));
    }
    Ok((Encoding::of(&head.headers)?, body))
}

#[derive(Deserialize)]
struct JsonList<K> {
    #[serde(default)]
    metadata: ListMeta,
    items: Option<Vec<K>>,
}

/// Reads a page of a list.
#[derive(Debug)]
pub(super) enum PageReader<K> {
    /// Is read object by object.
    Protobuf(Box<ProtobufPage<K>>),
    /// Has been read.
    Json(vec::IntoIter<K>, ListMeta),
}

impl<K: Item> PageReader<K> {
    /// Requests a page in one encoding. A response in the other one is a failure, because JSON may have any length.
    pub(super) async fn request(
        client: &Client,
        request: http::Request<Body>,
        encoding: Encoding,
        silence: Duration,
    ) -> Result<Self, Failure> {
        let (actual, mut body) = send(client, request, silence).await?;
        if actual != encoding {
            return Err(match actual {
                Encoding::Json => Failure::UnexpectedJson,
                Encoding::Protobuf => Failure::ContentType(actual.media_type().to_owned()),
            });
        }
        if encoding == Encoding::Protobuf {
            return Ok(Self::Protobuf(Box::new(ProtobufPage::new(body))));
        }
        let page = body.rest(MAX_PAGE, false).await?;
        let JsonList { metadata, items } = serde_json::from_slice(&page)?;
        Ok(Self::Json(items.unwrap_or_default().into_iter(), metadata))
    }

    /// The next object; at the end, the metadata of the list.
    pub(super) async fn next(&mut self) -> Result<Result<K, ListMeta>, Failure> {
        match self {
            Self::Protobuf(page) => page.next().await,
            Self::Json(items, meta) => Ok(items.next().ok_or_else(|| std::mem::take(meta))),
        }
    }
}

/// Reads a page of protobuf.
#[derive(Debug)]
pub(super) struct ProtobufPage<K> {
    body: ChunkReader,
    buffer: BytesMut,
    reader: ListReader,
    meta: ListMeta,
    item: PhantomData<fn() -> K>,
}

impl<K: Item> ProtobufPage<K> {
    fn new(body: ChunkReader) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
            reader: ListReader::default(),
            meta: ListMeta::default(),
            item: PhantomData,
        }
    }

    async fn next(&mut self) -> Result<Result<K, ListMeta>, Failure> {
        loop {
            if let Some(next) = self.step()? {
                return Ok(next);
            }
            match self.body.next().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => return Err(Failure::Connection("the response ended early".to_owned())),
            }
        }
    }

    /// Reads the next object, or the metadata at the end; none if more bytes are needed.
    fn step(&mut self) -> Result<Option<Result<K, ListMeta>>, Failure> {
        let mut rest = &*self.buffer;
        let next = loop {
            match self.reader.next(&mut rest)? {
                Some(ListPart::Item(message)) => break Some(Ok(K::decode(message)?)),
                Some(ListPart::End) => break Some(Err(std::mem::take(&mut self.meta))),
                Some(ListPart::Metadata(meta)) => self.meta = meta,
                None => break None,
            }
        };
        let read = self.buffer.len() - rest.len();
        self.buffer.advance(read);
        Ok(next)
    }
}

/// An event of a watch.
#[derive(Debug)]
pub(super) enum WatchEvent<K> {
    /// An object was added or changed.
    Applied(K),
    /// An object was deleted; as it was last.
    Deleted(K),
    /// All events up to this version have been sent.
    Bookmark {
        /// The version.
        version: String,
        /// Whether this is the end of the existing objects.
        ends_initial_events: bool,
    },
}

/// Reads a watch.
#[derive(Debug)]
pub(super) struct EventReader<K> {
    body: ChunkReader,
    encoding: Encoding,
    buffer: BytesMut,
    item: PhantomData<fn() -> K>,
}

impl<K: Item> EventReader<K> {
    /// Starts a watch.
    pub(super) async fn start(
        client: &Client,
        request: http::Request<Body>,
        silence: Duration,
    ) -> Result<Self, Failure> {
        let (encoding, body) = send(client, request, silence).await?;
        Ok(Self {
            body,
            encoding,
            buffer: BytesMut::new(),
            item: PhantomData,
        })
    }

    /// Sets the longest time until the next event.
    pub(super) fn set_silence(&mut self, silence: Duration) {
        self.body.silence = silence;
    }

    /// The next event; none at the end of the watch. An incomplete event does not count: the watch resumes from the
    /// version before it.
    pub(super) async fn next(&mut self) -> Result<Option<WatchEvent<K>>, Failure> {
        let mut searched = 0;
        loop {
            let event = match self.encoding {
                Encoding::Protobuf => self.frame(),
                Encoding::Json => self.line(searched),
            };
            if let Some(event) = event {
                let watch_event = match self.encoding {
                    Encoding::Protobuf => protobuf_event(&event)?,
                    Encoding::Json => json_event(&event)?,
                };
                if watch_event.is_some() {
                    return Ok(watch_event);
                }
                searched = 0;
                continue;
            }
            searched = self.buffer.len();
            if searched > MAX_EVENT {
                return Err(Failure::Unreadable("an event is too long".to_owned()));
            }
            match self.body.next().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }

    /// The next line. The first `searched` bytes have no line end.
    fn line(&mut self, searched: usize) -> Option<BytesMut> {
        let rest = self.buffer.get(searched..)?;
        let end = searched + rest.iter().position(|byte| *byte == b'\n')?;
        Some(self.buffer.split_to(end + 1))
    }

    /// The next frame, after its length in four bytes, the most significant first.
    fn frame(&mut self) -> Option<BytesMut> {
        let len = u32::from_be_bytes(*self.buffer.first_chunk()?) as usize;
        if self.buffer.len() < len.checked_add(4)? {
            return None;
        }
        self.buffer.advance(4);
        Some(self.buffer.split_to(len))
    }
}

/// Decodes the event in a frame: a Kubernetes `WatchEvent`, whose object is in an envelope. None for an event of
/// unknown type.
fn protobuf_event<K: Item>(frame: &[u8]) -> Result<Option<WatchEvent<K>>, Failure> {
    let (mut kind, mut object) = ("", &[][..]);
    for field in Fields::new(frame) {
        match field? {
            (1, value) => kind = value.str()?,
            (2, Value::Bytes(extension)) => {
                for field in Fields::new(extension) {
                    if let (1, Value::Bytes(raw)) = field? {
                        object = raw;
                    }
                }
            }
            _ => {}
        }
    }
    watch_event(kind, object, || {
        Ok(K::decode(envelope::unwrap(object)?.raw)?)
    })
}

#[derive(Deserialize)]
struct JsonEvent<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// Parses the event in a line. None for an empty line, or an event of unknown type.
fn json_event<K: Item>(line: &[u8]) -> Result<Option<WatchEvent<K>>, Failure> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let JsonEvent { kind, object } = serde_json::from_slice(line)?;
    let object = object.get();
    let read = || Ok(serde_json::from_str(object)?);
    watch_event(kind, object.as_bytes(), read)
}

/// Makes an event of its type and its object, which `read` reads unless it is a status.
fn watch_event<K: Item>(
    kind: &str,
    object: &[u8],
    read: impl FnOnce() -> Result<K, Failure>,
) -> Result<Option<WatchEvent<K>>, Failure> {
    Ok(Some(match kind {
        "ADDED" | "MODIFIED" => WatchEvent::Applied(read()?),
        "DELETED" => WatchEvent::Deleted(read()?),
        "BOOKMARK" => {
            let bookmark = read()?;
            let metadata = bookmark.metadata();
            WatchEvent::Bookmark {
                version: metadata.resource_version.clone(),
                ends_initial_events: metadata.ends_initial_events(),
            }
        }
        "ERROR" => return Err(Failure::status_response(500, object)),
        _ => return Ok(None),
    }))
}
