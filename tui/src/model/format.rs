//! Short texts of amounts, fractions and times, with units.

use std::fmt::Display;

use kubevitals_proto::age::human;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

/// The text of an unknown value.
pub const UNKNOWN: &str = "-";

/// The units of bytes, the largest first.
pub const UNITS: [(u64, &str); 5] = [
    (1 << 50, "Pi"),
    (1 << 40, "Ti"),
    (1 << 30, "Gi"),
    (1 << 20, "Mi"),
    (1 << 10, "Ki"),
];

const MILLI: u64 = 1_000_000;
const CORE: u64 = 1_000 * MILLI;

/// CPU in millicores, rounded up as `kubectl top` does; from ten cores on, in cores.
#[must_use]
pub fn cpu(amount: Nanocores) -> String {
    cpu_beside(amount, amount)
}

/// CPU beside a larger amount, as on an axis or in `7.4/63.3`: both have the unit of [`cpu()`] for the larger one. Less
/// than a core has two decimals, rounded up.
#[must_use]
pub fn cpu_beside(amount: Nanocores, largest: Nanocores) -> String {
    if !in_cores(largest) {
        return format!("{}m", amount.millicores_ceil());
    }
    match amount.0.div_ceil(CORE / 100) {
        hundredths @ 1..100 => format!("0.{hundredths:02}"),
        _ if amount.0 > 0 => decimal(amount.0.max(CORE), CORE, ""),
        _ => "0".to_owned(),
    }
}

/// Whether an amount of CPU is written in cores.
#[must_use]
pub fn in_cores(amount: Nanocores) -> bool {
    amount.millicores_ceil() >= 10_000
}

/// Bytes in the largest unit of which there is at least one.
#[must_use]
pub fn bytes(amount: Bytes) -> String {
    UNITS
        .iter()
        .find(|(unit, _)| amount.0 >= *unit)
        .map_or_else(
            || amount.0.to_string(),
            |(unit, suffix)| decimal(amount.0, *unit, suffix),
        )
}

/// Bytes per second, in the units of [`bytes()`].
#[must_use]
pub fn rate(bytes_per_second: u64) -> String {
    bytes(Bytes(bytes_per_second))
}

/// One decimal below one hundred units, none above. Truncated, so that the text never shows a limit as reached before
/// it is.
fn decimal(amount: u64, unit: u64, suffix: &str) -> String {
    let whole = amount / unit;
    if whole >= 100 {
        return format!("{whole}{suffix}");
    }
    let tenth = (u128::from(amount % unit) * 10) / u128::from(unit);
    if tenth == 0 {
        format!("{whole}{suffix}")
    } else {
        format!("{whole}.{tenth}{suffix}")
    }
}

/// A fraction in percent, truncated: at most five cells; from 10,000 % on in thousands (`12k%`), millions and so on.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float is clamped when it is cast, and parts are not negative"
)]
pub fn percent(part: f64) -> String {
    // Floating-point products can be slightly too low: 0.29 × 100 is 28.999….
    let percent = (part * 100.0 + 1e-9) as u64;
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "T%"),
        (1_000_000_000, "G%"),
        (1_000_000, "M%"),
        (1_000, "k%"),
    ];
    let unit = UNITS.iter().find(|(unit, _)| percent >= *unit);
    match unit.filter(|_| percent > 9_999) {
        Some((unit, suffix)) => format!("{}{suffix}", (percent / unit).min(999)),
        None => format!("{percent}%"),
    }
}

/// The time from `then` to `now`, as in kubectl's AGE; `0s` if `then` is later.
#[must_use]
pub fn age(then: Timestamp, now: Timestamp) -> String {
    duration(u64::try_from(now.since(then) / 1_000_000_000).unwrap_or(0))
}

/// A duration that is an estimate: `<5m`, `35m`, `3h`.
#[must_use]
pub fn about(seconds: u64) -> String {
    match seconds {
        0..300 => "<5m".to_owned(),
        300..5_400 => format!("{}m", (seconds + 150) / 300 * 5),
        _ => format!("{}h", (seconds + 1_800) / 3_600),
    }
}

/// A duration as in kubectl's AGE (`HumanDuration` of k8s.io/apimachinery).
#[must_use]
pub fn duration(seconds: u64) -> String {
    human(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// A number of things: `1 pod`, `3 pods`.
#[must_use]
pub fn count<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let plural = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_rounded_up_and_large_cpu_is_in_cores() {
        for (nano, text) in [
            (0, "0m"),
            (1, "1m"),
            (2_001_000, "3m"),
            (9_999 * MILLI, "9999m"),
            (9_999 * MILLI + 1, "9.9"),
            (10 * CORE, "10"),
            (12 * CORE + CORE / 2, "12.5"),
            (400 * CORE + CORE / 2, "400"),
        ] {
            assert_eq!(cpu(Nanocores(nano)), text, "{nano}");
        }
    }

    #[test]
    fn cpu_is_in_the_unit_of_the_largest_amount_beside_it() {
        for (milli, largest, text) in [
            (735, 9_999, "735m"),
            (735, 40_000, "0.74"),
            (7_494, 63_300, "7.4"),
            (0, 10_000, "0"),
            (1, 10_000, "0.01"),
            (991, 10_000, "1"),
            (1_000, 10_000, "1"),
            (12_500, 400_000, "12.5"),
            (0, 0, "0m"),
        ] {
            let text_of = cpu_beside(Nanocores(milli * MILLI), Nanocores(largest * MILLI));
            assert_eq!(text_of, text, "{milli}m beside {largest}m");
        }
    }

    #[test]
    fn bytes_have_their_unit() {
        for (count, text) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1Ki"),
            (48 << 20, "48Mi"),
            ((1 << 30) + (1 << 29), "1.5Gi"),
            (u64::MAX, "16383Pi"),
        ] {
            assert_eq!(bytes(Bytes(count)), text, "{count}");
        }
    }

    #[test]
    fn percent_is_truncated() {
        for (part, text) in [
            (0.0, "0%"),
            (0.29, "29%"),
            (0.999, "99%"),
            (1.0, "100%"),
            (9.99, "999%"),
            (12.5, "1250%"),
            (99.999, "9999%"),
            (100.0, "10k%"),
            (1_234.5, "123k%"),
            (7_748_555.0, "774M%"),
            (f64::INFINITY, "999T%"),
        ] {
            assert_eq!(percent(part), text, "{part}");
        }
    }

    #[test]
    fn ages_are_kubectls() {
        for (seconds, text) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (130, "2m10s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_860, "3h1m"),
            (28_800, "8h"),
            (172_800, "2d"),
            (176_400, "2d1h"),
            (691_200, "8d"),
            (63_158_400, "2y1d"),
            (252_288_000, "8y"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
        assert_eq!(age(Timestamp::from_secs(10), Timestamp::from_secs(5)), "0s");
    }
}
