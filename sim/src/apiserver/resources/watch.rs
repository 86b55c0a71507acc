//! Watches: what exists on request, then every change, with bookmarks, to a deadline or an expired version.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use kubevitals_proto::wire::status::Status;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::super::config::ExpiredWatch;
use super::super::selection::Selection;
use super::super::shared::Shared;
use super::super::status::{Body, Refusal, answer as respond};
use super::options::ListOptions;
use super::render::Renderer;
use crate::objects::{Event, EventKind, Object, Snapshot, Store, Subscription};

/// How long a watch lasts that does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(45 * 60);
/// How many changes are taken from the log at once.
const BATCH: usize = 128;
/// How much of what exists is sent at a time.
const CHUNK: usize = 64 * 1024;

/// Answers with a stream of events.
pub(super) fn answer(
    shared: &Shared,
    renderer: Renderer,
    selection: Selection,
    options: &ListOptions,
) -> Result<Response<Body>, Refusal> {
    let store = &shared.store;
    let resource = renderer.resource;
    let current = store.resource_version();
    if let Some(version) = options.watch_from.filter(|v| *v > current) {
        return Err(Status::too_large_resource_version(version, current).into());
    }
    let (out, mut frames) = mpsc::channel(1);
    let from_version = options.watch_from.filter(|_| !options.initial_events);
    let (initial, subscription) = match from_version {
        None => {
            let (snapshot, subscription) = store.snapshot_and_watch(resource);
            (Some(snapshot), Some(subscription))
        }
        Some(version) => (None, store.watch(resource, version).ok()),
    };
    if let Some(subscription) = subscription {
        let watch = Watch {
            store: store.clone(),
            renderer,
            selection,
            subscription,
            version: from_version.unwrap_or(current),
            headed: true,
            bookmark_every: options.bookmarks.then_some(shared.config.bookmark_interval),
            deadline: Instant::now() + options.timeout.unwrap_or(DEFAULT_TIMEOUT),
            broken: shared.watches_broken.subscribe(),
            out,
        };
        tokio::spawn(watch.run(initial, options.initial_events));
    } else {
        let version = from_version.unwrap_or_default();
        let refusal = Status::expired(format!("too old resource version: {version} ({current})"));
        if shared.config.expired_watch == ExpiredWatch::Http {
            return Err(refusal.into());
        }
        // The channel is empty, so that it has room for the frame.
        let _ = out.try_send(Ok(Frame::data(renderer.notice("ERROR", &json!(refusal)))));
    }
    let content_type = match renderer.is_protobuf() {
        true => "application/vnd.kubernetes.protobuf;stream=watch",
        false => "application/json",
    };
    let frames = futures::stream::poll_fn(move |context| frames.poll_recv(context));
    let body = StreamBody::new(frames).boxed_unsync();
    Ok(respond(StatusCode::OK, content_type, body))
}

/// One watch. It has a position in the log of changes and no queue of its own: a slow client costs nothing, and gets
/// 410 when the log has moved on without it.
struct Watch {
    store: Arc<Store>,
    renderer: Renderer,
    selection: Selection,
    subscription: Subscription,
    /// The version that the client is at.
    version: u64,
    /// Whether the next table has its columns.
    headed: bool,
    bookmark_every: Option<Duration>,
    deadline: Instant,
    broken: watch::Receiver<()>,
    out: mpsc::Sender<std::io::Result<Frame<Bytes>>>,
}

impl Watch {
    /// Sends what existed, and every change until the watch ends. Returns `None` when the client has gone.
    async fn run(mut self, initial: Option<Snapshot>, announce_initial: bool) -> Option<()> {
        if let Some(snapshot) = initial {
            self.send_initial(&snapshot, announce_initial).await?;
        }
        let mut next_bookmark = self.next_bookmark();
        loop {
            let (events, version) = match self.subscription.next(BATCH) {
                Ok(read) => read,
                Err(expired) => {
                    let message = format!("too old resource version: {} ({expired})", self.version);
                    let refusal = Status::expired(message);
                    return self
                        .send(self.renderer.notice("ERROR", &json!(refusal)))
                        .await;
                }
            };
            self.version = version;
            for event in &events {
                if let Some(frame) = self.frame(event) {
                    self.send(frame).await?;
                }
            }
            if !events.is_empty() {
                continue;
            }
            tokio::select! {
                () = self.subscription.changed() => {}
                () = tokio::time::sleep_until(next_bookmark) => {
                    self.send(self.bookmark(self.version, false)).await?;
                    next_bookmark = self.next_bookmark();
                }
                () = tokio::time::sleep_until(self.deadline) => {
                    self.bookmark_every?;
                    return self.send(self.bookmark(self.version, false)).await;
                }
                _ = self.broken.changed() => {
                    let error = std::io::ErrorKind::ConnectionReset.into();
                    return self.out.send(Err(error)).await.ok();
                }
                () = self.out.closed() => return None,
            }
        }
    }

    async fn send(&self, bytes: Bytes) -> Option<()> {
        self.out.send(Ok(Frame::data(bytes))).await.ok()
    }

    /// When the next bookmark is due. A watch without bookmarks ends before that.
    fn next_bookmark(&self) -> Instant {
        let next = self.bookmark_every.map(|every| Instant::now() + every);
        next.unwrap_or(self.deadline + DEFAULT_TIMEOUT)
    }

    fn bookmark(&self, version: u64, initial_events_end: bool) -> Bytes {
        let bookmark = self.renderer.bookmark(version, initial_events_end);
        self.renderer.notice("BOOKMARK", &bookmark)
    }

    /// Sends the objects that existed when the watch began, in chunks; then, where it is requested, a bookmark.
    async fn send_initial(&mut self, snapshot: &Snapshot, announce: bool) -> Option<()> {
        let mut out = Vec::with_capacity(CHUNK + CHUNK / 8);
        for (_, object) in snapshot.range(self.selection.namespace.as_deref(), None) {
            if self.selection.matches(object.meta()) {
                let headed = std::mem::take(&mut self.headed);
                self.renderer
                    .event(&mut out, EventKind::Added, object, headed);
            }
            if out.len() >= CHUNK {
                let next = Vec::with_capacity(CHUNK + CHUNK / 8);
                self.send(std::mem::replace(&mut out, next).into()).await?;
            }
        }
        if announce && self.bookmark_every.is_some() {
            out.extend_from_slice(&self.bookmark(snapshot.resource_version(), true));
        }
        match out.is_empty() {
            true => Some(()),
            false => self.send(out.into()).await,
        }
    }

    /// An event as this watch sees it: a change that makes an object match is ADDED, one that makes it not match is
    /// DELETED.
    fn frame(&mut self, event: &Event) -> Option<Bytes> {
        let matches = |object: &Arc<Object>| self.selection.matches(object.meta());
        let is = event.kind != EventKind::Deleted && matches(&event.object);
        let kind = match (event.previous.as_ref().is_some_and(matches), is) {
            (true, true) => EventKind::Modified,
            (false, true) => EventKind::Added,
            (true, false) => EventKind::Deleted,
            (false, false) => return None,
        };
        if self.renderer.is_stored() && kind == event.kind {
            return Some(event.frame(self.renderer.resource));
        }
        // An object that leaves is sent as the client last saw it, at the version of the change.
        let leaving = event
            .previous
            .as_ref()
            .filter(|_| kind == EventKind::Deleted);
        let leaving = leaving.map(|it| Arc::new(it.at_version(event.resource_version())));
        let object = leaving.as_ref().unwrap_or(&event.object);
        let mut out = Vec::with_capacity(object.size_hint() + 128);
        let renderer = self.renderer.at(self.store.now());
        renderer.event(&mut out, kind, object, std::mem::take(&mut self.headed));
        Some(Bytes::from(out))
    }
}
