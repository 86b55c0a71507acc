//! What the tasks of a source tell the dashboard through.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep};

use crate::clock::Clock;
use crate::model::{Fault, FaultKind, Link, Message, Names, Outcome, Part};

/// The way from a source's tasks to the dashboard.
#[derive(Clone)]
pub(super) struct Teller {
    messages: mpsc::Sender<Message>,
    clock: Clock,
    /// Names, each in memory once.
    pub(super) names: Arc<Names>,
    /// When the connection was lost, in nanoseconds; zero while it stands.
    lost: Arc<AtomicI64>,
}

impl Teller {
    pub(super) fn new(messages: mpsc::Sender<Message>, clock: Clock) -> Self {
        Self {
            messages,
            clock,
            names: Arc::default(),
            lost: Arc::default(),
        }
    }

    /// What time it is.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What time it will be after so much of the cluster's time.
    pub(super) fn after(&self, time: Duration) -> Timestamp {
        let nanos = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        self.now().plus_nanos(nanos)
    }

    /// Waits for so much of the cluster's time.
    pub(super) fn sleep(&self, time: Duration) -> Sleep {
        sleep(self.clock.wait(time))
    }

    /// Tells something; waits while the dashboard has more to take in than it can.
    pub(super) async fn tell(&self, message: Message) {
        // A dashboard that is gone wants to know nothing more.
        let _ = self.messages.send(message).await;
    }

    /// Something has been answered.
    pub(super) async fn up(&self) {
        if self.lost.swap(0, Ordering::AcqRel) != 0 {
            self.tell(Message::Link(Link::Up)).await;
        }
    }

    /// Nothing can be asked; it is tried again after a while.
    pub(super) async fn lost(&self, why: String, again: Option<Timestamp>) {
        let now = self.now().as_nanos().max(1);
        let before = self
            .lost
            .compare_exchange(0, now, Ordering::AcqRel, Ordering::Acquire);
        let since = Timestamp::from_nanos(before.unwrap_or_else(|since| since).max(1));
        let since = if before.is_ok() {
            Timestamp::from_nanos(now)
        } else {
            since
        };
        self.tell(Message::Link(Link::Lost { since, why, again }))
            .await;
    }

    /// A part cannot be had.
    pub(super) async fn trouble(&self, part: Part, why: impl Into<String>) {
        let why = Fault {
            kind: FaultKind::Invalid,
            text: why.into(),
        };
        let outcome = Outcome::Failed {
            why,
            retry_at: None,
        };
        self.tell(Message::Part(part, outcome)).await;
    }

    /// A part can be had again.
    pub(super) async fn fine(&self, part: Part) {
        self.tell(Message::Part(part, Outcome::Answered)).await;
    }
}
