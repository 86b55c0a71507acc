//! The limit of early scrapes for all nodes together.

use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Age;

/// One node in this many may have an early scrape in each resolution.
const NODES: u32 = 8;

/// Early scrapes that are allowed in each resolution however few nodes there are.
const LEAST: u32 = 16;

/// Allows an eighth of the nodes an early scrape in each resolution, and as many more after a quiet resolution. So when
/// containers start on all nodes at once, requests grow by a quarter at most.
#[derive(Debug, Default)]
pub(in crate::scrape) struct EarlyBudget {
    /// The time at which everything that was spent is there again, in nanoseconds of the monotonic clock.
    whole_at: Mutex<i128>,
}

impl EarlyBudget {
    /// Spends one early scrape at `now`, if it is allowed.
    pub(in crate::scrape) fn spend(&self, now: Age, nodes: usize, resolution: Duration) -> bool {
        let allowed = u32::try_from(nodes).unwrap_or(u32::MAX) / NODES;
        let resolution = i128::try_from(resolution.as_nanos()).unwrap_or(i128::MAX);
        let cost = resolution / i128::from(allowed.max(LEAST));
        let now = i128::from(now.millis()) * 1_000_000;
        let mut whole_at = self.whole_at.lock();
        let after = (*whole_at).max(now) + cost;
        let is_allowed = after - now <= resolution;
        if is_allowed {
            *whole_at = after;
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESOLUTION: Duration = Duration::from_secs(15);

    #[test]
    fn a_cluster_has_an_eighth_of_its_nodes_in_each_resolution_and_a_quarter_at_once() {
        for (nodes, most) in [
            (1_usize, 16_u32),
            (1_000, 125),
            (5_000, 625),
            (65_000, 8_125),
        ] {
            let budget = EarlyBudget::default();
            // All nodes wish it in every tenth of a second of four resolutions.
            let mut spent = Vec::new();
            for tenth in 0..600 {
                let now = Age::from_elapsed(Duration::from_millis(tenth * 100));
                spent.push(
                    (0..nodes * 4)
                        .filter(|_| budget.spend(now, nodes, RESOLUTION))
                        .count(),
                );
            }
            let of = |range: std::ops::Range<usize>| spent[range].iter().sum::<usize>();
            let most = most as usize;
            assert!(
                (most..=2 * most).contains(&of(0..150)),
                "{nodes}: {}",
                of(0..150)
            );
            for later in [150..300, 300..450, 450..600] {
                assert!(
                    of(later.clone()).abs_diff(most) <= 1,
                    "{nodes}: {}",
                    of(later)
                );
            }
        }
    }
}
