//! Optional amounts in eight bytes, and percentages in two.

use std::num::NonZeroU16;

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::units::{Bytes, Nanocores};

use super::cell::Resource;

/// The value that stands for "unknown". No machine has this much of anything.
const NONE: u64 = u64::MAX;

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident, $unit:ident, $convert:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name(u64);

        impl $name {
            /// Unknown, or not set.
            pub const NONE: Self = Self(NONE);

            /// The amount; `None` if it is unknown.
            #[must_use]
            pub const fn get(self) -> Option<$unit> {
                if self.0 == NONE { None } else { Some($unit(self.0)) }
            }

            /// Whether the amount is known.
            #[must_use]
            pub const fn is_known(self) -> bool {
                self.0 != NONE
            }

            /// The number of nanocores or bytes; `None` if it is unknown.
            #[must_use]
            #[expect(clippy::cast_precision_loss, reason = "nine quadrillion are more than any cluster has")]
            pub const fn number(self) -> Option<f64> {
                if self.0 == NONE { None } else { Some(self.0 as f64) }
            }

            /// This amount divided by `whole`: 0.5 is half. `None` if either is unknown, or `whole` is zero.
            #[must_use]
            pub fn of(self, whole: Self) -> Option<f64> {
                let whole = whole.number().filter(|whole| *whole > 0.0)?;
                Some(self.number()? / whole)
            }

            /// This amount; `other` if it is unknown.
            #[must_use]
            pub const fn or(self, other: Self) -> Self {
                if self.is_known() { self } else { other }
            }

            /// The sum of both; a single known amount is the sum. Unknown if both are.
            #[must_use]
            pub const fn plus(self, other: Self) -> Self {
                match (self.0, other.0) {
                    (NONE, other) => Self(other),
                    (this, NONE) => Self(this),
                    (this, other) => {
                        let sum = this.saturating_add(other);
                        Self(if sum == NONE { NONE - 1 } else { sum })
                    }
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::NONE
            }
        }

        impl From<$unit> for $name {
            fn from(amount: $unit) -> Self {
                Self(amount.0.min(NONE - 1))
            }
        }

        impl From<Option<$unit>> for $name {
            fn from(amount: Option<$unit>) -> Self {
                amount.map_or(Self::NONE, Self::from)
            }
        }

        impl From<Quantity> for $name {
            fn from(amount: Quantity) -> Self {
                Self::from(amount.$convert())
            }
        }

        impl From<Option<Quantity>> for $name {
            fn from(amount: Option<Quantity>) -> Self {
                amount.map_or(Self::NONE, Self::from)
            }
        }

        impl std::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
                amounts.fold(Self::NONE, Self::plus)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.get().fmt(f)
            }
        }
    };
}

amount!(
    /// CPU in nanocores, or unknown.
    Cpu,
    Nanocores,
    to_nanocores
);
amount!(
    /// Memory, swap or storage in bytes, or unknown.
    Memory,
    Bytes,
    to_bytes
);

/// A percentage with two decimals, or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Percent(Option<NonZeroU16>);

impl Percent {
    /// The fraction: 0.5 is half.
    #[must_use]
    pub fn part(self) -> Option<f64> {
        // The stored value is one hundredth larger, so that zero percent is not zero.
        self.0.map(|stored| f64::from(stored.get() - 1) / 10_000.0)
    }
}

impl From<Option<f64>> for Percent {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a percentage is between 0 and 100"
    )]
    fn from(percent: Option<f64>) -> Self {
        let percent = percent.filter(|percent| percent.is_finite());
        Self(percent.and_then(|percent| {
            NonZeroU16::new((percent.clamp(0.0, 100.0) * 100.0).round() as u16 + 1)
        }))
    }
}

/// An amount of CPU and an amount of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// CPU.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Memory,
}

impl Amounts {
    /// Both resources, each from its amount in nanocores or bytes.
    pub fn by(amount: impl Fn(Resource) -> Option<u64>) -> Self {
        Self {
            cpu: amount(Resource::Cpu).map(Nanocores).into(),
            memory: amount(Resource::Memory).map(Bytes).into(),
        }
    }

    /// The amount of one resource, in nanocores or bytes; `None` if it is unknown.
    #[must_use]
    pub fn get(self, resource: Resource) -> Option<u64> {
        match resource {
            Resource::Cpu => self.cpu.get().map(|cpu| cpu.0),
            Resource::Memory => self.memory.get().map(|memory| memory.0),
        }
    }

    /// One resource divided by that of `whole`: 0.5 is half. `None` if either is unknown, or `whole` is zero.
    #[must_use]
    pub fn part_of(self, whole: Self, resource: Resource) -> Option<f64> {
        match resource {
            Resource::Cpu => self.cpu.of(whole.cpu),
            Resource::Memory => self.memory.of(whole.memory),
        }
    }

    /// The sums of both resources.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.plus(other.cpu),
            memory: self.memory.plus(other.memory),
        }
    }
}

impl std::iter::Sum for Amounts {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Self::plus)
    }
}

impl From<&kubevitals_proto::vitals::Amounts> for Amounts {
    fn from(amounts: &kubevitals_proto::vitals::Amounts) -> Self {
        Self {
            cpu: amounts.cpu.into(),
            memory: amounts.memory.into(),
        }
    }
}

/// Converts a count; the largest number stands for anything larger.
pub(crate) fn count(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_not_zero() {
        assert_eq!(Cpu::NONE.get(), None);
        assert_eq!(Cpu::from(Nanocores(0)).get(), Some(Nanocores(0)));
        assert_eq!(
            Cpu::from(Nanocores(u64::MAX)).get(),
            Some(Nanocores(u64::MAX - 1))
        );
        assert_eq!(size_of::<Amounts>(), 16);
    }

    #[test]
    fn a_percentage_is_stored_to_the_hundredth() {
        for (percent, part) in [
            (Some(0.0), Some(0.0)),
            (Some(12.345), Some(0.1235)),
            (Some(100.0), Some(1.0)),
            (Some(250.0), Some(1.0)),
            (Some(f64::NAN), None),
            (None, None),
        ] {
            assert_eq!(Percent::from(percent).part(), part, "{percent:?}");
        }
        assert_eq!(size_of::<Percent>(), 2);
    }

    #[test]
    fn sums_ignore_unknown_amounts() {
        let sum: Memory = [Memory::NONE, Bytes(1).into(), Bytes(2).into()]
            .into_iter()
            .sum();
        assert_eq!(sum.get(), Some(Bytes(3)));
        assert_eq!([Memory::NONE].into_iter().sum::<Memory>(), Memory::NONE);
    }

    #[test]
    fn a_share_of_zero_or_of_unknown_is_unknown() {
        let half = Cpu::from(Nanocores(1)).of(Nanocores(2).into());
        assert_eq!(half, Some(0.5));
        assert_eq!(Cpu::from(Nanocores(1)).of(Nanocores(0).into()), None);
        assert_eq!(Cpu::from(Nanocores(1)).of(Cpu::NONE), None);
    }
}
