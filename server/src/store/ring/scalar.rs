//! A series of one number, such as a pod's own metric, in the same coder.
//!
//! A number is on the scale of levels as a multiple of 2⁻²⁰, or from 2⁴⁰ on of 2²⁰, so its error is at most 0.5 % or 2⁻²⁰.
//! The second level of a point has its sign and which of the two it is, which rarely change and then take a bit.

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

/// The form of a number that is negative or large; both are added.
const NEGATIVE: u64 = 1;
const IS_LARGE: u64 = 2;

impl Levels {
    fn of_number(number: f64) -> Self {
        let size = number.abs();
        let large = size >= LARGE;
        let units = if large { size / UNIT } else { size * UNIT };
        let sign = if number < 0.0 { NEGATIVE } else { 0 };
        let form = if large { IS_LARGE } else { 0 };
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
        } else {
            units / UNIT
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
            levels: Levels::of_number(number),
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
            let stored = Levels::of_number(number).number();
            prop_assert!((stored - number).abs() <= number.abs() * 0.0051 + 1.0 / UNIT, "{number}: {stored}");
        }
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
