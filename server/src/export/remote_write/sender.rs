//! Sends the requests of one queue, one after the other: a receiver accepts the samples of a series only in order.

use std::time::{Duration, SystemTime};

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use kubevitals_proto::backoff::{Backoff, random};
use reqwest::{Response, Url};
use tokio_util::sync::CancellationToken;

use std::sync::Arc;

use super::encode::Protocol;
use super::metrics::RemoteWriteMetrics;
use super::queue::{Queue, Request};
use super::transcode;
use crate::clock::Clock;
use crate::outbound::{Client, OutboundError, read_limited, retry_after, shown_url};
use crate::telemetry::{LogThrottle, first_line};

const VERSION: HeaderName = HeaderName::from_static("x-prometheus-remote-write-version");

/// The header of a receiver that supports 2.0: the number of samples that it has written.
const WRITTEN: &str = "x-prometheus-remote-write-samples-written";

/// The delays between two attempts.
const DELAYS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The shortest time between two log lines about one receiver.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// The most bytes of a response that are read, for the log.
const MAX_RESPONSE: usize = 4096;

/// The sender to one receiver.
pub(super) struct Sender {
    pub(super) url: Url,
    pub(super) client: Arc<Client>,
    pub(super) queue: Arc<Queue>,
    pub(super) metrics: RemoteWriteMetrics,
    pub(super) clock: Arc<dyn Clock>,
    state: State,
}

struct State {
    backoff: Backoff,
    lines: LogThrottle,
    /// Failures since the last success.
    failures: u64,
    /// The receiver does not support 2.0.
    only_v1: bool,
}

/// What became of a request.
enum Outcome {
    Accepted,
    /// Refused for good, and why.
    Refused(String),
    /// To be repeated after a delay, or the usual one, and why.
    Retry(Option<Duration>, String),
    /// To be repeated at once as 1.0.
    Downgrade,
}

impl Sender {
    pub(super) fn new(
        url: Url,
        client: Arc<Client>,
        queue: Arc<Queue>,
        metrics: RemoteWriteMetrics,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            url,
            client,
            queue,
            metrics,
            clock,
            state: State {
                backoff: Backoff::new(DELAYS.0, DELAYS.1, random),
                lines: LogThrottle::new(LOG_INTERVAL),
                failures: 0,
                only_v1: false,
            },
        }
    }

    /// Sends until `stop`, and finishes the attempt under way. A request stays in the queue until the receiver has accepted
    /// it, or refused it for good.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        while let Some(request) = stop.run_until_cancelled(self.queue.front()).await {
            if let Some(delay) = self.attempt(request).await {
                stop.run_until_cancelled(self.clock.sleep(delay)).await;
            }
        }
    }

    /// Sends one request. Returns the delay before the next attempt, if it must be repeated.
    async fn attempt(&mut self, request: Request) -> Option<Duration> {
        let request = if self.state.only_v1 {
            transcode::to_v1(request)
        } else {
            request
        };
        let samples = request.samples as u64;
        let bytes = request.body.len() as u64;
        match self.send(&request).await {
            Outcome::Accepted => {
                self.queue.pop();
                self.metrics.requests.inc(["success"]);
                self.metrics.add_samples("sent", samples);
                self.metrics.bytes.inc_by(bytes);
                self.state.backoff.reset();
                let failures = std::mem::take(&mut self.state.failures);
                if failures > 0 {
                    tracing::info!(
                        url = shown_url(&self.url),
                        failures,
                        "the receiver of remote write accepts requests again"
                    );
                }
                None
            }
            Outcome::Refused(why) => {
                self.queue.pop();
                self.metrics.requests.inc(["refused"]);
                self.metrics.add_samples("refused", samples);
                if let Some(unreported) = self.state.lines.allow() {
                    tracing::warn!(
                        url = shown_url(&self.url),
                        samples,
                        unreported,
                        "the receiver of remote write refuses samples, which are lost: {why}"
                    );
                }
                None
            }
            Outcome::Retry(after, why) => {
                self.metrics.requests.inc(["retried"]);
                self.state.failures += 1;
                let delay = self.state.backoff.delay();
                if let Some(unreported) = self.state.lines.allow() {
                    tracing::warn!(
                        url = shown_url(&self.url),
                        unreported,
                        "cannot send remote write: {why}; samples wait in the queue, and the request is repeated"
                    );
                }
                Some(after.map_or(delay, |after| after.max(delay)))
            }
            Outcome::Downgrade => {
                self.state.only_v1 = true;
                tracing::info!(
                    url = shown_url(&self.url),
                    "the receiver does not support remote write 2.0, and gets 1.0"
                );
                None
            }
        }
    }

    async fn send(&self, request: &Request) -> Outcome {
        let mut headers = HeaderMap::new();
        let protocol = request.protocol;
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("snappy"));
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(protocol.content_type()),
        );
        headers.insert(VERSION, HeaderValue::from_static(protocol.version()));
        let body = request.body.clone();
        match self
            .client
            .send(Method::POST, &self.url, headers, body)
            .await
        {
            Ok(response) => judge(request, response).await,
            Err(error @ OutboundError::Config(_)) => Outcome::Retry(None, error.to_string()),
            Err(error) => Outcome::Retry(None, error.to_string()),
        }
    }
}

/// Decides by the specification: 2xx is a success, 5xx and 429 are repeated, other 4xx are not. It does not speak of 3xx:
/// a redirect is not followed, and repeated, because it keeps the samples while somebody mends the URL.
async fn judge(request: &Request, response: Response) -> Outcome {
    let status = response.status();
    if status.is_success() {
        let counted = response.headers().contains_key(WRITTEN);
        // A receiver of 1.0 accepts a request of 2.0, finds no field that it knows, and writes nothing.
        return if request.protocol == Protocol::V2 && !counted {
            Outcome::Downgrade
        } else {
            Outcome::Accepted
        };
    }
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE && request.protocol == Protocol::V2 {
        return Outcome::Downgrade;
    }
    let after = retry_after(response.headers(), SystemTime::now());
    let text = read_limited(response, MAX_RESPONSE)
        .await
        .unwrap_or_default();
    let text = first_line(&String::from_utf8_lossy(&text));
    let why = if text.is_empty() {
        status.to_string()
    } else {
        format!("{status}: {text}")
    };
    if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
        Outcome::Refused(why)
    } else {
        Outcome::Retry(after, why)
    }
}
