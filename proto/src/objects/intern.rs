//! One copy of everything that recurs. Namespaces, node names, labels and pod names recur thousands of times between
//! the watches and the scrapes, and so do the specs of a workload's pods; each is kept once and shared.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::labels::Labels;

/// Something whose clones are one, and that knows whether there are any.
pub trait Shared: Clone + Eq + Hash {
    /// Whether somebody else holds it too.
    fn is_held(&self) -> bool;
}

impl<T: ?Sized + Eq + Hash> Shared for Arc<T> {
    fn is_held(&self) -> bool {
        Self::strong_count(self) > 1
    }
}

impl Shared for Labels {
    fn is_held(&self) -> bool {
        self.is_shared()
    }
}

/// What is in use. What nobody holds any more is dropped when the set has doubled, so its size follows the
/// cluster's and churn does not leak.
#[derive(Debug)]
pub struct Pool<S>(Mutex<Set<S>>);

/// Names in use.
pub type Interner = Pool<Arc<str>>;

#[derive(Debug)]
struct Set<S> {
    set: HashSet<S>,
    sweep_at: usize,
}

impl<S> Default for Pool<S> {
    fn default() -> Self {
        Self(Mutex::new(Set {
            set: HashSet::new(),
            sweep_at: 0,
        }))
    }
}

/// Below this a sweep is not worth its time.
const SMALLEST_SWEEP: usize = 1024;

impl Interner {
    /// The shared copy of `name`.
    pub fn intern(&self, name: &str) -> Arc<str> {
        self.find_or(name, |name| Arc::from(name))
    }
}

impl<S: Shared> Pool<S> {
    /// The shared copy of `value`, which is dropped if there is one.
    pub fn share(&self, value: S) -> S {
        self.find_or(&value, S::clone)
    }

    fn find_or<Q>(&self, value: &Q, make: impl FnOnce(&Q) -> S) -> S
    where
        S: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut held = self.lock();
        if let Some(shared) = held.set.get(value) {
            return shared.clone();
        }
        if held.set.len() >= held.sweep_at.max(SMALLEST_SWEEP) {
            held.set.retain(S::is_held);
            held.sweep_at = held.set.len() * 2;
            let room = held.sweep_at;
            held.set.shrink_to(room);
        }
        let shared = make(value);
        held.set.insert(shared.clone());
        shared
    }

    /// The set is whole at any time, whatever panics while it is locked.
    fn lock(&self) -> MutexGuard<'_, Set<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.lock().set.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_share_one_allocation() {
        let interner = Interner::default();
        assert!(Arc::ptr_eq(
            &interner.intern("kube-system"),
            &interner.intern("kube-system")
        ));
    }

    #[test]
    fn equal_labels_share_one_allocation() {
        let pool = Pool::default();
        let labels = || [("app", "web")].into_iter().collect::<Labels>();
        let (one, other) = (pool.share(labels()), pool.share(labels()));
        assert_eq!(one, other);
        assert_eq!(pool.len(), 1);
        assert!(one.is_held());
    }

    #[test]
    fn churn_does_not_leak() {
        let interner = Interner::default();
        for generation in 0..100_000 {
            interner.intern(&format!("pod-{generation}"));
        }
        assert!(
            interner.len() <= SMALLEST_SWEEP,
            "{} names of gone pods are held",
            interner.len()
        );
    }
}
