//! The canonical text of a quantity.

use super::{Format, Quantity, mul_pow10};
use std::fmt;

impl fmt::Display for Quantity {
    /// The canonical form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.width().is_none() {
            return self.canonical(f);
        }
        let mut text = String::with_capacity(24);
        self.canonical(&mut text)?;
        f.pad(&text)
    }
}

impl Quantity {
    fn canonical(self, f: &mut impl fmt::Write) -> fmt::Result {
        let magnitude = self.coefficient.unsigned_abs();
        if magnitude == 0 {
            return f.write_char('0');
        }
        if self.coefficient < 0 {
            f.write_char('-')?;
        }
        match self.format {
            Format::BinarySi => match self.binary_magnitude() {
                Some(whole) => write_binary(f, whole),
                None => write_decimal(f, magnitude, self.exponent, Format::DecimalSi),
            },
            format => write_decimal(f, magnitude, self.exponent, format),
        }
    }

    /// The magnitude as a whole number, if it is to be written with a binary suffix: a fraction
    /// or a value under 1024 is not, lest it be rounded.
    fn binary_magnitude(self) -> Option<u128> {
        let up = u64::try_from(self.exponent).ok()?;
        mul_pow10(self.coefficient.unsigned_abs(), up).filter(|whole| *whole >= 1024)
    }
}

fn write_binary(f: &mut impl fmt::Write, mut whole: u128) -> fmt::Result {
    let mut suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].iter().peekable();
    let mut suffix = suffixes.next();
    while whole.is_multiple_of(1024) && suffixes.peek().is_some() {
        whole /= 1024;
        suffix = suffixes.next();
    }
    write!(f, "{whole}{}", suffix.unwrap_or(&""))
}

/// Digits, then the zeros that make the exponent one that has a suffix, then that suffix.
fn write_decimal(
    f: &mut impl fmt::Write,
    digits: u128,
    exponent: i32,
    format: Format,
) -> fmt::Result {
    let suffixed = match format {
        Format::DecimalExponent => exponent - exponent.rem_euclid(3),
        _ => (exponent - exponent.rem_euclid(3)).min(18),
    };
    write!(f, "{digits}")?;
    for _ in suffixed..exponent {
        f.write_char('0')?;
    }
    match (format, suffixed) {
        (_, 0) => Ok(()),
        (Format::DecimalExponent, _) => write!(f, "e{suffixed}"),
        _ => f.write_str(match suffixed {
            -9 => "n",
            -6 => "u",
            -3 => "m",
            3 => "k",
            6 => "M",
            9 => "G",
            12 => "T",
            15 => "P",
            _ => "E",
        }),
    }
}
