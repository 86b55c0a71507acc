//! Answers of the API server, read as they come: pages of lists object by object, watches event by event.

use std::marker::PhantomData;
use std::time::Duration;
use std::vec;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use kubevitals_proto::wire::envelope;
use kubevitals_proto::wire::protobuf::{Fields, Malformed, Value};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::failure::Failure;
use super::request::Encoding;
use kubevitals_proto::objects::{Item, SlimMeta};

/// The longest object or event that is read. etcd takes objects of 1.5 MiB.
const MAX_OBJECT: usize = 16 << 20;

/// The longest page of JSON, which is read whole.
const MAX_PAGE: usize = 512 << 20;

/// The most that is read of a refusal.
const MAX_ERROR_BODY: usize = 64 << 10;

/// A body that comes in pieces, each within `silence`.
#[derive(Debug)]
struct ChunkReader {
    body: Body,
    silence: Duration,
}

impl ChunkReader {
    /// The next piece; nothing at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let frame = timeout(self.silence, self.body.frame()).await;
            match frame.map_err(|_elapsed| Failure::Silent(self.silence))? {
                None => return Ok(None),
                Some(Err(error)) => return Err(Failure::broken_off(&error)),
                // Trailers are nothing to us.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// The rest, which must not be longer than `max`; what is beyond is cut off if it `truncate`.
    async fn rest(&mut self, max: usize, truncate: bool) -> Result<BytesMut, Failure> {
        let mut rest = BytesMut::new();
        while let Some(chunk) = self.next().await? {
            if rest.len() + chunk.len() > max {
                if truncate {
                    break;
                }
                return Err(Failure::Unreadable(format!(
                    "it is longer than {max} bytes"
                )));
            }
            rest.extend_from_slice(&chunk);
        }
        Ok(rest)
    }
}

/// Sends a request; the encoding and the body of the answer, if it is a good one.
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
        // A refusal whose reason is cut off is a refusal.
        let error_body = body.rest(MAX_ERROR_BODY, true).await.unwrap_or_default();
        return Err(Failure::status_response(head.status.as_u16(), &error_body));
    }
    Ok((Encoding::of(&head.headers)?, body))
}

/// The metadata of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ListMeta {
    /// The version of the list.
    #[serde(rename = "resourceVersion")]
    pub(super) version: String,
    /// Where the next page begins; empty after the last.
    #[serde(rename = "continue")]
    pub(super) next: String,
}

impl ListMeta {
    fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut meta = Self::default();
        for field in Fields::new(message) {
            match field? {
                (2, value) => value.str()?.clone_into(&mut meta.version),
                (3, value) => value.str()?.clone_into(&mut meta.next),
                _ => {}
            }
        }
        Ok(meta)
    }
}

#[derive(Deserialize)]
struct JsonList<K> {
    #[serde(default)]
    metadata: ListMeta,
    items: Option<Vec<K>>,
}

/// A page of a list.
#[derive(Debug)]
pub(super) enum PageReader<K> {
    /// Read object by object.
    Protobuf(Box<ProtobufPage<K>>),
    /// Read already.
    Json(vec::IntoIter<K>, ListMeta),
}

impl<K: Item> PageReader<K> {
    /// Asks for a page in one encoding. An answer in another one is a failure: it may be of any length.
    pub(super) async fn request(
        client: &Client,
        request: http::Request<Body>,
        encoding: Encoding,
        silence: Duration,
    ) -> Result<Self, Failure> {
        let (actual, mut body) = send(client, request, silence).await?;
        match (encoding, actual) {
            (Encoding::Protobuf, Encoding::Protobuf) => {
                Ok(Self::Protobuf(Box::new(ProtobufPage::new(body))))
            }
            (Encoding::Json, Encoding::Json) => {
                let page = body.rest(MAX_PAGE, false).await?;
                let JsonList { metadata, items } = serde_json::from_slice(&page)?;
                Ok(Self::Json(items.unwrap_or_default().into_iter(), metadata))
            }
            (Encoding::Protobuf, Encoding::Json) => Err(Failure::UnexpectedJson),
            (Encoding::Json, Encoding::Protobuf) => Err(Failure::ContentType(
                "application/vnd.kubernetes.protobuf".to_owned(),
            )),
        }
    }

    /// The next object; at the end, the list's metadata.
    pub(super) async fn next(&mut self) -> Result<Result<K, ListMeta>, Failure> {
        match self {
            Self::Protobuf(page) => page.next().await,
            Self::Json(items, meta) => Ok(items.next().ok_or_else(|| std::mem::take(meta))),
        }
    }
}

/// A page in protobuf: the envelope's `raw` field, and in it the fields of a list, one of which is each object.
#[derive(Debug)]
pub(super) struct ProtobufPage<K> {
    body: ChunkReader,
    buffer: BytesMut,
    meta: ListMeta,
    /// Bytes of the list that have not been read; none before it has begun.
    remaining: Option<u64>,
    magic: bool,
    item: PhantomData<fn() -> K>,
}

/// A field as it stands in a buffer: its number, its wire type, and for a message its length, for another one its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldHead {
    /// Bytes follow.
    Message { number: u64, head: usize, len: u64 },
    /// All of it is here.
    Scalar { len: usize },
}

/// Reads a field's head; nothing if more bytes are needed.
fn head(buffer: &[u8]) -> Result<Option<FieldHead>, Malformed> {
    let Some((key, key_len)) = varint(buffer)? else {
        return Ok(None);
    };
    let rest = buffer.get(key_len..).unwrap_or_default();
    let scalar =
        |len: usize| (rest.len() >= len).then_some(FieldHead::Scalar { len: key_len + len });
    Ok(match key & 7 {
        0 => varint(rest)?.map(|(_, len)| FieldHead::Scalar { len: key_len + len }),
        1 => scalar(8),
        2 => varint(rest)?.map(|(len, len_len)| FieldHead::Message {
            number: key >> 3,
            head: key_len + len_len,
            len,
        }),
        5 => scalar(4),
        _ => return Err(Malformed),
    })
}

/// A varint and how many bytes it has; nothing if more are needed.
fn varint(buffer: &[u8]) -> Result<Option<(u64, usize)>, Malformed> {
    let mut value = 0_u64;
    for (at, byte) in buffer.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if *byte < 0x80 {
            return Ok(Some((value, at + 1)));
        }
    }
    if buffer.len() >= 10 {
        return Err(Malformed);
    }
    Ok(None)
}

/// What stands next in a page.
enum Next<K> {
    Item(K),
    End,
    NeedMore,
}

impl<K: Item> ProtobufPage<K> {
    fn new(body: ChunkReader) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
            meta: ListMeta::default(),
            remaining: None,
            magic: false,
            item: PhantomData,
        }
    }

    async fn next(&mut self) -> Result<Result<K, ListMeta>, Failure> {
        loop {
            match self.step()? {
                Next::Item(item) => return Ok(Ok(item)),
                Next::End => return Ok(Err(std::mem::take(&mut self.meta))),
                Next::NeedMore => {}
            }
            if self.buffer.len() > MAX_OBJECT {
                return Err(Failure::Unreadable(
                    "an object in it is too long".to_owned(),
                ));
            }
            match self.body.next().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => return Err(Failure::Connection("the answer is cut short".to_owned())),
            }
        }
    }

    /// Reads on as far as the buffer goes.
    fn step(&mut self) -> Result<Next<K>, Failure> {
        if !self.magic {
            if self.buffer.len() < envelope::MAGIC.len() {
                return Ok(Next::NeedMore);
            }
            if !self.buffer.starts_with(&envelope::MAGIC) {
                return Err(envelope::EnvelopeError::Magic.into());
            }
            self.buffer.advance(envelope::MAGIC.len());
            self.magic = true;
        }
        loop {
            if self.remaining == Some(0) {
                return Ok(Next::End);
            }
            let Some(head) = head(&self.buffer)? else {
                return Ok(Next::NeedMore);
            };
            let (number, head, len) = match head {
                FieldHead::Scalar { len } => {
                    self.read(len)?;
                    continue;
                }
                FieldHead::Message { number, head, len } => (number, head, len),
            };
            if self.remaining.is_none() && number == 2 {
                self.buffer.advance(head);
                self.remaining = Some(len);
                continue;
            }
            let end = usize::try_from(len).map_err(|_| Malformed)?;
            let end = end.checked_add(head).ok_or(Malformed)?;
            if end > MAX_OBJECT {
                return Err(Failure::Unreadable(
                    "an object in it is too long".to_owned(),
                ));
            }
            if self.buffer.len() < end {
                return Ok(Next::NeedMore);
            }
            let field = self.read(end)?;
            let message = field.get(head..).unwrap_or_default();
            match (self.remaining, number) {
                (Some(_), 1) => self.meta = ListMeta::decode(message)?,
                (Some(_), 2) => return Ok(Next::Item(K::decode(message)?)),
                _ => {}
            }
        }
    }

    /// Takes `len` bytes, which are there, off the buffer and, where they are of the list, off the list.
    fn read(&mut self, len: usize) -> Result<BytesMut, Malformed> {
        if let Some(remaining) = &mut self.remaining {
            *remaining = remaining.checked_sub(len as u64).ok_or(Malformed)?;
        }
        Ok(self.buffer.split_to(len))
    }
}

/// What a watch says.
#[derive(Debug)]
pub(super) enum WatchEvent<K> {
    /// An object is new, or has changed.
    Applied(K),
    /// An object is gone; as it was last.
    Deleted(K),
    /// Nothing before this version follows.
    Bookmark {
        /// The version.
        version: String,
        /// Whether the objects that existed when the watch began end here.
        ends_initial_events: bool,
    },
}

impl<K> WatchEvent<K> {
    fn bookmark(meta: &SlimMeta) -> Self {
        Self::Bookmark {
            version: meta.resource_version.clone(),
            ends_initial_events: meta.ends_initial_events(),
        }
    }
}

/// A watch.
#[derive(Debug)]
pub(super) struct EventReader<K> {
    body: ChunkReader,
    encoding: Encoding,
    buffer: BytesMut,
    item: PhantomData<fn() -> K>,
}

impl<K: Item> EventReader<K> {
    /// Begins a watch.
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

    /// From now on, an event must come within this long.
    pub(super) fn set_silence(&mut self, silence: Duration) {
        self.body.silence = silence;
    }

    /// The next event; nothing at the end of the watch. An event that is cut is none: the version before it is where the
    /// watch goes on.
    pub(super) async fn next(&mut self) -> Result<Option<WatchEvent<K>>, Failure> {
        let mut searched = 0;
        loop {
            let event = match self.encoding {
                Encoding::Protobuf => self.frame(),
                Encoding::Json => self.line(searched),
            };
            if let Some(event) = event {
                let watch_event = match self.encoding {
                    Encoding::Protobuf => watch_event(&event)?,
                    Encoding::Json => json_watch_event(&event)?,
                };
                match watch_event {
                    Some(watch_event) => return Ok(Some(watch_event)),
                    None => {
                        searched = 0;
                        continue;
                    }
                }
            }
            searched = self.buffer.len();
            if searched > MAX_OBJECT {
                return Err(Failure::Unreadable("an event in it is too long".to_owned()));
            }
            match self.body.next().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }

    /// The next line, of which no end is in the first `searched` bytes.
    fn line(&mut self, searched: usize) -> Option<BytesMut> {
        let rest = self.buffer.get(searched..)?;
        let end = searched + rest.iter().position(|byte| *byte == b'\n')?;
        Some(self.buffer.split_to(end + 1))
    }

    /// The next frame, which its length precedes in four bytes, the most significant first.
    fn frame(&mut self) -> Option<BytesMut> {
        let len = u32::from_be_bytes(*self.buffer.first_chunk()?) as usize;
        if self.buffer.len() < len.checked_add(4)? {
            return None;
        }
        self.buffer.advance(4);
        Some(self.buffer.split_to(len))
    }
}

/// The event in a frame: a `WatchEvent`, whose object is in an envelope. Nothing for an event of a type that is not known.
fn watch_event<K: Item>(frame: &[u8]) -> Result<Option<WatchEvent<K>>, Failure> {
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
    if kind == "ERROR" {
        return Err(Failure::status_response(500, object));
    }
    let raw = envelope::unwrap(object)?.raw;
    Ok(match kind {
        "ADDED" | "MODIFIED" => Some(WatchEvent::Applied(K::decode(raw)?)),
        "DELETED" => Some(WatchEvent::Deleted(K::decode(raw)?)),
        "BOOKMARK" => Some(WatchEvent::bookmark(K::decode(raw)?.metadata())),
        _ => None,
    })
}

#[derive(Deserialize)]
struct JsonEvent<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// The event in a line. Nothing for an empty line, or an event of a type that is not known.
fn json_watch_event<K: Item>(line: &[u8]) -> Result<Option<WatchEvent<K>>, Failure> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let JsonEvent { kind, object } = serde_json::from_slice(line)?;
    let object = object.get();
    Ok(match kind {
        "ADDED" | "MODIFIED" => Some(WatchEvent::Applied(serde_json::from_str(object)?)),
        "DELETED" => Some(WatchEvent::Deleted(serde_json::from_str(object)?)),
        "BOOKMARK" => {
            let bookmark: K = serde_json::from_str(object)?;
            Some(WatchEvent::bookmark(bookmark.metadata()))
        }
        "ERROR" => return Err(Failure::status_response(500, object.as_bytes())),
        _ => None,
    })
}
