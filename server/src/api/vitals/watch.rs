//! Watches: one line for each changed object, at most once a second for each, until the client disconnects.
//!
//! A watch stores only the version that the client has seen, so it holds no objects, and nothing waits for a slow
//! client: the client receives later what has changed by then. The next chunk is made when the connection has taken
//! the last one.

use std::convert::Infallible;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::{StatusCode, Uri};
use kubevitals_proto::vitals::table::Vitals as _;
use kubevitals_proto::wire::form::Shape;
use kubevitals_proto::wire::object::Encoding;
use kubevitals_proto::wire::status::{Reason, Status};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::events::{self, EventType, Events};
use super::kind::{Key as _, Kind};
use super::list::{FromEngine, ObjectSet};
use super::parameters;
use super::resources::{OFFER, Sources};
use super::version_options::WatchStart;
use super::watchers::{WatchSlot, Watchers};
use crate::api::reply::{self, Form};
use crate::api::request::{option, parameter};
use crate::api::selection::Selection;
use crate::api::streaming::{CHUNK, STRIDE};
use crate::auth::User;
use crate::query::{ChangeReader as _, Query, Resume, Version, VersionedSnapshot, VitalsBuilder};
use crate::tls::LongRunning;
use crate::work::Cancel;

/// The time without events after which a watch sends a bookmark.
const BOOKMARK_INTERVAL: Duration = Duration::from_secs(60);

/// The default duration of a watch in seconds: at least the first number, and up to the second more at random. As in
/// Kubernetes, watches that started together do not end together.
const DEFAULT_SECONDS: (u64, u64) = (1800, 1800);

/// The longest duration of a watch, in seconds, also if the client requests a longer one. The next watch is
/// authorized again.
const MAX_SECONDS: u64 = 3600;

/// A request to watch.
pub(super) struct WatchRequest {
    pub(super) selection: Selection,
    pub(super) namespace: Option<Arc<str>>,
    pub(super) shape: Shape,
    pub(super) options: parameters::ListOptions,
}

/// Responds to a watch.
pub(super) fn respond<K: Kind>(
    sources: &Sources,
    watch_request: WatchRequest,
    request: &Request,
) -> Result<Response, Status> {
    let (watch_stream, waiting_since) = start_watch::<K>(sources, watch_request, request)?;
    let chunks = stream::unfold(watch_stream, async |mut watch_stream| {
        let chunk = watch_stream.next_chunk().await?;
        Some((Ok::<_, Infallible>(chunk), watch_stream))
    });
    let content_type = Encoding::Json.content_type();
    let mut response = reply::respond(StatusCode::OK, content_type, Body::from_stream(chunks));
    response
        .extensions_mut()
        .insert(LongRunning::new(waiting_since));
    Ok(response)
}

type StartedWatch<K> = (WatchStream<K>, watch::Receiver<Option<Instant>>);

fn start_watch<K: Kind>(
    sources: &Sources,
    mut watch_request: WatchRequest,
    request: &Request,
) -> Result<StartedWatch<K>, Status> {
    let uri = request.uri();
    if let Some(name) = watch_request.options.list_only_param(uri) {
        let message = format!("{name} has no meaning for a watch: use a list");
        return Err(Status::bad_request(message));
    }
    if Form::any(request).encoding == Encoding::Yaml {
        let media = OFFER.lists.get(2..).unwrap_or_default().join(", ");
        return Err(Status::failure(
            406,
            Reason::NotAcceptable,
            format!("only the following media types are accepted: {media}"),
        ));
    }
    let start = WatchStart::of(uri)?;
    let user = request.extensions().get::<Arc<User>>().map(Arc::as_ref);
    let slot = sources.watchers.enter(user.unwrap_or(&User::anonymous()))?;
    let query = Arc::clone(&sources.query);
    let (version, stage) = match start {
        // If the watch cannot continue from this version, it sends an error event, as it does for a client that falls
        // behind.
        WatchStart::After(version) => {
            let snapshot = query.changes().snapshot();
            match query.changes().resume(&snapshot, version) {
                Resume::After(version) => (version, Stage::Waiting),
                unavailable => (
                    version,
                    Stage::Expired(expired(unavailable, snapshot.version)),
                ),
            }
        }
        WatchStart::Now => (query.changes().snapshot().version, Stage::Waiting),
        WatchStart::All {
            bookmark,
            requirement,
        } => {
            watch_request.options.requirement = requirement;
            let all = ObjectSet::of(
                &query,
                &watch_request.options,
                FromEngine::default(),
                &Cancel::default(),
            )?;
            let version = all.snapshot.as_ref().map(|snapshot| snapshot.version);
            let initial = InitialObjects {
                after: K::Key::first(watch_request.namespace.as_deref()),
                bookmark,
                all,
            };
            (version.unwrap_or_default(), Stage::All(initial))
        }
    };
    let (waiting_since, waiting_since_rx) = watch::channel(None);
    let watch_stream = WatchStream {
        versions: query.changes().subscribe(),
        stop: sources.watchers.stop(),
        watchers: Arc::clone(&sources.watchers),
        events: Events::new(watch_request.shape),
        bookmarks: option(uri, "allowWatchBookmarks"),
        until: Instant::now() + duration(uri),
        bookmark_at: Instant::now() + BOOKMARK_INTERVAL,
        query,
        watch_request,
        version,
        stage,
        waiting_since,
        _slot: slot,
    };
    Ok((watch_stream, waiting_since_rx))
}

/// 410: why a watch cannot continue on a server whose version is `current`.
fn expired(why: Resume, current: Version) -> Status {
    let why = match why {
        Resume::Future => "the resource version is later than the last one of this server",
        Resume::Expired | Resume::After(_) => "too old resource version",
    };
    Status::expired(format!("{why}: the current one is {current}; list again"))
}

/// The duration of a watch. As in k8s.io/apiserver a negative number ends it at once.
fn duration(uri: &Uri) -> Duration {
    // `Selection` has refused values that are not numbers.
    let requested = parameter(uri, "timeoutSeconds").and_then(|text| text.parse::<i64>().ok());
    let (least, more) = DEFAULT_SECONDS;
    let seconds = match requested {
        None | Some(0) => least + uuid::Uuid::new_v4().as_u64_pair().0 % more,
        Some(seconds) => u64::try_from(seconds).unwrap_or(0),
    };
    Duration::from_secs(seconds.min(MAX_SECONDS))
}

/// A watch that is open.
struct WatchStream<K: Kind> {
    query: Arc<Query>,
    watchers: Arc<Watchers>,
    watch_request: WatchRequest,
    events: Events,
    bookmarks: bool,
    /// The version that the client has seen.
    version: Version,
    stage: Stage<K>,
    versions: watch::Receiver<Version>,
    stop: CancellationToken,
    until: Instant,
    bookmark_at: Instant,
    /// Since when the last chunk has been waiting for the connection.
    waiting_since: watch::Sender<Option<Instant>>,
    _slot: WatchSlot,
}

enum Stage<K: Kind> {
    /// Sends all existing objects.
    All(InitialObjects<K>),
    /// Sends what has changed.
    Changes(Changes<K>),
    /// Waits for changes.
    Waiting,
    /// Cannot continue from the version that the client has seen.
    Expired(Status),
    /// Has sent the last event.
    Ended,
}

struct InitialObjects<K: Kind> {
    all: ObjectSet<K>,
    after: Bound<K::Key>,
    bookmark: bool,
}

struct Changes<K: Kind> {
    snapshot: Arc<VersionedSnapshot>,
    builder: VitalsBuilder,
    changes: K::Changes,
}

/// The next event of a waiting watch.
enum Next {
    Changes,
    End,
    Bookmark,
}

impl<K: Kind> WatchStream<K> {
    /// The next lines; none at the end of the watch.
    async fn next_chunk(&mut self) -> Option<Bytes> {
        self.waiting_since.send_replace(None);
        let mut out = Vec::new();
        loop {
            match &mut self.stage {
                Stage::Ended if out.is_empty() => return None,
                Stage::Waiting if out.is_empty() => {
                    self.wait(&mut out).await;
                    continue;
                }
                Stage::Ended | Stage::Waiting => break,
                Stage::Expired(status) => {
                    events::error(&mut out, status);
                    self.stage = Stage::Ended;
                    break;
                }
                Stage::All(_) => self.append_all(&mut out),
                Stage::Changes(_) => self.append_changes(&mut out),
            }
            if out.len() >= CHUNK {
                break;
            }
            tokio::task::yield_now().await;
        }
        let now = Instant::now();
        self.bookmark_at = now + BOOKMARK_INTERVAL;
        self.waiting_since.send_replace(Some(now));
        Some(self.watchers.send(out))
    }

    /// Waits until there is something to send.
    async fn wait(&mut self, out: &mut Vec<u8>) {
        let version = self.version;
        let next = tokio::select! {
            // In this order: changes are sent before the end.
            biased;
            _changed = self.versions.wait_for(|latest| *latest > version) => Next::Changes,
            () = self.stop.cancelled() => Next::End,
            () = tokio::time::sleep_until(self.until) => Next::End,
            () = tokio::time::sleep_until(self.bookmark_at), if self.bookmarks => Next::Bookmark,
        };
        match next {
            Next::Changes => self.start_changes(out),
            Next::End => self.end(out),
            Next::Bookmark => self.events.bookmark::<K::Object>(out, version, false),
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.bookmarks {
            self.events.bookmark::<K::Object>(out, self.version, false);
        }
        self.stage = Stage::Ended;
    }

    fn start_changes(&mut self, out: &mut Vec<u8>) {
        let changes = self.query.changes();
        let snapshot = changes.snapshot();
        match changes.resume(&snapshot, self.version) {
            Resume::After(from) => {
                self.stage = Stage::Changes(Changes {
                    builder: self.builder(),
                    changes: K::changes(&snapshot, from, self.watch_request.namespace.as_ref()),
                    snapshot,
                });
            }
            unavailable => {
                events::error(out, &expired(unavailable, snapshot.version));
                self.stage = Stage::Ended;
            }
        }
    }

    fn builder(&self) -> VitalsBuilder {
        let builder = self.query.vitals().now();
        match self.watch_request.options.trend {
            Some(steps) => builder.with_trend(steps),
            None => builder,
        }
    }

    fn append_all(&mut self, out: &mut Vec<u8>) {
        let Stage::All(initial) = &mut self.stage else {
            return;
        };
        let objects = initial.all.objects.clone();
        let now = self.query.wall();
        let rest = objects.range((initial.after.clone(), Bound::Unbounded));
        for (visited, (key, record)) in rest.enumerate() {
            let namespace = self.watch_request.namespace.as_ref();
            if namespace.is_some_and(|namespace| !key.is_in(namespace)) {
                break;
            }
            if K::matches(&self.watch_request.selection, record) {
                let object = initial.all.convert(record);
                self.events.object(out, EventType::Added, &object, now);
            }
            if visited + 1 >= STRIDE || out.len() >= CHUNK {
                initial.after = Bound::Excluded(key.clone());
                return;
            }
        }
        if initial.bookmark {
            self.events.bookmark::<K::Object>(out, self.version, true);
        }
        self.stage = Stage::Waiting;
    }

    fn append_changes(&mut self, out: &mut Vec<u8>) {
        let Stage::Changes(Changes {
            snapshot,
            builder,
            changes,
        }) = &mut self.stage
        else {
            return;
        };
        let now = self.query.wall();
        for _ in 0..STRIDE {
            let (change, more) = changes.advance(STRIDE);
            if let Some(change) = change
                && let Some((event_type, record)) =
                    events::classify::<K>(&self.watch_request.selection, &change)
            {
                let mut object = K::to_api(builder, record);
                object.meta_mut().resource_version = change.version.to_string();
                self.events.object(out, event_type, &object, now);
            }
            if !more {
                self.version = snapshot.version;
                self.stage = Stage::Waiting;
                return;
            }
            if out.len() >= CHUNK {
                return;
            }
        }
    }
}
