//! One reading of a trend in six bytes, and the mean of several.

use kubevitals_proto::units::{Bytes, Nanocores};

use super::amount::Amounts;
use super::cell::Resource;

/// A reading in six bytes: a precision of 1 in 256 is finer than any sparkline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredReading {
    /// Seconds after the base.
    pub(super) after: u16,
    cpu: Short,
    memory: Short,
}

impl StoredReading {
    /// The reading of usage, this many seconds after the base.
    pub(super) fn new(after: u16, usage: Amounts) -> Self {
        Self {
            after,
            cpu: Short::of(usage.get(Resource::Cpu)),
            memory: Short::of(usage.get(Resource::Memory)),
        }
    }

    /// The usage.
    pub(super) fn amounts(self) -> Amounts {
        Amounts {
            cpu: self.cpu.get().map(Nanocores).into(),
            memory: self.memory().map(Bytes).into(),
        }
    }

    /// The memory in bytes.
    pub(super) fn memory(self) -> Option<u64> {
        self.memory.get()
    }
}

/// A number in two bytes: nine significant bits and a shift. [`Short::NONE`] is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Short(u16);

impl Short {
    const NONE: Self = Self(u16::MAX);

    fn of(number: Option<u64>) -> Self {
        let Some(number) = number else {
            return Self::NONE;
        };
        let halved = (u64::BITS - number.leading_zeros()).saturating_sub(9);
        // At most nine bits are left, and the shift is at most 55.
        let short = u16::try_from(number >> halved).unwrap_or(0)
            | (u16::try_from(halved).unwrap_or(0) << 9);
        Self(short)
    }

    fn get(self) -> Option<u64> {
        (self != Self::NONE).then(|| u64::from(self.0 & 0x1ff) << (self.0 >> 9))
    }
}

/// The mean of the readings of a step.
#[derive(Default)]
pub(super) struct Mean {
    /// The sum and the number of readings of CPU and of memory.
    sums: [(u64, u64); 2],
}

impl Mean {
    /// Adds a reading.
    pub(super) fn add(&mut self, reading: StoredReading) {
        for ((sum, count), value) in self.sums.iter_mut().zip([reading.cpu, reading.memory]) {
            if let Some(value) = value.get() {
                *sum = sum.saturating_add(value);
                *count += 1;
            }
        }
    }

    /// The mean. `None` without readings.
    pub(super) fn get(self) -> Option<Amounts> {
        let [cpu, memory] = self.sums.map(|(sum, count)| sum.checked_div(count));
        let mean = Amounts {
            cpu: cpu.map(Nanocores).into(),
            memory: memory.map(Bytes).into(),
        };
        (mean != Amounts::default()).then_some(mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_number_is_right_to_one_part_in_256() {
        for number in [
            0,
            1,
            255,
            511,
            512,
            1_000_003,
            123_456_789_012,
            u64::MAX / 2,
        ] {
            let back = Short::of(Some(number)).get().unwrap();
            assert!(number - back <= number / 256, "{number} became {back}");
        }
        assert_eq!(Short::of(None).get(), None);
        assert!(Short::of(Some(u64::MAX)).get().is_some());
    }

    #[test]
    fn a_reading_has_six_bytes() {
        assert_eq!(size_of::<StoredReading>(), 6);
    }
}
