//! Sends reviews to the API server.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use kube::Client;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::telemetry::chain;

/// The longest duration of a review with its waiting time and all attempts, as in k8s.io/apiserver.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The number of attempts if the failure is transient.
const ATTEMPTS: u32 = 3;

/// The delay before the second attempt; the third waits twice as long.
const BACKOFF: Duration = Duration::from_millis(200);

/// The largest response in bytes. A response contains the whole request.
const MAX_RESPONSE: usize = 1 << 20;

/// Why a review failed. All requests that wait for the review share the error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReviewError {
    #[error("the API server did not answer in {TIMEOUT:?}")]
    TimedOut,
    #[error("the API server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the API server rejected the review: {0}")]
    Rejected(String),
    #[error("the review cannot be encoded, or its response cannot be parsed: {0}")]
    Unreadable(String),
    #[error("too many reviews are waiting")]
    Busy,
    #[error("the review panicked, which is a defect of this program")]
    Panicked,
}

/// The number of reviews that may wait, for each that runs. A review continues when its request is gone, so neither
/// connections nor requests in flight limit their number.
const WAITING_PER_SLOT: usize = 16;

/// Sends one kind of review, a limited number at the same time.
pub(super) struct Reviewer {
    client: Client,
    path: &'static str,
    permits: Arc<Semaphore>,
    running: Semaphore,
}

impl Reviewer {
    pub(super) fn new(client: Client, path: &'static str, at_once: usize) -> Self {
        Self {
            client,
            path,
            permits: Arc::new(Semaphore::new(at_once.saturating_mul(1 + WAITING_PER_SLOT))),
            running: Semaphore::new(at_once),
        }
    }

    /// Takes a permit to wait and run.
    ///
    /// # Errors
    /// [`ReviewError::Busy`] if there is none.
    pub(super) fn permit(&self) -> Result<OwnedSemaphorePermit, ReviewError> {
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        permit.map_err(|_| ReviewError::Busy)
    }

    /// Sends a review, and releases the permit at the end. `read` reads the response.
    pub(super) async fn review<A: DeserializeOwned, T>(
        &self,
        _permit: OwnedSemaphorePermit,
        review: &impl Serialize,
        read: impl FnOnce(A) -> Result<T, ReviewError>,
    ) -> Result<T, ReviewError> {
        match timeout(TIMEOUT, self.attempts(review)).await {
            Ok(response) => response.and_then(read),
            Err(_) => Err(ReviewError::TimedOut),
        }
    }

    async fn attempts<A: DeserializeOwned>(
        &self,
        review: &impl Serialize,
    ) -> Result<A, ReviewError> {
        let body = serde_json::to_vec(review)
            .map(Bytes::from)
            .map_err(|error| ReviewError::Unreadable(error.to_string()))?;
        // The semaphore is never closed.
        let _running = self.running.acquire().await;
        let mut attempt = 1;
        loop {
            match self.attempt(body.clone()).await {
                Err((_, true)) if attempt < ATTEMPTS => {
                    sleep(BACKOFF * attempt).await;
                    attempt += 1;
                }
                result => return result.map_err(|(error, _)| error),
            }
        }
    }

    /// Sends the review once. An error comes with whether it is transient.
    async fn attempt<A: DeserializeOwned>(&self, body: Bytes) -> Result<A, (ReviewError, bool)> {
        let unreachable = |error: &(dyn std::error::Error + 'static)| {
            (ReviewError::Unreachable(chain(error)), true)
        };
        let request = Request::post(self.path)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(kube::client::Body::from(body.to_vec()))
            .map_err(|error| (ReviewError::Unreadable(error.to_string()), false))?;
        // Not kube's own request methods: they log a response that they cannot parse, and the response contains the
        // token.
        let response = self
            .client
            .send(request)
            .await
            .map_err(|error| unreachable(&error))?;
        let status = response.status();
        let response = Limited::new(response.into_body(), MAX_RESPONSE)
            .collect()
            .await
            .map_err(|error| unreachable(error.as_ref()))?
            .to_bytes();
        if !status.is_success() {
            let refused = ReviewError::Rejected(status_text(status, &response));
            let transient = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
            return Err((refused, transient));
        }
        // The position of the error, without the text.
        serde_json::from_slice(&response).map_err(|error| {
            let position = format!(
                "{:?} in line {}, column {}",
                error.classify(),
                error.line(),
                error.column()
            );
            (ReviewError::Unreadable(position), false)
        })
    }
}

/// The status and the message of an error response, shortened to one line.
fn status_text(status: StatusCode, response: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct StatusMessage {
        message: String,
    }
    match serde_json::from_slice::<StatusMessage>(response) {
        Ok(StatusMessage { message }) => format!(
            "{status}: {}",
            message.chars().take(300).collect::<String>()
        ),
        Err(_) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::Response;
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;

    /// A reviewer whose API server answers request n, from 0, with `response(n)`.
    fn reviewer<F>(
        at_once: usize,
        response: impl Fn(usize) -> F + Clone + Send + Sync + 'static,
    ) -> Reviewer
    where
        F: Future<Output = (u16, String)> + Send + 'static,
    {
        let requests = Arc::new(AtomicUsize::new(0));
        let service = tower::service_fn(move |_: Request<Body>| {
            let response = response(requests.fetch_add(1, Ordering::Relaxed));
            async move {
                let (status, text) = response.await;
                let mut response = Response::new(Body::from(text.into_bytes()));
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                Ok::<_, Infallible>(response)
            }
        });
        Reviewer::new(Client::new(service, "default"), "/reviews", at_once)
    }

    async fn review(reviewer: &Reviewer) -> Result<Value, ReviewError> {
        let permit = reviewer.permit()?;
        reviewer
            .review(permit, &json!({"token": "secret"}), Ok::<Value, _>)
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn only_transient_failures_are_retried() {
        for (statuses, expected) in [
            (&[201][..], Ok(())),
            (&[500, 429, 201], Ok(())),
            (&[503, 503, 503, 201], Err("503 Service Unavailable")),
            (&[403, 201], Err("403 Forbidden: you may not")),
        ] {
            let reviewer = reviewer(1, move |n| async move {
                let status = statuses.get(n).copied().unwrap_or(404);
                let text = match status {
                    403 => r#"{"message": "you may not"}"#,
                    503 => "no JSON",
                    _ => "{}",
                };
                (status, text.to_owned())
            });
            let response = review(&reviewer).await;
            let expected =
                expected.map_err(|status_text| ReviewError::Rejected(status_text.to_owned()));
            assert_eq!(response.map(drop), expected, "{statuses:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_api_server_times_out() {
        let reviewer = reviewer(1, |_| std::future::pending());
        assert_eq!(review(&reviewer).await, Err(ReviewError::TimedOut));
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_reviews_are_limited() {
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let (now, peak) = (Arc::clone(&running), Arc::clone(&most));
        let reviewer = reviewer(3, move |_| {
            let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
            async move {
                peak.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                sleep(Duration::from_millis(10)).await;
                now.fetch_sub(1, Ordering::Relaxed);
                (201, "{}".to_owned())
            }
        });
        let all = futures::future::join_all((0..20).map(|_| review(&reviewer))).await;
        assert!(all.iter().all(Result::is_ok));
        assert_eq!(most.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn waiting_reviews_are_limited() {
        let reviewer = reviewer(2, |_| std::future::ready((201, "{}".to_owned())));
        let permits: Vec<_> = (0..2 * (1 + WAITING_PER_SLOT))
            .map(|_| reviewer.permit())
            .collect();
        assert!(permits.iter().all(Result::is_ok));
        assert_eq!(review(&reviewer).await, Err(ReviewError::Busy));
        drop(permits);
        assert!(review(&reviewer).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_unreadable_response_is_not_quoted() {
        for text in [
            r#"{"spec": {"token": "secret"}, "#.to_owned(),
            r#"{"spec": {"token": "secret"}} secret"#.to_owned(),
            "secret".to_owned(),
        ] {
            let reviewer = reviewer(1, move |_| std::future::ready((201, text.clone())));
            let error = review(&reviewer).await.unwrap_err();
            assert!(matches!(error, ReviewError::Unreadable(_)), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        // However long the response is.
        let long = "x".repeat(2 * MAX_RESPONSE);
        let reviewer = reviewer(1, move |_| std::future::ready((201, long.clone())));
        let error = review(&reviewer).await.unwrap_err();
        assert!(matches!(error, ReviewError::Unreachable(_)), "{error}");
    }
}
