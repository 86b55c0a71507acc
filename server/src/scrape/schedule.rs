//! The schedule of a node's scrapes: at its own phase in the resolution, with a back-off after failures.

use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use kubevitals_proto::time::Timestamp;

/// The longest back-off for a node that is ready according to the API server, in resolutions.
const LONGEST_PAUSE_READY: u32 = 2;

/// The longest back-off for a node that is not ready. The node is scraped at once when that changes.
const LONGEST_PAUSE_NOT_READY: u32 = 8;

/// The distance between the phases of two nodes that are not scraped together. The nodes of one slot share a wake-up of the
/// scraping thread and find code and buffers in the CPU's caches. With 1,000 nodes that halves the CPU time of a scrape.
const SLOT: Duration = Duration::from_millis(200);

/// The phase of a node: the time of its scrape within each resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    resolution_ns: i64,
    offset_ns: i64,
}

impl Phase {
    /// The phase of the node named `node`, the start of a slot. It depends only on the name, so replicas scrape a node at
    /// the same times, and nodes spread evenly over the slots.
    pub fn of(node: &str, resolution: Duration) -> Self {
        let resolution_ns = nanoseconds(resolution).max(1);
        let offset_ns = spread(&[node]) % resolution_ns;
        Self {
            resolution_ns,
            offset_ns: offset_ns - offset_ns % nanoseconds(SLOT),
        }
    }

    /// The phase of another page of the node, at `path`, that is requested every `interval`: the time `after` one of the
    /// node's turns, which also depends on the names. If the interval is not a multiple of the resolution, the distance
    /// from the node's turns varies.
    pub fn between(
        node: &str,
        resolution: Duration,
        path: &str,
        interval: Duration,
        after: Duration,
    ) -> Self {
        let own = Self::of(node, resolution);
        let interval_ns = nanoseconds(interval).max(1);
        let turns = (interval_ns / own.resolution_ns).max(1);
        let turn = spread(&[node, path]) % turns;
        let offset = own.offset_ns + turn * own.resolution_ns + nanoseconds(after);
        Self {
            resolution_ns: interval_ns,
            offset_ns: offset % interval_ns,
        }
    }

    /// The time from `now` to the next turn, never zero. `failures` is the number of failures in a row: after the second one
    /// every second turn is used, and the distance doubles up to `longest` turns.
    pub fn until_next(&self, now: Timestamp, failures: u32, longest: u32) -> Duration {
        let into = (now.0 - self.offset_ns).rem_euclid(self.resolution_ns);
        let turns = 1_u32
            .checked_shl(failures.saturating_sub(1))
            .unwrap_or(u32::MAX)
            .clamp(1, longest.max(1));
        let wait =
            self.resolution_ns - into + self.resolution_ns.saturating_mul(i64::from(turns - 1));
        Duration::from_nanos(u64::try_from(wait).unwrap_or_default())
    }
}

/// The longest back-off of a failing node, in turns.
pub(super) fn longest_pause(ready: bool) -> u32 {
    if ready {
        LONGEST_PAUSE_READY
    } else {
        LONGEST_PAUSE_NOT_READY
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// A hash of the names, never negative. SipHash with the default keys is the same in every replica of one version.
fn spread(names: &[&str]) -> i64 {
    let mut hasher = DefaultHasher::new();
    for name in names {
        hasher.write(name.as_bytes());
    }
    i64::try_from(hasher.finish() >> 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    const RESOLUTION: Duration = Duration::from_secs(15);

    #[test]
    fn nodes_spread_over_the_resolution() {
        let mut seconds = [0; 15];
        for node in 0..1500 {
            let phase = Phase::of(&format!("node-{node}"), RESOLUTION);
            seconds[usize::try_from(phase.offset_ns / 1_000_000_000).unwrap()] += 1;
        }
        assert!(
            seconds.iter().all(|count| (60..=140).contains(count)),
            "{seconds:?}"
        );
    }

    #[test]
    fn nodes_share_the_starts_of_slots() {
        let phases = (0..1500).map(|node| Phase::of(&format!("node-{node}"), RESOLUTION).offset_ns);
        let distinct: BTreeSet<i64> = phases.collect();
        assert_eq!(distinct.len(), 75);
        assert!(distinct.iter().all(|offset| offset % 200_000_000 == 0));
    }

    #[test]
    fn the_back_off_of_a_failing_node_has_a_limit() {
        let phase = Phase {
            resolution_ns: 15_000_000_000,
            offset_ns: 0,
        };
        let turns = |ready| -> Vec<u64> {
            (0..7)
                .map(|failures| {
                    phase
                        .until_next(Timestamp(0), failures, longest_pause(ready))
                        .as_secs()
                        / 15
                })
                .collect()
        };
        assert_eq!(turns(true), [1, 1, 2, 2, 2, 2, 2]);
        assert_eq!(turns(false), [1, 1, 2, 4, 8, 8, 8]);
        assert_eq!(phase.until_next(Timestamp(0), u32::MAX, 8).as_secs(), 120);
    }

    proptest! {
        #[test]
        fn every_wait_ends_on_the_phase(node in "[a-z]{1,9}", now in 0..i64::MAX / 2, seconds in 1u64..600) {
            let phase = Phase::of(&node, Duration::from_secs(seconds));
            let wait = phase.until_next(Timestamp(now), 0, 1);
            prop_assert!(!wait.is_zero() && wait <= Duration::from_secs(seconds));
            let next = now + i64::try_from(wait.as_nanos()).unwrap();
            prop_assert_eq!((next - phase.offset_ns).rem_euclid(phase.resolution_ns), 0);
        }
    }
}
