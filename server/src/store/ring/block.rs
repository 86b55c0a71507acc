//! A block: some points of one series, and the number of the next block.

use super::Point;
use super::bits::Bits;
use super::coder::Coder;
use super::time::Tick;

/// The size of a block in bytes: a cache line.
pub const BLOCK_BYTES: usize = size_of::<Block>();

/// The number that no block has.
pub(super) const NONE: u32 = (1 << NUMBER_BITS) - 1;

/// The lower bits of the block's first word, for the number of the next block. The upper ones are the number of points.
const NUMBER_BITS: u32 = 24;

/// As many points of one series as fit, up to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    next_and_points: u32,
    bits: Bits,
}

impl Default for Block {
    /// No points, and no next block.
    fn default() -> Self {
        Self {
            next_and_points: NONE,
            bits: Bits::default(),
        }
    }
}

impl Block {
    /// A block with a first point, and the coder for the next ones. `step` is the usual time between two points.
    pub(super) fn begin(point: &Point, step: u16) -> (Self, Coder) {
        let mut block = Self::default();
        let coder = Coder::begin(&mut block.bits, point, step);
        block.set_points(1);
        (block, coder)
    }

    /// Adds a point. Returns false and changes nothing if the point does not fit.
    pub(super) fn push(&mut self, coder: &mut Coder, point: &Point) -> bool {
        let points = self.points();
        if points == u8::MAX {
            return false;
        }
        let first = self.first();
        let fits = coder.write(&mut self.bits, first, point);
        if fits {
            self.set_points(points + 1);
        }
        fits
    }

    /// The time of the first point.
    pub fn first(&self) -> Tick {
        let low = u64::from(self.bits.window(0));
        let high = u64::from(self.bits.window(u32::BITS));
        Tick::from_bits(high << u32::BITS | low)
    }

    /// Moves all points by a number of ticks; only the first point has an absolute time.
    pub(super) fn shift(&mut self, ticks: i64) {
        let first = self.first().plus(ticks);
        self.bits.replace_first(Tick::BITS, first.bits());
    }

    /// The number of points.
    pub(super) fn points(&self) -> u8 {
        (self.next_and_points >> NUMBER_BITS) as u8
    }

    fn set_points(&mut self, points: u8) {
        self.next_and_points = u32::from(points) << NUMBER_BITS | self.next_and_points & NONE;
    }

    /// The number of the next block, or [`NONE`].
    pub(super) fn next(&self) -> u32 {
        self.next_and_points & NONE
    }

    pub(super) fn set_next(&mut self, next: u32) {
        self.next_and_points = self.next_and_points & !NONE | next & NONE;
    }

    /// The number of bytes that [`Block::write`] appends.
    pub const WRITTEN: usize = 1 + Bits::LEN as usize / 8;

    /// Appends the block as bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(self.points());
        for word in self.bits.words() {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }

    /// Reads a block from [`Block::WRITTEN`] bytes; none for another length. All bytes are a valid block.
    pub fn read_from(bytes: &[u8]) -> Option<Self> {
        let (points, bits) = bytes.split_first()?;
        if bytes.len() != Self::WRITTEN {
            return None;
        }
        let mut words = *Bits::default().words();
        for (word, bytes) in words.iter_mut().zip(bits.chunks_exact(4)) {
            *word = u32::from_le_bytes(bytes.try_into().ok()?);
        }
        let mut block = Self {
            bits: Bits::from_words(words),
            ..Self::default()
        };
        block.set_points(*points);
        Some(block)
    }

    /// Its points, oldest first.
    pub(super) fn read(&self) -> Points<'_> {
        Points {
            bits: &self.bits,
            left: self.points(),
            coder: None,
            first: Tick::default(),
        }
    }
}

/// The points of a block.
#[derive(Debug)]
pub(super) struct Points<'a> {
    bits: &'a Bits,
    left: u8,
    coder: Option<Coder>,
    first: Tick,
}

impl Iterator for Points<'_> {
    type Item = Point;

    fn next(&mut self) -> Option<Point> {
        self.left = self.left.checked_sub(1)?;
        match &mut self.coder {
            Some(coder) => coder.read(self.bits, self.first),
            None => {
                let (coder, point) = Coder::resume(self.bits);
                self.coder = Some(coder);
                self.first = point.tick;
                Some(point)
            }
        }
    }
}
