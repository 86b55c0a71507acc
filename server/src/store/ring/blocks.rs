//! The blocks of one node's series: taken when a series needs one, given back when its oldest is dropped.

use super::block::{BLOCK_BYTES, Block, NONE};

const PAGE: usize = Blocks::PAGE;

/// Blocks in pages; those that are free are a list through their numbers.
#[derive(Debug)]
#[expect(
    clippy::vec_box,
    reason = "a list that grows must not copy the pages, nor need room for all of them at once"
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
    /// Blocks that are allocated at once: half a KiB, so that little lies idle and a block costs no allocation of its
    /// own.
    pub const PAGE: usize = 8;

    /// None, with room for so many before anything is allocated again.
    pub fn with_capacity(blocks: usize) -> Self {
        Self {
            pages: Vec::with_capacity(blocks.div_ceil(PAGE)),
            ..Self::default()
        }
    }

    /// How many are in use.
    pub fn used(&self) -> usize {
        (self.pages.len() * PAGE).saturating_sub(self.idle as usize)
    }

    /// How many are allocated and free.
    pub fn idle(&self) -> usize {
        self.idle as usize
    }

    /// The memory they take, in bytes, those that are free and the list of pages among them.
    pub fn bytes(&self) -> usize {
        self.pages.len() * PAGE * BLOCK_BYTES
            + self.pages.capacity() * size_of::<Box<[Block; PAGE]>>()
    }

    /// Puts a block where one is free. Allocates a page where none is; nothing if there can be no more.
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

    /// Takes a block out, to be used again.
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
            // By an eighth: a list twice as long as need be would be felt in small nodes.
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
