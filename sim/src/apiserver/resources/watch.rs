//! Watches: what exists on request, then every change, with bookmarks, to a deadline or an expired version.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use kubevitals_proto::wire::status::Status;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use super::super::config::ExpiredWatch;
use super::super::selection::Selection;
use super::super::shared::Shared;
use super::super::status::{Body, Refusal, answer as respond};
use super::options::ListOptions;
use super::render::Renderer;
use crate::objects::{Event, EventKind, Snapshot, Store, Subscription};

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
    let resource = renderer.resource();
    let current = store.resource_version();
    if let Some(version) = options.watch_from.filter(|v| *v > current) {
        return Err(Status::too_large_resource_version(version, current).into());
    }
    let mut initial = None;
    let mut refused = None;
    let from_version = options.watch_from.filter(|_| !options.initial_events);
    let subscription = match from_version.map(|version| (version, store.watch(resource, version))) {
        None => {
            let (snapshot, subscription) = store.snapshot_and_watch(resource);
            initial = Some(Initial {
                snapshot,
                after: None,
            });
            Some(subscription)
        }
        Some((_, Ok(subscription))) => Some(subscription),
        Some((version, Err(_))) => {
            let refusal: Refusal =
                Status::expired(format!("too old resource version: {version} ({current})")).into();
            if shared.config.expired_watch == ExpiredWatch::Http {
                return Err(refusal);
            }
            refused = Some(refusal);
            None
        }
    };
    let now = Instant::now();
    let bookmark_every = options.bookmarks.then_some(shared.config.bookmark_interval);
    let state = Watch {
        store: store.clone(),
        renderer,
        selection,
        initial,
        announce_initial: options.initial_events && options.bookmarks,
        subscription,
        refused,
        pending: VecDeque::new(),
        version: from_version.unwrap_or(current),
        headed: true,
        bookmark_every,
        next_bookmark: bookmark_every.map(|every| now + every),
        deadline: now + options.timeout.unwrap_or(DEFAULT_TIMEOUT),
        broken: shared.watches_broken.subscribe(),
    };
    let frames = futures::stream::unfold(state, |mut state| async move {
        let frame = state.next().await?;
        Some((frame.map(Frame::data), state))
    });
    let content_type = match renderer.is_protobuf() {
        true => "application/vnd.kubernetes.protobuf;stream=watch",
        false => "application/json",
    };
    Ok(respond(
        StatusCode::OK,
        content_type,
        StreamBody::new(frames).boxed_unsync(),
    ))
}

/// What existed when the watch began, and how far it has been sent.
struct Initial {
    snapshot: Snapshot,
    after: Option<Arc<str>>,
}

/// One watch. It keeps a place in the log of changes, never a queue of its own: a slow client costs nothing, and gets
/// 410 when the log has moved on without it.
struct Watch {
    store: Arc<Store>,
    renderer: Renderer,
    selection: Selection,
    initial: Option<Initial>,
    /// Whether a bookmark says that everything that existed has been sent.
    announce_initial: bool,
    /// `None` once the watch has ended.
    subscription: Option<Subscription>,
    refused: Option<Refusal>,
    pending: VecDeque<Arc<Event>>,
    /// The version the client is at, once `pending` is sent.
    version: u64,
    /// Whether the next table has its columns.
    headed: bool,
    bookmark_every: Option<Duration>,
    next_bookmark: Option<Instant>,
    deadline: Instant,
    broken: watch::Receiver<()>,
}

impl Watch {
    /// The next part of the response; `None` at its end, an error to break it off.
    async fn next(&mut self) -> Option<std::io::Result<Bytes>> {
        loop {
            if let Some(refused) = self.refused.take() {
                self.subscription = None;
                return Some(Ok(self.renderer.notice("ERROR", &json!(refused))));
            }
            if let Some(chunk) = self.initial_chunk() {
                return Some(Ok(chunk));
            }
            while let Some(event) = self.pending.pop_front() {
                if let Some(frame) = self.frame(&event) {
                    return Some(Ok(frame));
                }
            }
            match self.subscription.as_mut()?.next(BATCH) {
                Ok((events, version)) => {
                    self.version = version;
                    self.pending.extend(events);
                }
                Err(expired) => {
                    let message = format!("too old resource version: {} ({expired})", self.version);
                    self.refused = Some(Status::expired(message).into());
                    continue;
                }
            }
            if self.pending.is_empty() {
                match self.wait().await {
                    Wake::Changed => {}
                    Wake::Bookmark => {
                        return Some(Ok(self.bookmark()));
                    }
                    Wake::Deadline => {
                        self.subscription = None;
                        self.bookmark_every?;
                        return Some(Ok(self.bookmark()));
                    }
                    Wake::Broken => {
                        self.subscription = None;
                        return Some(Err(std::io::Error::from(
                            std::io::ErrorKind::ConnectionReset,
                        )));
                    }
                }
            }
        }
    }

    fn bookmark(&self) -> Bytes {
        let bookmark = self.renderer.bookmark(self.version, false);
        self.renderer.notice("BOOKMARK", &bookmark)
    }

    async fn wait(&mut self) -> Wake {
        let bookmark = self.next_bookmark;
        let at = async move {
            match bookmark {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let Some(subscription) = self.subscription.as_mut() else {
            return Wake::Changed;
        };
        tokio::select! {
            () = subscription.changed() => Wake::Changed,
            () = at => {
                self.next_bookmark = self.bookmark_every.map(|every| Instant::now() + every);
                Wake::Bookmark
            }
            () = tokio::time::sleep_until(self.deadline) => Wake::Deadline,
            _ = self.broken.changed() => Wake::Broken,
        }
    }

    /// A part of the objects that existed when the watch began.
    fn initial_chunk(&mut self) -> Option<Bytes> {
        let initial = self.initial.as_mut()?;
        let mut out = Vec::with_capacity(CHUNK + CHUNK / 8);
        let mut after = None;
        let mut finished = true;
        for (key, object) in initial
            .snapshot
            .range(self.selection.namespace(), initial.after.as_deref())
        {
            after = Some(key.clone());
            if self.selection.matches(object.meta()) {
                let headed = std::mem::take(&mut self.headed);
                self.renderer
                    .event(&mut out, EventKind::Added, object, headed);
            }
            if out.len() >= CHUNK {
                finished = false;
                break;
            }
        }
        initial.after = after;
        if finished {
            let version = initial.snapshot.resource_version();
            self.initial = None;
            if self.announce_initial {
                let bookmark = self.renderer.bookmark(version, true);
                out.extend_from_slice(&self.renderer.notice("BOOKMARK", &bookmark));
            }
        }
        (!out.is_empty()).then(|| Bytes::from(out))
    }

    /// An event as this watch sees it: a change that makes an object match is ADDED, one that makes it not match is
    /// DELETED.
    fn frame(&mut self, event: &Event) -> Option<Bytes> {
        let is =
            event.kind() != EventKind::Deleted && self.selection.matches(event.object().meta());
        let was = event
            .previous()
            .is_some_and(|o| self.selection.matches(o.meta()));
        let (kind, leaving) = match (was, is) {
            (true, true) => (EventKind::Modified, None),
            (false, true) => (EventKind::Added, None),
            // The object as the client last saw it, at the version of the change.
            (true, false) => (
                EventKind::Deleted,
                event
                    .previous()
                    .map(|o| o.at_version(event.resource_version())),
            ),
            (false, false) => return None,
        };
        if self.renderer.is_stored() && kind == event.kind() {
            return Some(event.frame(self.renderer.resource()));
        }
        let object = leaving.as_ref().unwrap_or(event.object());
        let mut out = Vec::with_capacity(object.size_hint() + 128);
        let renderer = self.renderer.at(self.store.now());
        renderer.event(&mut out, kind, object, std::mem::take(&mut self.headed));
        Some(Bytes::from(out))
    }
}

enum Wake {
    Changed,
    Bookmark,
    Deadline,
    Broken,
}
