//! Early scrapes: they add the rates of containers that have just started, and change no other.

use std::time::Duration;

use kubevitals_proto::kubelet::resource::{Reading, ResourceScrape};
use kubevitals_proto::time::{Timestamp, nanos};

use super::{Container, NodeSeries, Tracked};
use crate::clock::Age;
use crate::intern::Interner;
use crate::store::node_clock::{ClockReading, ScrapeTimes};
use crate::store::rate::{self, FRESH_CONTAINER_MINIMUM, Pair, Point, Usage};

/// The largest difference of a kubelet's clock from the server's at which they count as the same clock: the newest
/// samples of a small node may be some seconds old, so its clock is not known better.
const SAME_CLOCK_NS: u64 = 5_000_000_000;

/// A sample that is at most this much older than the newest one was measured for the request.
const FRESH_SAMPLE_NS: i64 = 600_000_000;

impl NodeSeries {
    /// Ingests a scrape between two turns. It adds rates of containers for which one sample is enough and which have none.
    /// All other series stay as they are, so that each turn makes the same rates as without early scrapes.
    pub fn ingest_early(
        &mut self,
        scrape: &mut ResourceScrape<'_>,
        times: &ScrapeTimes,
        names: &Interner,
    ) {
        super::settle(scrape, times.sent, &self.bounds, |key| self.pair(key));
        let mut new_samples = self.new_samples(scrape).times();
        let reading = ClockReading::of(&mut new_samples, times, self.resolution);
        let fits = match (&self.clock, reading) {
            (Some(clock), Some(reading)) => clock.fits(&reading, self.resolution),
            _ => false,
        };
        // The next turn decides whether the node's clock was set.
        if !fits || self.suspect.is_some() {
            return;
        }
        let mut begun = Vec::new();
        for (key, reading) in &scrape.containers {
            let Ok(point) = Point::whole(reading, times.sent) else {
                continue;
            };
            let found = self.containers.binary_search_by(|it| it.order(key)).ok();
            if let Some(container) = found.and_then(|at| self.containers.get_mut(at)) {
                let pair = &mut container.tracked.pair;
                if pair.offer_early(point, self.resolution, &self.bounds) {
                    container.tracked.arrived = times.answered;
                }
            } else if let Some(pair) = Pair::begin_early(point, self.resolution, &self.bounds) {
                let arrived = times.answered;
                let tracked = Tracked { pair, arrived };
                begun.push(Container::new(key, tracked, begun.last(), names));
            }
        }
        if !begun.is_empty() {
            self.containers.reserve_exact(begun.len());
            self.containers.append(&mut begun);
            self.containers.sort_by(|a, b| a.key().cmp(&b.key()));
        }
    }

    /// The starts, by the server's clock, of the containers of a scrape that are too young for a rate. The response
    /// arrived at `answered`, and at `wall` by the wall clock.
    pub fn recent_starts(
        &self,
        scrape: &ResourceScrape<'_>,
        answered: Age,
        wall: Timestamp,
    ) -> Vec<Age> {
        let Some(now) = self.kubelet_time(answered, wall) else {
            return Vec::new();
        };
        let is_young = |age: i64| (0..nanos(FRESH_CONTAINER_MINIMUM)).contains(&age);
        let age_of = |reading: &Reading| {
            let start = reading.start.filter(|start| *start > 0)?;
            let age = now.0.saturating_sub(start);
            let of_sample = reading.at?.0.saturating_sub(start);
            let is_fresh = age.saturating_sub(of_sample).saturating_abs() <= FRESH_SAMPLE_NS;
            Some(if is_fresh { of_sample } else { age })
        };
        let young = scrape.containers.iter().filter_map(|(key, reading)| {
            let age = age_of(reading).filter(|age| is_young(*age))?;
            let pair = self.pair(Some(key));
            let has_rate = pair.is_some_and(|it| it.usage().is_ok());
            (!has_rate).then(|| answered.before(Duration::from_nanos(age.unsigned_abs())))
        });
        young.collect()
    }

    /// Converts a time of the kubelet's clock to the server's; `now` is `wall` by the wall clock. The future counts as now.
    pub fn to_server_time(&self, at: Timestamp, now: Age, wall: Timestamp) -> Age {
        let kubelet_now = self.kubelet_time(now, wall).unwrap_or(wall);
        let age = kubelet_now.0.saturating_sub(at.0).max(0);
        now.before(Duration::from_nanos(age.unsigned_abs()))
    }

    /// The time of the kubelet's clock at `now`, which is `wall` by the server's wall clock. None before the first scrape.
    pub fn kubelet_time(&self, now: Age, wall: Timestamp) -> Option<Timestamp> {
        let estimate = self.time(now)?;
        let is_same = estimate.0.abs_diff(wall.0) <= SAME_CLOCK_NS;
        Some(if is_same { wall } else { estimate })
    }

    /// The usage since the start of a container that has no rate yet.
    pub(in crate::store) fn provisional_usage(&self, reading: &Reading) -> Option<Usage> {
        let point = Point::whole(reading, Timestamp(0)).ok()?;
        rate::provisional(&point, self.resolution, &self.bounds)
    }
}
