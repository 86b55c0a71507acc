//! Integers without their largest value, so that an `Option` takes no more memory.

use std::num::{NonZeroU32, NonZeroU64};

/// A `u32` other than `u32::MAX`, stored as its complement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NonMaxU32(NonZeroU32);

impl NonMaxU32 {
    /// The value, unless it is too large.
    pub(super) fn new(value: u64) -> Option<Self> {
        let value = u32::try_from(value).ok()?;
        NonZeroU32::new(!value).map(Self)
    }

    pub(super) fn get(self) -> u32 {
        !self.0.get()
    }
}

/// A `u64` other than `u64::MAX`, stored as its complement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NonMaxU64(NonZeroU64);

impl NonMaxU64 {
    /// The value, unless it is `u64::MAX`.
    pub(super) fn new(value: u64) -> Option<Self> {
        NonZeroU64::new(!value).map(Self)
    }

    pub(super) fn get(self) -> u64 {
        !self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_take_no_more_memory_and_zero_is_a_value() {
        assert_eq!(size_of::<Option<NonMaxU32>>(), 4);
        assert_eq!(size_of::<Option<NonMaxU64>>(), 8);
        for value in [0, 1, u64::from(u32::MAX) - 1] {
            assert_eq!(
                NonMaxU32::new(value).map(|it| u64::from(it.get())),
                Some(value)
            );
            assert_eq!(NonMaxU64::new(value).map(NonMaxU64::get), Some(value));
        }
        assert_eq!(NonMaxU32::new(u32::MAX.into()), None);
        assert_eq!(NonMaxU64::new(u64::MAX), None);
    }
}
