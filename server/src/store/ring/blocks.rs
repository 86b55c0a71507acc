//! The pool of blocks that the series of one node share.

use super::block::{BLOCK_BYTES, Block, NONE};

const PAGE: usize = Blocks::PAGE;

/// Blocks in pages. Free blocks form a linked list by number.
#[derive(Debug)]
#[expect(
    clippy::vec_box,
    reason = "a growing list must not copy the pages or need memory for all of them at once"
)]
pub struct Blocks {
    pages: Vec<Box<[Block; PAGE]>>,
    free: u32,
    idle: u32,
}

impl Default for Blocks {
    fn default() -> Self {
        Self {
            pages: Vec::new(),
            free: NONE,
            idle: 0,
        }
    }
}

impl Blocks {
    /// The number of blocks in an allocation of half a KiB.
    pub const PAGE: usize = 8;

    /// An empty pool with capacity in its list for this number of blocks.
    pub fn with_capacity(blocks: usize) -> Self {
        Self {
            pages: Vec::with_capacity(blocks.div_ceil(PAGE)),
            ..Self::default()
        }
    }

    /// The number of used blocks.
    pub fn used(&self) -> usize {
        (self.pages.len() * PAGE).saturating_sub(self.idle as usize)
    }

    /// The number of free blocks.
    pub fn idle(&self) -> usize {
        self.idle as usize
    }

    /// The memory in bytes, including free blocks and the list of pages.
    pub fn bytes(&self) -> usize {
        self.pages.len() * PAGE * BLOCK_BYTES
            + self.pages.capacity() * size_of::<Box<[Block; PAGE]>>()
    }

    /// Adds a block and returns its number; none if the pool is full. Allocates a page if no block is free.
    pub(super) fn add(&mut self, block: Block) -> Option<u32> {
        if self.free == NONE {
            self.grow()?;
        }
        let number = self.free;
        let slot = self.get_mut(number)?;
        let next = slot.next();
        *slot = block;
        self.free = next;
        self.idle -= 1;
        Some(number)
    }

    /// Frees a block.
    pub(super) fn remove(&mut self, number: u32) {
        let free = self.free;
        let Some(slot) = self.get_mut(number) else {
            return;
        };
        *slot = Block::default();
        slot.set_next(free);
        self.free = number;
        self.idle += 1;
    }

    pub(super) fn get(&self, number: u32) -> Option<&Block> {
        let number = number as usize;
        self.pages.get(number / PAGE)?.get(number % PAGE)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Block> {
        let number = number as usize;
        self.pages.get_mut(number / PAGE)?.get_mut(number % PAGE)
    }

    fn grow(&mut self) -> Option<()> {
        let first = u32::try_from(self.pages.len() * PAGE).ok()?;
        if first + PAGE as u32 >= NONE {
            return None;
        }
        if self.pages.len() == self.pages.capacity() {
            // By an eighth: doubling would waste memory in small nodes.
            self.pages.reserve_exact(self.pages.len() / 8 + 2);
        }
        let mut page = Box::new([Block::default(); PAGE]);
        for (next, block) in (first + 1..).zip(page.iter_mut()) {
            block.set_next(next);
        }
        if let Some(last) = page.last_mut() {
            last.set_next(self.free);
        }
        self.pages.push(page);
        self.free = first;
        self.idle += PAGE as u32;
        Some(())
    }
}
