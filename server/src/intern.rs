//! One copy of every name. Namespaces, node names, labels and pod names recur thousands of times between the
//! watches and the scrapes; each is kept once and shared.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

/// Names in use. Those that nobody holds any more are dropped when the set has doubled, so its size follows
/// the cluster's and churn does not leak.
#[derive(Debug, Default)]
pub struct Interner {
    names: Mutex<Names>,
}

#[derive(Debug, Default)]
struct Names {
    set: HashSet<Arc<str>>,
    sweep_at: usize,
}

/// Below this a sweep is not worth its time.
const SMALLEST_SWEEP: usize = 1024;

impl Interner {
    /// The shared copy of `name`.
    pub fn intern(&self, name: &str) -> Arc<str> {
        let mut names = self.names.lock();
        if let Some(shared) = names.set.get(name) {
            return Arc::clone(shared);
        }
        if names.set.len() >= names.sweep_at.max(SMALLEST_SWEEP) {
            names.set.retain(|name| Arc::strong_count(name) > 1);
            names.sweep_at = names.set.len() * 2;
            let room = names.sweep_at;
            names.set.shrink_to(room);
        }
        let shared: Arc<str> = Arc::from(name);
        names.set.insert(Arc::clone(&shared));
        shared
    }

    /// How many names are held.
    pub fn len(&self) -> usize {
        self.names.lock().set.len()
    }

    /// Whether no name is held.
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
