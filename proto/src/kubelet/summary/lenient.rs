//! Parsers for which an impossible value is absent.

use serde::de::Deserializer;

use crate::lenient::{Lenient, lenient};
use crate::time::Timestamp;

/// Parses a whole number that is not negative.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    lenient(deserializer).map(|Number(number)| number)
}

/// Parses an RFC 3339 time.
pub(super) fn time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    lenient(deserializer).map(|Time(time)| time)
}

#[derive(Default)]
struct Number(Option<u64>);

impl Lenient<'_> for Number {
    fn unsigned(number: u64) -> Self {
        Self(Some(number))
    }

    /// Some kubelets give whole numbers a point or an exponent.
    fn float(number: f64) -> Self {
        let whole = number >= 0.0 && number < 2_f64.powi(64) && number.fract() == 0.0;
        Self(whole.then_some(number as u64))
    }
}

#[derive(Default)]
struct Time(Option<Timestamp>);

impl Lenient<'_> for Time {
    fn text(text: &str) -> Self {
        Self(text.parse().ok())
    }
}
