//! Reusable buffers for bodies, so that the steady state allocates none.

use parking_lot::Mutex;

/// A few free buffers.
#[derive(Debug)]
pub(super) struct Buffers {
    free: Mutex<Vec<Vec<u8>>>,
    most: usize,
    largest: usize,
}

impl Buffers {
    /// Stores at most `most` buffers of at most `largest` bytes, so that one large response does not use memory forever.
    pub(super) fn new(most: usize, largest: usize) -> Self {
        Self {
            free: Mutex::default(),
            most,
            largest,
        }
    }

    /// Takes a buffer, with arbitrary content.
    pub(super) fn take(&self) -> Vec<u8> {
        self.free.lock().pop().unwrap_or_default()
    }

    /// Returns a buffer.
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
    fn stores_few_buffers_and_no_large_one() {
        let buffers = Buffers::new(2, 100);
        for capacity in [101, 10, 20, 30] {
            buffers.give(Vec::with_capacity(capacity));
        }
        let capacities = [(); 3].map(|()| buffers.take().capacity());
        assert_eq!(capacities, [20, 10, 0]);
    }
}
