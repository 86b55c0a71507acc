//! A scale of levels, each at most 0.5 % from the values that it stands for.

/// The inverse of the largest relative error. Smaller values are exact.
const PRECISION: u64 = 200;

/// The number of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Level(u16);

/// The number of levels that cover `u64`.
const COUNT: usize = count();

/// The smallest value of each level.
static LOWEST: [u64; COUNT] = lowest();

/// The level of each power of two, and one past the last.
static OCTAVES: [u16; 65] = octaves();

impl Level {
    /// The bits of a level.
    pub(super) const BITS: u32 = usize::BITS - (COUNT - 1).leading_zeros();

    /// The level that stands for `value`.
    pub(super) fn of(value: u64) -> Self {
        if value < PRECISION {
            return Self(value as u16);
        }
        let octave = value.ilog2() as usize;
        let level_of = |octave| OCTAVES.get(octave).copied().unwrap_or_default();
        let (from, to) = (level_of(octave), level_of(octave + 1));
        let levels = LOWEST.get(from.into()..=to.into()).unwrap_or_default();
        let above = levels.partition_point(|lowest| *lowest <= value);
        Self(from + above.saturating_sub(1) as u16)
    }

    /// The value it stands for.
    pub(super) fn value(self) -> u64 {
        // Only damaged data has a larger level.
        let lowest = LOWEST.get(usize::from(self.0)).copied();
        lowest.map_or(u64::MAX, middle)
    }

    /// The level of a number that was read; at most the last one.
    pub(super) fn from_bits(bits: u32) -> Self {
        Self((bits as usize).min(COUNT - 1) as u16)
    }

    /// Its number.
    pub(super) fn bits(self) -> u32 {
        self.0.into()
    }

    /// The number of levels above another level.
    pub(super) fn above(self, other: Self) -> i32 {
        i32::from(self.0) - i32::from(other.0)
    }

    /// The level `levels` above, within the scale.
    pub(super) fn plus(self, levels: i32) -> Self {
        let level = i32::from(self.0).saturating_add(levels);
        Self::from_bits(u32::try_from(level).unwrap_or_default())
    }
}

/// The value of the level that begins at `lowest`: the largest within the error.
const fn middle(lowest: u64) -> u64 {
    lowest.saturating_add(lowest / PRECISION)
}

/// The lowest value of the next level; none after the last level.
const fn beyond(lowest: u64) -> Option<u64> {
    let middle = middle(lowest);
    // middle ≥ value × (1 - 1/PRECISION)
    match middle.checked_add(middle / (PRECISION - 1)) {
        Some(last) => last.checked_add(1),
        None => None,
    }
}

const fn count() -> usize {
    let (mut count, mut lowest) = (1, 0);
    while let Some(next) = beyond(lowest) {
        lowest = next;
        count += 1;
    }
    count
}

#[expect(
    clippy::indexing_slicing,
    reason = "at compile time, where an index out of bounds is an error"
)]
const fn lowest() -> [u64; COUNT] {
    let mut all = [0; COUNT];
    let mut level = 1;
    while level < COUNT {
        if let Some(next) = beyond(all[level - 1]) {
            all[level] = next;
        }
        level += 1;
    }
    all
}

#[expect(
    clippy::indexing_slicing,
    reason = "at compile time, where an index out of bounds is an error"
)]
const fn octaves() -> [u16; 65] {
    let all = lowest();
    let mut octaves = [(COUNT - 1) as u16; 65];
    let (mut octave, mut level) = (0, 0);
    while octave < 64 {
        while level + 1 < COUNT && all[level + 1] <= 1 << octave {
            level += 1;
        }
        octaves[octave] = level as u16;
        octave += 1;
    }
    octaves
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_numbers_are_exact() {
        for value in 0..PRECISION {
            assert_eq!(Level::of(value).value(), value);
        }
    }

    #[test]
    fn every_level_round_trips() {
        for level in 0..COUNT as u32 {
            let level = Level::from_bits(level);
            assert_eq!(Level::of(level.value()), level);
        }
        assert_eq!(Level::BITS, 13);
    }

    proptest! {
        #[test]
        fn no_value_is_off_by_more_than_half_a_percent(bits in 0u32..64, value: u64) {
            let value = value >> bits;
            let stored = Level::of(value).value();
            prop_assert!(u128::from(stored.abs_diff(value)) * 200 <= u128::from(value), "{value}: {stored}");
        }

        #[test]
        fn larger_values_have_no_lower_level(a: u64, b: u64) {
            prop_assert_eq!(a.min(b) == a, Level::of(a.min(b)) <= Level::of(a.max(b)) && a <= b);
        }
    }
}
