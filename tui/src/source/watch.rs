//! Lists and watches one kind of objects, for ever. Rows stay while the server does not answer.

use std::time::Duration;

use bytes::BytesMut;
use futures::FutureExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta as JsonListMeta;
use kube::core::Status;
use kubevitals_proto::objects::{WireMeta, lenient};
use kubevitals_proto::wire::meta::ListMeta;
use memchr::memchr;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};
use tower::BoxError;

use super::attempts::Attempts;
use super::body_chunks::BodyChunks;
use super::client::{JSON, PROTOBUF, escaped};
use super::fault::Retry;
use super::item::{Collection, Item, count};
use super::list_items::ListItems;
use super::message_sender::MessageSender;
use super::status::About;
use super::{ApiClient, Error, Failure};
use crate::model::{Batch, Change, FaultKind, Key, Message, Name, Outcome, Progress};

/// The number of objects in a page and in a message.
const PAGE: usize = 500;

/// The server ends a watch after this time, in seconds; the source then starts the next one.
const WATCH_SECONDS: u32 = 240;

/// A watch without a byte for this long counts as dead. API servers send a bookmark every minute.
const IDLE: Duration = Duration::from_secs(75);

/// Two watches in a row that end sooner than this without an event count as a failure.
const SHORT: Duration = Duration::from_secs(1);

/// The longest event. etcd stores no object of more than some MiB.
const MAX_EVENT: usize = 16 << 20;

/// A watch of one kind of objects.
pub(super) struct Watch<'a> {
    pub(super) sender: &'a MessageSender,
    pub(super) client: &'a ApiClient,
    pub(super) collection: Collection,
    /// The namespace; none for all namespaces.
    pub(super) namespace: Option<&'a Name>,
    /// Parameters that select objects; empty for all.
    pub(super) query: String,
    /// Whether the caller can start another watch if this one is forbidden.
    pub(super) has_other: bool,
}

/// The number of denials in a row after which the watch gives up although rows have been sent: an API server that
/// starts denies everything for some seconds.
const DENIALS: u32 = 3;

impl Watch<'_> {
    /// Sends the objects as rows, for ever. Returns only if the watch is forbidden and `has_other`, with the denial.
    pub(super) async fn follow<K, R>(
        &self,
        row: &(dyn Fn(K) -> Option<R> + Sync),
        message: &(dyn Fn(Batch<R>) -> Message + Sync),
    ) -> Error
    where
        K: Item,
        R: Send,
    {
        let mut run = Run {
            watch: self,
            row,
            message,
            version: None,
            was_live: false,
            was_short: false,
            attempts: Attempts::new(self.sender, self.collection.part),
        };
        let mut denials = 0;
        let mut expired: Option<Retry> = None;
        loop {
            run.attempts.begin();
            let is_listing = run.version.is_none() && !self.collection.is_streamed;
            let outcome = if is_listing {
                run.list().await
            } else {
                run.stream().await.inspect(|()| expired = None)
            };
            let Err(error) = outcome else {
                denials = 0;
                continue;
            };
            match error.fault().kind {
                // An expired watch is no failure. The source lists again: at once the first time, then with a back-off.
                FaultKind::Expired => {
                    run.version = None;
                    match &mut expired {
                        Some(retry) => self.sender.sleep(retry.delay(&error)).await,
                        None => expired = Some(Retry::new(self.sender.random)),
                    }
                    continue;
                }
                FaultKind::Forbidden if self.has_other => {
                    denials += 1;
                    if !run.was_live || denials >= DENIALS {
                        return error;
                    }
                }
                _ => denials = 0,
            }
            run.attempts.failed_wait(&error).await;
        }
    }
}

/// A running watch.
struct Run<'a, K, R> {
    watch: &'a Watch<'a>,
    row: &'a (dyn Fn(K) -> Option<R> + Sync),
    message: &'a (dyn Fn(Batch<R>) -> Message + Sync),
    /// The resource version to continue from; none before the first complete list.
    version: Option<String>,
    /// Whether one list is complete.
    was_live: bool,
    /// Whether the last watch ended within `SHORT` without an event.
    was_short: bool,
    attempts: Attempts,
}

/// A page of a list.
#[derive(Deserialize)]
#[serde(bound = "K: DeserializeOwned")]
struct Page<K> {
    #[serde(default)]
    metadata: JsonListMeta,
    /// Invalid items are dropped, not the page.
    #[serde(default = "Vec::new", deserialize_with = "lenient")]
    items: Vec<Option<K>>,
}

/// A line of a watch's response.
#[derive(Deserialize)]
#[serde(
    tag = "type",
    content = "object",
    rename_all = "UPPERCASE",
    bound = "K: DeserializeOwned"
)]
enum Event<K> {
    Added(K),
    Modified(K),
    Deleted(K),
    Bookmark(Box<Bookmark>),
    Error(Box<Status>),
}

/// A bookmark: the resource version of a watch without changes.
#[derive(Deserialize)]
struct Bookmark {
    #[serde(deserialize_with = "lenient")]
    metadata: WireMeta,
}

/// The state of a list.
struct Listing<R> {
    /// The rows that have not been sent.
    rows: Vec<R>,
    /// The number of objects listed so far.
    done: usize,
    /// The total, if the server reports it.
    total: Option<u64>,
    /// Whether each page is sent at once: only if no rows of this part have been sent, which it would replace.
    by_pages: bool,
}

impl<K, R> Run<'_, K, R>
where
    K: Item,
    R: Send,
{
    /// Lists page by page.
    async fn list(&mut self) -> Result<(), Error> {
        let path = self.path();
        let mut listing = self.listing();
        let mut token = String::new();
        loop {
            let mut path = format!("{path}?limit={PAGE}{}", self.watch.query);
            if !token.is_empty() {
                path.push_str(&format!("&continue={}", escaped(&token)));
            }
            let (metadata, rows) = self.page(&path).await?;
            listing.done += rows.len();
            listing.rows.extend(rows.into_iter().flatten());
            let remaining = metadata.remaining_item_count.map(i64::unsigned_abs);
            listing.total = remaining.map(|remaining| count(listing.done) + remaining);
            if metadata.continue_token.is_empty() {
                return self.listed(listing, metadata.resource_version).await;
            }
            token = metadata.continue_token;
            self.send_page(&mut listing).await;
        }
    }

    /// Requests a page of a list. Returns its metadata, and for each object the row or none. Invalid objects are
    /// dropped, not the page.
    async fn page(&self, path: &str) -> Result<(ListMeta, Vec<Option<R>>), Error> {
        let resource = self.watch.collection.resource();
        let (client, about) = (self.watch.client, About::list(&resource));
        let row = self.row;
        let response = if let Some(decode) = K::DECODE {
            let convert = |object: &[u8]| Ok(decode(object).ok().and_then(row));
            let mut reader = ListItems::new(|_| Ok(()), convert);
            let list = client.read_list(path, PROTOBUF, about, &mut reader);
            let response = list.await?;
            if response.is_protobuf() {
                return Ok((reader.metadata, reader.items));
            }
            response
        } else {
            client.get(path, JSON, about).await?
        };
        let Page::<K> { metadata, items } = response.parse()?;
        let metadata = ListMeta {
            resource_version: metadata.resource_version.unwrap_or_default(),
            continue_token: metadata.continue_.unwrap_or_default(),
            remaining_item_count: metadata.remaining_item_count,
        };
        let rows = items.into_iter().flatten().map(row);
        Ok((metadata, rows.collect()))
    }

    /// Watches from the last resource version, or, without one, lists through the watch.
    async fn stream(&mut self) -> Result<(), Error> {
        let mut path = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}{}",
            self.path(),
            self.watch.query
        );
        let mut listing = match &self.version {
            Some(version) => {
                path.push_str(&format!("&resourceVersion={}", escaped(version)));
                None
            }
            None => {
                path.push_str(
                    "&resourceVersion=0&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
                );
                Some(self.listing())
            }
        };
        let resource = self.watch.collection.resource();
        let client = self.watch.client;
        let began = Instant::now();
        let mut body = client.stream(&path, About::list(&resource)).await?;
        if listing.is_none() {
            self.attempts.succeeded().await;
        }
        let (mut lines, mut has_data) = (BytesMut::new(), false);
        loop {
            let limit = if listing.is_some() {
                client.patience().unwrap_or(IDLE)
            } else {
                IDLE
            };
            let cut = match timeout(limit, next(&mut body, &mut lines)).await {
                Ok(Ok(true)) => None,
                Ok(Ok(false)) => Some(Error::Unreachable("EOF".to_owned())),
                Ok(Err(error)) => Some(client.explain(&*error)),
                Err(_) if listing.is_none() => return Ok(()),
                Err(_) => Some(Error::Unreachable(format!(
                    "no data for {} s",
                    limit.as_secs()
                ))),
            };
            if let Some(error) = cut {
                // Every watch ends from time to time; the source continues at once.
                let is_short = !has_data && began.elapsed() < SHORT;
                let was_short = std::mem::replace(&mut self.was_short, is_short);
                let is_usual = listing.is_none() && !(is_short && was_short);
                return if is_usual { Ok(()) } else { Err(error) };
            }
            let mut changes = Vec::new();
            while let Some(end) = memchr(b'\n', &lines) {
                let line = lines.split_to(end + 1);
                has_data = true;
                self.event(&line, &mut listing, &mut changes).await?;
            }
            if lines.len() > MAX_EVENT {
                return Err(Error::Request(
                    "an event of the watch is too long".to_owned(),
                ));
            }
            if !changes.is_empty() {
                self.watch
                    .sender
                    .send((self.message)(Batch::Some(changes)))
                    .await;
                self.attempts.succeeded().await;
            }
        }
    }

    async fn event(
        &mut self,
        line: &[u8],
        listing: &mut Option<Listing<R>>,
        changes: &mut Vec<Change<R>>,
    ) -> Result<(), Error> {
        let event = match serde_json::from_slice::<Event<K>>(line) {
            Ok(event) => event,
            Err(error) => {
                // A Status without an event is the reason why the watch ends.
                if let Ok(status) = serde_json::from_slice::<Status>(line)
                    && status.is_failure()
                {
                    return Err(from_status(&status));
                }
                tracing::debug!(%error, "skipped an event that cannot be read");
                return Ok(());
            }
        };
        match event {
            Event::Added(object) | Event::Modified(object) => {
                let version = object.version().to_owned();
                let row = (self.row)(object);
                let Some(listing) = listing else {
                    self.advance(version);
                    changes.extend(row.map(Change::Put));
                    return Ok(());
                };
                listing.done += 1;
                listing.rows.extend(row);
                if listing.done % PAGE == 0 {
                    self.send_page(listing).await;
                }
            }
            Event::Deleted(object) => {
                self.advance(object.version().to_owned());
                let (namespace, name) = (object.namespace().into(), object.name().into());
                changes.push(Change::Gone(Key::new(&namespace, &name)));
            }
            Event::Bookmark(bookmark) => {
                let metadata = bookmark.metadata;
                let is_end = metadata.ends_initial_events();
                let version = metadata.resource_version;
                match listing.take() {
                    Some(listed) if is_end => self.listed(listed, version).await?,
                    None => self.advance(version),
                    listed => *listing = listed,
                }
            }
            Event::Error(status) => return Err(from_status(&status)),
        }
        Ok(())
    }

    /// Stores the version to continue from, unless it is empty.
    fn advance(&mut self, version: String) {
        if !version.is_empty() {
            self.version = Some(version);
        }
    }

    fn path(&self) -> String {
        let Watch {
            collection,
            namespace,
            ..
        } = self.watch;
        collection.path(namespace.map(|namespace| &**namespace))
    }

    fn listing(&self) -> Listing<R> {
        Listing {
            rows: Vec::new(),
            done: 0,
            total: None,
            by_pages: !self.watch.sender.has_sent(self.watch.collection.part),
        }
    }

    /// Sends the rows of a page and the progress.
    async fn send_page(&self, listing: &mut Listing<R>) {
        let (sender, part) = (self.watch.sender, self.watch.collection.part);
        if listing.by_pages {
            sender.mark_sent(part);
            let rows = std::mem::take(&mut listing.rows);
            let rows = rows.into_iter().map(Change::Put).collect();
            sender.send((self.message)(Batch::Some(rows))).await;
        }
        let progress = Progress {
            done: count(listing.done),
            total: listing.total,
        };
        sender
            .send(Message::Part(part, Outcome::Loading(progress)))
            .await;
    }

    /// Sends the rest of a complete list.
    async fn listed(&mut self, listing: Listing<R>, version: String) -> Result<(), Error> {
        if version.is_empty() {
            let text = "the server's list has no resource version";
            return Err(Error::Request(text.to_owned()));
        }
        let (sender, part) = (self.watch.sender, self.watch.collection.part);
        let batch = if listing.by_pages && sender.has_sent(part) {
            Batch::Some(listing.rows.into_iter().map(Change::Put).collect())
        } else {
            Batch::All(listing.rows)
        };
        sender.mark_sent(part);
        sender.send((self.message)(batch)).await;
        self.attempts.succeeded().await;
        self.version = Some(version);
        self.was_live = true;
        Ok(())
    }
}

/// Appends the next data to `lines`, with everything that is already available. Returns false at the end.
async fn next(chunks: &mut BodyChunks, lines: &mut BytesMut) -> Result<bool, BoxError> {
    /// The most bytes that become one message.
    const BURST: usize = 256 << 10;
    let mut chunk = chunks.next().await?;
    let has_come = chunk.is_some();
    while let Some(data) = chunk.take() {
        lines.extend_from_slice(&data);
        if lines.len() < BURST
            && let Some(more) = chunks.next().now_or_never()
        {
            chunk = more?;
        }
    }
    Ok(has_come)
}

fn from_status(status: &Status) -> Error {
    let details = status.details.as_ref();
    let seconds = details.map_or(0, |details| details.retry_after_seconds);
    Error::Server(Failure {
        code: status.code,
        reason: status.reason.clone(),
        message: status.message.clone(),
        details: None,
        retry_after: (seconds > 0).then(|| seconds.into()),
    })
}
