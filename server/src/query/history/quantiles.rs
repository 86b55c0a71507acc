//! Quantiles of samples.

use kubevitals_proto::vitals::Quantiles;

/// The quantiles of these values; `None` without values. A quantile is the smallest value that at least this part of
/// all values does not exceed.
///
/// The values are sorted: there are some hundreds to some thousands, and a histogram of as many digits takes more time
/// to clear and to read.
pub(super) fn quantiles(values: impl IntoIterator<Item = u64>) -> Option<Quantiles> {
    let mut sorted: Vec<u64> = values.into_iter().collect();
    sorted.sort_unstable();
    let max = *sorted.last()?;
    let at = |percent: usize| {
        let rank = sorted.len().saturating_mul(percent).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(max)
    };
    Some(Quantiles {
        p50: at(50),
        p90: at(90),
        p95: at(95),
        p99: at(99),
        max,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The quantile by its definition: the smallest value that at least this part of all values does not exceed.
    fn reference(values: &[u64], percent: usize) -> u64 {
        let covers = |limit: &u64| {
            let within = values.iter().filter(|value| *value <= limit).count();
            within * 100 >= percent * values.len()
        };
        *values.iter().filter(|value| covers(value)).min().unwrap()
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_definition(
            values in prop::collection::vec((0u32..63, any::<u64>()).prop_map(|(bits, value)| value >> (bits + 1)), 1..300),
        ) {
            let found = quantiles(values.iter().copied()).unwrap();
            for (percent, found) in [(50, found.p50), (90, found.p90), (95, found.p95), (99, found.p99), (100, found.max)] {
                prop_assert_eq!(found, reference(&values, percent), "p{}", percent);
            }
        }
    }

    #[test]
    fn no_values_have_no_quantiles() {
        assert_eq!(quantiles([]), None);
    }
}
