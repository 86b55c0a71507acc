//! Lists a collection and watches it.
//!
//! The reflector starts with the form of list that costs the API server least, and falls back permanently if the API
//! server does not support it:
//!
//! 1. A watch in protobuf that starts with all objects (`WatchList`, on by default since Kubernetes 1.34). The API
//!    server reads them one by one from its cache, consistent with etcd, and never builds the whole list.
//! 2. Pages in protobuf. The first list reads the API server's cache, however old, because the watch after it brings
//!    what is missing. Later lists read the most recent state, because an older state would restore deleted objects.
//! 3. Pages in JSON.
//!
//! A watch that ends is resumed. If it cannot be resumed, or if objects were left out and there is memory for them now,
//! the reflector lists again.

use std::time::Duration;

use futures::Stream;
use kube::Client;
use kube::runtime::watcher::Event;
use kubevitals_proto::backoff::{Backoff, Random};
use kubevitals_proto::objects::Item;
use kubevitals_proto::wire::meta::ListMeta;
use tokio::time::{Instant, sleep};

use super::failure::{Failure, Kind};
use super::request::{Collection, Encoding, Page, Start};
use super::response::{EventReader, PageReader, WatchEvent};

/// The duration of a watch in seconds: shorter than the time after which a silent connection is closed
/// (`config::apiserver`), so that a quiet watch is not taken for a dead one.
const WATCH_SECONDS: u64 = 120;

/// The longest duration of a watch that starts with all objects, in seconds.
const INITIAL_WATCH_SECONDS: u64 = 600;

/// A watch without any data for this long, not even its end, is dead.
const WATCH_SILENCE: Duration = Duration::from_secs(WATCH_SECONDS + 5);

/// The longest time without data before and within a response.
const SILENCE: Duration = Duration::from_secs(60);

/// The longest time without an event before the end of the initial objects. An API server without `WatchList` ignores
/// the option and never marks the end.
const END_OF_LIST_TIMEOUT: Duration = Duration::from_secs(30);

/// A watch that lasts shorter than this, without an event, has failed.
const MIN_WATCH: Duration = Duration::from_secs(1);

/// The delays after a denial. An API server that starts denies everything for seconds; a missing permission is denied
/// until an administrator grants it.
const DENIED_DELAYS: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(600));

/// The delays after any other failure, as in client-go.
const FAILED_DELAYS: (Duration, Duration) = (Duration::from_millis(800), Duration::from_secs(30));

/// A failed attempt.
#[derive(Debug)]
pub(super) struct FailedAttempt {
    /// The reason.
    pub(super) failure: Failure,
    /// The delay before the next attempt.
    pub(super) retry_in: Duration,
}

/// Lists and watches one collection.
pub(super) struct Reflector<K> {
    client: Client,
    collection: Collection,
    encoding: Encoding,
    /// Whether lists are requested as the start of a watch.
    watch_list: bool,
    /// Whether the current attempt is such a watch.
    initial: bool,
    /// Whether there has been a complete list.
    listed: bool,
    state: State<K>,
    pause: Option<Duration>,
    denied: Backoff,
    failed: Backoff,
    /// Whether to list again when a watch ends.
    must_list: Box<dyn Fn() -> bool + Send>,
    /// Is called when a watch has no changes and is up to date.
    on_current: Box<dyn Fn() + Send>,
}

#[derive(Debug)]
enum State<K> {
    /// There is no list yet.
    Empty,
    /// A watch sends the existing objects.
    Initial(EventReader<K>),
    /// A list follows, from its first page or from the page `next`.
    Listing { next: Option<String> },
    /// A page is being read.
    Paging(PageReader<K>),
    /// Everything up to a version has been read.
    UpToDate(String),
    /// A watch sends changes.
    Watching(Watching<K>),
}

#[derive(Debug)]
struct Watching<K> {
    events: EventReader<K>,
    version: String,
    started: Instant,
    has_events: bool,
}

impl<K: Item> Reflector<K> {
    /// Starts without objects. `watch_list`: whether a watch may send the list, which needs no permission to list.
    pub(super) fn new(
        client: &Client,
        collection: Collection,
        watch_list: bool,
        random: Random,
    ) -> Self {
        Self {
            client: client.clone(),
            collection,
            encoding: Encoding::Protobuf,
            watch_list,
            initial: false,
            listed: false,
            state: State::Empty,
            pause: None,
            denied: Backoff::new(DENIED_DELAYS.0, DENIED_DELAYS.1, random),
            failed: Backoff::new(FAILED_DELAYS.0, FAILED_DELAYS.1, random),
            must_list: Box::new(|| false),
            on_current: Box::new(|| {}),
        }
    }

    /// Calls `notify` when a watch is up to date although it had no change: about once a minute, and when it ends.
    pub(super) fn when_current(self, notify: impl Fn() + Send + 'static) -> Self {
        Self {
            on_current: Box::new(notify),
            ..self
        }
    }

    /// Lists again after a watch at whose end `must_list` returns true. A watch lasts two minutes.
    pub(super) fn list_again_if(self, must_list: impl Fn() -> bool + Send + 'static) -> Self {
        Self {
            must_list: Box::new(must_list),
            ..self
        }
    }

    /// The events and failures. The stream does not end; it waits after a failure.
    pub(super) fn stream(self) -> impl Stream<Item = Result<Event<K>, FailedAttempt>> + Send {
        futures::stream::unfold(self, |mut reflector| async move {
            let event = reflector.next().await;
            Some((event, reflector))
        })
    }

    async fn next(&mut self) -> Result<Event<K>, FailedAttempt> {
        if let Some(pause) = self.pause.take() {
            sleep(pause).await;
        }
        loop {
            match self.step().await {
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {}
                Err(failure) if self.try_other_form(&failure) => {
                    tracing::debug!(
                        collection = K::plural(),
                        error = %failure,
                        "the API server does not support this form of list: the next one follows",
                    );
                }
                Err(failure) => {
                    let backoff = match failure.kind() {
                        Kind::Denied => &mut self.denied,
                        _ => &mut self.failed,
                    };
                    let retry_in = backoff.delay();
                    self.pause = Some(retry_in);
                    return Err(FailedAttempt { failure, retry_in });
                }
            }
        }
    }

    /// Whether to try another form of list after this failure. Each form is given up once, so this ends.
    fn try_other_form(&mut self, failure: &Failure) -> bool {
        let status = match failure {
            Failure::Status { code, .. } => Some(*code),
            _ => None,
        };
        // 400 and 422: the API server does not support the parameters. 504: its cache cannot be brought up to date.
        let no_watch_list =
            matches!(status, Some(400 | 422 | 504)) || *failure == Failure::NoEndOfList;
        if std::mem::take(&mut self.initial) && no_watch_list {
            self.watch_list = false;
            return true;
        }
        let no_protobuf = matches!(status, Some(406 | 415))
            || matches!(failure, Failure::UnexpectedJson | Failure::Unreadable(_));
        if self.encoding == Encoding::Protobuf && no_protobuf {
            self.encoding = Encoding::Json;
            return true;
        }
        false
    }

    /// Resets the delays after a valid response.
    fn reset_backoff(&mut self) {
        self.denied.reset();
        self.failed.reset();
    }

    /// Makes one step. Returns an event if there is one. A failed step leaves the state from which to continue.
    async fn step(&mut self) -> Result<Option<Event<K>>, Failure> {
        match std::mem::replace(&mut self.state, State::Empty) {
            State::Empty if self.watch_list => {
                self.initial = true;
                let (start, seconds) = (Start::Initial, INITIAL_WATCH_SECONDS);
                let request = self.collection.watch(self.encoding, start, seconds)?;
                let mut events = EventReader::start(&self.client, request, SILENCE).await?;
                events.set_silence(END_OF_LIST_TIMEOUT);
                self.state = State::Initial(events);
                Ok(Some(Event::Init))
            }
            State::Empty => {
                self.state = State::Listing { next: None };
                Ok(Some(Event::Init))
            }
            State::Initial(events) => self.initial(events).await,
            State::Listing { next } => {
                let page = match &next {
                    Some(token) => Page::Next(token),
                    // A page of JSON is read as a whole, so it must not contain the whole list.
                    None if self.listed || self.encoding == Encoding::Json => Page::Recent,
                    None => Page::Cached,
                };
                let request = self.collection.list(self.encoding, page)?;
                let page =
                    PageReader::request(&self.client, request, self.encoding, SILENCE).await?;
                self.state = State::Paging(page);
                Ok(None)
            }
            State::Paging(mut page) => match page.next().await? {
                Ok(item) => {
                    self.state = State::Paging(page);
                    Ok(Some(Event::InitApply(item)))
                }
                Err(meta) => self.end_page(meta),
            },
            State::UpToDate(version) => {
                let started = Instant::now();
                let start = Start::After(&version);
                let request = self.collection.watch(self.encoding, start, WATCH_SECONDS)?;
                match EventReader::start(&self.client, request, SILENCE).await {
                    Ok(mut events) => {
                        events.set_silence(WATCH_SILENCE);
                        self.state = State::Watching(Watching {
                            events,
                            version,
                            started,
                            has_events: false,
                        });
                        Ok(None)
                    }
                    Err(failure) => {
                        if !must_list_again(&failure) {
                            self.state = State::UpToDate(version);
                        }
                        Err(failure)
                    }
                }
            }
            State::Watching(watching) => self.watching(watching).await,
        }
    }

    async fn initial(&mut self, mut events: EventReader<K>) -> Result<Option<Event<K>>, Failure> {
        let notice = match events.next().await {
            // An end before the end of the list, or silence: the API server does not support the option.
            Ok(None) | Err(Failure::Silent(_)) => return Err(Failure::NoEndOfList),
            Ok(Some(notice)) => notice,
            Err(failure) => return Err(failure),
        };
        Ok(match notice {
            WatchEvent::Applied(item) => {
                self.state = State::Initial(events);
                Some(Event::InitApply(item))
            }
            WatchEvent::Bookmark {
                version,
                ends_initial_events: true,
            } => {
                let version = versioned(&version)?;
                events.set_silence(WATCH_SILENCE);
                self.state = State::Watching(Watching {
                    events,
                    version,
                    started: Instant::now(),
                    has_events: true,
                });
                (self.initial, self.listed) = (false, true);
                self.reset_backoff();
                Some(Event::InitDone)
            }
            // Nothing is deleted among the existing objects.
            WatchEvent::Bookmark { .. } | WatchEvent::Deleted(_) => {
                self.state = State::Initial(events);
                None
            }
        })
    }

    fn end_page(&mut self, meta: ListMeta) -> Result<Option<Event<K>>, Failure> {
        if !meta.continue_token.is_empty() {
            self.state = State::Listing {
                next: Some(meta.continue_token),
            };
            return Ok(None);
        }
        self.state = State::UpToDate(versioned(&meta.resource_version)?);
        self.listed = true;
        self.reset_backoff();
        Ok(Some(Event::InitDone))
    }

    async fn watching(&mut self, mut watching: Watching<K>) -> Result<Option<Event<K>>, Failure> {
        let notice = match watching.events.next().await {
            Ok(Some(notice)) => notice,
            Ok(None) => {
                (self.on_current)();
                return self.ended(watching, Failure::EndedAtOnce);
            }
            Err(failure @ (Failure::Connection(_) | Failure::Silent(_))) => {
                return self.ended(watching, failure);
            }
            Err(failure) => {
                if !must_list_again(&failure) {
                    self.state = State::UpToDate(watching.version);
                }
                return Err(failure);
            }
        };
        watching.has_events = true;
        self.reset_backoff();
        let version = |item: &K| versioned(&item.metadata().resource_version);
        let event = match notice {
            WatchEvent::Applied(item) => {
                watching.version = version(&item)?;
                Some(Event::Apply(item))
            }
            WatchEvent::Deleted(item) => {
                watching.version = version(&item)?;
                Some(Event::Delete(item))
            }
            WatchEvent::Bookmark { version, .. } => {
                watching.version = versioned(&version)?;
                (self.on_current)();
                None
            }
        };
        self.state = State::Watching(watching);
        Ok(event)
    }

    /// Handles the end of a watch, by its timeout or a broken connection. The watch is resumed at once, unless it has
    /// just started and had no event, or a list is due.
    fn ended(
        &mut self,
        watching: Watching<K>,
        failure: Failure,
    ) -> Result<Option<Event<K>>, Failure> {
        self.state = match (self.must_list)() {
            true => State::Empty,
            false => State::UpToDate(watching.version),
        };
        if watching.has_events || watching.started.elapsed() >= MIN_WATCH {
            return Ok(None);
        }
        Err(failure)
    }
}

/// Whether a failed watch cannot be resumed: the version is too old, or the API server does not have it any more,
/// because its etcd was restored from a backup.
fn must_list_again(failure: &Failure) -> bool {
    match failure {
        Failure::Status { code: 410, .. } => true,
        Failure::Status { code: 504, message } => message.contains("Too large resource version"),
        _ => false,
    }
}

/// A version, which must not be empty: a watch from an empty version would start somewhere else.
fn versioned(version: &str) -> Result<String, Failure> {
    if version.is_empty() {
        return Err(Failure::Unreadable(
            "the object or list has no resourceVersion".to_owned(),
        ));
    }
    Ok(version.to_owned())
}
