//! The schedule of a node's pages: between the node's turns, with a back-off after failures.

use std::time::Duration;

use crate::clock::Age;
use crate::scrape::page::{Intervals, Page};
use crate::scrape::record::Instants;
use crate::scrape::schedule::Phase;

/// The longest back-off of a page, in intervals: with the default interval, a new permission has effect within eight
/// minutes.
const LONGEST_PAUSE: u32 = 8;

/// The pages of one node.
#[derive(Debug)]
pub(in crate::scrape) struct Timetable([Option<Turns>; Page::ALL.len()]);

/// The turns of one page.
#[derive(Debug)]
struct Turns {
    page: Page,
    phase: Phase,
    due: Age,
    failures: u32,
}

impl Timetable {
    /// The schedule of a node whose first scrape is at `now`. A page's first turn comes within one resolution, and later
    /// turns at its own phase.
    pub(in crate::scrape) fn of(
        node: &str,
        resolution: Duration,
        intervals: &Intervals,
        now: Instants,
    ) -> Self {
        let third = resolution / 3;
        Self(Page::ALL.map(|page| {
            let interval = intervals.of(page)?;
            let after = match page {
                Page::Probes => third,
                Page::Summary => third * 2,
            };
            let phase = Phase::between(node, resolution, page.path(), interval, after);
            let first = Phase::between(node, resolution, page.path(), resolution, after);
            let wait = first
                .until_next(now.wall, 0, 1)
                .min(phase.until_next(now.wall, 0, 1));
            Some(Turns {
                page,
                phase,
                due: no_earlier(now, wait),
                failures: 0,
            })
        }))
    }

    /// The page with the next turn, and its time; none if all pages are disabled.
    pub(in crate::scrape) fn next(&self) -> Option<(Page, Age)> {
        let turns = self.0.iter().flatten();
        turns
            .min_by_key(|turns| turns.due)
            .map(|turns| (turns.page, turns.due))
    }

    /// Ends the current turn of an unknown page with a failure.
    pub(in crate::scrape) fn all_ended(&mut self, now: Instants) {
        for page in Page::ALL {
            self.ended(page, false, now);
        }
    }

    /// Ends a page's turn, with or without success.
    pub(in crate::scrape) fn ended(&mut self, page: Page, answered: bool, now: Instants) {
        let turns = self.0.iter_mut().flatten();
        for turns in turns.filter(|turns| turns.page == page) {
            turns.failures = if answered {
                0
            } else {
                turns.failures.saturating_add(1)
            };
            let wait = turns
                .phase
                .until_next(now.wall, turns.failures, LONGEST_PAUSE);
            turns.due = no_earlier(now, wait);
        }
    }
}

/// The time after `wait`. Ages are whole milliseconds, so it rounds up: after a turn that is slightly early the next one
/// would follow at once.
fn no_earlier(now: Instants, wait: Duration) -> Age {
    now.age.after(wait + Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kubevitals_proto::time::Timestamp;

    const RESOLUTION: Duration = Duration::from_secs(15);
    const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

    const BOTH: Intervals = Intervals {
        probes: MINUTE,
        summary: MINUTE,
    };

    const SUMMARY: Intervals = Intervals {
        probes: None,
        ..BOTH
    };

    fn instants(seconds: u64) -> Instants {
        Instants {
            age: Age::from_elapsed(Duration::from_secs(seconds)),
            wall: Timestamp::from_secs(1_800_000_000 + seconds.cast_signed()),
        }
    }

    /// The turns of ten minutes, in milliseconds since the first moment.
    fn turns(node: &str, intervals: &Intervals, answered: bool) -> Vec<(Page, u64)> {
        let begin = instants(0);
        let mut table = Timetable::of(node, RESOLUTION, intervals, begin);
        let mut turns = Vec::new();
        while let Some((page, due)) = table.next() {
            let into = due.since(begin.age);
            if into > Duration::from_secs(600) {
                break;
            }
            turns.push((page, u64::try_from(into.as_millis()).unwrap()));
            let wall = begin
                .wall
                .plus_nanos(i64::try_from(into.as_nanos()).unwrap());
            table.ended(page, answered, Instants { age: due, wall });
        }
        turns
    }

    #[test]
    fn each_page_comes_soon_and_then_once_in_its_interval() {
        let turns = turns("node-1", &BOTH, true);
        for page in Page::ALL {
            let times: Vec<u64> = turns
                .iter()
                .filter(|(turn, _)| *turn == page)
                .map(|(_, at)| *at)
                .collect();
            assert!(times[0] <= 15_000, "{times:?}");
            assert!((10..=11).contains(&times.len()), "{times:?}");
            for pair in times[1..].windows(2) {
                // Ages are whole milliseconds, rounded up.
                assert!((pair[1] - pair[0]).abs_diff(60_000) <= 2, "{times:?}");
            }
        }
    }

    #[test]
    fn a_nodes_three_requests_keep_a_third_of_the_resolution_apart() {
        for node in ["node-1", "node-2", "a", ""] {
            let own = Phase::of(node, RESOLUTION).until_next(instants(0).wall, 0, 1);
            for (page, at) in turns(node, &BOTH, true) {
                let apart = (Duration::from_millis(at) + RESOLUTION - own).as_millis() % 15_000;
                let expected: u128 = match page {
                    Page::Probes => 5_000,
                    Page::Summary => 10_000,
                };
                assert!(
                    apart.abs_diff(expected) <= 2,
                    "{node} {page:?}: {apart} ms after its own turn"
                );
            }
        }
    }

    #[test]
    fn nodes_spread_over_the_interval_and_replicas_agree() {
        let quarter = |node: &str| turns(node, &SUMMARY, true)[2].1 % 60_000 / 15_000;
        let mut quarters = [0; 4];
        for node in 0..400 {
            quarters[usize::try_from(quarter(&format!("node-{node}"))).unwrap()] += 1;
        }
        assert!(
            quarters.iter().all(|count| (60..=140).contains(count)),
            "{quarters:?}"
        );
    }

    #[test]
    fn the_back_off_of_a_failing_page_has_a_limit() {
        let times: Vec<u64> = turns("node-1", &SUMMARY, false)
            .iter()
            .map(|(_, at)| *at / 1000)
            .collect();
        let gaps: Vec<u64> = times[1..]
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .collect();
        assert!(
            gaps[0].abs_diff(120) <= 1 && gaps[1].abs_diff(240) <= 1,
            "{times:?}"
        );
        assert_eq!(gaps.len(), 2, "then not in ten minutes: {times:?}");
    }

    #[test]
    fn a_disabled_page_has_no_turn() {
        let none = Intervals {
            probes: None,
            summary: None,
        };
        assert_eq!(turns("node-1", &none, true), []);
    }
}
