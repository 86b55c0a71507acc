//! Watches: a line for each object that changes, at most once a second, for as long as the client takes them.
//!
//! What a client has seen is a version and no more, so a watch holds no objects, and nothing waits for a client: who is
//! slow is told later what there is then. A piece of an answer is made when the last one has been taken.

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

use super::events::{self, Events, Type};
use super::kind::{Key as _, Kind};
use super::list::All;
use super::options::Begins;
use super::watchers::{Place, Watchers};
use super::{OFFER, Sources, parameters};
use crate::api::pieces::{CHUNK, STRIDE};
use crate::api::reply::{self, Form};
use crate::api::request::{option, parameter};
use crate::api::selection::Selection;
use crate::auth::User;
use crate::query::{ChangeReader as _, Query, Resume, Version, VersionedSnapshot, VitalsBuilder};
use crate::tls::LongRunning;
use crate::work::Cancel;

/// How long a watch is silent before it tells its version.
const QUIET: Duration = Duration::from_secs(60);

/// For how long a watch goes on at least, and by how much at most longer, if the client does not say: as in Kubernetes
/// they do not all end at once.
const LIFE: (u64, u64) = (1800, 1800);

/// The longest life of a watch, in seconds, whatever the client asks for: its place is given back, and whether its user
/// may still watch is asked again.
const LONGEST: u64 = 3600;

/// What is watched, and how it is told.
pub(super) struct Asked {
    pub(super) selection: Selection,
    pub(super) namespace: Option<Arc<str>>,
    pub(super) shape: Shape,
    pub(super) asked: parameters::Asked,
}

/// The answer to a watch.
pub(super) fn answer<K: Kind>(sources: &Sources, watched: Asked, request: &Request) -> Response {
    let begun = begin::<K>(sources, watched, request);
    let (watching, handed) = match begun {
        Ok(begun) => begun,
        Err(status) => return Form::any(request).status(&status),
    };
    let pieces = stream::unfold(watching, async |mut watching| {
        let piece = watching.next_piece().await?;
        Some((Ok::<_, Infallible>(piece), watching))
    });
    let content_type = Encoding::Json.content_type();
    let mut response = reply::answer(StatusCode::OK, content_type, Body::from_stream(pieces));
    response.extensions_mut().insert(LongRunning::new(handed));
    response
}

type Begun<K> = (Watching<K>, watch::Receiver<Option<Instant>>);

fn begin<K: Kind>(
    sources: &Sources,
    mut watched: Asked,
    request: &Request,
) -> Result<Begun<K>, Status> {
    let uri = request.uri();
    if let Some(name) = watched.asked.of_a_list(uri) {
        let message = format!("{name} says nothing to a watch: ask for a list");
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
    let begins = Begins::of(uri)?;
    let user = request.extensions().get::<Arc<User>>().map(Arc::as_ref);
    let place = sources.watchers.enter(user.unwrap_or(&User::anonymous()))?;
    let query = Arc::clone(&sources.query);
    let (version, stage) = match begins {
        // One that cannot be gone on from is told so, as whoever falls behind is.
        Begins::After(version) => {
            let snapshot = query.changes().snapshot();
            match query.changes().resume(&snapshot, version) {
                Resume::After(version) => (version, Stage::Waiting),
                gone => (version, Stage::Expired(expired(gone, snapshot.version))),
            }
        }
        Begins::Now => (query.changes().snapshot().version, Stage::Waiting),
        Begins::All { bookmark, wants } => {
            watched.asked.wants = wants;
            let all = All::of(&query, &watched.asked, &Cancel::default())?;
            let version = all.snapshot.as_ref().map(|snapshot| snapshot.version);
            let every = Every {
                after: K::Key::first(watched.namespace.as_deref()),
                told: bookmark,
                all,
            };
            (version.unwrap_or_default(), Stage::All(every))
        }
    };
    let (handed, taken) = watch::channel(None);
    let watching = Watching {
        told: query.changes().subscribe(),
        stop: sources.watchers.stop(),
        watchers: Arc::clone(&sources.watchers),
        events: Events::new(watched.shape),
        bookmarks: option(uri, "allowWatchBookmarks"),
        until: Instant::now() + life(uri),
        quiet_until: Instant::now() + QUIET,
        query,
        watched,
        version,
        stage,
        handed,
        _place: place,
    };
    Ok((watching, taken))
}

/// 410: why a watch cannot go on, at a server whose last version is `current`.
fn expired(why: Resume, current: Version) -> Status {
    let why = match why {
        Resume::Future => "the resource version is later than all that this server knows",
        Resume::Expired | Resume::After(_) => "too old resource version",
    };
    Status::expired(format!("{why}: {current} is what there is; list again"))
}

/// For how long a watch goes on. As in k8s.io/apiserver a negative number ends it at once.
fn life(uri: &Uri) -> Duration {
    // What is no number was refused with the selectors.
    let asked = parameter(uri, "timeoutSeconds").and_then(|text| text.parse::<i64>().ok());
    let (least, more) = LIFE;
    let seconds = match asked {
        None | Some(0) => least + uuid::Uuid::new_v4().as_u64_pair().0 % more,
        Some(seconds) => u64::try_from(seconds).unwrap_or(0),
    };
    Duration::from_secs(seconds.min(LONGEST))
}

/// A watch under way.
struct Watching<K: Kind> {
    query: Arc<Query>,
    watchers: Arc<Watchers>,
    watched: Asked,
    events: Events,
    bookmarks: bool,
    /// What the client has seen.
    version: Version,
    stage: Stage<K>,
    told: watch::Receiver<Version>,
    stop: CancellationToken,
    until: Instant,
    quiet_until: Instant,
    /// Since when the last piece waits to be taken.
    handed: watch::Sender<Option<Instant>>,
    _place: Place,
}

enum Stage<K: Kind> {
    /// Tells all there is.
    All(Every<K>),
    /// Tells what has changed.
    Changes(Changes<K>),
    /// Waits for changes.
    Waiting,
    /// Cannot go on from the version that the client has seen.
    Expired(Status),
    /// Has told that it is over, if there was anything to tell.
    Over,
}

struct Every<K: Kind> {
    all: All<K>,
    after: Bound<K::Key>,
    told: bool,
}

struct Changes<K: Kind> {
    snapshot: Arc<VersionedSnapshot>,
    builder: VitalsBuilder,
    changes: K::Changes,
}

/// What a watch has waited for.
enum Next {
    Changes,
    End,
    Bookmark,
}

impl<K: Kind> Watching<K> {
    /// The next lines; nothing when it is over.
    async fn next_piece(&mut self) -> Option<Bytes> {
        self.handed.send_replace(None);
        let mut out = Vec::new();
        loop {
            match &mut self.stage {
                Stage::Over if out.is_empty() => return None,
                Stage::Waiting if out.is_empty() => {
                    self.wait(&mut out).await;
                    continue;
                }
                Stage::Over | Stage::Waiting => break,
                Stage::Expired(status) => {
                    events::error(&mut out, status);
                    self.stage = Stage::Over;
                    break;
                }
                Stage::All(_) => self.tell_all(&mut out),
                Stage::Changes(_) => self.tell_changes(&mut out),
            }
            if out.len() >= CHUNK {
                break;
            }
            tokio::task::yield_now().await;
        }
        let now = Instant::now();
        self.quiet_until = now + QUIET;
        self.handed.send_replace(Some(now));
        Some(self.watchers.send(out))
    }

    /// Waits until there is something to tell.
    async fn wait(&mut self, out: &mut Vec<u8>) {
        let version = self.version;
        let next = tokio::select! {
            // In this order: what has changed is told before it is said to be over.
            biased;
            _changed = self.told.wait_for(|told| *told > version) => Next::Changes,
            () = self.stop.cancelled() => Next::End,
            () = tokio::time::sleep_until(self.until) => Next::End,
            () = tokio::time::sleep_until(self.quiet_until), if self.bookmarks => Next::Bookmark,
        };
        match next {
            Next::Changes => self.begin_changes(out),
            Next::End => self.end(out),
            Next::Bookmark => self.events.bookmark::<K::Told>(out, version, false),
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.bookmarks {
            self.events.bookmark::<K::Told>(out, self.version, false);
        }
        self.stage = Stage::Over;
    }

    fn begin_changes(&mut self, out: &mut Vec<u8>) {
        let changes = self.query.changes();
        let snapshot = changes.snapshot();
        match changes.resume(&snapshot, self.version) {
            Resume::After(from) => {
                self.stage = Stage::Changes(Changes {
                    builder: self.builder(),
                    changes: K::changes(&snapshot, from, self.watched.namespace.as_ref()),
                    snapshot,
                });
            }
            gone => {
                events::error(out, &expired(gone, snapshot.version));
                self.stage = Stage::Over;
            }
        }
    }

    fn builder(&self) -> VitalsBuilder {
        let builder = self.query.vitals().now();
        match self.watched.asked.trend {
            Some(steps) => builder.with_trend(steps),
            None => builder,
        }
    }

    fn tell_all(&mut self, out: &mut Vec<u8>) {
        let Stage::All(every) = &mut self.stage else {
            return;
        };
        let objects = every.all.objects.clone();
        let now = self.query.wall();
        let left = objects.range((every.after.clone(), Bound::Unbounded));
        for (looked, (key, kept)) in left.enumerate() {
            let namespace = self.watched.namespace.as_ref();
            if namespace.is_some_and(|namespace| !key.is_in(namespace)) {
                break;
            }
            if K::admits(&self.watched.selection, kept) {
                let told = every.all.told(kept);
                self.events.object(out, Type::Added, &told, now);
            }
            if looked + 1 >= STRIDE || out.len() >= CHUNK {
                every.after = Bound::Excluded(key.clone());
                return;
            }
        }
        if every.told {
            self.events.bookmark::<K::Told>(out, self.version, true);
        }
        self.stage = Stage::Waiting;
    }

    fn tell_changes(&mut self, out: &mut Vec<u8>) {
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
                && let Some((became, kept)) = events::seen::<K>(&self.watched.selection, &change)
            {
                let mut told = K::tell(builder, kept);
                told.meta_mut().resource_version = change.version.to_string();
                self.events.object(out, became, &told, now);
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
