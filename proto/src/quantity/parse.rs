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

/// The parts of a quantity. As in Go, every digit may be missing (`.`, `Ki` and `+` are zero).
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    suffix: &'a [u8],
}

impl FromStr for Quantity {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = split(text.as_bytes())?;
        let (scale, format) = suffix(parts.suffix).ok_or(ParseQuantityError::Suffix)?;
        let (shift, power) = match scale {
            Scale::Two(shift) => (shift, 0),
            Scale::Ten(power) => (0, i64::from(power)),
        };
        let (digits, dropped) = magnitude(parts.whole, parts.fraction, shift);
        let exponent = power - parts.fraction.len() as i64 + dropped;
        let quantity = Self::from_parts(parts.negative, digits, exponent, format);
        Ok(if format == Format::BinarySi {
            quantity.bounded_binary()
        } else {
            quantity
        })
    }
}

impl Quantity {
    /// Go's rules for binary quantities: a maximum, and decimal suffixes for a fraction of one.
    fn bounded_binary(self) -> Self {
        // Nearly all are whole numbers far under the cap.
        if self.exponent >= 0
            && self.coefficient.unsigned_abs() < 1_000_000_000_000
            && self.exponent < 6
        {
            return self;
        }
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

fn split(text: &[u8]) -> Result<Parts<'_>, ParseQuantityError> {
    let (negative, unsigned) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        Some(_) => (false, text),
        None => return Err(ParseQuantityError::Format),
    };
    let (whole, rest) = split_while(unsigned, |byte| byte.is_ascii_digit());
    let (fraction, suffix) = match rest.split_first() {
        Some((b'.', rest)) => split_while(rest, |byte| byte.is_ascii_digit()),
        _ => ([].as_slice(), rest),
    };
    // Letters, a sign, digits.
    let (_, rest) = split_while(suffix, |byte| b"eEinumkKMGTP".contains(byte));
    let rest = match rest.split_first() {
        Some((b'-' | b'+', rest)) => rest,
        _ => rest,
    };
    match split_while(rest, |byte| byte.is_ascii_digit()) {
        (_, []) => Ok(Parts {
            negative,
            whole,
            fraction,
            suffix,
        }),
        _ => Err(ParseQuantityError::Format),
    }
}

#[inline]
fn split_while(text: &[u8], accepts: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| !accepts(byte))
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
}

/// The factor of a suffix: a power of two or of ten.
enum Scale {
    Two(u32),
    Ten(i32),
}

fn suffix(suffix: &[u8]) -> Option<(Scale, Format)> {
    let decimal = |power| Some((Scale::Ten(power), Format::DecimalSi));
    let binary = |power| Some((Scale::Two(power), Format::BinarySi));
    match suffix {
        b"n" => decimal(-9),
        b"u" => decimal(-6),
        b"m" => decimal(-3),
        b"" => decimal(0),
        b"k" => decimal(3),
        b"M" => decimal(6),
        b"G" => decimal(9),
        b"T" => decimal(12),
        b"P" => decimal(15),
        b"E" => decimal(18),
        b"Ki" => binary(10),
        b"Mi" => binary(20),
        b"Gi" => binary(30),
        b"Ti" => binary(40),
        b"Pi" => binary(50),
        b"Ei" => binary(60),
        _ => {
            let power = suffix
                .strip_prefix(b"e")
                .or_else(|| suffix.strip_prefix(b"E"))?;
            let power: i64 = std::str::from_utf8(power).ok()?.parse().ok()?;
            // Go cuts the exponent to 32 bits.
            Some((Scale::Ten(power as i32), Format::DecimalExponent))
        }
    }
}

/// So many digits fit in a `u64`.
const FEW_DIGITS: usize = 19;

/// The digits `whole` and `fraction` as one number times `2^shift`, with as many of its last
/// digits dropped (and rounded up) as do not fit, and how many those are.
fn magnitude(whole: &[u8], fraction: &[u8], shift: u32) -> (u128, i64) {
    let digits = || whole.iter().chain(fraction).map(|digit| digit - b'0');
    if whole.len() + fraction.len() <= FEW_DIGITS {
        // 60 bits more still leave room in the 128.
        let number = digits().fold(0, |n, digit| n * 10 + u64::from(digit));
        return (u128::from(number) << shift, 0);
    }
    // The rare long one: doubled digit by digit, which needs no wide integers.
    let mut digits: Vec<u8> = digits().skip_while(|digit| *digit == 0).collect();
    for _ in 0..shift {
        double(&mut digits);
    }
    let head_len = digits.len().min(38);
    let (head, tail) = digits.split_at_checked(head_len).unwrap_or((&digits, &[]));
    let number = head
        .iter()
        .fold(0, |n: u128, digit| n * 10 + u128::from(*digit));
    (
        number + u128::from(tail.iter().any(|digit| *digit != 0)),
        tail.len() as i64,
    )
}

/// Doubles a number in decimal digits, the most significant first.
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
