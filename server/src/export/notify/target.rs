//! Delivers notices to one target, one after the other: repeats failed attempts with growing delays, counts and logs.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use kubevitals_proto::backoff::{Backoff, random};
use reqwest::Response;
use tokio::sync::broadcast::{self, error::RecvError};

use super::notice::Notice;
use super::shared::{QUEUE, Shared};
use crate::outbound::{read_limited, retry_after};
use crate::telemetry::metrics::Counter;
use crate::telemetry::{LogThrottle, first_line};

/// The delay before the first retry, and the longest one.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The shortest time between two log lines about one target.
const LOG_INTERVAL: Duration = Duration::from_secs(600);

/// The most bytes of a response that are read, for the reason of an error.
const MAX_RESPONSE: usize = 16 << 10;

/// Why an attempt failed, in one line that says what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The target refuses this notice; repeating it is of no use.
    Refused(String),
    /// The target cannot be reached or is not ready; the attempt is repeated, after the delay that it asks for.
    Temporary {
        reason: String,
        delay: Option<Duration>,
    },
}

impl Failure {
    pub(super) fn temporary(reason: impl Into<String>) -> Self {
        Self::Temporary {
            reason: reason.into(),
            delay: None,
        }
    }
}

/// The kind of a target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// The value of the label `target` of its metrics.
    pub(super) label: &'static str,
    /// The words in log lines.
    pub(super) words: &'static str,
}

/// A target that receives notices in order.
pub(super) trait Target: Send + 'static {
    /// The kind.
    const KIND: Kind;

    /// The target in log lines: a file, a URL without secrets.
    fn location(&self) -> String;

    /// Delivers one notice.
    fn deliver(&mut self, notice: &Notice) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Delivers the notices of a queue. Does not return.
pub(super) async fn run<T: Target>(
    mut target: T,
    mut queue: broadcast::Receiver<Arc<Notice>>,
    shared: Arc<Shared>,
) {
    let mut attempts = Attempts::new(T::KIND, target.location());
    loop {
        let notice = match queue.recv().await {
            Ok(notice) => notice,
            Err(RecvError::Lagged(dropped)) => {
                attempts.dropped(&shared, dropped);
                continue;
            }
            Err(RecvError::Closed) => return std::future::pending().await,
        };
        loop {
            let delivered = target.deliver(&notice).await;
            match attempts.judge(&shared, delivered) {
                None => break,
                Some(delay) => shared.clock.sleep(delay).await,
            }
        }
        notice.handled(&shared.health);
    }
}

/// The attempts on one target: their delays, their metrics, and their log lines.
#[derive(Debug)]
pub(super) struct Attempts {
    kind: Kind,
    location: String,
    backoff: Backoff,
    failing: bool,
    losses: LogThrottle,
}

impl Attempts {
    pub(super) fn new(kind: Kind, location: String) -> Self {
        Self {
            kind,
            location,
            backoff: Backoff::new(RETRY.0, RETRY.1, random),
            failing: false,
            losses: LogThrottle::new(LOG_INTERVAL),
        }
    }

    /// Counts and logs the result of an attempt. Returns the delay before the next one; none if there is none.
    pub(super) fn judge(
        &mut self,
        shared: &Shared,
        result: Result<(), Failure>,
    ) -> Option<Duration> {
        let (location, metrics) = (&self.location, &shared.metrics);
        match result {
            Ok(()) => {
                metrics.notices.inc([self.kind.label, "delivered"]);
                self.backoff.reset();
                if std::mem::take(&mut self.failing) {
                    tracing::info!(
                        location,
                        "incidents can be sent to {} again",
                        self.kind.words
                    );
                }
                None
            }
            Err(Failure::Refused(reason)) => {
                metrics.notices.inc([self.kind.label, "refused"]);
                self.backoff.reset();
                if let Some(unreported) = self.losses.allow() {
                    tracing::warn!(
                        location,
                        unreported,
                        "a notice of an incident is lost: {} refuses it: {reason}",
                        self.kind.words
                    );
                }
                None
            }
            Err(Failure::Temporary { reason, delay }) => {
                metrics.retries.inc([self.kind.label]);
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(
                        location,
                        "cannot send incidents to {}: {reason}; the server retries, and keeps the last {} notices",
                        self.kind.words,
                        QUEUE
                    );
                }
                let own = self.backoff.delay();
                Some(delay.map_or(own, |delay| delay.max(own)))
            }
        }
    }

    fn dropped(&mut self, shared: &Shared, count: u64) {
        let counter = shared
            .metrics
            .notices
            .get_or_insert([self.kind.label, "dropped"], Counter::default);
        counter.inc_by(count);
        if let Some(unreported) = self.losses.allow() {
            tracing::warn!(
                location = self.location,
                count,
                unreported,
                "notices of incidents are lost: the queue for {} was full; the API still has the incidents",
                self.kind.words
            );
        }
    }
}

/// Judges a response by its status.
///
/// A status that is about this notice (400, 413, 422 …) loses only this notice. Every other one, such as a redirect or a
/// missing permission, is about all notices: none is lost before the administrator has corrected it.
///
/// # Errors
/// The status is no success.
pub(super) async fn judge_response(response: Response) -> Result<(), Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let delay = retry_after(response.headers(), SystemTime::now());
    let location = response.headers().get(http::header::LOCATION);
    let redirected = location.filter(|_| status.is_redirection());
    let redirected = redirected.map(|to| first_line(&String::from_utf8_lossy(to.as_bytes())));
    let body = read_limited(response, MAX_RESPONSE)
        .await
        .unwrap_or_default();
    let text = first_line(&String::from_utf8_lossy(&body));
    let colon = if text.is_empty() { "" } else { ": " };
    let reason = match redirected {
        Some(to) => format!("it answers {status} and redirects to {to}; set the URL to that one"),
        None => format!("it answers {status}{colon}{text}"),
    };
    Err(match status {
        StatusCode::BAD_REQUEST
        | StatusCode::GONE
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY => Failure::Refused(reason),
        _ => Failure::Temporary { reason, delay },
    })
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::super::metrics::NotifyMetrics;
    use super::super::notice::Action;
    use super::super::tests::notice;
    use super::*;
    use crate::clock::SystemClock;
    use crate::health::Health;

    /// Passes the IDs of notices on, and refuses one of them.
    struct Recorder(mpsc::UnboundedSender<String>);

    impl Target for Recorder {
        const KIND: Kind = Kind {
            label: "log",
            words: "the recorder",
        };

        fn location(&self) -> String {
            "here".to_owned()
        }

        async fn deliver(&mut self, notice: &Notice) -> Result<(), Failure> {
            self.0.send(notice.id.clone()).unwrap();
            match &*notice.id {
                "3" => Err(Failure::Refused("it is the third".to_owned())),
                _ => Ok(()),
            }
        }
    }

    #[tokio::test]
    async fn a_target_that_is_too_far_behind_gets_the_latest_notices() {
        let shared = Arc::new(Shared {
            health: Health::unfed(),
            clock: Arc::new(SystemClock::default()),
            metrics: NotifyMetrics::default(),
        });
        let (queue, receiver) = broadcast::channel(2);
        for id in 0..5 {
            let mut notice = notice(Action::Opened);
            notice.id = id.to_string();
            queue.send(Arc::new(notice)).unwrap();
        }
        let (sender, mut ids) = mpsc::unbounded_channel();
        let task = tokio::spawn(run(Recorder(sender), receiver, Arc::clone(&shared)));
        let both = [ids.recv().await.unwrap(), ids.recv().await.unwrap()];
        assert_eq!(both, ["3", "4"]);
        let counted = shared.metrics.notices.read();
        let count = |result| counted.get(&["log", result]).copied();
        assert_eq!((count("dropped"), count("refused")), (Some(3), Some(1)));
        task.abort();
    }
}
