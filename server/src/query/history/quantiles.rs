//! Quantiles by hdrhistogram.

use hdrhistogram::Histogram;
use kubevitals_proto::vitals::Quantiles;

/// Significant digits: an error of a thousandth, less than that of stored samples.
const DIGITS: u8 = 3;

/// The quantiles of these values, each with an error of at most a thousandth; `None` without values. The maximum is
/// exact.
pub(super) fn quantiles(values: impl IntoIterator<Item = u64>) -> Option<Quantiles> {
    let mut histogram = Histogram::<u64>::new(DIGITS).ok()?;
    let mut max = 0;
    for value in values {
        histogram.record(value).ok()?;
        max = max.max(value);
    }
    if histogram.is_empty() {
        return None;
    }
    // A value stands for all values that are equal in the significant digits, so cut it at the maximum.
    let at = |quantile| histogram.value_at_quantile(quantile).min(max);
    Some(Quantiles {
        p50: at(0.50),
        p90: at(0.90),
        p95: at(0.95),
        p99: at(0.99),
        max,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The quantile by its definition: the smallest value that at least this part of all values does not exceed.
    fn reference(sorted: &[u64], quantile: f64) -> u64 {
        let rank = (quantile * sorted.len() as f64).ceil().max(1.0) as usize;
        sorted[rank - 1]
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_values(
            values in prop::collection::vec((0u32..63, any::<u64>()).prop_map(|(bits, value)| value >> (bits + 1)), 1..400),
        ) {
            let found = quantiles(values.iter().copied()).unwrap();
            let mut sorted = values;
            sorted.sort_unstable();
            for (quantile, found) in [(0.5, found.p50), (0.9, found.p90), (0.95, found.p95), (0.99, found.p99), (1.0, found.max)] {
                let expected = reference(&sorted, quantile);
                prop_assert!(found.abs_diff(expected) <= expected / 1000 + 1, "p{quantile}: {found}, not {expected}");
            }
            prop_assert_eq!(Some(&found.max), sorted.last());
        }
    }

    #[test]
    fn no_values_have_no_quantiles() {
        assert_eq!(quantiles([]), None);
    }
}
