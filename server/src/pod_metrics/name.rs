//! The names of metrics that clients ask for, and the families and readings that they stand for.

use std::fmt;

/// What is read from a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    /// The family under its own name: a gauge as it is, a counter as its rate a second, a histogram or summary as its
    /// rate of observations.
    Plain,
    /// `NAME_per_second`: the rate of a counter, or of a histogram's observations.
    PerSecond,
    /// `NAME_mean`: the mean of a histogram's or summary's observations within the window.
    Mean,
    /// `NAME_p95`: a quantile of a histogram's observations within the window.
    Quantile(Quantile),
}

/// A quantile in thousandths: 950 is the 95th percentile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantile(pub u16);

impl Quantile {
    /// From 0 to 1.
    pub(super) fn fraction(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// The quantile of a suffix: `p50`, `p95`, `p999`.
    fn of_suffix(suffix: &str) -> Option<Self> {
        let digits = suffix.strip_prefix('p')?;
        let number: u16 = digits.parse().ok()?;
        match digits.len() {
            1 | 2 => Some(Self(number * 10)),
            3 if number >= 100 => Some(Self(number)),
            _ => None,
        }
    }
}

impl fmt::Display for Quantile {
    /// The suffix: `p95`, `p999`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            tenths if tenths % 10 == 0 => write!(f, "p{}", tenths / 10),
            thousandths => write!(f, "p{thousandths}"),
        }
    }
}

/// What a name may stand for, the most likely first: the family of that name; for a name with a suffix also the family
/// without it, with and without `_total`. The family that a pod exposes decides.
pub fn readings(name: &str) -> impl Iterator<Item = (String, Reading)> {
    let suffixed = name.rsplit_once('_').and_then(|(stem, suffix)| {
        Some(match suffix {
            "mean" => (stem, Reading::Mean),
            _ => (stem, Reading::Quantile(Quantile::of_suffix(suffix)?)),
        })
    });
    let rate = name
        .strip_suffix("_per_second")
        .map(|stem| (stem, Reading::PerSecond));
    let total = rate.map(|(stem, reading)| (format!("{stem}_total"), reading));
    [(name.to_owned(), Reading::Plain)]
        .into_iter()
        .chain(
            rate.or(suffixed)
                .map(|(stem, reading)| (stem.to_owned(), reading)),
        )
        .chain(total)
}

#[cfg(test)]
mod tests {
    use super::{Quantile, Reading, readings};

    #[test]
    fn a_name_stands_for_a_family_and_a_reading() {
        let of = |name| readings(name).collect::<Vec<_>>();
        let plain = |name: &str| (name.to_owned(), Reading::Plain);
        assert_eq!(of("queue_length"), [plain("queue_length")]);
        assert_eq!(
            of("http_requests_per_second"),
            [
                plain("http_requests_per_second"),
                ("http_requests".to_owned(), Reading::PerSecond),
                ("http_requests_total".to_owned(), Reading::PerSecond),
            ]
        );
        let p95 = Reading::Quantile(Quantile(950));
        assert_eq!(
            of("latency_seconds_p95"),
            [
                plain("latency_seconds_p95"),
                ("latency_seconds".to_owned(), p95)
            ]
        );
        assert_eq!(of("a_p999")[1].1, Reading::Quantile(Quantile(999)));
        assert_eq!(of("a_p1000"), [plain("a_p1000")]);
        assert_eq!(of("a_mean")[1], ("a".to_owned(), Reading::Mean));
    }
}
