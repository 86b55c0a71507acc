//! The two quantities the server writes all day, without building a [`Quantity`](super::Quantity).

use crate::text::{DIGITS, digits_of};
use crate::units::{Bytes, Nanocores};

/// A suffix: up to two letters, then zeros.
type Suffix = [u8; 2];

const NO_SUFFIX: Suffix = [0; 2];

/// The suffixes of CPU, each a thousand times the one before. A `u64` of nanos is less than 19 giga.
const DECIMAL: [Suffix; 7] = [
    *b"n\0", *b"u\0", *b"m\0", NO_SUFFIX, *b"k\0", *b"M\0", *b"G\0",
];

/// The suffixes of memory, each 1024 times the one before.
const BINARY: [Suffix; 7] = [NO_SUFFIX, *b"Ki", *b"Mi", *b"Gi", *b"Ti", *b"Pi", *b"Ei"];

/// A canonical quantity: a number and its suffix.
#[derive(Debug, Clone, Copy)]
struct Canonical {
    number: u64,
    suffix: Suffix,
}

impl Canonical {
    /// Of CPU: the largest decimal suffix that leaves a whole number.
    fn cpu(cpu: Nanocores) -> Self {
        let mut number = cpu.0;
        if number == 0 {
            return Self {
                number,
                suffix: NO_SUFFIX,
            };
        }
        let mut suffixes = DECIMAL.into_iter();
        let mut suffix = suffixes.next();
        while number.is_multiple_of(1000) {
            number /= 1000;
            suffix = suffixes.next();
        }
        Self {
            number,
            suffix: suffix.unwrap_or_default(),
        }
    }

    /// Of memory: the largest binary suffix that leaves a whole number.
    fn bytes(bytes: Bytes) -> Self {
        // A binary quantity under 1024 is written as a decimal one, whose only round form is 1k.
        match bytes.0 {
            0 => Self {
                number: 0,
                suffix: NO_SUFFIX,
            },
            1000 => Self {
                number: 1,
                suffix: *b"k\0",
            },
            bytes => {
                let thousands = bytes.trailing_zeros() / 10;
                let suffix = BINARY.get(thousands as usize);
                Self {
                    number: bytes >> (10 * thousands),
                    suffix: suffix.copied().unwrap_or_default(),
                }
            }
        }
    }
}

/// The text of a quantity, made once for its length and its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QuantityText {
    /// The digits, right-aligned, then the suffix, then zeros: [`Self::LONGEST`] bytes from any digit on.
    bytes: [u8; DIGITS + 2 + DIGITS],
    /// The index of the first digit.
    start: usize,
    len: u8,
}

impl QuantityText {
    /// The longest text: the digits of a `u64`, and a suffix.
    const LONGEST: usize = DIGITS + 2;

    /// Of CPU: `250m`, `5017823n`, `2`, `0`.
    pub(crate) fn cpu(cpu: Nanocores) -> Self {
        Self::of(Canonical::cpu(cpu))
    }

    /// Of memory: `18316Ki`, `10004096`, `0`.
    pub(crate) fn memory(bytes: Bytes) -> Self {
        Self::of(Canonical::bytes(bytes))
    }

    #[inline]
    fn of(Canonical { number, suffix }: Canonical) -> Self {
        let mut text = Self {
            bytes: [0; DIGITS + 2 + DIGITS],
            start: 0,
            len: 0,
        };
        if let Some((digits, rest)) = text.bytes.split_first_chunk_mut()
            && let Some(place) = rest.first_chunk_mut()
        {
            text.start = digits_of(digits, number);
            *place = suffix;
            let letters = suffix.iter().filter(|letter| **letter != 0).count();
            text.len = (DIGITS - text.start + letters) as u8;
        }
        text
    }

    /// The length of the text.
    pub(crate) const fn len(&self) -> u8 {
        self.len
    }

    /// Appends the text. A copy of constant length is several times faster than one of a few bytes, so what follows the
    /// text is copied too, and removed.
    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let end = out.len() + usize::from(self.len);
        let from_start = self.bytes.get(self.start..).unwrap_or_default();
        if let Some(longest) = from_start.first_chunk::<{ Self::LONGEST }>() {
            out.extend_from_slice(longest);
            out.truncate(end);
        }
    }
}

/// Appends the canonical quantity of `cpu`: `250m`, `5017823n`, `2`, `0`.
pub fn write_cpu(out: &mut Vec<u8>, cpu: Nanocores) {
    QuantityText::cpu(cpu).write(out);
}

/// Appends the canonical quantity of `bytes`: `18316Ki`, `10004096`, `0`.
pub fn write_bytes(out: &mut Vec<u8>, bytes: Bytes) {
    QuantityText::memory(bytes).write(out);
}
