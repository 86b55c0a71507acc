//! Encodes points as bits: each as its distance from a prediction.
//!
//! A block begins with a complete point and the usual step between two points. Every other point has a time, as the
//! distance from the last time plus the usual step, and values, as the number of levels above or below the last ones.
//! Distances are Rice codes. Their parameter depends on the distances before them in the block; a distance that is too
//! large for a code is written in full. The reader derives the parameters in the same way as the writer, so they are not
//! stored. Restarts and the begin of swap cost bits only where they occur.

use super::bits::Bits;
use super::level::Level;
use super::time::Tick;
use super::{Levels, Point};

/// The number of ones that mark something else than a Rice code.
const ESCAPE: u32 = 10;

/// The bits after an escape in place of a time's distance, which say what follows.
const KIND_BITS: u32 = 2;
const LONG_STEP: u32 = 0;
const RESTARTED: u32 = 1;
const SWAP_BEGINS: u32 = 2;

/// The bits of a long step, in ticks. A longer step begins a new block.
const LONG_STEP_BITS: u32 = 14;

/// The bits of a long distance between levels.
const LONG_LEVEL_BITS: u32 = Level::BITS + 1;

/// The bits of the usual step in a block's head: four for the exponent, three for the mantissa.
const STEP_BITS: u32 = 7;

/// The unit of the usual step: this part of a tick.
const STEP_UNIT: i32 = 4;

/// The Rice parameter for swap, which changes rarely and by any amount.
const SWAP_PARAMETER: u32 = 1;

/// The initial sums of distances (time, CPU, memory), as if [`FIRST_WEIGHT`] points came before the block. They matter
/// only for the first points.
const FIRST_SUMS: [u16; 3] = [40, 12, 4];
const FIRST_WEIGHT: u32 = 2;

/// The weight at which sums are halved.
const MOST_WEIGHT: u32 = 16;

/// The last point of a block, and sums of recent distances.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coder {
    /// Ticks since the block's first point.
    since: u32,
    levels: Levels,
    /// The usual time between two points, in quarters of a tick.
    step: u16,
    /// The sums of recent distances of time, CPU and memory.
    sums: [u16; 3],
    /// The number of used bits.
    used: u16,
    points: u8,
    swapping: bool,
}

const TIME: usize = 0;
const CPU: usize = 1;
const MEMORY: usize = 2;

impl Coder {
    /// Ticks since the block's first point.
    pub(super) fn since(&self) -> i64 {
        self.since.into()
    }

    /// The values of the last point.
    pub(super) fn levels(&self) -> Levels {
        self.levels
    }

    /// The usual time between two points, as [`begin`](Self::begin) takes it.
    pub(super) fn step(&self) -> u16 {
        self.step
    }

    /// Converts a usual time between two points from ticks.
    pub(super) fn step_of(ticks: i64) -> u16 {
        let step = ticks.saturating_mul(STEP_UNIT.into());
        u16::try_from(step.max(1)).unwrap_or(u16::MAX)
    }

    /// Writes a block's head: its first point. `step` is the usual time between two points.
    pub(super) fn begin(bits: &mut Bits, point: &Point, step: u16) -> Self {
        let Levels { cpu, memory, swap } = point.levels;
        let swapping = swap != Level::default();
        let mut out = Writer { bits, at: 0 };
        let tick = point.tick.bits();
        out.put((tick & u64::from(u32::MAX)) as u32, u32::BITS);
        out.put((tick >> u32::BITS) as u32, Tick::BITS - u32::BITS);
        let step = short_of(step);
        out.put(step, STEP_BITS);
        out.put(cpu.bits(), Level::BITS);
        out.put(memory.bits(), Level::BITS);
        out.put(point.restarted.into(), 1);
        out.put(swapping.into(), 1);
        if swapping {
            out.put(swap.bits(), Level::BITS);
        }
        Self::new(point.levels, step, out.at, swapping)
    }

    /// Reads a block's head.
    pub(super) fn resume(bits: &Bits) -> (Self, Point) {
        let mut from = Reader { bits, at: 0 };
        let low = from.bits.window(0);
        from.at = u32::BITS;
        let high = from.get(Tick::BITS - u32::BITS);
        let tick = Tick::from_bits(u64::from(high) << u32::BITS | u64::from(low));
        let step = from.get(STEP_BITS);
        let mut levels = Levels {
            cpu: Level::from_bits(from.get(Level::BITS)),
            memory: Level::from_bits(from.get(Level::BITS)),
            swap: Level::default(),
        };
        let restarted = from.get(1) == 1;
        let swapping = from.get(1) == 1;
        if swapping {
            levels.swap = Level::from_bits(from.get(Level::BITS));
        }
        let point = Point {
            tick,
            levels,
            restarted,
        };
        (Self::new(levels, step, from.at, swapping), point)
    }

    fn new(levels: Levels, short_step: u32, used: u32, swapping: bool) -> Self {
        Self {
            since: 0,
            levels,
            step: long_of(short_step),
            sums: FIRST_SUMS,
            used: used as u16,
            points: 1,
            swapping,
        }
    }

    /// Writes the next point of a block that begins at `first`. Returns false and changes nothing if the point does not
    /// fit, is not newer than the last point, or is too much newer.
    pub(super) fn write(&mut self, bits: &mut Bits, first: Tick, point: &Point) -> bool {
        let ticks = point.tick.since(first) - self.since();
        if !(1..1 << LONG_STEP_BITS).contains(&ticks) {
            return false;
        }
        let mut next = *self;
        let at = u32::from(self.used);
        let mut out = Writer { bits, at };
        next.put(&mut out, ticks as i32, point);
        if out.at > Bits::LEN {
            // Readers ignore the bits after the last point.
            return false;
        }
        next.used = out.at as u16;
        *self = next;
        true
    }

    fn put(&mut self, out: &mut Writer<'_>, ticks: i32, point: &Point) {
        if point.restarted {
            out.escape(RESTARTED, KIND_BITS);
        }
        if !self.swapping && point.levels.swap != Level::default() {
            out.escape(SWAP_BEGINS, KIND_BITS);
            self.swapping = true;
        }
        let distance = zigzag(ticks - self.usual());
        if !out.rice(distance, self.parameter(TIME)) {
            out.escape(LONG_STEP, KIND_BITS);
            out.put(ticks as u32, LONG_STEP_BITS);
        }
        let mut level = |new: Level, old: Level, parameter| {
            let distance = zigzag(new.above(old));
            if !out.rice(distance, parameter) {
                out.escape(distance, LONG_LEVEL_BITS);
            }
            distance
        };
        let Levels { cpu, memory, swap } = point.levels;
        let distances = [
            distance,
            level(cpu, self.levels.cpu, self.parameter(CPU)),
            level(memory, self.levels.memory, self.parameter(MEMORY)),
        ];
        if self.swapping {
            level(swap, self.levels.swap, SWAP_PARAMETER);
        }
        self.learn(ticks, distances, point.levels);
    }

    /// Reads the next point of a block that begins at `first`; none if the bits are not valid.
    pub(super) fn read(&mut self, bits: &Bits, first: Tick) -> Option<Point> {
        let at = u32::from(self.used);
        let mut from = Reader { bits, at };
        let mut restarted = false;
        let (ticks, distance) = loop {
            match from.rice(self.parameter(TIME)) {
                Some(distance) => break (self.usual() + unzigzag(distance), distance),
                None => match from.get(KIND_BITS) {
                    LONG_STEP => {
                        let ticks = from.get(LONG_STEP_BITS) as i32;
                        break (ticks, zigzag(ticks - self.usual()));
                    }
                    RESTARTED if !restarted => restarted = true,
                    SWAP_BEGINS if !self.swapping => self.swapping = true,
                    _ => return None,
                },
            }
        };
        let mut level = |old: Level, parameter| {
            let distance = from
                .rice(parameter)
                .unwrap_or_else(|| from.get(LONG_LEVEL_BITS));
            (old.plus(unzigzag(distance)), distance)
        };
        let (cpu, cpu_distance) = level(self.levels.cpu, self.parameter(CPU));
        let (memory, memory_distance) = level(self.levels.memory, self.parameter(MEMORY));
        let swap = if self.swapping {
            level(self.levels.swap, SWAP_PARAMETER).0
        } else {
            Level::default()
        };
        if from.at > Bits::LEN || ticks < 1 {
            return None;
        }
        self.used = from.at as u16;
        let levels = Levels { cpu, memory, swap };
        self.learn(ticks, [distance, cpu_distance, memory_distance], levels);
        Some(Point {
            tick: first.plus(self.since()),
            levels,
            restarted,
        })
    }

    /// The ticks after which the next point is expected.
    fn usual(&self) -> i32 {
        (i32::from(self.step) + STEP_UNIT / 2) / STEP_UNIT
    }

    /// The number of distances in the sums.
    fn weight(&self) -> u32 {
        weight(self.points)
    }

    /// The Rice parameter: the number of low bits of a distance that are written in full.
    fn parameter(&self, of: usize) -> u32 {
        let sum = u32::from(self.sums.get(of).copied().unwrap_or_default());
        let weight = self.weight();
        // For an exponential distribution with the mean m, the best parameter is about log2(m × ln 2): the smallest one
        // with weight × 8 × 2^parameter ≥ sum × 5.
        let (unit, target) = (weight * 8, sum * 5);
        let Some(bits) = target.checked_ilog2() else {
            return 0;
        };
        let parameter = bits.saturating_sub(unit.ilog2());
        (parameter + u32::from(unit << parameter < target)).min(LONG_LEVEL_BITS)
    }

    /// Updates the predictions with a point.
    fn learn(&mut self, ticks: i32, distances: [u32; 3], levels: Levels) {
        self.since = self.since.saturating_add(ticks.unsigned_abs());
        self.levels = levels;
        let step = i32::from(self.step);
        // One long gap must not change the usual step.
        let off = (ticks.saturating_mul(STEP_UNIT) - step).clamp(-step, step);
        let weight = i32::from(self.points).saturating_add(4).min(16);
        self.step = u16::try_from((step + off / weight).max(1)).unwrap_or(u16::MAX);
        let before = self.weight();
        self.points = self.points.saturating_add(1);
        let halve = self.weight() <= before;
        for (sum, distance) in self.sums.iter_mut().zip(distances) {
            let most = 8 * (u32::from(*sum) / before + 2);
            let new = u32::from(*sum).saturating_add(distance.min(most));
            let new = if halve { new / 2 } else { new };
            *sum = u16::try_from(new).unwrap_or(u16::MAX);
        }
    }
}

/// The number of distances in the sums when a block has this number of points.
fn weight(points: u8) -> u32 {
    let learned = u32::from(points.saturating_sub(1)) + FIRST_WEIGHT;
    if learned < MOST_WEIGHT {
        learned
    } else {
        let half = MOST_WEIGHT / 2;
        half + (learned - MOST_WEIGHT) % half
    }
}

/// Encodes a step in [`STEP_BITS`].
fn short_of(step: u16) -> u32 {
    let step = u32::from(step.max(1));
    let rounded = step + step / 16;
    let size = rounded.ilog2().min(15);
    (size << 3 | (rounded << 3 >> size).min(15) & 7).min((1 << STEP_BITS) - 1)
}

/// Decodes a step of [`short_of`].
fn long_of(short: u32) -> u16 {
    let (size, much) = (short >> 3, short & 7);
    u16::try_from((8 + much) << size >> 3).unwrap_or(u16::MAX)
}

/// Maps distances to numbers by their size: 0, -1, 1, -2, 2 …
fn zigzag(distance: i32) -> u32 {
    (distance << 1 ^ distance >> 31).cast_unsigned()
}

fn unzigzag(zigzag: u32) -> i32 {
    (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed()
}

struct Writer<'a> {
    bits: &'a mut Bits,
    at: u32,
}

impl Writer<'_> {
    fn put(&mut self, value: u32, width: u32) {
        self.bits.put(self.at, value);
        self.at += width;
    }

    fn escape(&mut self, value: u32, width: u32) {
        self.put((1 << ESCAPE) - 1, ESCAPE);
        self.put(value, width);
    }

    /// Writes a Rice code; false if the value is too large for one.
    fn rice(&mut self, value: u32, parameter: u32) -> bool {
        let ones = value >> parameter;
        if ones >= ESCAPE {
            return false;
        }
        // The ones, the zero that ends them, and the rest.
        let rest = value & ((1 << parameter) - 1);
        self.put(((1 << ones) - 1) | rest << (ones + 1), ones + 1 + parameter);
        true
    }
}

struct Reader<'a> {
    bits: &'a Bits,
    at: u32,
}

impl Reader<'_> {
    fn get(&mut self, width: u32) -> u32 {
        let value = self.bits.get(self.at, width);
        self.at += width;
        value
    }

    /// Reads a Rice code; none if it reads an escape.
    fn rice(&mut self, parameter: u32) -> Option<u32> {
        let window = self.bits.window(self.at);
        let ones = window.trailing_ones();
        if ones >= ESCAPE {
            self.at += ESCAPE;
            return None;
        }
        self.at += ones + 1 + parameter;
        let rest = window >> (ones + 1) & ((1 << parameter) - 1);
        Some(ones << parameter | rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn distances_have_a_number_each(distance in i32::MIN / 2..i32::MAX / 2) {
            prop_assert_eq!(unzigzag(zigzag(distance)), distance);
        }

        #[test]
        fn a_step_is_exact_to_an_eighth(step in 1u16..60_000) {
            let stored = long_of(short_of(step));
            prop_assert!(u32::from(stored.abs_diff(step)) * 8 <= u32::from(step) + 8, "{step}: {stored}");
        }
    }

    #[test]
    fn weights_stay_within_their_bounds() {
        let weights: Vec<u32> = (1..=32).map(weight).collect();
        assert_eq!(weights.first(), Some(&FIRST_WEIGHT));
        assert!(
            weights
                .iter()
                .all(|weight| (FIRST_WEIGHT..MOST_WEIGHT).contains(weight))
        );
    }
}
