//! Versions: the values of `metadata.resourceVersion`.

use std::fmt;
use std::str::FromStr;

use kubevitals_proto::time::Timestamp;

/// The bits of a version that identify the process that created it.
const INSTANCE_BITS: u32 = 10;

/// The largest time between two replicas seeing the same change, in microseconds. A watch that moves to another replica
/// continues from this much earlier.
const MAX_SKEW: u64 = 30_000_000;

/// A version. Versions increase with every change and are unique. A version contains its time and its process. It is a
/// number, so that clients can compare two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(u64);

/// The text is no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a resourceVersion is a number, as a list or a watch gave it")]
pub struct ParseVersionError;

impl Version {
    fn new(count: u64, instance: u64) -> Self {
        Self(count << INSTANCE_BITS | instance)
    }

    const fn count(self) -> u64 {
        self.0 >> INSTANCE_BITS
    }

    const fn instance(self) -> u64 {
        self.0 & ((1 << INSTANCE_BITS) - 1)
    }

    /// The version as a number.
    pub(super) const fn number(self) -> u64 {
        self.0
    }

    /// The version with this [number](Self::number).
    pub(super) const fn of_number(number: u64) -> Self {
        Self(number)
    }

    /// The version `n` after this one, of the same process.
    pub(super) fn after(self, n: usize) -> Self {
        let n = u64::try_from(n).unwrap_or(u64::MAX);
        Self::new(self.count().saturating_add(n), self.instance())
    }

    /// The version from which a client that has seen this version continues at the process of `other`: this version, or
    /// an earlier one if another process created it, so that the client misses no change.
    pub(super) fn seen_from(self, other: Self) -> Self {
        if self.instance() == other.instance() {
            return self;
        }
        Self::new(self.count().saturating_sub(MAX_SKEW), other.instance())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Version {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, ParseVersionError> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten();
        number.map(Self).ok_or(ParseVersionError)
    }
}

/// Creates versions: microseconds since the epoch, or one more than the last version.
#[derive(Debug)]
pub(super) struct Versions {
    instance: u64,
    count: u64,
}

impl Versions {
    /// The versions of the process `instance`.
    pub(super) fn new(instance: u64) -> Self {
        Self {
            instance: Version(instance).instance(),
            count: 0,
        }
    }

    /// Advances to the time `now`.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let micros = u64::try_from(now.as_nanos() / 1_000).unwrap_or_default();
        self.count = self.count.max(micros);
    }

    /// The next version.
    pub(super) fn next(&mut self) -> Version {
        self.reserve(1)
    }

    /// Reserves `n` versions and returns the first.
    pub(super) fn reserve(&mut self, n: usize) -> Version {
        let first = self.count + 1;
        self.count += u64::try_from(n).unwrap_or(u64::MAX >> 1);
        Version::new(first, self.instance)
    }

    /// The last version created.
    pub(super) fn last(&self) -> Version {
        Version::new(self.count, self.instance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_increase_when_the_clock_steps_back() {
        let mut versions = Versions::new(7);
        versions.advance(Timestamp::from_secs(1_795_238_024));
        let first = versions.next();
        versions.advance(Timestamp::from_secs(1_795_238_000));
        let second = versions.next();
        assert_eq!(second, first.after(1));
        versions.advance(Timestamp::from_secs(1_795_238_025));
        let reserved = versions.reserve(10);
        assert!(reserved > second);
        assert_eq!(versions.last(), reserved.after(9));
        assert_eq!(first.to_string().parse(), Ok(first));
        // Clients parse versions as signed 64-bit integers.
        assert!(first.to_string().parse::<i64>().is_ok());
    }

    #[test]
    fn another_process_continues_from_earlier() {
        let of = |instance| {
            let mut versions = Versions::new(instance);
            versions.advance(Timestamp::from_secs(1_795_238_024));
            versions.next()
        };
        let (ours, theirs) = (of(1), of(2));
        assert_eq!(ours.seen_from(ours), ours);
        let ours_seen = theirs.seen_from(ours);
        assert_eq!(ours_seen.instance(), ours.instance());
        assert_eq!(ours.count() - ours_seen.count(), MAX_SKEW);
    }

    #[test]
    fn only_numbers_are_versions() {
        for text in ["x", "-1", "+1", "1.0", "99999999999999999999"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }
}
