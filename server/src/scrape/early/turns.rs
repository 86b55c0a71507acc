//! When a node has early scrapes. It has no clock and no task.

use std::time::Duration;

use crate::clock::Age;

/// The age of a container for provisional usage: half a second before three seconds, because the API server reports
/// starts in whole seconds.
const PROVISIONAL_AGE: Duration = Duration::from_millis(2_750);

/// A scrape of a container of this age has brought its provisional usage.
const PROVISIONAL_DONE: Duration = Duration::from_millis(1_500);

/// The age of a container for its rate: a little more than the least, because the kubelet's clock is an estimate.
const RATE_AGE: Duration = Duration::from_millis(10_250);

/// A scrape of a container of this age has brought its rate.
const RATE_DONE: Duration = Duration::from_secs(10);

/// Starts this near each other share their early scrapes: a pod's containers start one after the other.
const TOGETHER: Duration = Duration::from_secs(1);

/// If the node's turn comes this soon after an early scrape, the turn is early enough.
const NEAR: Duration = Duration::from_millis(250);

/// The number of early scrapes of a node in a resolution.
const MOST: usize = 4;

/// The number of starts that are remembered. Those beyond it wait for the node's turn.
const MOST_STARTS: usize = 16;

/// Containers that started together, by the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Start {
    first: Age,
    last: Age,
}

/// The early scrapes of one node.
#[derive(Debug)]
pub(in crate::scrape) struct EarlyTurns {
    resolution: Duration,
    starts: Vec<Start>,
    /// The times of the last early scrapes, within a resolution.
    spent: Vec<Age>,
    /// The time of the node's last scrape at a turn or between turns.
    last: Age,
}

impl EarlyTurns {
    /// No start yet.
    pub(in crate::scrape) fn new(resolution: Duration) -> Self {
        Self {
            resolution,
            starts: Vec::new(),
            spent: Vec::new(),
            last: Age::default(),
        }
    }

    /// Adds a container that started at `at`.
    pub(in crate::scrape) fn add(&mut self, at: Age) {
        let has_room = self.starts.len() < MOST_STARTS;
        let mut starts = self.starts.iter_mut();
        let together = starts.find(|it| {
            let (first, last) = (it.first.min(at), it.last.max(at));
            last.since(first) <= TOGETHER
        });
        match together {
            Some(start) => {
                start.first = start.first.min(at);
                start.last = start.last.max(at);
            }
            None if has_room => {
                self.starts.push(Start {
                    first: at,
                    last: at,
                });
            }
            None => {}
        }
        self.forget();
    }

    /// Records that the node is scraped at `now`, at a turn or between turns, or that an early scrape was not allowed.
    pub(in crate::scrape) fn scraped(&mut self, now: Age) {
        self.last = now;
        self.forget();
    }

    /// Records an early scrape at `now`. Returns whether the node may have it.
    pub(in crate::scrape) fn begin(&mut self, now: Age) -> bool {
        self.scraped(now);
        let resolution = self.resolution;
        self.spent.retain(|at| now.since(*at) < resolution);
        let is_allowed = self.spent.len() < MOST;
        if is_allowed {
            self.spent.push(now);
        }
        is_allowed
    }

    /// The time of the next early scrape; none if nothing needs one before the node's turn at `turn`.
    pub(in crate::scrape) fn next(&self, turn: Age) -> Option<Age> {
        let due = self.starts.iter().filter_map(|start| self.due(start));
        due.min().filter(|due| due.after(NEAR) < turn)
    }

    /// The time at which containers that started together need a scrape.
    fn due(&self, start: &Start) -> Option<Age> {
        let is_done = |age| self.last >= start.last.after(age);
        if !is_done(PROVISIONAL_DONE) {
            Some(start.last.after(PROVISIONAL_AGE))
        } else if !is_done(RATE_DONE) && self.resolution > RATE_AGE {
            Some(start.last.after(RATE_AGE))
        } else {
            None
        }
    }

    /// Drops the starts that need no more scrapes.
    fn forget(&mut self) {
        let starts = std::mem::take(&mut self.starts);
        let needed = starts.into_iter().filter(|it| self.due(it).is_some());
        self.starts = needed.collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scrape::admission::EarlyBudget;

    const RESOLUTION: Duration = Duration::from_secs(15);

    fn age(milliseconds: u64) -> Age {
        Age::from_elapsed(Duration::from_millis(milliseconds))
    }

    /// The early scrapes of a node, in milliseconds, whose turns are at multiples of 15 s, until `end`. The watch reports
    /// each start after `delay`; so does each scrape after it.
    fn early_scrapes(starts: &[u64], delay: u64, end: u64) -> Vec<u64> {
        let mut turns = EarlyTurns::new(RESOLUTION);
        let (mut now, mut scrapes) = (0, Vec::new());
        let scraped = |turns: &mut EarlyTurns, now: u64| {
            for start in starts
                .iter()
                .filter(|start| **start <= now && now < **start + 10_000)
            {
                turns.add(age(*start));
            }
        };
        turns.scraped(age(0));
        while now < end {
            let turn = (now / 15_000 + 1) * 15_000;
            let reported = starts
                .iter()
                .map(|it| it + delay)
                .filter(|at| *at > now)
                .min();
            let early = turns
                .next(age(turn))
                .map(|at| (at.millis().unsigned_abs()).max(now));
            let reported = reported.unwrap_or(u64::MAX).min(turn);
            if let Some(early) = early.filter(|early| *early < reported) {
                now = early;
                if turns.begin(age(now)) {
                    scrapes.push(now);
                    scraped(&mut turns, now);
                }
                continue;
            }
            now = reported;
            if now == turn {
                turns.scraped(age(now));
                scraped(&mut turns, now);
            }
            for start in starts.iter().filter(|it| **it + delay == now) {
                turns.add(age(*start));
            }
        }
        scrapes
    }

    #[test]
    fn a_start_has_a_scrape_after_three_seconds_and_one_after_ten() {
        assert_eq!(early_scrapes(&[1_000], 300, 60_000), [3_750, 11_250]);
        // The turn comes when the first, the second or both would.
        assert_eq!(early_scrapes(&[12_250], 300, 60_000), [22_500]);
        assert_eq!(early_scrapes(&[13_400], 300, 60_000), [23_650]);
        assert_eq!(early_scrapes(&[4_900], 300, 60_000), [7_650]);
        // The start is reported late, or by the turn.
        assert_eq!(early_scrapes(&[1_000], 5_000, 60_000), [6_000, 11_250]);
        assert_eq!(early_scrapes(&[14_000], 60_000, 40_000), [16_750, 24_250]);
        assert_eq!(early_scrapes(&[1_000], 30_000, 60_000), [] as [u64; 0]);
    }

    #[test]
    fn a_start_waits_for_no_turn() {
        for start in (1..30_000).step_by(10) {
            let mut scrapes = early_scrapes(&[start], 300, 60_000);
            scrapes.extend([15_000, 30_000, 45_000]);
            let first = |age: u64| {
                scrapes
                    .iter()
                    .filter(|at| **at >= start + age)
                    .min()
                    .unwrap()
                    - start
            };
            assert!(first(1_500) <= 3_000, "{start}: {}", first(1_500));
            assert!(first(10_000) <= 10_500, "{start}: {}", first(10_000));
        }
    }

    #[test]
    fn containers_that_start_together_share_their_scrapes() {
        assert_eq!(
            early_scrapes(&[1_000, 1_400, 1_900], 100, 60_000),
            [4_650, 12_150]
        );
        // 110 pods of a node that boots, in half a minute.
        let boot: Vec<u64> = (0..110).map(|pod| 1_000 + pod * 273).collect();
        let scrapes = early_scrapes(&boot, 100, 90_000);
        for end in (15_000..90_000).step_by(500) {
            let within = scrapes
                .iter()
                .filter(|at| (end - 15_000..end).contains(*at));
            assert!(within.count() <= MOST, "{scrapes:?}");
        }
    }

    #[test]
    fn a_start_of_all_nodes_does_not_double_the_load() {
        const NODES: usize = 1_000;
        let budget = EarlyBudget::default();
        let mut nodes: Vec<EarlyTurns> = (0..NODES).map(|_| EarlyTurns::new(RESOLUTION)).collect();
        // Each node starts 110 containers within half a minute, and has its turn at its own millisecond of the resolution.
        let turn_of =
            |node: u64, now: u64| (now + 15_000 - node * 15) / 15_000 * 15_000 + node * 15;
        let (mut early, mut refused) = (Vec::new(), 0);
        for now in (0..90_000).step_by(50) {
            for (node, turns) in (0..).zip(&mut nodes) {
                let turn = turn_of(node, now);
                if turn < now + 50 {
                    turns.scraped(age(turn));
                }
                for pod in (0..110).filter(|pod| (pod * 273 + node) / 50 * 50 == now) {
                    turns.add(age(pod * 273 + node));
                }
                if turns.next(age(turn)).is_some_and(|at| at <= age(now)) {
                    if turns.begin(age(now)) && budget.spend(age(now), NODES, RESOLUTION) {
                        early.push(now);
                    } else {
                        refused += 1;
                    }
                }
            }
        }
        assert!(!early.is_empty() && refused > 0);
        for end in (15_000..105_000).step_by(1_000) {
            let within = early.iter().filter(|at| (end - 15_000..end).contains(*at));
            assert!(within.count() <= NODES / 4, "until {end}");
        }
    }

    #[test]
    fn with_a_resolution_of_ten_seconds_a_rate_needs_two_samples() {
        let mut turns = EarlyTurns::new(Duration::from_secs(10));
        turns.add(age(1_000));
        assert_eq!(turns.next(age(10_000)), Some(age(3_750)));
        assert!(turns.begin(age(3_750)));
        assert_eq!(turns.next(age(20_000)), None);
    }
}
