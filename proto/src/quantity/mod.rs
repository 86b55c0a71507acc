//! Kubernetes' quantity: a decimal number with a suffix (`250m`, `18316Ki`, `12e6`).
//!
//! The rules are those of `k8s.io/apimachinery/pkg/api/resource`: nothing is finer than a nano,
//! what is finer is rounded up, away from zero; a binary quantity is at most 2⁶³ − 1; the
//! canonical form has no fraction, the largest suffix that allows that, and no trailing zeros.
//!
//! Where this is stricter than Go: the canonical form is always written, while Go repeats some
//! texts as they came (`1.234`, `+5`, `007`); and a decimal number past the exa is written
//! with its zeros (`1000E`), where Go loses its suffix.

mod fast;
mod format;
mod json;
mod parse;

pub(crate) use fast::QuantityText;
pub use fast::{write_bytes, write_cpu};
pub use parse::ParseQuantityError;

use crate::units::{Bytes, Nanocores};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

/// The family of suffixes of a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// Powers of 1000: n, u, m, none, k, M, G, T, P, E.
    #[default]
    DecimalSi,
    /// Powers of 1024: Ki, Mi, Gi, Ti, Pi, Ei.
    BinarySi,
    /// Powers of ten: `12e6`.
    DecimalExponent,
}

/// An exact decimal number and the [`Format`] it is written in.
///
/// Equality, order and hash are by value: `1Ki`, `1024` and `1.024e3` are equal. Up to 38
/// significant digits are stored; a longer number is rounded away from zero.
#[derive(Clone, Copy, Default)]
pub struct Quantity {
    /// The value is `coefficient × 10^exponent`; the coefficient has no trailing zeros, and zero
    /// has exponent zero, so that equal values are equal field by field.
    coefficient: i128,
    exponent: i32,
    format: Format,
}

impl Quantity {
    /// `value × 10^exponent`, rounded away from zero to a whole number of nanos.
    #[must_use]
    pub fn new(value: i64, exponent: i32, format: Format) -> Self {
        Self::from_parts(
            value < 0,
            u128::from(value.unsigned_abs()),
            i64::from(exponent),
            format,
        )
    }

    /// CPU, in the format of `metrics.k8s.io`: decimal.
    #[must_use]
    pub fn from_nanocores(cpu: Nanocores) -> Self {
        Self::from_parts(false, u128::from(cpu.0), -9, Format::DecimalSi)
    }

    /// Memory, in the format of `metrics.k8s.io`: binary.
    #[must_use]
    pub fn from_bytes(bytes: Bytes) -> Self {
        Self::from_parts(false, u128::from(bytes.0), 0, Format::BinarySi)
    }

    /// A measured value in whole thousandths, to the nearest one: what a HorizontalPodAutoscaler compares. Past 2⁶³
    /// thousandths it is in whole ones, and at most 2⁶³ − 1, as Go reads quantities. None for a value that is no finite
    /// number.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let thousandths = (value * 1000.0).round();
        Some(if thousandths.abs() < i64::MAX as f64 {
            Self::new(thousandths as i64, -3, Format::DecimalSi)
        } else {
            Self::new((value as i64).max(-i64::MAX), 0, Format::DecimalSi)
        })
    }

    /// As CPU, rounded up to whole nanocores (it is never finer); a negative one is zero.
    #[must_use]
    pub fn to_nanocores(self) -> Nanocores {
        Nanocores(
            u64::try_from(self.scaled(-9)).unwrap_or(if self.coefficient < 0 {
                0
            } else {
                u64::MAX
            }),
        )
    }

    /// As bytes, rounded up to whole ones; a negative number is zero.
    #[must_use]
    pub fn to_bytes(self) -> Bytes {
        Bytes(
            u64::try_from(self.scaled(0)).unwrap_or(if self.coefficient < 0 {
                0
            } else {
                u64::MAX
            }),
        )
    }

    /// The value in thousandths, rounded away from zero, as Go's `MilliValue`; saturates where Go
    /// overflows.
    #[must_use]
    pub fn milli_value(self) -> i64 {
        saturate(self.scaled(-3))
    }

    /// The value in whole ones, rounded away from zero, as Go's `Value`; saturates where Go
    /// overflows.
    #[must_use]
    pub fn value(self) -> i64 {
        saturate(self.scaled(0))
    }

    /// The nearest floating-point number.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.coefficient as f64 * 10_f64.powi(self.exponent)
    }

    /// The format of the text it was parsed from; it is written in the same format if the value allows.
    #[must_use]
    pub const fn format(self) -> Format {
        self.format
    }

    /// The same value in another format.
    #[must_use]
    pub const fn with_format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// Whether the value is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    /// Normalizes, and rounds to nanos away from zero.
    fn from_parts(negative: bool, mut magnitude: u128, mut exponent: i64, format: Format) -> Self {
        if exponent < NANO {
            magnitude = div_ceil_pow10(magnitude, exponent.abs_diff(NANO));
            exponent = NANO;
        }
        while magnitude > u64::MAX.into() && magnitude.is_multiple_of(10) {
            magnitude /= 10;
            exponent += 1;
        }
        // Most fit in 64 bits, which are divided many times faster.
        if let Ok(mut small @ 1..) = u64::try_from(magnitude) {
            while small.is_multiple_of(10) {
                small /= 10;
                exponent += 1;
            }
            magnitude = small.into();
        }
        let Ok(coefficient) = i128::try_from(magnitude) else {
            // 39 digits: the last one goes, rounded up.
            return Self::from_parts(negative, magnitude.div_ceil(10), exponent + 1, format);
        };
        let exponent = if coefficient == 0 {
            0
        } else {
            exponent.try_into().unwrap_or(i32::MAX)
        };
        Self {
            coefficient: if negative { -coefficient } else { coefficient },
            exponent,
            format,
        }
    }

    /// `self / 10^exponent`, rounded away from zero, saturating.
    fn scaled(self, exponent: i32) -> i128 {
        let up = i64::from(self.exponent) - i64::from(exponent);
        let magnitude = self.coefficient.unsigned_abs();
        let magnitude = match u64::try_from(up) {
            Ok(up) => mul_pow10(magnitude, up).unwrap_or(u128::MAX),
            Err(_) => div_ceil_pow10(magnitude, up.unsigned_abs()),
        };
        let magnitude = i128::try_from(magnitude).unwrap_or(i128::MAX);
        if self.coefficient < 0 {
            -magnitude
        } else {
            magnitude
        }
    }
}

/// The exponent of the finest unit there is.
const NANO: i64 = -9;

fn saturate(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// Every power of ten that fits.
const POWERS: [u128; 39] = {
    let mut powers = [1; 39];
    let mut at = 1;
    while at < powers.len() {
        #[allow(clippy::indexing_slicing)] // const evaluation: out of bounds would not compile
        {
            powers[at] = powers[at - 1] * 10;
        }
        at += 1;
    }
    powers
};

fn pow10(power: u64) -> Option<u128> {
    POWERS.get(usize::try_from(power).ok()?).copied()
}

/// `n × 10^power`, if it fits.
fn mul_pow10(n: u128, power: u64) -> Option<u128> {
    if n == 0 {
        Some(0)
    } else {
        n.checked_mul(pow10(power)?)
    }
}

/// `n / 10^power`, rounded up.
fn div_ceil_pow10(n: u128, power: u64) -> u128 {
    pow10(power).map_or(u128::from(n > 0), |divisor| n.div_ceil(divisor))
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_sign = self.coefficient.signum().cmp(&other.coefficient.signum());
        if by_sign != Ordering::Equal || self.coefficient == 0 {
            return by_sign;
        }
        let magnitudes = cmp_magnitude(*self, *other);
        if self.coefficient < 0 {
            magnitudes.reverse()
        } else {
            magnitudes
        }
    }
}

/// Compares two non-zero values without their signs.
fn cmp_magnitude(a: Quantity, b: Quantity) -> Ordering {
    let (x, y) = (a.coefficient.unsigned_abs(), b.coefficient.unsigned_abs());
    // Where the first digit stands decides, unless it stands at the same place in both; then the
    // exponents differ by less than the 39 digits there can be, and scaling one cannot overflow.
    let place = |digits: u128, exponent: i32| i64::from(digits.ilog10()) + i64::from(exponent);
    place(x, a.exponent)
        .cmp(&place(y, b.exponent))
        .then_with(|| {
            let up = a.exponent.abs_diff(b.exponent).into();
            let (x, y) = match a.exponent.cmp(&b.exponent) {
                Ordering::Greater => (mul_pow10(x, up).unwrap_or(u128::MAX), y),
                _ => (x, mul_pow10(y, up).unwrap_or(u128::MAX)),
            };
            x.cmp(&y)
        })
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.coefficient == other.coefficient && self.exponent == other.exponent
    }
}

impl Eq for Quantity {}

impl Hash for Quantity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.coefficient, self.exponent).hash(state);
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quantity({self} as {:?})", self.format)
    }
}

impl Add for Quantity {
    type Output = Self;

    /// The sum, in the format of the left one, or of the right one if the left one is zero, as in
    /// Go. Of two values too far apart for 38 digits the larger one remains.
    fn add(self, other: Self) -> Self {
        if other.is_zero() {
            let format = if self.is_zero() {
                other.format
            } else {
                self.format
            };
            return self.with_format(format);
        }
        if self.is_zero() {
            return other;
        }
        let exponent = self.exponent.min(other.exponent);
        let scaled = |q: Self| {
            let factor = i128::try_from(pow10(q.exponent.abs_diff(exponent).into())?).ok()?;
            q.coefficient.checked_mul(factor)
        };
        match scaled(self)
            .zip(scaled(other))
            .and_then(|(a, b)| a.checked_add(b))
        {
            Some(sum) => {
                Self::from_parts(sum < 0, sum.unsigned_abs(), exponent.into(), self.format)
            }
            None if cmp_magnitude(self, other) == Ordering::Less => other.with_format(self.format),
            None => self,
        }
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Neg for Quantity {
    type Output = Self;
    fn neg(self) -> Self {
        Self {
            coefficient: self.coefficient.saturating_neg(),
            ..self
        }
    }
}

impl Sub for Quantity {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(quantities: I) -> Self {
        quantities.fold(Self::default(), Add::add)
    }
}

impl From<Nanocores> for Quantity {
    fn from(cpu: Nanocores) -> Self {
        Self::from_nanocores(cpu)
    }
}

impl From<Bytes> for Quantity {
    fn from(bytes: Bytes) -> Self {
        Self::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn a_measured_value_is_in_thousandths() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (12.0, "12"),
            (0.1 + 0.2, "300m"),
            (0.29, "290m"),
            (0.0004, "0"),
            (-1.5, "-1500m"),
            (2_000_000.0, "2M"),
            (9.007_199_254_740_993e15, "9007199254740992"),
            (1e17, "100P"),
            (-1e17, "-100P"),
            (f64::MAX, "9223372036854775807"),
            (f64::MIN, "-9223372036854775807"),
        ] {
            let quantity = Quantity::from_f64(value).unwrap();
            assert_eq!(quantity.to_string(), expected, "{value}");
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Quantity::from_f64(value), None);
        }
    }
}
