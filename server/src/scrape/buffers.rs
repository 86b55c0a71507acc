//! Reusable buffers for bodies, so that the steady state allocates none.

use std::ops::{Deref, DerefMut};

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

    /// An empty body, which uses a free buffer as soon as it has bytes.
    pub(super) const fn body(&self) -> Body<'_> {
        Body {
            buffers: self,
            bytes: Vec::new(),
        }
    }

    /// Returns a buffer.
    fn give(&self, buffer: Vec<u8>) {
        if buffer.capacity() > 0 && buffer.capacity() <= self.largest {
            let mut free = self.free.lock();
            if free.len() < self.most {
                free.push(buffer);
            }
        }
    }
}

/// The body of a response. Its buffer is free again when the body is dropped.
#[derive(Debug)]
pub(super) struct Body<'a> {
    buffers: &'a Buffers,
    bytes: Vec<u8>,
}

impl Body<'_> {
    /// An empty buffer for the bytes. Requests that wait for their responses have none.
    pub(super) fn start(&mut self) -> &mut Vec<u8> {
        if self.bytes.capacity() == 0 {
            self.bytes = self.buffers.free.lock().pop().unwrap_or_default();
        }
        self.bytes.clear();
        &mut self.bytes
    }
}

impl Deref for Body<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Body<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Body<'_> {
    fn drop(&mut self) {
        self.buffers.give(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_few_buffers_and_no_large_one() {
        let buffers = Buffers::new(2, 100);
        for capacity in [101, 10, 20, 30, 0] {
            buffers.give(Vec::with_capacity(capacity));
        }
        let mut bodies = [(); 3].map(|()| buffers.body());
        let capacities = bodies.each_mut().map(|body| body.start().capacity());
        assert_eq!(capacities, [20, 10, 0]);
    }

    #[test]
    fn a_body_uses_a_buffer_from_its_first_byte_until_it_is_dropped() {
        let buffers = Buffers::new(2, 100);
        buffers.give(vec![7; 10]);
        let (waiting, mut body) = (buffers.body(), buffers.body());
        body.start().push(1);
        assert_eq!((&*waiting, &*body), (&[][..], &[1][..]));
        assert!(buffers.free.lock().is_empty());
        drop((waiting, body));
        assert_eq!(buffers.free.lock().len(), 1);
    }
}
