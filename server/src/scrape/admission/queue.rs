//! The queue of requests to kubelets: waiting requests, requests under way, and their order. It has no clock and no task.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::limit::{Limit, Outcome, Part};

/// The most first requests of nodes under way. After the first response a node needs a second page for its first rates,
/// and holds the first one meanwhile.
const MAX_FIRST: usize = 128;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scrape) enum Kind {
    /// `/metrics/resource`.
    Resource,
    /// Another page. It waits while any node waits for a scrape of `/metrics/resource`.
    Page,
}

/// A request that waits for admission.
#[derive(Debug, Clone, Copy)]
pub(in crate::scrape) struct Wish {
    /// The kind of page.
    pub(in crate::scrape) kind: Kind,
    /// The node did not respond to the last request, or is not ready according to the API server.
    pub(in crate::scrape) failing: bool,
    /// The request needs a new connection.
    pub(in crate::scrape) handshake: bool,
    /// The time of the node's last request; none before the first. The oldest goes first.
    pub(in crate::scrape) last_request: Option<Duration>,
}

/// A slot of a request under way.
#[derive(Debug)]
pub(in crate::scrape) struct Slot {
    wish: Wish,
    version: u32,
}

impl Slot {
    /// Whether a TLS handshake may begin in it.
    pub(in crate::scrape) const fn in_handshake(&self) -> bool {
        self.wish.handshake
    }
}

/// The ID of a waiting request.
pub(in crate::scrape) type Ticket = u64;

type Key = (Option<Duration>, Ticket);

/// The lists of waiting requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Connected,
    Unconnected,
    Failing,
    Page,
}

/// Counts of requests under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct InFlight {
    all: usize,
    handshakes: usize,
    failing: usize,
    first: usize,
    pages: usize,
}

/// All requests to kubelets: the waiting ones, and counts of those under way.
#[derive(Debug)]
pub(in crate::scrape) struct Queue {
    limit: Limit,
    waiting: BTreeSet<(Lane, Key)>,
    wishes: HashMap<Ticket, Wish>,
    next: Ticket,
    under_way: InFlight,
}

impl Queue {
    /// An empty queue.
    pub(in crate::scrape) fn new(limit: Limit) -> Self {
        Self {
            limit,
            waiting: BTreeSet::new(),
            wishes: HashMap::new(),
            next: 0,
            under_way: InFlight::default(),
        }
    }

    /// Enqueues a request. [`Self::admit`] returns the ticket when the request may be sent.
    pub(in crate::scrape) fn enqueue(&mut self, wish: Wish) -> Ticket {
        let ticket = self.next;
        self.next = self.next.wrapping_add(1);
        let key = (wish.last_request, ticket);
        self.waiting.insert((lane_of(&wish), key));
        self.wishes.insert(ticket, wish);
        ticket
    }

    /// Removes a waiting request.
    pub(in crate::scrape) fn cancel(&mut self, ticket: Ticket) {
        if let Some(wish) = self.wishes.remove(&ticket) {
            let key = (wish.last_request, ticket);
            self.waiting.remove(&(lane_of(&wish), key));
        }
    }

    /// Returns the next request that may be sent at `now`, with its slot. Call it until it returns none.
    pub(in crate::scrape) fn admit(&mut self, now: Duration) -> Option<(Ticket, Slot)> {
        self.limit.used(now, self.under_way.all);
        if self.wishes.is_empty() {
            return None;
        }
        let Some((_, ticket)) = self.first() else {
            if self.is_limited() {
                self.limit.reached();
            }
            return None;
        };
        let wish = *self.wishes.get(&ticket)?;
        self.cancel(ticket);
        let under_way = &mut self.under_way;
        under_way.all += 1;
        under_way.handshakes += usize::from(wish.handshake);
        under_way.failing += usize::from(wish.failing);
        under_way.first += usize::from(wish.last_request.is_none());
        under_way.pages += usize::from(wish.kind == Kind::Page);
        let version = self.limit.version();
        Some((ticket, Slot { wish, version }))
    }

    /// Ends the handshake in a slot, so that its request may be sent.
    pub(in crate::scrape) fn connected(&mut self, slot: &mut Slot) {
        if std::mem::take(&mut slot.wish.handshake) {
            self.under_way.handshakes = self.under_way.handshakes.saturating_sub(1);
        }
    }

    /// Reports the end of a part of the request in a slot.
    pub(in crate::scrape) fn ended(&mut self, slot: &Slot, part: Part, outcome: Outcome) {
        // The durations of other pages depend on their size more than on the load.
        if slot.wish.kind == Kind::Resource {
            let failing = slot.wish.failing;
            self.limit.ended(slot.version, part, failing, outcome);
        }
    }

    /// Frees a slot.
    pub(in crate::scrape) fn release(&mut self, mut slot: Slot) {
        self.connected(&mut slot);
        let under_way = &mut self.under_way;
        under_way.all = under_way.all.saturating_sub(1);
        let failing = usize::from(slot.wish.failing);
        under_way.failing = under_way.failing.saturating_sub(failing);
        let first = usize::from(slot.wish.last_request.is_none());
        under_way.first = under_way.first.saturating_sub(first);
        let page = usize::from(slot.wish.kind == Kind::Page);
        under_way.pages = under_way.pages.saturating_sub(page);
    }

    /// The limit of requests under way.
    pub(in crate::scrape) const fn limit(&self) -> usize {
        self.limit.get()
    }

    /// Whether requests wait although the limit has been lowered.
    pub(in crate::scrape) fn is_overloaded(&self) -> bool {
        self.limit.is_lowered() && !self.wishes.is_empty()
    }

    /// The number of requests under way.
    pub(in crate::scrape) const fn under_way(&self) -> usize {
        self.under_way.all
    }

    /// The number of waiting requests.
    pub(in crate::scrape) fn waiting(&self) -> usize {
        self.wishes.len()
    }

    /// Whether a larger limit would admit a waiting request.
    fn is_limited(&self) -> bool {
        let limit = &self.limit;
        !self.only(Lane::Page)
            || self.under_way.all >= limit.get()
            || 2 * limit.pages() >= limit.get()
    }

    /// Whether no request waits in a list before `lane`.
    fn only(&self, lane: Lane) -> bool {
        self.waiting.first().is_none_or(|(first, _)| *first >= lane)
    }

    /// The first request of a list.
    fn head(&self, lane: Lane) -> Option<Key> {
        let (of, key) = self.waiting.range((lane, (None, 0))..).next()?;
        (*of == lane).then_some(*key)
    }

    /// The next request that may be sent.
    fn first(&self) -> Option<Key> {
        let (limit, under_way) = (&self.limit, self.under_way);
        if under_way.all >= limit.get() {
            return None;
        }
        let handshake = under_way.handshakes < limit.handshakes();
        let heads = [
            self.head(Lane::Connected),
            self.head(Lane::Unconnected).filter(|(last_request, _)| {
                handshake && (last_request.is_some() || under_way.first < MAX_FIRST)
            }),
            self.head(Lane::Failing)
                .filter(|_| handshake && under_way.failing < limit.failing()),
        ];
        if let Some(first) = heads.into_iter().flatten().min() {
            return Some(first);
        }
        // Pages are sent only while no healthy node waits for `/metrics/resource`.
        if !self.only(Lane::Failing) || under_way.pages >= limit.pages() {
            return None;
        }
        let page = self.head(Lane::Page)?;
        let wish = self.wishes.get(&page.1)?;
        (handshake || !wish.handshake).then_some(page)
    }
}

/// The list for a request. A failing node counts as one that needs a handshake, because its connection may be dead.
const fn lane_of(wish: &Wish) -> Lane {
    match (wish.kind, wish.failing, wish.handshake) {
        (Kind::Page, _, _) => Lane::Page,
        (Kind::Resource, true, _) => Lane::Failing,
        (Kind::Resource, false, true) => Lane::Unconnected,
        (Kind::Resource, false, false) => Lane::Connected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn queue() -> Queue {
        Queue::new(Limit::new(Duration::from_secs(10), Duration::from_secs(15)))
    }

    fn wish(last_request: u64) -> Wish {
        Wish {
            kind: Kind::Resource,
            failing: false,
            handshake: false,
            last_request: Some(Duration::from_secs(last_request)),
        }
    }

    fn admitted(queue: &mut Queue) -> Vec<(Ticket, Slot)> {
        std::iter::from_fn(|| queue.admit(NOW)).collect()
    }

    #[test]
    fn the_node_that_was_scraped_longest_ago_is_first_after_new_ones() {
        let mut queue = queue();
        let tickets: Vec<_> = [7, 3, 9, 5]
            .map(|last_request| queue.enqueue(wish(last_request)))
            .into();
        let never = queue.enqueue(Wish {
            last_request: None,
            ..wish(0)
        });
        let order: Vec<_> = admitted(&mut queue).iter().map(|(it, _)| *it).collect();
        let expected = [never, tickets[1], tickets[3], tickets[0], tickets[2]];
        assert_eq!(order, expected);
    }

    #[test]
    fn first_requests_leave_slots_for_others() {
        let mut limit = Limit::new(Duration::from_secs(10), 10 * NOW);
        while limit.handshakes() <= MAX_FIRST {
            limit.reached();
            let prompt = Outcome::Answered(Duration::from_millis(1));
            limit.ended(limit.version(), Part::Request, false, prompt);
        }
        let mut queue = Queue::new(limit);
        for _ in 0..1000 {
            queue.enqueue(Wish {
                handshake: true,
                last_request: None,
                ..wish(0)
            });
        }
        let mut slots = admitted(&mut queue);
        assert_eq!(slots.len(), MAX_FIRST);
        queue.enqueue(wish(1));
        assert_eq!(admitted(&mut queue).len(), 1);
        let (_, slot) = slots.pop().unwrap();
        queue.release(slot);
        assert_eq!(admitted(&mut queue).len(), 1);
    }

    #[test]
    fn handshakes_failing_nodes_and_pages_have_shares() {
        for (kind, failing, handshake, share) in [
            (Kind::Resource, false, true, 10),
            (Kind::Resource, true, true, 8),
            (Kind::Page, false, false, 16),
        ] {
            let mut queue = queue();
            let change = Wish {
                kind,
                failing,
                handshake,
                ..wish(1)
            };
            for _ in 0..100 {
                queue.enqueue(change);
            }
            let slots = admitted(&mut queue);
            assert_eq!(slots.len(), share, "{change:?}");
            for _ in 0..100 {
                queue.enqueue(wish(2));
            }
            let others = admitted(&mut queue);
            assert_eq!(slots.len() + others.len(), queue.limit());
            // Nothing leaks.
            for (_, slot) in slots.into_iter().chain(others) {
                queue.release(slot);
            }
            assert_eq!(queue.under_way, InFlight::default());
        }
    }

    #[test]
    fn a_page_waits_while_a_node_does() {
        let mut queue = queue();
        let page = queue.enqueue(Wish {
            kind: Kind::Page,
            ..wish(0)
        });
        let nodes: Vec<_> = (0..33).map(|_| queue.enqueue(wish(50))).collect();
        let mut slots = admitted(&mut queue);
        assert_eq!(slots.len(), 32);
        queue.release(slots.pop().unwrap().1);
        assert_eq!(queue.admit(NOW).unwrap().0, nodes[32]);
        queue.release(slots.pop().unwrap().1);
        assert_eq!(queue.admit(NOW).unwrap().0, page);
    }

    #[test]
    fn an_established_connection_frees_its_handshake_slot() {
        let mut queue = queue();
        for _ in 0..11 {
            queue.enqueue(Wish {
                handshake: true,
                ..wish(1)
            });
        }
        let mut slots = admitted(&mut queue);
        assert_eq!(slots.len(), 10);
        let (_, slot) = &mut slots[0];
        queue.connected(slot);
        queue.connected(slot);
        assert_eq!(admitted(&mut queue).len(), 1);
    }

    #[test]
    fn a_cancelled_request_is_not_admitted() {
        let mut queue = queue();
        let ticket = queue.enqueue(wish(1));
        queue.cancel(ticket);
        queue.cancel(ticket);
        assert!(queue.admit(NOW).is_none());
        assert_eq!(queue.waiting(), 0);
    }
}
