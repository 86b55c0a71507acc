//! How many scrapes may be in flight: a slow pod, or a namespace full of them, delays no other.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The number of namespaces above which those without a scrape are forgotten.
const MAX_IDLE: usize = 1000;

/// The lanes of scrapes.
#[derive(Debug)]
pub(super) struct Lanes {
    /// Pods that answered in time when they were scraped last.
    pub(super) prompt: Lane,
    /// Pods that failed or were slow, and those that have never answered.
    pub(super) slow: Lane,
    /// Responses that are larger than most.
    pub(super) large: Lane,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            prompt: Lane::new(64, 16),
            slow: Lane::new(32, 8),
            large: Lane::new(4, 1),
        }
    }
}

/// A number of places, of which a namespace may have a part.
#[derive(Debug)]
pub(super) struct Lane {
    all: Arc<Semaphore>,
    namespaces: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
    of_namespace: usize,
}

/// A place in a lane, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _of_namespace: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Lane {
    fn new(all: usize, of_namespace: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            namespaces: Mutex::default(),
            of_namespace,
        }
    }

    /// Waits for a place, in the order of requests of one namespace, and then of all. None if the lane is closed, which
    /// never happens.
    pub(super) async fn enter(&self, namespace: &Arc<str>) -> Option<Place> {
        let own = self.namespace(namespace);
        Some(Place {
            _of_namespace: own.acquire_owned().await.ok()?,
            _of_all: Arc::clone(&self.all).acquire_owned().await.ok()?,
        })
    }

    fn namespace(&self, namespace: &Arc<str>) -> Arc<Semaphore> {
        let mut namespaces = self.namespaces.lock();
        if namespaces.len() > MAX_IDLE {
            namespaces.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        }
        let places = || Arc::new(Semaphore::new(self.of_namespace));
        Arc::clone(
            namespaces
                .entry(Arc::clone(namespace))
                .or_insert_with(places),
        )
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_namespace_that_waits_for_its_own_places_takes_none_of_others() {
        let lane = Lane::new(3, 2);
        let (shop, bank) = (Arc::from("shop"), Arc::from("bank"));
        let enter = |namespace| lane.enter(namespace).now_or_never();
        let first = enter(&shop).unwrap();
        let _second = enter(&shop).unwrap();
        assert!(enter(&shop).is_none());
        let _other = enter(&bank).unwrap();
        assert!(enter(&bank).is_none(), "all places are taken");
        drop(first);
        assert!(enter(&shop).is_some());
    }
}
