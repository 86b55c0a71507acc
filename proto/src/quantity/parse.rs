//! Reading a quantity.

use super::{Format, Quantity};
use std::str::FromStr;

/// Why a text is not a quantity; the messages are Go's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseQuantityError {
    /// Empty, or not a number followed by a suffix.
    #[error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    /// The suffix is none that there is.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

/// What stands in a quantity, piece by piece; as in Go, every digit may be missing (`.`, `Ki` and
/// `+` are zero).
struct Pieces<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

impl FromStr for Quantity {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pieces = split(text)?;
        let (scale, format) = suffix(pieces.suffix).ok_or(ParseQuantityError::Suffix)?;
        let (shift, power) = match scale {
            Scale::Two(shift) => (shift, 0),
            Scale::Ten(power) => (0, i64::from(power)),
        };
        let whole = pieces.whole.trim_start_matches('0');
        let (digits, dropped) = magnitude(whole, pieces.fraction, shift);
        let exponent = power - pieces.fraction.len() as i64 + dropped;
        let quantity = Self::from_parts(pieces.negative, digits, exponent, format);
        Ok(if format == Format::BinarySi {
            quantity.bounded_binary()
        } else {
            quantity
        })
    }
}

impl Quantity {
    /// What Go does to binary quantities only: a cap, and decimal suffixes for a fraction of one.
    fn bounded_binary(self) -> Self {
        let max = Self::new(i64::MAX, 0, Format::BinarySi);
        let one = Self::new(1, 0, Format::BinarySi);
        let magnitude = if self.coefficient < 0 { -self } else { self };
        if magnitude > max {
            return if self.coefficient < 0 { -max } else { max };
        }
        if magnitude < one && !self.is_zero() {
            return self.with_format(Format::DecimalSi);
        }
        self
    }
}

fn split(text: &str) -> Result<Pieces<'_>, ParseQuantityError> {
    if text.is_empty() {
        return Err(ParseQuantityError::Format);
    }
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = split_while(unsigned, |c| c.is_ascii_digit());
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => split_while(rest, |c| c.is_ascii_digit()),
        None => ("", rest),
    };
    let (_, rest) = split_while(suffix, |c| "eEinumkKMGTP".contains(c));
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    if rest.chars().all(|c| c.is_ascii_digit()) {
        Ok(Pieces {
            negative,
            whole,
            fraction,
            suffix,
        })
    } else {
        Err(ParseQuantityError::Format)
    }
}

fn split_while(text: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !wanted(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// What a suffix multiplies by: a power of two or of ten.
enum Scale {
    Two(u32),
    Ten(i32),
}

fn suffix(suffix: &str) -> Option<(Scale, Format)> {
    let decimal = |power| Some((Scale::Ten(power), Format::DecimalSi));
    let binary = |power| Some((Scale::Two(power), Format::BinarySi));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let power: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            // Go cuts the exponent to 32 bits.
            Some((Scale::Ten(power as i32), Format::DecimalExponent))
        }
    }
}

/// So many digits, shifted by 60 bits, stay under 2¹²⁷.
const EASY_DIGITS: usize = 20;

/// The digits `whole` and `fraction` as one number times `2^shift`, with as many of its last
/// digits dropped (and rounded up) as do not fit, and how many those are.
fn magnitude(whole: &str, fraction: &str, shift: u32) -> (u128, i64) {
    let digits = || {
        whole
            .bytes()
            .chain(fraction.bytes())
            .map(|digit| digit - b'0')
    };
    if whole.len() + fraction.len() <= EASY_DIGITS {
        return (
            digits().fold(0, |n, digit| n * 10 + u128::from(digit)) << shift,
            0,
        );
    }
    // The rare long one: doubled digit by digit, which needs no wide integers.
    let mut digits: Vec<u8> = digits().skip_while(|digit| *digit == 0).collect();
    for _ in 0..shift {
        double(&mut digits);
    }
    let kept = digits.len().min(38);
    let (head, tail) = digits.split_at_checked(kept).unwrap_or((&digits, &[]));
    let number = head
        .iter()
        .fold(0, |n: u128, digit| n * 10 + u128::from(*digit));
    (
        number + u128::from(tail.iter().any(|digit| *digit != 0)),
        tail.len() as i64,
    )
}

/// Doubles a number given as its decimal digits, the first one first.
fn double(digits: &mut Vec<u8>) {
    let mut carry = 0;
    for digit in digits.iter_mut().rev() {
        let doubled = *digit * 2 + carry;
        *digit = doubled % 10;
        carry = doubled / 10;
    }
    if carry > 0 {
        digits.insert(0, carry);
    }
}
