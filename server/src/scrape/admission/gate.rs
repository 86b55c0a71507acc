//! The admission of requests: tasks wait until their request may be sent.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::limit::{Limit, Outcome, Part};
use super::queue::{Queue, Slot, Ticket, Wish};

/// Requests to kubelets at one moment, all pages together.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requests {
    /// The limit of requests under way; it adapts to how fast kubelets respond.
    pub limit: usize,
    /// Requests under way.
    pub under_way: usize,
    /// Requests that wait for admission.
    pub waiting: usize,
}

/// Admits requests to kubelets.
#[derive(Debug)]
pub(in crate::scrape) struct Gate {
    start: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    tasks: HashMap<Ticket, oneshot::Sender<Slot>>,
}

impl Gate {
    /// A gate for requests with this timeout, each repeated every `resolution`. Nodes are spread over the resolution, so a
    /// third of it shows how many requests are usually under way.
    pub(in crate::scrape) fn new(timeout: Duration, resolution: Duration) -> Self {
        Self {
            start: Instant::now(),
            state: Mutex::new(State {
                queue: Queue::new(Limit::new(timeout, resolution / 3)),
                tasks: HashMap::new(),
            }),
        }
    }

    /// The current time for [`Wish::last_request`].
    pub(in crate::scrape) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Whether requests wait although the limit has been lowered.
    pub(in crate::scrape) fn is_overloaded(&self) -> bool {
        self.state.lock().queue.is_overloaded()
    }

    /// The current counts.
    pub(in crate::scrape) fn load(&self) -> Requests {
        let queue = &self.state.lock().queue;
        Requests {
            limit: queue.limit(),
            under_way: queue.under_way(),
            waiting: queue.waiting(),
        }
    }

    /// Waits until the request may be sent. A dropped future leaves the queue.
    pub(in crate::scrape) async fn enter(&self, wish: Wish) -> Pass<'_> {
        let slot = Some(self.slot(wish).await);
        Pass {
            gate: self,
            wish,
            slot,
            sent: None,
        }
    }

    async fn slot(&self, wish: Wish) -> Slot {
        let (sender, receiver) = oneshot::channel();
        let ticket = {
            let mut state = self.state.lock();
            let ticket = state.queue.enqueue(wish);
            state.tasks.insert(ticket, sender);
            ticket
        };
        self.admit();
        let mut position = QueuePosition {
            gate: self,
            ticket,
            receiver,
        };
        match (&mut position.receiver).await {
            Ok(slot) => slot,
            // Unreachable: only the gate, which is borrowed here, drops the sender.
            Err(_) => std::future::pending().await,
        }
    }

    fn admit(&self) {
        let now = self.now();
        let state = &mut *self.state.lock();
        while let Some((ticket, slot)) = state.queue.admit(now) {
            let task = state.tasks.remove(&ticket);
            // If the task ends at this moment, `QueuePosition` takes the slot out of the channel.
            if let Some(Err(slot)) = task.map(|task| task.send(slot)) {
                state.queue.release(slot);
            }
        }
    }
}

/// A position in the queue.
struct QueuePosition<'a> {
    gate: &'a Gate,
    ticket: Ticket,
    receiver: oneshot::Receiver<Slot>,
}

impl Drop for QueuePosition<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state.lock();
        state.queue.cancel(self.ticket);
        state.tasks.remove(&self.ticket);
        // Admitted, but the slot was not received.
        if let Ok(slot) = self.receiver.try_recv() {
            state.queue.release(slot);
            drop(state);
            self.gate.admit();
        }
    }
}

/// The permission to send a request. Dropping it admits another request.
#[derive(Debug)]
pub(in crate::scrape) struct Pass<'a> {
    gate: &'a Gate,
    wish: Wish,
    slot: Option<Slot>,
    sent: Option<(Part, Instant)>,
}

impl Pass<'_> {
    /// Waits until a handshake may begin, unless this pass is for one already.
    pub(in crate::scrape) async fn for_handshake(&mut self) {
        if self.slot.as_ref().is_some_and(Slot::in_handshake) {
            return;
        }
        self.release();
        self.wish.handshake = true;
        self.slot = Some(self.gate.slot(self.wish).await);
    }

    /// Releases the slot for other requests during a wait that uses no shared resources.
    pub(in crate::scrape) fn release(&mut self) {
        self.sent = None;
        if let Some(slot) = self.slot.take() {
            self.gate.state.lock().queue.release(slot);
            self.gate.admit();
        }
    }

    /// Begins a part of the request.
    pub(in crate::scrape) fn begin(&mut self, part: Part) {
        if part == Part::Request
            && let Some(slot) = self.slot.as_mut().filter(|slot| slot.in_handshake())
        {
            self.gate.state.lock().queue.connected(slot);
            self.gate.admit();
        }
        self.sent = Some((part, Instant::now()));
    }

    /// Reports the end of the part with a response.
    pub(in crate::scrape) fn answered(&mut self) {
        if let Some((part, began)) = self.sent.take() {
            self.ended(part, Outcome::Answered(began.elapsed()));
        }
    }

    /// Reports that the part timed out.
    pub(in crate::scrape) fn timed_out(&mut self) {
        if let Some((part, _)) = self.sent.take() {
            self.ended(part, Outcome::TimedOut);
        }
    }

    fn ended(&mut self, part: Part, outcome: Outcome) {
        if let Some(slot) = &self.slot {
            self.gate.state.lock().queue.ended(slot, part, outcome);
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Poll;

    use futures::poll;

    use super::super::queue::Kind;
    use super::*;

    fn wish(handshake: bool) -> Wish {
        Wish {
            kind: Kind::Resource,
            failing: false,
            handshake,
            last_request: None,
        }
    }

    #[tokio::test]
    async fn a_pass_lets_in_the_next_when_it_is_dropped() {
        let gate = Gate::new(Duration::from_secs(10), Duration::from_secs(15));
        let mut passes = Vec::new();
        for _ in 0..32 {
            passes.push(gate.enter(wish(false)).await);
        }
        let mut gone = Box::pin(gate.enter(wish(false)));
        let mut waits = pin!(gate.enter(wish(false)));
        assert!(poll!(&mut gone).is_pending());
        assert!(poll!(&mut waits).is_pending());
        assert_eq!(gate.load().waiting, 2);
        passes.pop();
        // The first is admitted and dropped before it receives its slot.
        drop(gone);
        assert!(matches!(poll!(&mut waits), Poll::Ready(_)));
        drop(passes);
        assert_eq!(gate.load().waiting, 0);
        assert_eq!(gate.load().under_way, 0);
    }

    #[tokio::test]
    async fn a_pass_for_a_request_becomes_one_for_a_handshake_and_back() {
        let gate = Gate::new(Duration::from_secs(10), Duration::from_secs(15));
        let mut passes = Vec::new();
        for _ in 0..10 {
            passes.push(gate.enter(wish(true)).await);
        }
        let mut pass = gate.enter(wish(false)).await;
        {
            let mut handshake = pin!(pass.for_handshake());
            assert!(poll!(&mut handshake).is_pending());
            passes[0].begin(Part::Request);
            assert!(poll!(&mut handshake).is_ready());
        }
        assert_eq!(gate.load().under_way, 11);
    }
}
