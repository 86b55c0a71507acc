//! Streams of logs of containers: each is followed, and requested again after an interruption.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use super::intake::{Intake, Splitter};
use crate::model::log::{LogRequest, LogTarget, StreamState};
use crate::model::{FaultKind, Message};
use crate::source::client::escaped;
use crate::source::fault::Retry;
use crate::source::message_sender::MessageSender;
use crate::source::status::About;
use crate::source::{ApiClient, Error};

/// The shortest time between two batches: as long as the dashboard draws at most.
const APART: Duration = Duration::from_millis(50);

/// How many of the last lines are requested, of all containers together.
const TAIL: usize = 2_000;

/// The fewest of the last lines that are requested of a container.
const LEAST_TAIL: usize = 20;

/// The most bytes from a past time on.
const PAST_BYTES: usize = 4 << 20;

/// How long a server may take to start a stream.
const PATIENCE: Duration = Duration::from_secs(30);

/// The source of logs.
pub(super) struct Logs {
    pub(super) client: ApiClient,
    pub(super) sender: MessageSender,
}

/// What the streams of a request share.
#[derive(Debug, Default)]
struct Shared {
    intake: Mutex<Intake>,
    changed: Notify,
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut Intake)) {
        change(&mut self.intake.lock());
        self.changed.notify_one();
    }
}

impl Logs {
    /// Follows the logs of the latest request, for ever. Without a request, nothing runs.
    pub(super) async fn run(&self, mut requests: watch::Receiver<Option<LogRequest>>) {
        loop {
            let request = requests.borrow_and_update().clone();
            match request {
                Some(request) => self.follow(request, &mut requests).await,
                None => {
                    if requests.changed().await.is_err() {
                        return std::future::pending().await;
                    }
                }
            }
        }
    }

    /// Follows the containers of a request until another one replaces it.
    async fn follow(
        &self,
        request: LogRequest,
        requests: &mut watch::Receiver<Option<LogRequest>>,
    ) {
        let shared = Arc::new(Shared::default());
        let mut request = request;
        let mut streams = FuturesUnordered::new();
        let mut started = 0;
        let batches = self.send_batches(request.id, &shared);
        tokio::pin!(batches);
        loop {
            let share = (TAIL / request.targets.len().max(1)).max(LEAST_TAIL);
            for (at, target) in request.targets.iter().enumerate().skip(started) {
                let at = u16::try_from(at).unwrap_or(u16::MAX);
                let stream = Stream {
                    source: self,
                    request: request.clone(),
                    target: target.clone(),
                    at,
                    tail: share,
                    shared: Arc::clone(&shared),
                };
                streams.push(stream.run());
            }
            started = request.targets.len();
            tokio::select! {
                () = &mut batches => {}
                Some(()) = streams.next() => {}
                changed = requests.changed() => {
                    if changed.is_err() {
                        return std::future::pending().await;
                    }
                    let latest = requests.borrow_and_update().clone();
                    match latest {
                        // The same request with more containers.
                        Some(more) if more.id == request.id => request = more,
                        _ => {
                            requests.mark_changed();
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Sends what the streams receive, for ever.
    async fn send_batches(&self, id: u64, shared: &Shared) {
        let mut due = Instant::now();
        loop {
            shared.changed.notified().await;
            sleep_until(due).await;
            due = Instant::now() + APART;
            let batch = || Message::Logs(Box::new(shared.intake.lock().take(id)));
            self.sender.send_alone(batch).await;
        }
    }
}

/// The log of one container.
struct Stream<'a> {
    source: &'a Logs,
    request: LogRequest,
    target: LogTarget,
    at: u16,
    tail: usize,
    shared: Arc<Shared>,
}

impl Stream<'_> {
    /// Reads the log to its end. A live one has no end: it continues with the next incarnation of the container.
    async fn run(self) {
        let sender = &self.source.sender;
        let mut retry = Retry::new(sender.random);
        let mut splitter = Splitter::default();
        loop {
            let (delay, state) = match self.read(&mut splitter, &mut retry).await {
                Ok(()) if !self.is_live() => {
                    self.set(StreamState::Complete);
                    return;
                }
                Ok(()) => (
                    retry.delay_after(FaultKind::Unavailable),
                    StreamState::Ended,
                ),
                Err(error) => {
                    let fault = error.fault();
                    let delay = retry.delay(&error);
                    let retry_at = (self.is_live()
                        || !fault.kind.is_refusal() && fault.kind != FaultKind::Invalid)
                        .then(|| sender.after(delay));
                    let state = StreamState::Failed {
                        why: fault.text,
                        retry_at,
                    };
                    if retry_at.is_none() {
                        self.set(state);
                        return;
                    }
                    (delay, state)
                }
            };
            self.set(state);
            sender.sleep(delay).await;
            splitter.resume();
        }
    }

    /// Whether new lines are followed.
    const fn is_live(&self) -> bool {
        !self.request.previous && self.request.since.is_none()
    }

    fn set(&self, state: StreamState) {
        self.shared.change(|intake| intake.set(self.at, state));
    }

    /// Reads one response to its end.
    async fn read(&self, splitter: &mut Splitter, retry: &mut Retry) -> Result<(), Error> {
        let about = About {
            resource: "pods",
            name: &self.target.pod,
        };
        let client = self.source.client.clone().impatient(PATIENCE);
        let mut chunks = client.stream(&self.path(splitter), about).await?;
        self.set(if self.is_live() {
            StreamState::Live
        } else {
            StreamState::Requested
        });
        let ended = loop {
            match chunks.next().await {
                Ok(Some(chunk)) => {
                    self.shared
                        .change(|intake| splitter.push(self.at, &chunk, intake));
                    // A log that has ended repeats only its last line.
                    if !splitter.is_resuming() {
                        retry.reset();
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(client.explain(&*error)),
            }
        };
        self.shared.change(|intake| splitter.end(self.at, intake));
        ended
    }

    /// The path and query: from the last line on, from the time of the request on, or the last lines.
    fn path(&self, splitter: &Splitter) -> String {
        let LogTarget {
            namespace,
            pod,
            container,
        } = &self.target;
        let mut path = format!(
            "/api/v1/namespaces/{}/pods/{}/log?container={}&timestamps=true",
            escaped(namespace),
            escaped(pod),
            escaped(container)
        );
        // Writing to a string cannot fail.
        let _ = match splitter.last().or(self.request.since) {
            Some(since) => write!(path, "&sinceTime={}", escaped(&since.to_string())),
            None => write!(path, "&tailLines={}", self.tail),
        };
        if self.request.since.is_some() {
            let _ = write!(path, "&limitBytes={PAST_BYTES}");
        }
        if self.request.previous {
            path.push_str("&previous=true");
        }
        if self.is_live() {
            path.push_str("&follow=true");
        }
        path
    }
}
