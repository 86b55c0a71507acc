//! Native histograms: exponential buckets of a schema.

use super::window::Cumulative;

/// The lowest schema: buckets grow by 2^16.
const MIN_SCHEMA: i8 = -4;

/// A sample of a native histogram, or an increase between two.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::pod_metrics) struct Native {
    /// Buckets grow by 2^(2^-schema).
    pub(in crate::pod_metrics) schema: i8,
    pub(in crate::pod_metrics) zero_threshold: f64,
    pub(in crate::pod_metrics) zero: f64,
    pub(in crate::pod_metrics) count: f64,
    pub(in crate::pod_metrics) sum: f64,
    /// The number of observations by the index of the bucket, ascending.
    pub(in crate::pod_metrics) positive: Vec<(i32, f64)>,
    pub(in crate::pod_metrics) negative: Vec<(i32, f64)>,
}

impl Native {
    /// Why it cannot be used, as a word.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let buckets = self.positive.iter().chain(&self.negative);
        let mut counts = buckets
            .map(|(_, count)| *count)
            .chain([self.zero, self.count]);
        let is_count = |count: f64| count.is_finite() && count >= 0.0;
        let valid = counts.all(is_count) && (MIN_SCHEMA..=8).contains(&self.schema);
        (!valid).then_some("malformed_histogram")
    }

    /// The upper bound of the absolute values of a bucket.
    fn bound(&self, index: i32) -> f64 {
        (f64::from(index) * (-f64::from(self.schema)).exp2()).exp2()
    }

    /// The same histogram with wider buckets.
    fn reduced(&self, schema: i8) -> Self {
        let steps = u32::try_from(self.schema - schema).unwrap_or_default();
        let reduce = |buckets: &[(i32, f64)]| {
            let mut reduced: Vec<(i32, f64)> = Vec::new();
            for (index, count) in buckets {
                let index = (index.saturating_sub(1) >> steps) + 1;
                match reduced.last_mut() {
                    Some((last, sum)) if *last == index => *sum += count,
                    _ => reduced.push((index, *count)),
                }
            }
            reduced
        };
        Self {
            schema,
            positive: reduce(&self.positive),
            negative: reduce(&self.negative),
            ..*self
        }
    }

    /// The same histogram with a wider zero bucket.
    fn widen_zero(&mut self, threshold: f64) {
        if self.zero_threshold >= threshold {
            return;
        }
        self.zero_threshold = threshold;
        let bound = |index| self.bound(index);
        let within = |(index, _): &(i32, f64)| bound(*index) <= threshold;
        let positive = self.positive.iter().take_while(|it| within(it)).count();
        let negative = self.negative.iter().take_while(|it| within(it)).count();
        for (_, count) in self
            .positive
            .drain(..positive)
            .chain(self.negative.drain(..negative))
        {
            self.zero += count;
        }
    }

    /// Both with the same schema and zero bucket.
    fn alike(&self, other: &Self) -> (Self, Self) {
        let schema = self.schema.min(other.schema);
        let (mut one, mut other) = (self.reduced(schema), other.reduced(schema));
        let threshold = one.zero_threshold.max(other.zero_threshold);
        one.widen_zero(threshold);
        other.widen_zero(threshold);
        (one, other)
    }

    /// The quantile of the observations, interpolated as `histogram_quantile` of Prometheus 3 does; none without an
    /// observation.
    pub(in crate::pod_metrics) fn quantile(&self, quantile: f64) -> Option<f64> {
        if self.count <= 0.0 {
            return None;
        }
        let rank = quantile * self.count;
        let mut below = 0.0;
        let mut last = None;
        for (lower, upper, count) in self.buckets() {
            if count <= 0.0 {
                continue;
            }
            if below + count >= rank {
                let fraction = ((rank - below) / count).clamp(0.0, 1.0);
                return Some(interpolate(lower, upper, fraction));
            }
            below += count;
            last = Some(upper);
        }
        last
    }

    /// The buckets in ascending order: lower and upper bound, and count.
    fn buckets(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let negative = self.negative.iter().rev();
        let negative = negative.map(|(index, count)| {
            (
                -self.bound(*index),
                -self.bound(index.saturating_sub(1)),
                *count,
            )
        });
        let positive = self.positive.iter();
        let positive = positive.map(|(index, count)| {
            (
                self.bound(index.saturating_sub(1)),
                self.bound(*index),
                *count,
            )
        });
        let zero = match (self.negative.is_empty(), self.positive.is_empty()) {
            (true, false) => (0.0, self.zero_threshold, self.zero),
            (false, true) => (-self.zero_threshold, 0.0, self.zero),
            _ => (-self.zero_threshold, self.zero_threshold, self.zero),
        };
        negative.chain([zero]).chain(positive)
    }
}

/// The value at a fraction of a bucket: exponential, and linear in the bucket around zero.
fn interpolate(lower: f64, upper: f64, fraction: f64) -> f64 {
    if lower <= 0.0 && upper >= 0.0 {
        return lower + (upper - lower) * fraction;
    }
    let (from, to) = (lower.abs().log2(), upper.abs().log2());
    (from + (to - from) * fraction).exp2().copysign(lower)
}

/// Combines the buckets of two histograms.
fn combine(
    one: &[(i32, f64)],
    other: &[(i32, f64)],
    with: impl Fn(f64, f64) -> f64,
) -> Vec<(i32, f64)> {
    let mut combined = Vec::with_capacity(one.len().max(other.len()));
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    loop {
        let (index, a, b) = match (one.peek(), other.peek()) {
            (None, None) => return combined,
            (Some((a, _)), Some((b, _))) => (*a.min(b), a <= b, b <= a),
            (Some((a, _)), None) => (*a, true, false),
            (None, Some((b, _))) => (*b, false, true),
        };
        let next = |take, from: &mut std::iter::Peekable<std::slice::Iter<'_, (i32, f64)>>| {
            let taken = if take { from.next() } else { None };
            taken.map_or(0.0, |(_, count)| *count)
        };
        let count = with(next(a, &mut one), next(b, &mut other));
        combined.push((index, count));
    }
}

impl Cumulative for Native {
    fn since(&self, earlier: &Self) -> Self {
        let (mut new, old) = self.alike(earlier);
        let subtract = |new: f64, old: f64| new - old;
        let positive = combine(&new.positive, &old.positive, subtract);
        let negative = combine(&new.negative, &old.negative, subtract);
        let fell = |buckets: &[(i32, f64)]| buckets.iter().any(|(_, count)| *count < 0.0);
        if new.count < old.count || new.zero < old.zero || fell(&positive) || fell(&negative) {
            return self.clone();
        }
        new.count -= old.count;
        new.zero -= old.zero;
        new.sum -= old.sum;
        Self {
            positive,
            negative,
            ..new
        }
    }

    fn add(&mut self, other: &Self) {
        let (own, other) = self.alike(other);
        let sum = |one: f64, other: f64| one + other;
        *self = Self {
            count: own.count + other.count,
            zero: own.zero + other.zero,
            sum: own.sum + other.sum,
            positive: combine(&own.positive, &other.positive, sum),
            negative: combine(&own.negative, &other.negative, sum),
            ..own
        };
    }

    fn bytes(&self) -> usize {
        (self.positive.capacity() + self.negative.capacity()) * size_of::<(i32, f64)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn native(schema: i8, positive: &[(i32, f64)]) -> Native {
        Native {
            schema,
            count: positive.iter().map(|(_, count)| count).sum(),
            positive: positive.to_vec(),
            ..Native::default()
        }
    }

    fn near(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found - expected).abs() < 1e-9)
    }

    #[test]
    fn quantiles_are_interpolated_exponentially() {
        // Buckets (1, 2], (2, 4], (4, 8] with four observations each.
        let histogram = native(0, &[(1, 4.0), (2, 4.0), (3, 4.0)]);
        assert!(near(histogram.quantile(1.0 / 3.0), 2.0));
        assert!(near(histogram.quantile(0.5), 8_f64.sqrt()));
        assert!(near(histogram.quantile(1.0), 8.0));
        assert_eq!(native(0, &[]).quantile(0.5), None);
    }

    #[test]
    fn negative_observations_and_zero_come_first() {
        let histogram = Native {
            zero_threshold: 0.5,
            zero: 2.0,
            count: 6.0,
            negative: vec![(1, 2.0)],
            ..native(0, &[(1, 2.0)])
        };
        assert!(near(histogram.quantile(0.0), -2.0));
        assert!(near(histogram.quantile(0.5), 0.0));
        assert!(near(histogram.quantile(1.0), 2.0));
    }

    #[test]
    fn histograms_of_different_schemas_are_merged_in_the_lower() {
        // Schema 1 has two buckets where schema 0 has one: (1, √2] and (√2, 2].
        let mut merged = native(1, &[(1, 1.0), (2, 2.0), (3, 3.0)]);
        merged.add(&native(0, &[(1, 10.0)]));
        assert_eq!(
            (merged.schema, &*merged.positive),
            (0, &[(1, 13.0), (2, 3.0)][..])
        );
        assert_eq!(
            native(1, &[(-1, 1.0), (0, 2.0)]).reduced(0).positive,
            [(0, 3.0)]
        );
    }

    #[test]
    fn a_bucket_that_fell_is_a_reset() {
        let (old, new) = (
            native(0, &[(1, 4.0), (2, 1.0)]),
            native(0, &[(1, 3.0), (2, 9.0)]),
        );
        assert_eq!(new.since(&old).positive, new.positive);
        let more = native(0, &[(1, 5.0), (2, 1.0), (7, 2.0)]);
        assert_eq!(more.since(&old).positive, [(1, 1.0), (2, 0.0), (7, 2.0)]);
    }

    #[test]
    fn a_wider_zero_bucket_takes_the_buckets_within() {
        let mut histogram = native(0, &[(-2, 1.0), (-1, 2.0), (0, 3.0)]);
        histogram.widen_zero(0.5);
        assert_eq!(
            (histogram.zero, &*histogram.positive),
            (3.0, &[(0, 3.0)][..])
        );
    }
}
