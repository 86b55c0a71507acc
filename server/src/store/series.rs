//! One node's series: the state that only the node's scrapes update.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::kubelet::resource::{
    ContainerKey, DecodeLimits, Duplicate, Reading, ResourceScrape,
};
use kubevitals_proto::time::Timestamp;

use super::duplicate::{is_duplicate, settle};
use super::node_clock::{ClockReading, NodeClock, ScrapeTimes};
use super::rate::{Bounds, NoRate, Pair, Point, Usage};
use super::sorted::advance_to;
use super::tracked_series::{IngestContext, Tracked};
use crate::clock::Age;
use crate::cluster::PodKey;
use crate::intern::Interner;

/// The largest number of containers with a last sample: those of a scrape, and as many ended ones.
const MAX_CONTAINERS: usize = 2 * DecodeLimits::MAX_SERIES as usize;

/// The pairs of one node and of its containers, sorted like a scrape.
#[derive(Debug)]
pub struct NodeSeries {
    resolution: Duration,
    bounds: Bounds,
    node: Option<Tracked>,
    containers: Vec<Container>,
    clock: Option<NodeClock>,
    /// The time of the last request.
    last_request: Option<Age>,
    /// The series as if the node's clock had been set before the last response. The next response decides.
    suspect: Option<Box<NodeSeries>>,
}

#[derive(Debug)]
pub(super) struct Container {
    pub(super) pod: PodKey,
    pub(super) name: Arc<str>,
    pub(super) tracked: Tracked,
}

/// The times of samples that are new in a response; none for the others.
struct NewSamples {
    node: Option<Timestamp>,
    containers: Vec<Option<Timestamp>>,
}

impl NewSamples {
    /// Leaves only the times that are new to `others`, too.
    fn narrow(&mut self, others: &Self) {
        let own = self.containers.iter_mut().chain([&mut self.node]);
        let others = others.containers.iter().chain([&others.node]);
        for (at, other) in own.zip(others) {
            *at = at.filter(|_| other.is_some());
        }
    }

    fn times(&self) -> Vec<i64> {
        let all = self.containers.iter().chain([&self.node]);
        all.flatten().map(|at| at.0).collect()
    }
}

/// The size of a node's series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeriesSize {
    /// Whether the node itself has a sample.
    pub node: bool,
    /// The number of containers with a sample.
    pub containers: u32,
    /// The memory in bytes, without the shared names.
    pub bytes: u32,
}

/// The kubelet's own rates, for series with only one sample.
#[derive(Debug, Default)]
pub struct FirstRates {
    /// The node's usage.
    pub node: Option<Usage>,
    /// Usages by namespace, pod and container.
    pub containers: BTreeMap<(String, String, String), Usage>,
}

impl FirstRates {
    /// Leaves out series that a scrape contains more than once: their rate is ambiguous.
    pub fn leave_out(&mut self, duplicates: &[Duplicate<'_>]) {
        for duplicate in duplicates {
            match &duplicate.key {
                None => self.node = None,
                Some(key) => {
                    let key = (
                        key.namespace.to_owned(),
                        key.pod.to_owned(),
                        key.container.to_owned(),
                    );
                    self.containers.remove(&key);
                }
            }
        }
    }
}

impl NodeSeries {
    /// No series yet.
    pub fn new(resolution: Duration) -> Self {
        Self::restore(resolution, None, Vec::new())
    }

    /// Series that an earlier process had; `containers` are sorted like a scrape.
    pub(super) fn restore(
        resolution: Duration,
        node: Option<Tracked>,
        containers: Vec<Container>,
    ) -> Self {
        Self {
            resolution,
            bounds: Bounds::default(),
            node,
            containers,
            clock: None,
            last_request: None,
            suspect: None,
        }
    }

    /// Drops all series.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.resolution);
    }

    /// Sets the bounds of the node's usage, from the next scrape on.
    pub fn bound(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// The estimated time of the node's clock at `now`.
    pub fn time(&self, now: Age) -> Option<Timestamp> {
        Some(self.clock?.time(now))
    }

    /// The node's own series.
    pub(super) fn node(&self) -> Option<&Tracked> {
        self.node.as_ref()
    }

    /// The containers' series, by namespace, pod and name.
    pub(super) fn containers(&self) -> &[Container] {
        &self.containers
    }

    /// The last samples as the kubelet reported them: the node's own, and those of the containers by namespace, pod and
    /// name.
    pub fn points(
        &self,
    ) -> (
        Option<&Point>,
        impl Iterator<Item = (&PodKey, &Arc<str>, &Point)>,
    ) {
        let containers = self.containers.iter();
        let containers = containers.map(|it| (&it.pod, &it.name, it.tracked.pair.last()));
        (self.node.as_ref().map(|it| it.pair.last()), containers)
    }

    /// Finds the series of each container of a scrape. It is called once for each, in the order of the scrape. Nearly
    /// always the next series is the one.
    pub(super) fn find_each<'a>(
        &'a self,
    ) -> impl FnMut(&ContainerKey<'_>) -> Option<&'a Container> {
        let mut existing = self.containers.iter().peekable();
        move |key| {
            let next = existing.next_if(|it| it.is(key));
            next.or_else(|| advance_to(&mut existing, |it| it.order(key)))
        }
    }

    /// Whether the containers are those of a scrape, in the same order.
    fn is_aligned(&self, scrape: &ResourceScrape<'_>) -> bool {
        let mut pairs = self.containers.iter().zip(&scrape.containers);
        self.containers.len() == scrape.containers.len()
            && pairs.all(|(container, (key, _))| container.is(key))
    }

    /// The number of series with a sample.
    pub fn len(&self) -> usize {
        self.containers.len() + usize::from(self.node.is_some())
    }

    /// The size of the series.
    pub fn size(&self) -> SeriesSize {
        let suspect = self
            .suspect
            .as_ref()
            .map_or(0, |it| it.size().bytes as usize);
        let bytes =
            size_of::<Self>() + self.containers.capacity() * size_of::<Container>() + suspect;
        SeriesSize {
            node: self.node.is_some(),
            containers: u32::try_from(self.containers.len()).unwrap_or(u32::MAX),
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        }
    }

    /// Whether there is no series.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there are only first samples, as after a start: decided by the node's own series, or by the containers
    /// where the node has none.
    pub fn needs_first_rates(&self) -> bool {
        let waits = |tracked: &Tracked| tracked.pair.usage() == Err(NoRate::FirstPoint);
        match &self.node {
            Some(node) => waits(node),
            None => self
                .containers
                .iter()
                .any(|container| waits(&container.tracked)),
        }
    }

    /// Uses the kubelet's rates for series that wait for their second sample.
    pub fn use_first_rates(&mut self, rates: &FirstRates) {
        if let (Some(node), Some(usage)) = (&mut self.node, rates.node) {
            node.pair.use_first_rates(usage, &self.bounds);
        }
        if rates.containers.is_empty() {
            return;
        }
        for container in &mut self.containers {
            let key = (
                container.pod.namespace.to_string(),
                container.pod.name.to_string(),
                container.name.to_string(),
            );
            if let Some(usage) = rates.containers.get(&key) {
                container.tracked.pair.use_first_rates(*usage, &self.bounds);
            }
        }
    }

    /// Ingests a scrape. One reading replaces its duplicates, or an empty reading if no duplicate can be followed.
    ///
    /// Returns the step of the node's clock in nanoseconds, if this scrape confirms one; a negative step is backward.
    /// A scrape that does not fit the clock changes nothing yet: the next scrape shows whether the clock was set or the
    /// samples were late, and pairs with the samples after or before the step. No window spans a step.
    pub fn ingest(
        &mut self,
        scrape: &mut ResourceScrape<'_>,
        times: &ScrapeTimes,
        names: &Interner,
    ) -> Option<i64> {
        settle(scrape, times.sent, &self.bounds, |key| self.pair(key));
        let mut new_samples = self.new_samples(scrape);
        if let Some(suspect) = &self.suspect {
            new_samples.narrow(&suspect.new_samples(scrape));
        }
        let Some(clock_reading) =
            ClockReading::of(&mut new_samples.times(), times, self.resolution)
        else {
            // A response without new samples says nothing about a suspect clock.
            if self.suspect.is_none() {
                self.merge(scrape, times, NoRate::FirstPoint, names);
            }
            return None;
        };
        let suspect = self.suspect.take();
        let Some(clock) = self.clock else {
            self.clock = Some(NodeClock::begin(&clock_reading));
            self.merge(scrape, times, NoRate::FirstPoint, names);
            return None;
        };
        if clock.fits(&clock_reading, self.resolution) {
            self.clock = Some(clock.updated(&clock_reading));
            self.merge(scrape, times, NoRate::FirstPoint, names);
            return None;
        }
        let set = clock.set(&clock_reading);
        match suspect {
            Some(suspect)
                if suspect
                    .clock
                    .is_some_and(|it| it.fits(&clock_reading, self.resolution)) =>
            {
                *self = *suspect;
                self.clock = self.clock.map(|clock| clock.updated(&clock_reading));
                self.merge(scrape, times, NoRate::FirstPoint, names);
            }
            None if self.has_fresh_rate(times.answered) => {
                let fresh = self.fresh_samples(scrape, &new_samples, &clock_reading, times);
                self.suspect = Some(Box::new(self.restarted(set, &fresh, times, names)));
                return None;
            }
            _ => {
                let fresh = self.fresh_samples(scrape, &new_samples, &clock_reading, times);
                *self = self.restarted(set, &fresh, times, names);
            }
        }
        self.clock.and_then(|now| now.set_by(&clock))
    }

    /// The part of a scrape that has the same clock as its newest sample: new samples since the last response.
    fn fresh_samples<'a>(
        &self,
        scrape: &ResourceScrape<'a>,
        new_samples: &NewSamples,
        clock_reading: &ClockReading,
        times: &ScrapeTimes,
    ) -> ResourceScrape<'a> {
        let passed = self
            .last_request
            .map(|last_request| times.answered.since(last_request));
        let is_fresh = |at: &Option<Timestamp>| {
            at.is_some_and(|at| clock_reading.is_near(at, passed.unwrap_or(self.resolution)))
        };
        let containers = scrape.containers.iter().zip(&new_samples.containers);
        ResourceScrape {
            node: Some(scrape.node)
                .filter(|_| is_fresh(&new_samples.node))
                .unwrap_or_default(),
            containers: containers
                .filter(|(_, at)| is_fresh(at))
                .map(|(container, _)| *container)
                .collect(),
            ..ResourceScrape::default()
        }
    }

    /// New series from a scrape.
    fn restarted(
        &self,
        clock: NodeClock,
        scrape: &ResourceScrape<'_>,
        times: &ScrapeTimes,
        names: &Interner,
    ) -> Self {
        let mut series = Self::new(self.resolution);
        series.bounds = self.bounds;
        series.clock = Some(clock);
        series.merge(scrape, times, NoRate::ClockStepped, names);
        series
    }

    /// Whether any series has a rate that is still fresh.
    fn has_fresh_rate(&self, now: Age) -> bool {
        let is_fresh = |tracked: &Tracked| {
            tracked.pair.usage().is_ok() && now.since(tracked.arrived) <= self.resolution * 5 / 2
        };
        let containers = self.containers.iter().map(|it| &it.tracked);
        self.node.iter().chain(containers).any(is_fresh)
    }

    /// The pair of a container, or of the node.
    fn pair(&self, key: Option<&ContainerKey<'_>>) -> Option<&Pair> {
        let tracked = match key {
            None => self.node.as_ref(),
            Some(key) => {
                let place = self.containers.binary_search_by(|it| it.order(key));
                place
                    .ok()
                    .and_then(|at| Some(&self.containers.get(at)?.tracked))
            }
        };
        tracked.map(|tracked| &tracked.pair)
    }

    /// The times of the samples that are new in a scrape.
    fn new_samples(&self, scrape: &ResourceScrape<'_>) -> NewSamples {
        let new_samples = |reading: &Reading, existing: Option<&Tracked>| {
            let last = existing.map(|tracked| tracked.pair.last());
            let is_last =
                |last: &Point| (Some(last.at), Some(last.cpu_ns)) == (reading.at, reading.cpu_ns);
            reading.at.filter(|_| !last.is_some_and(is_last))
        };
        let mut find = self.find_each();
        let containers = scrape.containers.iter().map(|(key, reading)| {
            new_samples(reading, find(key).map(|container| &container.tracked))
        });
        NewSamples {
            containers: containers.collect(),
            node: new_samples(&scrape.node, self.node.as_ref()),
        }
    }

    /// Merges a scrape into the series. `why` is the reason for new series without a rate.
    fn merge(
        &mut self,
        scrape: &ResourceScrape<'_>,
        times: &ScrapeTimes,
        why: NoRate,
        names: &Interner,
    ) {
        let now = times.answered;
        let context = IngestContext {
            resolution: self.resolution,
            bounds: self.bounds,
            now,
            before: self.last_request.replace(times.requested),
            why,
        };
        match (Point::whole(&scrape.node, times.sent), &mut self.node) {
            (Ok(point), Some(node)) => node.offer(point, &context),
            (Ok(point), none) => *none = Some(Tracked::begin(point, &context)),
            // It is unknown which counter continues.
            (Err(_), node) if is_duplicate(scrape, None) => *node = None,
            (Err(_), _) => {}
        }
        let reach = self.resolution * 5;
        // Continues a container with its next reading. Returns whether the container stays.
        let proceed = |container: &mut Container, (key, reading): &(ContainerKey<'_>, Reading)| {
            match Point::whole(reading, times.sent) {
                Ok(point) => {
                    container.tracked.offer(point, &context);
                    true
                }
                Err(_) => {
                    now.since(container.tracked.arrived) <= reach
                        && !is_duplicate(scrape, Some(key))
                }
            }
        };
        if self.is_aligned(scrape) {
            let mut readings = scrape.containers.iter();
            self.containers.retain_mut(|container| {
                let reading = readings.next();
                reading.is_none_or(|reading| proceed(container, reading))
            });
            return;
        }
        let mut capacity = MAX_CONTAINERS.saturating_sub(scrape.containers.len());
        // Whether a container that is not in the scrape keeps its last sample.
        let mut stays = |gone: &Container| {
            let stays = capacity > 0 && now.since(gone.tracked.arrived) <= reach;
            capacity -= usize::from(stays);
            stays
        };
        let mut existing = std::mem::take(&mut self.containers).into_iter().peekable();
        // Both sides are sorted alike: one walk over the two, like a merge.
        let mut merged = Vec::with_capacity(scrape.containers.len());
        for item in &scrape.containers {
            let (key, reading) = item;
            while let Some(gone) = existing.next_if(|it| it.order(key).is_lt()) {
                if stays(&gone) {
                    merged.push(gone);
                }
            }
            if let Some(mut container) = existing.next_if(|it| it.order(key).is_eq()) {
                if proceed(&mut container, item) {
                    merged.push(container);
                }
            } else if let Ok(point) = Point::whole(reading, times.sent) {
                let tracked = Tracked::begin(point, &context);
                let previous = merged.last();
                merged.push(Container::new(key, tracked, previous, names));
            }
        }
        merged.extend(existing.filter(stays));
        self.containers = merged;
    }
}

impl Container {
    /// A new container. It shares equal names with the previous container.
    fn new(
        key: &ContainerKey<'_>,
        tracked: Tracked,
        previous: Option<&Self>,
        names: &Interner,
    ) -> Self {
        let pod = previous.map(|previous| &previous.pod);
        let pod = pod.filter(|pod| is_pod(pod, key));
        let intern = || names.key(key.namespace, key.pod);
        Self {
            pod: pod.cloned().unwrap_or_else(intern),
            name: names.intern(key.container),
            tracked,
        }
    }

    /// Whether it is the container of a key.
    fn is(&self, key: &ContainerKey<'_>) -> bool {
        *self.name == *key.container && is_pod(&self.pod, key)
    }

    pub(super) fn key(&self) -> (&str, &str, &str) {
        (&self.pod.namespace, &self.pod.name, &self.name)
    }

    pub(super) fn order(&self, key: &ContainerKey<'_>) -> Ordering {
        self.key().cmp(&(key.namespace, key.pod, key.container))
    }
}

fn is_pod(pod: &PodKey, key: &ContainerKey<'_>) -> bool {
    *pod.name == *key.pod && *pod.namespace == *key.namespace
}

mod early;
#[cfg(test)]
mod tests;
