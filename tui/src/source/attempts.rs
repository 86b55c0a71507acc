//! The requests for one part: reports each outcome to the dashboard and decides when the next request is due.

use std::time::Duration;

use tokio::time::Instant;

use super::Error;
use super::fault::Retry;
use super::message_sender::MessageSender;
use crate::model::{FaultKind, Message, Outcome, Part};

/// The requests for one part.
pub(super) struct Attempts {
    sender: MessageSender,
    /// The part whose state is reported; none reports nothing.
    part: Option<Part>,
    retry: Retry,
    /// When the last request was sent.
    sent: Instant,
    /// When the next request is due.
    due: Instant,
    /// Whether the success has been reported.
    is_live: bool,
}

impl Attempts {
    /// Attempts for a part. Without one, the outcome is not reported.
    pub(super) fn new(sender: &MessageSender, part: impl Into<Option<Part>>) -> Self {
        Self {
            sender: sender.clone(),
            part: part.into(),
            retry: Retry::new(sender.random),
            sent: Instant::now(),
            due: Instant::now(),
            is_live: false,
        }
    }

    /// Stores that a request is being sent.
    pub(super) fn begin(&mut self) {
        self.sent = Instant::now();
    }

    /// Whether the next request is due.
    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.due
    }

    /// When the next request is due.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// Sets the time until the next request after a success.
    pub(super) fn again_after(&mut self, time: Duration) {
        self.due = Instant::now() + self.sender.real(time);
    }

    /// Reports a success.
    pub(super) async fn succeeded(&mut self) {
        self.retry.reset();
        self.sender.succeeded(self.part).await;
        if let Some(part) = self.part.filter(|_| !self.is_live) {
            self.is_live = true;
            let outcome = Message::Part(part, Outcome::Succeeded);
            self.sender.send(outcome).await;
        }
    }

    /// Reports a failure and when the next request is due.
    pub(super) async fn failed(&mut self, error: &Error) {
        let delay = self.retry.delay(error);
        let retry_at = Some(self.sender.after(delay));
        self.again_after(delay);
        self.is_live = false;
        let why = error.fault();
        tracing::debug!(part = ?self.part, why = why.text, "request failed");
        self.sender.failed(self.part, &why, self.sent);
        if let Some(part) = self.part {
            let outcome = Outcome::Failed { why, retry_at };
            self.sender.send(Message::Part(part, outcome)).await;
        }
    }

    /// Waits until the next request is due; after no response, at most until the server answers again.
    pub(super) async fn wait(&self, kind: FaultKind) {
        let wait = tokio::time::sleep_until(self.due);
        if kind.is_refusal() {
            return wait.await;
        }
        tokio::select! {
            () = wait => {}
            () = self.sender.reconnected() => {}
        }
    }

    /// Reports a failure and waits until the next request is due.
    pub(super) async fn failed_wait(&mut self, error: &Error) {
        self.failed(error).await;
        self.wait(error.fault().kind).await;
    }
}
