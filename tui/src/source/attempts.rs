//! The requests for one part: each outcome is reported to the dashboard, and decides when the next one is sent.

use std::time::Duration;

use tokio::time::Instant;

use super::Error;
use super::fault::Retry;
use super::message_sender::MessageSender;
use crate::model::{FaultKind, Message, Outcome, Part};

/// The requests for one part.
pub(super) struct Attempts {
    sender: MessageSender,
    /// The part whose state is reported; without one, nothing is reported to the dashboard.
    part: Option<Part>,
    retry: Retry,
    /// When the request that is under way was sent.
    sent: Instant,
    /// When the next one may be sent.
    due: Instant,
    /// Whether the dashboard knows that the last one succeeded.
    is_live: bool,
}

impl Attempts {
    /// For a part.
    pub(super) fn new(sender: &MessageSender, part: Part) -> Self {
        Self::of(sender, Some(part))
    }

    /// For something of which the dashboard is not told whether it fails.
    pub(super) fn silent(sender: &MessageSender) -> Self {
        Self::of(sender, None)
    }

    fn of(sender: &MessageSender, part: Option<Part>) -> Self {
        Self {
            sender: sender.clone(),
            part,
            retry: Retry::new(sender.random),
            sent: Instant::now(),
            due: Instant::now(),
            is_live: false,
        }
    }

    /// A request is sent.
    pub(super) fn begin(&mut self) {
        self.sent = Instant::now();
    }

    /// Whether the next request may be sent.
    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.due
    }

    /// When the next request may be sent.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// The next request is sent after a while, though the last one did not fail.
    pub(super) fn again_after(&mut self, time: Duration) {
        self.due = Instant::now() + self.sender.real(time);
    }

    /// The request succeeded.
    pub(super) async fn succeeded(&mut self) {
        self.retry.reset();
        self.sender.succeeded(self.part).await;
        if let Some(part) = self.part.filter(|_| !self.is_live) {
            self.is_live = true;
            let outcome = Message::Part(part, Outcome::Answered);
            self.sender.send(outcome).await;
        }
    }

    /// The request failed: says so, and when the next one is sent.
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

    /// Waits until the next request may be sent: for as long as was said, or until the server that did not answer does.
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

    /// The request failed: says so, and waits until the next one may be sent.
    pub(super) async fn failed_wait(&mut self, error: &Error) {
        self.failed(error).await;
        self.wait(error.fault().kind).await;
    }
}
