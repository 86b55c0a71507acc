//! Histograms with fixed buckets, and quantiles of them as Prometheus' `histogram_quantile` computes them.

use std::sync::Arc;

use super::window::Cumulative;

/// A sample of a histogram with fixed buckets, or an increase between two.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pod_metrics) struct Classic {
    /// The upper bounds, ascending; the last one is infinite.
    pub(in crate::pod_metrics) bounds: Arc<[f64]>,
    /// The number of observations up to each bound.
    pub(in crate::pod_metrics) counts: Box<[f64]>,
    /// The sum of all observations; not a number if it is not exposed.
    pub(in crate::pod_metrics) sum: f64,
}

impl Classic {
    /// A histogram of its buckets in any order; none without the infinite one. Of two buckets with one bound the first
    /// counts.
    pub(in crate::pod_metrics) fn new(mut buckets: Vec<(f64, f64)>, sum: f64) -> Option<Self> {
        buckets.retain(|(bound, _)| !bound.is_nan());
        // The sort is stable.
        buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        buckets.dedup_by(|later, first| later.0 == first.0);
        buckets
            .last()
            .filter(|(bound, _)| *bound == f64::INFINITY)?;
        Some(Self {
            bounds: buckets.iter().map(|(bound, _)| *bound).collect(),
            counts: buckets.iter().map(|(_, count)| *count).collect(),
            sum,
        })
    }

    /// The number of all observations.
    pub(in crate::pod_metrics) fn count(&self) -> f64 {
        self.counts.last().copied().unwrap_or_default()
    }

    /// Adds the buckets of another histogram, as `sum by (le)` of Prometheus does.
    pub(in crate::pod_metrics) fn merge(&mut self, other: &Self) {
        if self.bounds == other.bounds {
            self.add(other);
            return;
        }
        let own = self.bounds.iter().zip(&self.counts);
        let others = other.bounds.iter().zip(&other.counts);
        let mut all: Vec<(f64, f64)> = own
            .chain(others)
            .map(|(bound, count)| (*bound, *count))
            .collect();
        all.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        all.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1 += later.1;
            }
            same
        });
        self.bounds = all.iter().map(|(bound, _)| *bound).collect();
        self.counts = all.iter().map(|(_, count)| *count).collect();
        self.sum += other.sum;
    }

    /// The quantile of the observations, interpolated within its bucket; none without an observation.
    pub(in crate::pod_metrics) fn quantile(&self, quantile: f64) -> Option<f64> {
        let mut highest = 0.0_f64;
        let buckets: Vec<(f64, f64)> = self
            .bounds
            .iter()
            .zip(&self.counts)
            .map(|(bound, count)| {
                highest = highest.max(*count);
                (*bound, highest)
            })
            .collect();
        let (finite, total) = match buckets.split_last() {
            Some(((_, total), finite)) if *total > 0.0 => (finite, *total),
            _ => return None,
        };
        let rank = quantile * total;
        let at = finite.iter().position(|(_, count)| *count >= rank);
        let Some(at) = at else {
            return finite.last().map(|(bound, _)| *bound);
        };
        let (end, count) = *finite.get(at)?;
        let before = at.checked_sub(1).and_then(|before| finite.get(before));
        let (start, below) = match before {
            Some(before) => *before,
            None if end <= 0.0 => return Some(end),
            None => (0.0, 0.0),
        };
        let within = count - below;
        if within <= 0.0 {
            return Some(end);
        }
        Some(start + (end - start) * ((rank - below) / within))
    }
}

impl Cumulative for Classic {
    fn since(&self, earlier: &Self) -> Self {
        if self.bounds != earlier.bounds {
            return self.clone();
        }
        let counts = self.counts.iter().zip(&earlier.counts);
        let reset = self.count() < earlier.count();
        Self {
            bounds: Arc::clone(&self.bounds),
            counts: counts
                .map(|(count, earlier)| count.since(earlier))
                .collect(),
            sum: if reset {
                self.sum
            } else {
                self.sum - earlier.sum
            },
        }
    }

    fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.sum += other.sum;
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    fn histogram(buckets: &[(f64, f64)]) -> Classic {
        Classic::new(buckets.to_vec(), 0.0).unwrap()
    }

    /// The cases are those of Prometheus' promql/promqltest/testdata/histograms.test, written anew.
    #[test]
    fn quantiles_are_those_of_histogram_quantile() {
        let positive = [(0.1, 5.0), (0.2, 7.0), (1e5, 11.0), (INF, 12.0)];
        let negative = [
            (-0.25, 1.0),
            (-0.2, 3.0),
            (-0.1, 5.0),
            (0.3, 9.0),
            (INF, 10.0),
        ];
        for (buckets, quantile, expected) in [
            (&positive[..], 0.0, 0.0),
            (&positive, 0.2, 0.048),
            (&positive, 0.5, 0.15),
            (&positive, 1.0, 1e5),
            (
                &[(0.2, 3.0), (1.0, 4.0), (2.0, 5.0), (INF, 5.0)],
                0.5,
                1.0 / 6.0,
            ),
            (&negative, 0.1, -0.25),
            (&negative, 0.2, -0.225),
            (&negative, 0.4, -0.15),
            (&negative, 0.5, -0.1),
            // Counts that fall by an error of the pod are corrected.
            (&[(1.0, 4.0), (2.0, 3.0), (INF, 8.0)], 0.5, 1.0),
            (&[(1.0, 0.0), (2.0, 0.0), (INF, 8.0)], 0.5, 2.0),
        ] {
            let found = histogram(buckets).quantile(quantile).unwrap();
            assert!(
                (found - expected).abs() < 1e-9,
                "{buckets:?} {quantile}: {found}"
            );
        }
        assert_eq!(histogram(&[(1.0, 0.0), (INF, 0.0)]).quantile(0.5), None);
        assert_eq!(histogram(&[(INF, 4.0)]).quantile(0.5), None);
    }

    #[test]
    fn a_histogram_needs_its_infinite_bucket_and_ignores_repeated_ones() {
        assert_eq!(Classic::new(vec![(1.0, 3.0)], 0.0), None);
        let repeated = histogram(&[(INF, 4.0), (1.0, 3.0), (1.0, 99.0), (f64::NAN, 1.0)]);
        assert_eq!(
            (&*repeated.bounds, &*repeated.counts),
            (&[1.0, INF][..], &[3.0, 4.0][..])
        );
    }

    #[test]
    fn histograms_with_other_buckets_are_merged_by_their_bounds() {
        let mut one = histogram(&[(1.0, 1.0), (INF, 2.0)]);
        one.merge(&histogram(&[(0.5, 1.0), (INF, 4.0)]));
        assert_eq!(
            (&*one.bounds, &*one.counts),
            (&[0.5, 1.0, INF][..], &[1.0, 1.0, 6.0][..])
        );
    }

    #[test]
    fn a_reset_counts_from_zero() {
        let increase =
            histogram(&[(1.0, 1.0), (INF, 2.0)]).since(&histogram(&[(1.0, 5.0), (INF, 9.0)]));
        assert_eq!(&*increase.counts, &[1.0, 2.0]);
    }
}
