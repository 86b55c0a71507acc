//! Interning: one shared copy of each repeated value. Names, labels and the specs of a workload's pods repeat thousands
//! of times in the watches and the scrapes.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::PodKey;
use crate::labels::Labels;

/// A value whose clones share its memory and are counted.
pub trait Shared: Clone + Eq + Hash {
    /// Whether there is a clone.
    fn is_shared(&self) -> bool;
}

impl<T: ?Sized + Eq + Hash> Shared for Arc<T> {
    fn is_shared(&self) -> bool {
        Self::strong_count(self) > 1
    }
}

impl Shared for PodKey {
    fn is_shared(&self) -> bool {
        self.is_shared()
    }
}

impl Shared for Labels {
    fn is_shared(&self) -> bool {
        self.is_shared()
    }
}

/// The shared values. When its size has doubled, a pool evicts the values without a clone: its size follows that of the
/// cluster.
#[derive(Debug)]
pub struct Pool<S>(Mutex<Set<S>>);

/// The pools of names.
#[derive(Debug, Default)]
pub struct Interner {
    names: Pool<Arc<str>>,
    keys: Pool<PodKey>,
}

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

/// The smallest size at which a pool evicts.
const SMALLEST_SWEEP: usize = 1024;

impl Interner {
    /// The shared copy of `name`.
    pub fn intern(&self, name: &str) -> Arc<str> {
        self.names.find_or(name, |name| Arc::from(name))
    }

    /// The shared key of a pod.
    pub fn key(&self, namespace: &str, name: &str) -> PodKey {
        self.keys.share(PodKey::new(self.intern(namespace), name))
    }

    /// The number of names and keys.
    pub fn len(&self) -> usize {
        self.names.len() + self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        let mut pool = self.lock();
        if let Some(shared) = pool.set.get(value) {
            return shared.clone();
        }
        if pool.set.len() >= pool.sweep_at.max(SMALLEST_SWEEP) {
            pool.set.retain(S::is_shared);
            pool.sweep_at = pool.set.len() * 2;
            let capacity = pool.sweep_at;
            pool.set.shrink_to(capacity);
        }
        let shared = make(value);
        pool.set.insert(shared.clone());
        shared
    }

    /// Locks the set. A poisoned lock is ignored: no operation leaves the set in an invalid state.
    fn lock(&self) -> MutexGuard<'_, Set<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.lock().set.len()
    }

    /// Whether the pool is empty.
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
    fn equal_keys_share_one_allocation() {
        let interner = Interner::default();
        let (one, other) = (interner.key("shop", "web-1"), interner.key("shop", "web-1"));
        assert!(std::ptr::eq(&*one, &*other));
        assert_ne!(one, interner.key("shop", "web-2"));
        assert_eq!(size_of::<PodKey>(), size_of::<usize>());
    }

    #[test]
    fn equal_labels_share_one_allocation() {
        let pool = Pool::default();
        let labels = || [("app", "web")].into_iter().collect::<Labels>();
        let (one, other) = (pool.share(labels()), pool.share(labels()));
        assert_eq!(one, other);
        assert_eq!(pool.len(), 1);
        assert!(one.is_shared());
    }

    #[test]
    fn churn_does_not_leak() {
        let interner = Interner::default();
        for generation in 0..100_000 {
            interner.intern(&format!("pod-{generation}"));
            interner.key("shop", &format!("pod-{generation}"));
        }
        assert!(
            interner.len() <= 2 * SMALLEST_SWEEP,
            "{} names of deleted pods remain",
            interner.len()
        );
    }
}
