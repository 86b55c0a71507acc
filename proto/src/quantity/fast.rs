//! The two quantities the server writes all day, without building a [`Quantity`](super::Quantity).

use crate::text::push_u64;
use crate::units::{Bytes, Nanocores};

/// A canonical quantity: a number and its suffix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Canonical {
    number: u64,
    suffix: &'static str,
}

impl Canonical {
    /// Of CPU: the largest decimal suffix that leaves a whole number.
    pub(crate) fn cpu(cpu: Nanocores) -> Self {
        let mut number = cpu.0;
        if number == 0 {
            return Self { number, suffix: "" };
        }
        // A u64 of nanos is less than 19 giga, so it is divided six times at most.
        let mut suffixes = ["n", "u", "m", "", "k", "M", "G"].into_iter();
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
    pub(crate) fn bytes(bytes: Bytes) -> Self {
        // A binary quantity under 1024 is written as a decimal one, whose only round form is 1k.
        match bytes.0 {
            0 => {
                return Self {
                    number: 0,
                    suffix: "",
                };
            }
            1000 => {
                return Self {
                    number: 1,
                    suffix: "k",
                };
            }
            _ => {}
        }
        let thousands = bytes.0.trailing_zeros() / 10;
        let suffix = match thousands {
            0 => "",
            1 => "Ki",
            2 => "Mi",
            3 => "Gi",
            4 => "Ti",
            5 => "Pi",
            _ => "Ei",
        };
        Self {
            number: bytes.0 >> (10 * thousands),
            suffix,
        }
    }

    /// The length of the text.
    pub(crate) fn len(self) -> usize {
        self.number.checked_ilog10().unwrap_or(0) as usize + 1 + self.suffix.len()
    }

    /// Appends its text.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        push_u64(out, self.number);
        out.extend_from_slice(self.suffix.as_bytes());
    }
}

/// Appends the canonical quantity of `cpu`: `250m`, `5017823n`, `2`, `0`.
pub fn write_cpu(out: &mut Vec<u8>, cpu: Nanocores) {
    Canonical::cpu(cpu).write(out);
}

/// Appends the canonical quantity of `bytes`: `18316Ki`, `10004096`, `0`.
pub fn write_bytes(out: &mut Vec<u8>, bytes: Bytes) {
    Canonical::bytes(bytes).write(out);
}
