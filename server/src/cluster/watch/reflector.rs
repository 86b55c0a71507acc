//! Lists a collection and watches it, for ever.
//!
//! It begins with what costs the API server least, and adapts once and for all to an API server that has less:
//!
//! 1. a watch in protobuf that begins with all objects (`WatchList`, on by default since Kubernetes 1.34): the API server
//!    takes them one by one from its cache, consistent with etcd, and never builds the whole list;
//! 2. where that is not served, pages in protobuf: the first time from the API server's cache, whatever its age, since
//!    the watch that follows brings what is missing; later, when older state than the known one would bring back what is
//!    gone, of the most recent state;
//! 3. where protobuf is not served, pages in JSON.
//!
//! A watch that ends is resumed. One that cannot be resumed is begun anew.

use std::time::Duration;

use futures::Stream;
use kube::Client;
use kube::runtime::watcher::Event;
use kubevitals_proto::backoff::{Backoff, Random};
use kubevitals_proto::objects::Item;
use tokio::time::{Instant, sleep};

use super::failure::{Failure, Kind};
use super::request::{Collection, Encoding, Page, Start};
use super::response::{EventReader, ListMeta, PageReader, WatchEvent};

/// A watch is begun anew after this long: shorter than the time after which a silent connection is given up
/// (`config::apiserver`), so that a quiet watch is not taken for a dead one.
const WATCH_SECONDS: u64 = 120;

/// As long as a watch may take that begins with all objects.
const INITIAL_WATCH_SECONDS: u64 = 600;

/// A watch that says nothing for so long, not even its end, is dead.
const WATCH_SILENCE: Duration = Duration::from_secs(WATCH_SECONDS + 5);

/// An answer that does not begin, or does not go on, within this long is given up.
const SILENCE: Duration = Duration::from_secs(60);

/// After this long without an event, a watch that has not said where its initial objects end is not going to: an API
/// server without `WatchList` ignores that it was asked to.
const END_OF_LIST_TIMEOUT: Duration = Duration::from_secs(30);

/// A watch that lasts shorter than this and brings nothing has failed.
const MIN_WATCH: Duration = Duration::from_secs(1);

/// Delays after a denial: an API server that starts denies everything for seconds, one whose administrator has not
/// granted a right for good.
const DENIED_DELAYS: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(600));

/// Delays after any other failure, client-go's.
const FAILED_DELAYS: (Duration, Duration) = (Duration::from_millis(800), Duration::from_secs(30));

/// An attempt that failed, and when the next one follows.
#[derive(Debug)]
pub(super) struct FailedAttempt {
    /// What happened.
    pub(super) failure: Failure,
    /// The delay before the next attempt.
    pub(super) retry_in: Duration,
}

/// Lists and watches one collection.
pub(super) struct Reflector<K> {
    client: Client,
    collection: Collection,
    encoding: Encoding,
    /// Whether lists are asked for as the beginning of a watch.
    watch_list: bool,
    /// Whether the attempt under way is such a watch.
    initial: bool,
    /// Whether there has been a list.
    listed: bool,
    state: State<K>,
    pause: Option<Duration>,
    denied: Backoff,
    failed: Backoff,
}

#[derive(Debug)]
enum State<K> {
    /// Nothing is known.
    Empty,
    /// A watch brings the objects that there are.
    Initial(EventReader<K>),
    /// A list follows, from its first page or from the one after `next`.
    Listing { next: Option<String> },
    /// A page is read.
    Paging(PageReader<K>),
    /// All is known up to a version.
    Known(String),
    /// A watch brings changes.
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
    /// Begins with nothing. `watch_list`: whether a watch may bring the list, for which no right to list is needed.
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
        }
    }

    /// What happens, for ever. The stream waits by itself after a failure.
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
                        "the API server does not serve this form of a list: another one follows",
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

    /// Whether another form of list is to be tried after this failure. Each form is given up once, so this ends.
    fn try_other_form(&mut self, failure: &Failure) -> bool {
        let status = match failure {
            Failure::Status { code, .. } => Some(*code),
            _ => None,
        };
        // A server that does not know or does not want the parameters: 400 and 422; one whose cache cannot be brought up
        // to date: 504.
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

    /// An attempt was answered as it should be.
    fn reset_backoff(&mut self) {
        self.denied.reset();
        self.failed.reset();
    }

    /// One step; an event, if it brings one. A step that fails leaves the state from which to go on.
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
                    // A page of JSON is read whole, so it must not be everything.
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
            State::Known(version) => {
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
                            self.state = State::Known(version);
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
            // An end before the end of the list, or silence: it does not know what it was asked for.
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
            // Nothing is deleted in what exists.
            WatchEvent::Bookmark { .. } | WatchEvent::Deleted(_) => {
                self.state = State::Initial(events);
                None
            }
        })
    }

    fn end_page(&mut self, meta: ListMeta) -> Result<Option<Event<K>>, Failure> {
        if !meta.next.is_empty() {
            self.state = State::Listing {
                next: Some(meta.next),
            };
            return Ok(None);
        }
        self.state = State::Known(versioned(&meta.version)?);
        self.listed = true;
        self.reset_backoff();
        Ok(Some(Event::InitDone))
    }

    async fn watching(&mut self, mut watching: Watching<K>) -> Result<Option<Event<K>>, Failure> {
        let notice = match watching.events.next().await {
            Ok(Some(notice)) => notice,
            Ok(None) => return self.ended(watching, Failure::EndedAtOnce),
            Err(failure @ (Failure::Connection(_) | Failure::Silent(_))) => {
                return self.ended(watching, failure);
            }
            Err(failure) => {
                if !must_list_again(&failure) {
                    self.state = State::Known(watching.version);
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
                None
            }
        };
        self.state = State::Watching(watching);
        Ok(event)
    }

    /// A watch has ended, as each does after a while and each whose connection is cut. It is resumed at once, unless it
    /// has just begun and brought nothing.
    fn ended(
        &mut self,
        watching: Watching<K>,
        failure: Failure,
    ) -> Result<Option<Event<K>>, Failure> {
        self.state = State::Known(watching.version);
        if watching.has_events || watching.started.elapsed() >= MIN_WATCH {
            return Ok(None);
        }
        Err(failure)
    }
}

/// Whether a watch that failed so cannot be resumed from where it was: the version is too old, or the API server has
/// lost its future, as one whose etcd was restored from a backup.
fn must_list_again(failure: &Failure) -> bool {
    match failure {
        Failure::Status { code: 410, .. } => true,
        Failure::Status { code: 504, message } => message.contains("Too large resource version"),
        _ => false,
    }
}

/// A version, which must not be empty: a watch from an empty one begins somewhere else.
fn versioned(version: &str) -> Result<String, Failure> {
    if version.is_empty() {
        return Err(Failure::Unreadable("it has no resourceVersion".to_owned()));
    }
    Ok(version.to_owned())
}
