//! Durations as Go writes them: `15.253s`, `1m0s`, `500ms`.

use crate::text;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// A length of time in nanoseconds, with the text form of Go's `time.Duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct GoDuration(pub i64);

/// The text is not a duration as Go's `time.ParseDuration` takes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseDurationError {
    /// No number, no digits, or more than 292 years.
    #[error("time: invalid duration {}", text::quote(.0))]
    Invalid(String),
    /// A number without a unit; only zero needs none.
    #[error("time: missing unit in duration {}", text::quote(.0))]
    MissingUnit(String),
    /// A unit that is none of h, m, s, ms, us, µs, ns.
    #[error(
        "time: unknown unit {} in duration {}",
        text::quote(unit),
        text::quote(text)
    )]
    UnknownUnit {
        /// The unit that was found.
        unit: String,
        /// The whole text.
        text: String,
    },
}

impl GoDuration {
    /// From whole seconds; saturates.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND as i64))
    }

    /// From milliseconds; saturates.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(MILLISECOND as i64))
    }

    /// In nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// In seconds.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }
}

/// Appends the text of `duration` exactly as Go's `Duration.String`, without allocation.
pub fn write_duration(out: &mut Vec<u8>, duration: GoDuration) {
    if duration.0 < 0 {
        out.push(b'-');
    }
    let nanos = duration.0.unsigned_abs();
    match nanos {
        0 => out.extend_from_slice(b"0s"),
        1..MICROSECOND => {
            text::push_u64(out, nanos);
            out.extend_from_slice(b"ns");
        }
        MICROSECOND..MILLISECOND => {
            text::push_u64(out, nanos / MICROSECOND);
            text::push_fraction(out, nanos % MICROSECOND, 3);
            out.extend_from_slice("µs".as_bytes());
        }
        MILLISECOND..SECOND => {
            text::push_u64(out, nanos / MILLISECOND);
            text::push_fraction(out, nanos % MILLISECOND, 6);
            out.extend_from_slice(b"ms");
        }
        _ => {
            if nanos >= HOUR {
                text::push_u64(out, nanos / HOUR);
                out.push(b'h');
            }
            if nanos >= MINUTE {
                text::push_u64(out, nanos % HOUR / MINUTE);
                out.push(b'm');
            }
            text::push_u64(out, nanos % MINUTE / SECOND);
            text::push_fraction(out, nanos % SECOND, 9);
            out.push(b's');
        }
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&text::to_string(|out| write_duration(out, *self)))
    }
}

impl From<std::time::Duration> for GoDuration {
    fn from(duration: std::time::Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl FromStr for GoDuration {
    type Err = ParseDurationError;

    /// Go's `time.ParseDuration`: a sign, then numbers with a fraction and a unit each; `0` alone
    /// needs no unit. What is finer than a nanosecond is dropped.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || ParseDurationError::Invalid(clip(text));
        let (negative, unsigned) = match text.strip_prefix(['-', '+']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        if unsigned == "0" {
            return Ok(Self(0));
        }
        if unsigned.is_empty() {
            return Err(invalid());
        }
        let mut total: u64 = 0;
        let mut rest = unsigned;
        while !rest.is_empty() {
            let (nanos, after) = parse_part(rest, text)?;
            rest = after;
            total = total
                .checked_add(nanos)
                .filter(|sum| *sum <= 1 << 63)
                .ok_or_else(invalid)?;
        }
        if negative {
            return Ok(Self(0_i64.wrapping_sub_unsigned(total)));
        }
        i64::try_from(total).map(Self).map_err(|_| invalid())
    }
}

/// One number with its unit: its nanoseconds, and what follows it.
fn parse_part<'a>(part: &'a str, text: &str) -> Result<(u64, &'a str), ParseDurationError> {
    let invalid = || ParseDurationError::Invalid(clip(text));
    let (whole, rest) = split_digits(part);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => split_digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| invalid())?
    };
    let unit_end = rest
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at_checked(unit_end).unwrap_or((rest, ""));
    let scale = match unit {
        "ns" => 1,
        // Both the micro sign and the Greek letter mu.
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "" => return Err(ParseDurationError::MissingUnit(clip(text))),
        unit => {
            return Err(ParseDurationError::UnknownUnit {
                unit: clip(unit),
                text: clip(text),
            });
        }
    };
    let whole = whole
        .checked_mul(scale)
        .filter(|nanos| *nanos <= 1 << 63)
        .ok_or_else(invalid)?;
    let nanos = whole
        .checked_add(fraction_of(fraction, scale))
        .ok_or_else(invalid)?;
    Ok((nanos, rest))
}

/// `0.digits` of `scale`, in floating point as Go computes it; digits that do not fit in 63 bits
/// are ignored, as there.
fn fraction_of(digits: &str, scale: u64) -> u64 {
    let (mut value, mut divisor) = (0_u64, 1.0_f64);
    for digit in digits.bytes() {
        let next = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(u64::from(digit - b'0')));
        match next {
            Some(next) if next <= 1 << 63 => value = next,
            _ => break,
        }
        divisor *= 10.0;
    }
    (value as f64 * (scale as f64 / divisor)) as u64
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Enough of a text to recognise it in a message.
fn clip(text: &str) -> String {
    text.chars().take(64).collect()
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (15_253_000_000, "15.253s"),
            (10_440_424_896, "10.440424896s"),
            (60_000_000_000, "1m0s"),
            (245_000_000_000, "4m5s"),
            (245_001_000_000, "4m5.001s"),
            (18_367_001_000_000, "5h6m7.001s"),
            (480_000_000_001, "8m0.000000001s"),
            (3_600_000_000_000, "1h0m0s"),
            (-60_000_000_000, "-1m0s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(GoDuration(nanos).to_string(), text);
            assert_eq!(text.parse(), Ok(GoDuration(nanos)), "{text}");
        }
    }

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, nanos) in [
            ("0", 0),
            ("-0", 0),
            ("5s", 5_000_000_000),
            ("+5s", 5_000_000_000),
            ("5.0s", 5_000_000_000),
            ("5.6s", 5_600_000_000),
            ("5.s", 5_000_000_000),
            (".5s", 500_000_000),
            ("100.00100s", 100_001_000_000),
            ("12us", 12_000),
            ("12\u{3bc}s", 12_000),
            ("1m0.5s", 60_500_000_000),
            ("1.5h", 5_400_000_000_000),
            ("3s4m", 243_000_000_000),
            ("39h9m14.425s", 140_954_425_000_000),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("0.100000000000000000000h", 360_000_000_000),
            ("0.830103483285477580700h", 2_988_372_539_827),
            ("9223372036854775807ns", i64::MAX),
            ("9223372036854775.807us", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            assert_eq!(text.parse(), Ok(GoDuration(nanos)), "{text}");
        }
    }

    #[test]
    fn durations_that_go_refuses_have_gos_error() {
        for (text, message) in [
            ("", "time: invalid duration \"\""),
            ("3", "time: missing unit in duration \"3\""),
            ("-", "time: invalid duration \"-\""),
            ("s", "time: invalid duration \"s\""),
            (".", "time: invalid duration \".\""),
            (".s", "time: invalid duration \".s\""),
            ("1d", "time: unknown unit \"d\" in duration \"1d\""),
            ("3000000h", "time: invalid duration \"3000000h\""),
            (
                "9223372036854775808ns",
                "time: invalid duration \"9223372036854775808ns\"",
            ),
        ] {
            assert_eq!(text.parse::<GoDuration>().unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(nanos: i64) {
            prop_assert_eq!(GoDuration(nanos).to_string().parse(), Ok(GoDuration(nanos)));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*|[-+0-9.hmsµun]*") {
            let _ = text.parse::<GoDuration>();
        }
    }
}
