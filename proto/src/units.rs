//! Units as types, so that a number of nanocores is never taken for a number of bytes.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// CPU in billionths of a core: 1 core = 1,000,000,000 nanocores.
///
/// Additions saturate: a sum of readings is never wrapped into a small number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nanocores(pub u64);

/// Memory or storage in bytes.
///
/// Additions saturate: a sum of readings is never wrapped into a small number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

/// A number of GPUs, of shares of them or of MIG instances: what pods request and nodes have.
///
/// Additions saturate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Gpus(pub u32);

impl Nanocores {
    /// Thousandths of a core, rounded up, as `kubectl top` shows them (2001u is 3m).
    #[must_use]
    pub const fn millicores_ceil(self) -> u64 {
        self.0.div_ceil(1_000_000)
    }
}

macro_rules! saturating_sum {
    ($unit:ident) => {
        impl Add for $unit {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }

        impl AddAssign for $unit {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl Sum for $unit {
            fn sum<I: Iterator<Item = Self>>(readings: I) -> Self {
                readings.fold(Self::default(), Add::add)
            }
        }

        impl<'a> Sum<&'a $unit> for $unit {
            fn sum<I: Iterator<Item = &'a $unit>>(readings: I) -> Self {
                readings.copied().sum()
            }
        }
    };
}

saturating_sum!(Nanocores);
saturating_sum!(Bytes);
saturating_sum!(Gpus);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn millicores_are_rounded_up() {
        for (nano, milli) in [
            (0, 0),
            (1, 1),
            (1_000_000, 1),
            (2_001_000, 3),
            (u64::MAX, 18_446_744_073_710),
        ] {
            assert_eq!(Nanocores(nano).millicores_ceil(), milli, "{nano}n");
        }
    }

    #[test]
    fn sums_saturate() {
        assert_eq!(Nanocores(u64::MAX) + Nanocores(1), Nanocores(u64::MAX));
        assert_eq!([Bytes(1), Bytes(2)].iter().sum::<Bytes>(), Bytes(3));
        assert_eq!(
            [Bytes(u64::MAX), Bytes(2)].into_iter().sum::<Bytes>(),
            Bytes(u64::MAX)
        );
    }
}
