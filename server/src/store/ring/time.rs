//! Times on a grid of 200 ms.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;

/// Nanoseconds from one tick to the next.
const GRID: i64 = 200_000_000;

/// A time on the grid: fifths of a second since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Tick(i64);

impl Tick {
    /// The bits of the tick of any [`Timestamp`], with the sign.
    pub(super) const BITS: u32 = 37;

    /// The time between two ticks.
    pub const DURATION: Duration = Duration::from_nanos(GRID.unsigned_abs());

    /// Before any timestamp.
    pub const EARLIEST: Self = Self(i64::MIN / GRID - 1);

    /// After any timestamp.
    pub const LATEST: Self = Self(i64::MAX / GRID + 1);

    /// The tick nearest to a time: at most 100 ms from it.
    pub fn nearest(time: Timestamp) -> Self {
        let (tick, rest) = (time.0.div_euclid(GRID), time.0.rem_euclid(GRID));
        Self(tick + i64::from(rest * 2 >= GRID))
    }

    /// The time, within the range of a timestamp.
    pub fn time(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(GRID))
    }

    /// The number of ticks in a duration, rounded down.
    pub fn count(duration: Duration) -> i64 {
        let ticks = duration.as_nanos() / GRID.unsigned_abs() as u128;
        i64::try_from(ticks).unwrap_or(i64::MAX)
    }

    /// The tick `ticks` later, or earlier if that is negative, within the range of ticks.
    pub fn plus(self, ticks: i64) -> Self {
        Self(self.0.saturating_add(ticks)).clamp(Self::EARLIEST, Self::LATEST)
    }

    /// The time in steps of 32 ticks, rounded down: 32 bits for any [`Timestamp`].
    pub(super) fn coarse(self) -> i32 {
        (self.0 >> (Self::BITS - i32::BITS)) as i32
    }

    /// The number of ticks since another tick.
    pub fn since(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }

    /// The lowest [`Tick::BITS`] bits.
    pub(super) fn bits(self) -> u64 {
        self.0.cast_unsigned() & ((1 << Self::BITS) - 1)
    }

    /// The tick of the bits from [`Tick::bits`].
    pub(super) fn from_bits(bits: u64) -> Self {
        let unused = u64::BITS - Self::BITS;
        Self((bits << unused).cast_signed() >> unused).clamp(Self::EARLIEST, Self::LATEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_time_is_off_by_more_than_a_tenth_of_a_second(nanos: i64) {
            let tick = Tick::nearest(Timestamp(nanos));
            prop_assert!(tick.time().0.abs_diff(nanos) <= 100_000_000);
            prop_assert_eq!(Tick::from_bits(tick.bits()), tick);
            prop_assert_eq!(Tick::nearest(tick.time()).since(tick).abs() <= 1, true);
        }
    }

    #[test]
    fn the_first_and_last_times_are_ticks() {
        for nanos in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX] {
            let tick = Tick::nearest(Timestamp(nanos));
            assert!(tick.time().0.abs_diff(nanos) <= 100_000_000, "{nanos}");
            assert_eq!(Tick::from_bits(tick.bits()), tick, "{nanos}");
        }
    }
}
