//! How the API server is asked for a review.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use kube::Client;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use super::counts::{ReviewCounts, Reviewed};
use crate::telemetry::chain;

/// The longest a review may take, waiting for a turn and all attempts together, as in k8s.io/apiserver.
const LONGEST: Duration = Duration::from_secs(10);

/// How often a review is tried that failed in a way that may pass.
const ATTEMPTS: u32 = 3;

/// Until the second attempt; twice as long until the third.
const PAUSE: Duration = Duration::from_millis(200);

/// The most bytes of an answer: a review's question comes back in it.
const MOST: usize = 1 << 20;

/// Why there is no answer. Shared by all who waited for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReviewError {
    #[error("the API server did not answer in {LONGEST:?}")]
    TimedOut,
    #[error("the API server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the API server refused: {0}")]
    Refused(String),
    #[error("the question or the API server's answer cannot be read: {0}")]
    Garbled(String),
    #[error("the review ended by a defect of this program")]
    Broken,
}

/// Asks for one kind of review, so many at the same moment.
pub(super) struct Reviewer {
    client: Client,
    path: &'static str,
    turns: Semaphore,
}

impl Reviewer {
    pub(super) fn new(client: Client, path: &'static str, at_once: usize) -> Self {
        Self {
            client,
            path,
            turns: Semaphore::new(at_once),
        }
    }

    /// Asks; `told` says what a good answer came to, for the counts.
    pub(super) async fn ask<A: DeserializeOwned, T>(
        &self,
        review: &impl Serialize,
        counts: &ReviewCounts,
        read: impl FnOnce(A) -> Result<(T, Reviewed), ReviewError>,
    ) -> Result<T, ReviewError> {
        let began = Instant::now();
        let answer = match timeout(LONGEST, self.attempts(review)).await {
            Ok(answer) => answer.and_then(read),
            Err(_) => Err(ReviewError::TimedOut),
        };
        let result = answer
            .as_ref()
            .map_or(Reviewed::Failed, |(_, result)| *result);
        counts.reviewed(result, began.elapsed());
        answer.map(|(answer, _)| answer)
    }

    async fn attempts<A: DeserializeOwned>(
        &self,
        review: &impl Serialize,
    ) -> Result<A, ReviewError> {
        let body = serde_json::to_vec(review)
            .map(Bytes::from)
            .map_err(|error| ReviewError::Garbled(error.to_string()))?;
        // It is never closed.
        let _turn = self.turns.acquire().await;
        let mut attempt = 1;
        loop {
            match self.attempt(body.clone()).await {
                Err(Attempt::Passing(_)) if attempt < ATTEMPTS => {
                    sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                Err(Attempt::Passing(error) | Attempt::Final(error)) => return Err(error),
                Ok(answer) => return Ok(answer),
            }
        }
    }

    async fn attempt<A: DeserializeOwned>(&self, body: Bytes) -> Result<A, Attempt> {
        let unreachable = |error: &dyn std::error::Error| {
            Attempt::Passing(ReviewError::Unreachable(chain(error)))
        };
        let request = Request::post(self.path)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(kube::client::Body::from(body.to_vec()))
            .map_err(|error| Attempt::Final(ReviewError::Garbled(error.to_string())))?;
        // Not kube's own methods for objects: they write an answer into the log that they cannot read, and the
        // token is in it.
        let answer = self
            .client
            .send(request)
            .await
            .map_err(|error| unreachable(&error))?;
        let status = answer.status();
        let answer = Limited::new(answer.into_body(), MOST)
            .collect()
            .await
            .map_err(|error| unreachable(error.as_ref()))?
            .to_bytes();
        if !status.is_success() {
            let refused = ReviewError::Refused(said(status, &answer));
            let passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
            return Err(if passing {
                Attempt::Passing(refused)
            } else {
                Attempt::Final(refused)
            });
        }
        // The line and column of what is wrong, and nothing of it.
        serde_json::from_slice(&answer).map_err(|error| {
            let place = format!(
                "{:?} in line {}, column {}",
                error.classify(),
                error.line(),
                error.column()
            );
            Attempt::Final(ReviewError::Garbled(place))
        })
    }
}

/// One attempt's failure.
enum Attempt {
    Passing(ReviewError),
    Final(ReviewError),
}

/// What a refusal says, cut to a line's length.
fn said(status: StatusCode, answer: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Said {
        message: String,
    }
    match serde_json::from_slice::<Said>(answer) {
        Ok(Said { message }) => format!(
            "{status}: {}",
            message.chars().take(300).collect::<String>()
        ),
        Err(_) => status.to_string(),
    }
}
