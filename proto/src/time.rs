//! A point in time as Kubernetes writes it.

use crate::text;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const NANOS_PER_MILLI: i64 = 1_000_000;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Nanoseconds since the Unix epoch, UTC; from 1677 to 2262.
///
/// As text it is RFC 3339 with whole seconds (`2026-11-21T05:13:44Z`), which is what `metav1.Time`
/// is on the wire; what is below a second is dropped, as Go does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// The text is not an RFC 3339 time, or is outside of what a [`Timestamp`] can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an RFC 3339 time")]
pub struct ParseTimestampError {
    text: String,
}

impl Timestamp {
    /// From milliseconds since the epoch; saturates at the ends of the range.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(NANOS_PER_MILLI))
    }

    /// From seconds since the epoch; saturates at the ends of the range.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// From nanoseconds since the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Whole milliseconds since the epoch, rounded towards the past.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(NANOS_PER_MILLI)
    }

    /// Whole seconds since the epoch, rounded towards the past.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SECOND)
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Nanoseconds past the whole second of [`as_secs`](Self::as_secs).
    #[must_use]
    pub const fn subsec_nanos(self) -> u32 {
        self.0.rem_euclid(NANOS_PER_SECOND) as u32
    }

    /// Nanoseconds from `earlier` to here, negative if it is later; saturates.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This time moved by `nanos`; saturates.
    #[must_use]
    pub const fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// RFC 3339 with whole seconds: `2026-11-21T05:13:44Z` (`metav1.Time`).
    #[must_use]
    pub fn to_rfc3339_seconds(self) -> String {
        text::to_string(|out| write_rfc3339_seconds(out, self))
    }

    /// RFC 3339 with six digits of a second: `2026-11-21T05:13:44.123456Z` (`metav1.MicroTime`).
    #[must_use]
    pub fn to_rfc3339_micros(self) -> String {
        text::to_string(|out| write_rfc3339_micros(out, self))
    }
}

/// A duration's nanoseconds, at most what a timestamp can hold (292 years).
#[must_use]
pub fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Appends `2026-11-21T05:13:44Z`, without allocation.
pub fn write_rfc3339_seconds(out: &mut Vec<u8>, time: Timestamp) {
    write_date_time(out, time);
    out.push(b'Z');
}

/// Appends `2026-11-21T05:13:44.123456Z`, without allocation.
pub fn write_rfc3339_micros(out: &mut Vec<u8>, time: Timestamp) {
    write_date_time(out, time);
    let micros = u64::from(time.subsec_nanos() / 1_000);
    out.push(b'.');
    text::push_pair(out, micros / 10_000);
    text::push_pair(out, micros / 100);
    text::push_pair(out, micros);
    out.push(b'Z');
}

fn write_date_time(out: &mut Vec<u8>, time: Timestamp) {
    let seconds = time.as_secs();
    let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
    let second_of_day = seconds.rem_euclid(SECONDS_PER_DAY) as u64;
    text::push_pair(out, year / 100);
    text::push_pair(out, year);
    out.push(b'-');
    text::push_pair(out, month);
    out.push(b'-');
    text::push_pair(out, day);
    out.push(b'T');
    text::push_pair(out, second_of_day / 3600);
    out.push(b':');
    text::push_pair(out, second_of_day / 60 % 60);
    out.push(b':');
    text::push_pair(out, second_of_day % 60);
}

/// The Gregorian date of a day counted from 1970-01-01.
///
/// Counts in 400-year eras from 0000-03-01, where the leap day is the last of a year. Every
/// [`Timestamp`] is within years 1677 to 2262, so nothing here is negative.
fn civil_from_days(days: i64) -> (u64, u64, u64) {
    let days = (days + 719_468) as u64;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_rfc3339_seconds())
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    /// Any RFC 3339 time, with a fraction and an offset if it has them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let failed = || ParseTimestampError {
            text: text.chars().take(64).collect(),
        };
        let time: jiff::Timestamp = text.parse().map_err(|_| failed())?;
        i64::try_from(time.as_nanosecond())
            .map(Self)
            .map_err(|_| failed())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339_seconds())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
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
    fn times_are_written_as_go_writes_them() {
        for (nanos, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (1_795_238_024_999_999_999, "2026-11-21T05:13:44Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
            (i64::MAX, "2262-04-11T23:47:16Z"),
            (i64::MIN, "1677-09-21T00:12:43Z"),
        ] {
            assert_eq!(Timestamp(nanos).to_rfc3339_seconds(), text);
        }
        assert_eq!(
            Timestamp(1_795_238_024_000_120_999).to_rfc3339_micros(),
            "2026-11-21T05:13:44.000120Z"
        );
    }

    #[test]
    fn times_are_read_with_fractions_and_offsets() {
        for (text, nanos) in [
            ("2026-11-21T05:13:44Z", 1_795_238_024_000_000_000),
            ("2026-11-21T05:13:44.5Z", 1_795_238_024_500_000_000),
            (
                "2026-11-21T07:13:44.000000001+02:00",
                1_795_238_024_000_000_001,
            ),
        ] {
            assert_eq!(text.parse(), Ok(Timestamp(nanos)), "{text}");
        }
        for text in [
            "",
            "now",
            "2026-11-21",
            "2026-13-21T05:13:44Z",
            "9999-01-01T00:00:00Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_jiff_writes(nanos: i64) {
            let written = Timestamp(nanos).to_rfc3339_seconds();
            let seconds = nanos.div_euclid(1_000_000_000);
            prop_assert_eq!(&written, &jiff::Timestamp::from_second(seconds).unwrap().to_string());
            prop_assume!(seconds >= -9_223_372_036);
            prop_assert_eq!(written.parse::<Timestamp>().unwrap().as_secs(), seconds);
        }
    }
}
