//! A series of one number, such as a pod's own metric, in the same coder.
//!
//! A whole number is on the scale of levels as it is, another one as a multiple of 2⁻²⁰, and from 2⁴⁰ on of 2²⁰. So the error
//! is at most 0.5 % or 2⁻²⁰, and small whole numbers are exact. The second level of a point has the sign and which of the
//! three it is, which rarely change and then take a few bits. A whole number after one that is not stays a multiple of
//! 2⁻²⁰: a rate is a whole number now and then, and a change of the unit there and back would take as much as ten points.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;

use super::block::Block;
use super::blocks::Blocks;
use super::level::Level;
use super::series::{Offered, Ring};
use super::time::Tick;
use super::{Levels, Point};

/// The unit of small numbers, and the inverse of that of large ones.
const UNIT: f64 = (1_u64 << 20) as f64;

/// The least large number.
const LARGE: f64 = (1_u64 << 40) as f64;

/// The form of a number: the sign, and the unit if it is not one.
const NEGATIVE: u64 = 1;
const IS_LARGE: u64 = 2;
const IS_FRACTION: u64 = 4;

impl Levels {
    fn of_number(number: f64, before: Option<Self>) -> Self {
        let size = number.abs();
        let sign = if number < 0.0 { NEGATIVE } else { 0 };
        let after_fraction = before.is_some_and(|it| it.memory.value() & IS_FRACTION != 0);
        let (units, form) = if size >= LARGE {
            (size / UNIT, IS_LARGE)
        } else if size.fract() == 0.0 && !after_fraction {
            (size, 0)
        } else {
            (size * UNIT, IS_FRACTION)
        };
        Self {
            // A number beyond the scale has its last level.
            cpu: Level::of(units.round() as u64),
            memory: Level::of(sign + form),
            swap: Level::default(),
        }
    }

    fn number(self) -> f64 {
        let (units, form) = (self.cpu.value() as f64, self.memory.value());
        let size = if form & IS_LARGE != 0 {
            units * UNIT
        } else if form & IS_FRACTION != 0 {
            units / UNIT
        } else {
            units
        };
        if form & NEGATIVE != 0 { -size } else { size }
    }
}

impl Ring {
    /// Adds a number, as [`Ring::offer`] does.
    pub fn offer_number(
        &mut self,
        blocks: &mut Blocks,
        at: Timestamp,
        number: f64,
        step: Duration,
    ) -> Offered {
        let point = Point {
            tick: Tick::nearest(at),
            levels: Levels::of_number(number, self.newest_levels()),
            restarted: false,
        };
        self.push(blocks, &point, step)
    }

    /// The numbers, oldest first.
    pub fn numbers(&self, blocks: &Blocks) -> impl Iterator<Item = (Timestamp, f64)> {
        let points = self.chain(blocks).flat_map(Block::read);
        points.map(|point| (point.tick.time(), point.levels.number()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_number_is_off_by_more_than_half_a_percent(number in -1e24..1e24_f64, exponent in -30..1_i32) {
            let number = number * f64::from(exponent).exp2();
            let stored = Levels::of_number(number, None).number();
            prop_assert!((stored - number).abs() <= number.abs() * 0.0051 + 1.0 / UNIT, "{number}: {stored}");
        }
    }

    #[test]
    fn a_rate_that_is_whole_now_and_then_takes_no_more_points() {
        let blocks = |every: u32| {
            let (mut ring, mut blocks) = (Ring::default(), Blocks::default());
            for turn in 0..240 {
                let number = match turn % every {
                    0 if turn > 0 => 40.0,
                    other => 40.1 + f64::from(other % 7) / 10.0,
                };
                let at = Timestamp::from_secs(1_000_000 + 15 * i64::from(turn));
                ring.offer_number(&mut blocks, at, number, Duration::from_secs(15));
            }
            blocks.used()
        };
        assert_eq!(blocks(10), blocks(1000));
    }

    #[test]
    fn a_series_of_numbers_is_read_as_it_was_written() {
        let (mut ring, mut blocks) = (Ring::default(), Blocks::default());
        let numbers = [0.0, 1.0, -1.0, 0.25, 1e15, -1e15, 7.0, 100.0];
        for (second, number) in numbers.iter().enumerate() {
            let at = Timestamp::from_secs(1_000_000 + 15 * second as i64);
            let offered = ring.offer_number(&mut blocks, at, *number, Duration::from_secs(15));
            assert_eq!(offered, Offered::Stored);
        }
        let read: Vec<f64> = ring.numbers(&blocks).map(|(_, number)| number).collect();
        assert_eq!(read.len(), numbers.len());
        for (read, number) in read.iter().zip(numbers) {
            assert!(
                (read - number).abs() <= number.abs() * 0.005,
                "{number}: {read}"
            );
        }
    }
}
