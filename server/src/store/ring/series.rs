//! A series: its blocks, and the coder for the next point.

use std::ops::RangeInclusive;

use super::block::{Block, NONE};
use super::blocks::Blocks;
use super::coder::Coder;
use super::time::Tick;
use super::{Levels, Point, Sample};

/// The result of offering a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It was stored.
    Stored,
    /// It is not newer than the newest point and was not stored.
    Old,
    /// No block was available.
    Full,
}

/// A series. Its blocks are in the node's pool, and callers must always pass the same pool.
///
/// Every container of a cluster has one, so it is small.
#[derive(Clone, Debug)]
pub struct Ring {
    coder: Option<Coder>,
    first: u32,
    last: u32,
    /// The [`Tick::coarse`] begin of the second block, if there is one: before that the first block is not too old. So
    /// the check for old blocks, once a scrape, does not read blocks, which are far apart in memory.
    second: i32,
}

impl Default for Ring {
    fn default() -> Self {
        Self {
            coder: None,
            first: NONE,
            last: NONE,
            second: 0,
        }
    }
}

impl Ring {
    /// Adds a point in constant time. `step` is the usual time between two points of a new series. Allocates only when the
    /// node has no free block.
    pub fn offer(
        &mut self,
        blocks: &mut Blocks,
        sample: &Sample,
        step: std::time::Duration,
    ) -> Offered {
        self.push(blocks, &Point::from(sample), step)
    }

    pub(super) fn push(
        &mut self,
        blocks: &mut Blocks,
        point: &Point,
        step: std::time::Duration,
    ) -> Offered {
        let usual = match (&mut self.coder, blocks.get_mut(self.last)) {
            (Some(coder), Some(open)) => {
                if point.tick <= open.first().plus(coder.since()) {
                    return Offered::Old;
                }
                if open.push(coder, point) {
                    return Offered::Stored;
                }
                coder.step()
            }
            _ => Coder::step_of(Tick::count(step)),
        };
        let (block, coder) = Block::begin(point, usual);
        let Some(number) = blocks.add(block) else {
            return Offered::Full;
        };
        match blocks.get_mut(self.last) {
            Some(open) => {
                open.set_next(number);
                if self.first == self.last {
                    self.second = point.tick.coarse();
                }
            }
            None => self.first = number,
        }
        self.last = number;
        self.coder = Some(coder);
        Offered::Stored
    }

    /// Adds the points of copied blocks within `span`, which may be older than its own, and encodes all points again.
    /// `same_run` says whether the first of them and its own first point are of the same run of the container. Returns
    /// its number of points before and after, or zeros if it has not changed.
    pub fn merge(
        &mut self,
        blocks: &mut Blocks,
        others: &[Block],
        span: &RangeInclusive<Tick>,
        step: std::time::Duration,
        same_run: bool,
    ) -> (usize, usize) {
        let others = others.iter().flat_map(Block::read);
        let mut others = others.filter(|point| span.contains(&point.tick)).peekable();
        let Some(first) = others.peek() else {
            return (0, 0);
        };
        let mut own: Vec<Point> = self.chain(blocks).flat_map(Block::read).collect();
        if let Some(own) = own.first_mut() {
            own.restarted |= first.tick < own.tick && !same_run;
        }
        self.clear(blocks);
        let mut stored = 0;
        let mut add = |point: &Point| {
            stored += usize::from(self.push(blocks, point, step) == Offered::Stored);
        };
        let mut left = own.iter().peekable();
        for point in others {
            while let Some(own) = left.next_if(|own| own.tick <= point.tick) {
                add(own);
            }
            add(&point);
        }
        left.for_each(add);
        (own.len(), stored)
    }

    /// The time of the newest point.
    pub fn newest(&self, blocks: &Blocks) -> Option<Tick> {
        let open = blocks.get(self.last)?;
        Some(open.first().plus(self.coder.as_ref()?.since()))
    }

    /// The values of the newest point.
    pub(super) fn newest_levels(&self) -> Option<Levels> {
        self.coder.as_ref().map(Coder::levels)
    }

    /// The time of the oldest point.
    pub fn oldest(&self, blocks: &Blocks) -> Option<Tick> {
        blocks.get(self.first).map(Block::first)
    }

    /// Whether it has no points.
    pub fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// Drops blocks with only older points than `oldest`. Returns the numbers of blocks and points.
    pub fn drop_before(&mut self, blocks: &mut Blocks, oldest: Tick) -> (usize, usize) {
        let mut dropped = (0, 0);
        if self.first != self.last && oldest.coarse() < self.second {
            return dropped;
        }
        while let Some(block) = blocks.get(self.first) {
            let (next, points) = (block.next(), block.points());
            // All points of a block are older than the first point of the next block.
            let old = match blocks.get(next) {
                Some(next) => next.first() <= oldest,
                None => self.newest(blocks).is_none_or(|newest| newest < oldest),
            };
            if !old {
                self.set_second(blocks);
                break;
            }
            blocks.remove(self.first);
            self.first = next;
            dropped = (dropped.0 + 1, dropped.1 + usize::from(points));
        }
        if self.first == NONE {
            *self = Self::default();
        }
        dropped
    }

    /// Removes the points from `tick` on, after the node's clock was set back. Returns their number.
    pub fn truncate_from(
        &mut self,
        blocks: &mut Blocks,
        tick: Tick,
        step: std::time::Duration,
    ) -> usize {
        if self.newest(blocks).is_none_or(|newest| newest < tick) {
            return 0;
        }
        let points: Vec<Point> = self.chain(blocks).flat_map(Block::read).collect();
        self.clear(blocks);
        let remaining = points.partition_point(|point| point.tick < tick);
        for point in points.iter().take(remaining) {
            self.push(blocks, point, step);
        }
        points.len() - remaining
    }

    /// Moves all points by a number of ticks.
    pub fn shift(&mut self, blocks: &mut Blocks, ticks: i64) {
        let mut number = self.first;
        while let Some(block) = blocks.get_mut(number) {
            block.shift(ticks);
            number = block.next();
        }
        self.set_second(blocks);
    }

    fn set_second(&mut self, blocks: &Blocks) {
        let second = self.chain(blocks).nth(1);
        self.second = second.map_or(0, |second| second.first().coarse());
    }

    /// Frees all blocks.
    pub fn clear(&mut self, blocks: &mut Blocks) {
        let mut number = self.first;
        while let Some(block) = blocks.get(number) {
            let next = block.next();
            blocks.remove(number);
            number = next;
        }
        *self = Self::default();
    }

    /// Its blocks, oldest first.
    pub fn chain<'a>(&self, blocks: &'a Blocks) -> impl Iterator<Item = &'a Block> + use<'a> {
        let mut number = self.first;
        std::iter::from_fn(move || {
            let block = blocks.get(number)?;
            number = block.next();
            Some(block)
        })
    }

    /// The block with the newest point at or before `tick`.
    pub fn block_at<'a>(&self, blocks: &'a Blocks, tick: Tick) -> Option<&'a Block> {
        self.chain(blocks)
            .take_while(|block| block.first() <= tick)
            .last()
    }

    /// The number of points.
    pub fn len(&self, blocks: &Blocks) -> usize {
        self.chain(blocks)
            .map(|block| usize::from(block.points()))
            .sum()
    }

    /// The same series with its blocks copied to another pool.
    pub fn moved(&self, from: &Blocks, to: &mut Blocks) -> Self {
        let mut moved = Self {
            coder: self.coder,
            second: self.second,
            ..Self::default()
        };
        for block in self.chain(from) {
            let mut block = *block;
            block.set_next(NONE);
            let Some(number) = to.add(block) else { break };
            match to.get_mut(moved.last) {
                Some(last) => last.set_next(number),
                None => moved.first = number,
            }
            moved.last = number;
        }
        moved
    }
}

/// The samples of a series whose blocks were copied, oldest first.
pub fn samples(blocks: &[Block]) -> Samples<'_> {
    Samples {
        blocks: blocks.iter(),
        points: None,
    }
}

/// The newest sample at or before `tick` of a series whose blocks were copied.
pub fn sample_at(blocks: &[Block], tick: Tick) -> Option<Sample> {
    let points = blocks.iter().flat_map(Block::read);
    let before = points.take_while(|point| point.tick <= tick);
    before.last().map(Sample::from)
}

/// The samples of a series.
#[derive(Debug)]
pub struct Samples<'a> {
    blocks: std::slice::Iter<'a, Block>,
    points: Option<super::block::Points<'a>>,
}

impl Iterator for Samples<'_> {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        loop {
            if let Some(point) = self.points.as_mut().and_then(Iterator::next) {
                return Some(point.into());
            }
            self.points = Some(self.blocks.next()?.read());
        }
    }
}
