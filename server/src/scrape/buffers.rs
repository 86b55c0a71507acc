//! Buffers for bodies, used again by whoever asks next, so that the steady state allocates none.

use parking_lot::Mutex;

/// A few buffers that are not in use.
#[derive(Debug)]
pub(super) struct Buffers {
    free: Mutex<Vec<Vec<u8>>>,
    most: usize,
    largest: usize,
}

impl Buffers {
    /// Keeps no more than `most`, and none that is larger than `largest` bytes: one node with an outsized answer
    /// must not cost its size for ever.
    pub(super) fn new(most: usize, largest: usize) -> Self {
        Self {
            free: Mutex::default(),
            most,
            largest,
        }
    }

    /// A buffer; what is in it is of no meaning.
    pub(super) fn take(&self) -> Vec<u8> {
        self.free.lock().pop().unwrap_or_default()
    }

    /// Gives one back.
    pub(super) fn give(&self, buffer: Vec<u8>) {
        if buffer.capacity() <= self.largest {
            let mut free = self.free.lock();
            if free.len() < self.most {
                free.push(buffer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_kept_and_none_that_is_large() {
        let buffers = Buffers::new(2, 100);
        for capacity in [101, 10, 20, 30] {
            buffers.give(Vec::with_capacity(capacity));
        }
        let capacities = [(); 3].map(|()| buffers.take().capacity());
        assert_eq!(capacities, [20, 10, 0]);
    }
}
