//! Evicts idle connections when the connection limit is reached: first those that never sent a request (unless they
//! are few), then anonymous ones, then authenticated ones; within a class, the one that is idle longest. Never one
//! with a request in flight. A client that only occupies slots, or sends only anonymous requests, therefore cannot
//! lock out others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

/// An extension of a response: its request was authenticated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Authenticated;

/// What an idle connection has done before. The lowest class is evicted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EvictionClass {
    /// No request yet.
    Silent,
    /// Only anonymous requests.
    Anonymous,
    /// An authenticated request.
    Authenticated,
}

/// The position of an idle connection in the order of eviction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct EvictionOrder {
    class: EvictionClass,
    number: u64,
}

/// The idle connections of a listener.
#[derive(Debug, Clone, Default)]
pub(super) struct IdlePool(Arc<Mutex<IdleConnections>>);

#[derive(Debug, Default)]
struct IdleConnections {
    last_number: u64,
    connections: BTreeMap<EvictionOrder, Arc<Notify>>,
    /// Connections, idle or not, without an authenticated request so far.
    unauthenticated: usize,
}

impl IdlePool {
    /// Adds a new connection; its class is silent.
    pub(super) fn add(&self) -> Slot {
        self.0.lock().unauthenticated += 1;
        let slot = Slot {
            pool: self.clone(),
            evict: Arc::default(),
            order: watch::Sender::new(None),
            authenticated: AtomicBool::new(false),
        };
        slot.set_idle(EvictionClass::Silent);
        slot
    }

    /// The number of connections without an authenticated request so far.
    pub(super) fn unauthenticated(&self) -> usize {
        self.0.lock().unauthenticated
    }

    /// Evicts the first idle connection without an authenticated request. Returns false if there is none.
    pub(super) fn evict_unauthenticated(&self) -> bool {
        let mut idle = self.0.lock();
        let first = idle.connections.first_entry();
        first
            .filter(|first| first.key().class < EvictionClass::Authenticated)
            .map(|first| first.remove().notify_one())
            .is_some()
    }

    /// Evicts the first idle connection. Returns false if there is none. While at most `spared_silent` connections
    /// are silent, anonymous ones are evicted before them: new connections are silent during their handshake, and
    /// would only evict each other.
    pub(super) fn evict(&self, spared_silent: usize) -> bool {
        let [anonymous, authenticated] = [EvictionClass::Anonymous, EvictionClass::Authenticated]
            .map(|class| EvictionOrder { class, number: 0 });
        let mut idle = self.0.lock();
        let connections = &mut idle.connections;
        let few = connections.range(..anonymous).nth(spared_silent).is_none();
        let anonymous = connections.range(anonymous..authenticated).next();
        let first = match anonymous.filter(|_| few).map(|(order, _)| *order) {
            Some(order) => connections.remove(&order),
            None => connections.pop_first().map(|(_, evict)| evict),
        };
        first.map(|evict| evict.notify_one()).is_some()
    }
}

/// The slot of one connection; dropping it frees the slot.
#[derive(Debug)]
pub(super) struct Slot {
    pool: IdlePool,
    evict: Arc<Notify>,
    /// Set while the connection is idle.
    order: watch::Sender<Option<EvictionOrder>>,
    /// The connection had an authenticated request.
    authenticated: AtomicBool,
}

impl Slot {
    /// Marks the connection as idle.
    pub(super) fn set_idle(&self, class: EvictionClass) {
        let mut idle = self.pool.0.lock();
        if class == EvictionClass::Authenticated
            && !self.authenticated.swap(true, Ordering::Relaxed)
        {
            idle.unauthenticated -= 1;
        }
        idle.last_number += 1;
        let number = idle.last_number;
        let order = EvictionOrder { class, number };
        idle.connections.insert(order, Arc::clone(&self.evict));
        self.order.send_replace(Some(order));
    }

    /// Marks the connection as busy: a request is in flight.
    pub(super) fn set_busy(&self) {
        let mut idle = self.pool.0.lock();
        if let Some(order) = self.order.send_replace(None) {
            idle.connections.remove(&order);
        }
    }

    /// Completes when the connection is evicted. A request that came in at the same moment is answered first.
    pub(super) async fn evicted(&self) {
        self.evict.notified().await;
        // `self` owns the sender, so the wait ends only when the connection is idle.
        let mut order = self.order.subscribe();
        let _idle = order.wait_for(Option::is_some).await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.set_busy();
        if !*self.authenticated.get_mut() {
            self.pool.0.lock().unauthenticated -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn is_evicted(slot: &Slot) -> bool {
        slot.evicted().now_or_never().is_some()
    }

    /// Handles a request of a connection, which is idle afterwards.
    fn request(slot: &Slot, class: EvictionClass) {
        slot.set_busy();
        slot.set_idle(class);
    }

    /// Evicts one connection and returns its index.
    fn evict(pool: &IdlePool, slots: &[&Slot]) -> Option<usize> {
        let evicted = pool.evict(0);
        let index = slots.iter().position(|slot| is_evicted(slot));
        assert_eq!(evicted, index.is_some());
        index
    }

    #[test]
    fn silent_go_before_anonymous_before_authenticated_and_the_longest_idle_first() {
        let pool = IdlePool::default();
        let slots: Vec<_> = (0..6).map(|_| pool.add()).collect();
        let [authenticated, early, late, silent, newest, busy] = &slots[..] else {
            panic!()
        };
        request(authenticated, EvictionClass::Authenticated);
        busy.set_busy();
        // Another request starts the idle time again.
        for anonymous in [late, early, late] {
            request(anonymous, EvictionClass::Anonymous);
        }
        let all = [authenticated, early, late, silent, newest, busy];
        let order: Vec<_> = std::iter::from_fn(|| evict(&pool, &all)).collect();
        assert_eq!(order, [3, 4, 1, 2, 0], "and a request in flight never");
    }

    #[test]
    fn a_request_that_comes_at_the_moment_of_eviction_is_answered_first() {
        let pool = IdlePool::default();
        let slot = pool.add();
        assert!(pool.evict(0));
        slot.set_busy();
        let mut evicted = std::pin::pin!(slot.evicted());
        assert!(evicted.as_mut().now_or_never().is_none());
        slot.set_idle(EvictionClass::Authenticated);
        assert!(evicted.now_or_never().is_some());
    }

    #[test]
    fn a_few_new_connections_do_not_evict_each_other_while_anonymous_ones_are_idle() {
        let pool = IdlePool::default();
        let slots: Vec<_> = (0..4).map(|_| pool.add()).collect();
        let (anonymous, new) = slots.split_at(2);
        for slot in anonymous {
            request(slot, EvictionClass::Anonymous);
        }
        assert!(pool.evict(1), "two are more than one");
        assert!(is_evicted(&new[0]));
        assert!(pool.evict(1) && pool.evict(1));
        assert!(anonymous.iter().all(is_evicted));
        assert!(pool.evict(1), "no other is left");
        assert!(is_evicted(&new[1]));
    }

    #[test]
    fn unauthenticated_connections_are_counted_and_evict_only_each_other() {
        let pool = IdlePool::default();
        let slots: Vec<_> = (0..4).map(|_| pool.add()).collect();
        let [authenticated, silent, anonymous, busy] = &slots[..] else {
            panic!()
        };
        busy.set_busy();
        request(authenticated, EvictionClass::Authenticated);
        request(authenticated, EvictionClass::Authenticated);
        request(anonymous, EvictionClass::Anonymous);
        assert_eq!(pool.unauthenticated(), 3);
        assert!(pool.evict_unauthenticated() && is_evicted(silent));
        assert!(pool.evict_unauthenticated() && is_evicted(anonymous));
        assert!(
            !pool.evict_unauthenticated(),
            "one is busy, and one is authenticated"
        );
        drop(slots);
        assert_eq!(pool.unauthenticated(), 0);
    }

    #[test]
    fn a_closed_connection_is_not_evicted() {
        let pool = IdlePool::default();
        drop(pool.add());
        assert!(!pool.evict(0));
    }
}
