//! Sends messages from the tasks of a source to the dashboard.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kubevitals_proto::backoff::Random;
use kubevitals_proto::objects::Pools;
use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, Sleep, sleep};

use super::health::Health;
use crate::clock::Clock;
use crate::model::{Fault, FaultKind, Link, Message, Names, Part};

/// Sends messages to the dashboard. It also has the clock and the randomness for the tasks.
#[derive(Clone)]
pub(super) struct MessageSender {
    messages: mpsc::Sender<Message>,
    clock: Clock,
    /// Jitter.
    pub(super) random: Random,
    /// Interned strings and shared parts of objects.
    pub(super) pools: Arc<Pools>,
    shared: Arc<Shared>,
    /// The health of this source, if there is another one to fall back to.
    health: Option<Arc<Health>>,
}

#[derive(Default)]
struct Shared {
    /// When the connection was lost, in nanoseconds; zero while it works.
    lost: AtomicI64,
    /// Notified when a request had no response.
    unanswered: Notify,
    /// Notified when the server answers again.
    reconnected: Notify,
    /// The parts whose rows have been sent.
    sent_parts: Mutex<BTreeSet<Part>>,
    /// The parts for which a request has succeeded.
    succeeded_parts: Mutex<BTreeSet<Part>>,
}

impl MessageSender {
    pub(super) fn new(messages: mpsc::Sender<Message>, clock: Clock, random: Random) -> Self {
        Self {
            messages,
            clock,
            random,
            pools: Arc::default(),
            shared: Arc::default(),
            health: None,
        }
    }

    /// Reports every outcome to `health` too.
    pub(super) fn with_health(&self, health: &Arc<Health>) -> Self {
        Self {
            health: Some(Arc::clone(health)),
            ..self.clone()
        }
    }

    /// The interned names.
    pub(super) fn names(&self) -> &Names {
        &self.pools.names
    }

    /// The cluster's time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The cluster's time after `time`.
    pub(super) fn after(&self, time: Duration) -> Timestamp {
        let nanos = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        self.now().plus_nanos(nanos)
    }

    /// Converts a duration of the cluster's clock into real time.
    pub(super) fn real(&self, time: Duration) -> Duration {
        self.clock.wait(time)
    }

    /// Waits for a duration of the cluster's clock.
    pub(super) fn sleep(&self, time: Duration) -> Sleep {
        sleep(self.real(time))
    }

    /// Sends a message; waits while the channel is full.
    pub(super) async fn send(&self, message: Message) {
        // The dashboard may have ended.
        let _ = self.messages.send(message).await;
    }

    /// Sends a large message once the dashboard has received all earlier ones. So at most one is in memory while the
    /// dashboard waits, for a slow terminal for example.
    pub(super) async fn send_alone(&self, message: impl FnOnce() -> Message) {
        let all = self.messages.max_capacity();
        // The dashboard may have ended.
        if let Ok(mut permits) = self.messages.reserve_many(all).await
            && let Some(permit) = permits.next()
        {
            permit.send(message());
        }
    }

    /// Whether rows of a part have been sent.
    pub(super) fn has_sent(&self, part: Part) -> bool {
        self.shared.sent_parts.lock().contains(&part)
    }

    /// Stores that rows of a part have been sent.
    pub(super) fn mark_sent(&self, part: Part) {
        self.shared.sent_parts.lock().insert(part);
    }

    /// Whether a request for a part has succeeded.
    pub(super) fn has_succeeded(&self, part: Part) -> bool {
        self.shared.succeeded_parts.lock().contains(&part)
    }

    /// Reports a successful request.
    pub(super) async fn succeeded(&self, part: Option<Part>) {
        self.shared.succeeded_parts.lock().extend(part);
        self.up().await;
        if let (Some(health), Some(part)) = (&self.health, part) {
            health.succeeded(part);
        }
    }

    /// Reports that a request sent at `sent` failed.
    pub(super) fn failed(&self, part: Option<Part>, why: &Fault, sent: Instant) {
        if matches!(why.kind, FaultKind::NoAnswer | FaultKind::Unavailable) {
            self.shared.unanswered.notify_one();
        }
        if let (Some(health), Some(part)) = (&self.health, part) {
            health.failed(part, why, sent);
        }
    }

    /// Waits for a request without a response.
    pub(super) async fn unanswered(&self) {
        self.shared.unanswered.notified().await;
    }

    /// Waits until the server answers again.
    pub(super) async fn reconnected(&self) {
        self.shared.reconnected.notified().await;
    }

    /// Reports that the server answers.
    pub(super) async fn up(&self) {
        if self.shared.lost.swap(0, Ordering::AcqRel) != 0 {
            self.shared.reconnected.notify_waiters();
            self.send(Message::Link(Link::Up)).await;
        }
    }

    /// Reports that the server does not answer, and when the next attempt is.
    pub(super) async fn lost(&self, why: String, again: Option<Timestamp>) {
        let now = self.now().as_nanos().max(1);
        let before = self
            .shared
            .lost
            .compare_exchange(0, now, Ordering::AcqRel, Ordering::Acquire);
        let since = Timestamp::from_nanos(before.map_or_else(|since| since, |_| now));
        self.send(Message::Link(Link::Lost { since, why, again }))
            .await;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_large_message_waits_until_the_dashboard_has_received_the_others() {
        let (messages, mut received) = mpsc::channel(4);
        let sender = MessageSender::new(messages, Clock::system(), || 0.5);
        let now = Timestamp::from_secs(1);
        for _ in 0..2 {
            sender.send(Message::Tick(now)).await;
        }
        let mut large = Box::pin(sender.send_alone(|| Message::Tick(now.plus_nanos(1))));
        for _ in 0..2 {
            assert_eq!(large.as_mut().now_or_never(), None);
            assert!(matches!(received.recv().await, Some(Message::Tick(at)) if at == now));
        }
        large.await;
        assert!(matches!(received.try_recv(), Ok(Message::Tick(at)) if at > now));
    }
}
