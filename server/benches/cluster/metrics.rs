//! The metrics that a server under test reports about itself.

use std::collections::BTreeMap;

/// A response of `/metrics`.
pub(crate) struct Metrics(String);

impl Metrics {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// Labels and values of a family's samples.
    fn samples<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            if !rest.starts_with([' ', '{']) {
                return None;
            }
            let (labels, value) = rest.rsplit_once(' ')?;
            Some((labels, value.parse().ok()?))
        })
    }

    /// The sum of the samples whose labels contain this text; none if there are none.
    pub(crate) fn sum(&self, name: &str, labels: &str) -> Option<f64> {
        let samples = self.samples(name).filter(|(all, _)| all.contains(labels));
        samples.map(|(_, value)| value).reduce(|a, b| a + b)
    }

    /// The cumulative counts of a histogram by their bounds, over all its label sets.
    fn buckets(&self, name: &str) -> Vec<(f64, f64)> {
        let mut buckets: BTreeMap<&str, f64> = BTreeMap::new();
        let name = format!("{name}_bucket");
        for line in self.0.lines().filter(|line| line.starts_with(&*name)) {
            let bound = line
                .split_once("le=\"")
                .and_then(|(_, rest)| rest.split_once('"'));
            let value = line
                .rsplit_once(' ')
                .and_then(|(_, value)| value.parse::<f64>().ok());
            if let (Some((bound, _)), Some(value)) = (bound, value) {
                *buckets.entry(bound).or_default() += value;
            }
        }
        let parse = |bound: &str| {
            bound
                .trim_start_matches('+')
                .parse()
                .unwrap_or(f64::INFINITY)
        };
        let mut buckets: Vec<_> = buckets.into_iter().map(|(le, n)| (parse(le), n)).collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        buckets
    }

    /// Quantiles of what a histogram has counted since `earlier`, interpolated as Prometheus does; none without counts.
    pub(crate) fn quantiles<const N: usize>(
        &self,
        earlier: &Self,
        name: &str,
        quantiles: [f64; N],
    ) -> Option<[f64; N]> {
        let (now, then) = (self.buckets(name), earlier.buckets(name));
        let counts = now.iter().map(|(bound, count)| {
            let earlier = then.iter().find(|(other, _)| other == bound);
            (*bound, count - earlier.map_or(0.0, |(_, count)| *count))
        });
        let counts: Vec<(f64, f64)> = counts.collect();
        let total = counts.last().map(|(_, count)| *count)?;
        (total > 0.0).then(|| quantiles.map(|quantile| interpolated(&counts, quantile * total)))
    }
}

/// The value of this rank among cumulative counts. Above the last finite bound it is that bound.
fn interpolated(buckets: &[(f64, f64)], rank: f64) -> f64 {
    let (mut low, mut below) = (0.0, 0.0);
    for (bound, count) in buckets {
        if *count >= rank {
            if bound.is_infinite() || *count <= below {
                return low;
            }
            return low + (bound - low) * (rank - below) / (count - below);
        }
        (low, below) = (*bound, *count);
    }
    low
}
