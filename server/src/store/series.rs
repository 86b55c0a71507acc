//! One node's series: the state that a node's scrapes update and nobody else sees.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::kubelet::resource::{ContainerKey, Reading, ResourceScrape};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::Bytes;

use super::history;
use super::latest::{
    Absent, ContainerLatest, ContainerState, Latest, NodeLatest, PodLatest, PodRates,
};
use super::rate::{NoRate, Pair, Point, Usage};
use super::ring::Sample;
use crate::clock::Age;
use crate::intern::Interner;

/// The pairs of one node and of its containers, sorted like a scrape.
#[derive(Debug)]
pub struct NodeSeries {
    resolution: Duration,
    node: Option<Tracked>,
    containers: Vec<Container>,
}

#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) pair: Pair,
    pub(super) arrived: Age,
}

#[derive(Debug)]
pub(super) struct Container {
    pub(super) namespace: Arc<str>,
    pub(super) pod: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) tracked: Tracked,
}

/// What the series of a node hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Whether the node itself has a point.
    pub node: bool,
    /// Containers that have a point.
    pub containers: u32,
    /// Memory, in bytes; names, which are shared, are not counted.
    pub bytes: u32,
}

/// Rates from elsewhere, for what has no pair yet: by container, and the node's under its own.
#[derive(Debug, Default)]
pub struct StandIn {
    /// The node's usage.
    pub node: Option<Usage>,
    /// Usages by namespace, pod and container.
    pub containers: BTreeMap<(String, String, String), Usage>,
}

impl Tracked {
    fn begin(point: Point, now: Age, resolution: Duration) -> Self {
        Self {
            pair: Pair::begin(point, resolution),
            arrived: now,
        }
    }

    fn offer(&mut self, point: Point, now: Age, resolution: Duration) {
        // A kubelet whose clock was set back reports nothing but older points. Where there is no answer, or
        // none that could be given any more, there is nothing to protect: begin anew.
        let void = self.pair.usage().is_err() || now.since(self.arrived) > resolution * 5 / 2;
        let set_back = void && point.at < self.pair.last().at;
        if set_back {
            *self = Self::begin(point, now, resolution);
        } else if self.pair.offer(point, resolution) {
            self.arrived = now;
        }
    }
}

impl NodeSeries {
    /// No series yet.
    pub fn new(resolution: Duration) -> Self {
        Self {
            resolution,
            node: None,
            containers: Vec::new(),
        }
    }

    /// Series that an earlier process had; `containers` are sorted like a scrape.
    pub(super) fn resume(
        resolution: Duration,
        node: Option<Tracked>,
        containers: Vec<Container>,
    ) -> Self {
        Self {
            resolution,
            node,
            containers,
        }
    }

    /// The node's own.
    pub(super) fn node(&self) -> Option<&Tracked> {
        self.node.as_ref()
    }

    /// Those of its containers, by namespace, pod and name.
    pub(super) fn containers(&self) -> &[Container] {
        &self.containers
    }

    /// How many series have a point.
    pub fn len(&self) -> usize {
        self.containers.len() + usize::from(self.node.is_some())
    }

    /// What there is.
    pub fn held(&self) -> Held {
        let bytes = size_of::<Self>() + self.containers.capacity() * size_of::<Container>();
        Held {
            node: self.node.is_some(),
            containers: u32::try_from(self.containers.len()).unwrap_or(u32::MAX),
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        }
    }

    /// Whether there is no series.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is nothing but first points yet, as after a start or a long silence: judged by the node
    /// itself, or by its containers where it reports none of its own.
    pub fn wants_stand_in(&self) -> bool {
        let waits = |tracked: &Tracked| tracked.pair.usage() == Err(NoRate::FirstPoint);
        match &self.node {
            Some(node) => waits(node),
            None => self
                .containers
                .iter()
                .any(|container| waits(&container.tracked)),
        }
    }

    /// Gives rates from elsewhere to what waits for its second point.
    pub fn stand_in(&mut self, rates: &StandIn) {
        if let (Some(node), Some(usage)) = (&mut self.node, rates.node) {
            node.pair.stand_in(usage);
        }
        if rates.containers.is_empty() {
            return;
        }
        for container in &mut self.containers {
            let key = (
                container.namespace.to_string(),
                container.pod.to_string(),
                container.name.to_string(),
            );
            if let Some(usage) = rates.containers.get(&key) {
                container.tracked.pair.stand_in(*usage);
            }
        }
    }

    /// Takes in a scrape sent at `sent` whose answer was in at `now`.
    pub fn ingest(
        &mut self,
        scrape: &ResourceScrape<'_>,
        sent: Timestamp,
        now: Age,
        names: &Interner,
    ) {
        match (Point::whole(&scrape.node, sent), &mut self.node) {
            (Ok(point), Some(node)) => node.offer(point, now, self.resolution),
            (Ok(point), none) => *none = Some(Tracked::begin(point, now, self.resolution)),
            (Err(_), _) => {}
        }
        let reach = self.resolution * 5;
        let mut known = std::mem::take(&mut self.containers).into_iter().peekable();
        // Both sides are sorted alike: one walk over the two, like a merge.
        let mut merged = Vec::with_capacity(scrape.containers.len());
        for (key, reading) in &scrape.containers {
            while let Some(gone) = known.next_if(|container| container.order(key) == Ordering::Less)
            {
                if now.since(gone.tracked.arrived) <= reach {
                    merged.push(gone);
                }
            }
            let before = known.next_if(|container| container.order(key) == Ordering::Equal);
            match (before, Point::whole(reading, sent)) {
                (Some(mut container), Ok(point)) => {
                    container.tracked.offer(point, now, self.resolution);
                    merged.push(container);
                }
                (Some(container), Err(_)) if now.since(container.tracked.arrived) <= reach => {
                    merged.push(container)
                }
                (None, Ok(point)) => {
                    let previous = merged.last();
                    merged.push(Container::new(
                        key,
                        Tracked::begin(point, now, self.resolution),
                        previous,
                        names,
                    ));
                }
                (_, Err(_)) => {}
            }
        }
        merged.extend(known.filter(|gone| now.since(gone.tracked.arrived) <= reach));
        self.containers = merged;
    }

    /// What is to be remembered of the scrape that was last taken in: the node's own point, and those of its containers
    /// in the order of the scrape, as far as they have rates. Points that were there before are among them.
    pub fn readings<'a>(
        &'a self,
        scrape: &'a ResourceScrape<'_>,
    ) -> (Option<Sample>, impl Iterator<Item = history::Reading<'a>>) {
        let node = sample(&scrape.node, self.node.as_ref());
        let mut known = self.containers.iter().peekable();
        let containers = scrape.containers.iter().filter_map(move |(key, reading)| {
            while known
                .next_if(|container| container.order(key) == Ordering::Less)
                .is_some()
            {}
            let container = known.next_if(|container| container.order(key) == Ordering::Equal)?;
            Some(history::Reading {
                namespace: &container.namespace,
                pod: &container.pod,
                container: &container.name,
                sample: sample(reading, Some(&container.tracked))?,
                life: history::life(container.tracked.pair.last().start),
            })
        });
        (node, containers)
    }

    /// What readers see after the scrape that was last taken in.
    pub fn latest(&self, scrape: &ResourceScrape<'_>, now: Age, names: &Interner) -> Latest {
        let mut pods: Vec<PodLatest> = Vec::with_capacity(scrape.containers.len());
        let mut containers = Vec::with_capacity(scrape.containers.len());
        let mut incomplete: Vec<ContainerState> = Vec::new();
        let mut known = self.containers.iter().peekable();
        for group in scrape
            .containers
            .chunk_by(|(a, _), (b, _)| (a.namespace, a.pod) == (b.namespace, b.pod))
        {
            let Some((pod, _)) = group.first() else {
                continue;
            };
            let (first, states) = (containers.len(), incomplete.len());
            let mut earliest: Option<(Usage, Age)> = None;
            let mut absent = None;
            let mut shared = None;
            for (key, reading) in group {
                while known
                    .next_if(|container| container.order(key) == Ordering::Less)
                    .is_some()
                {}
                let container = known.next_if(|container| container.order(key) == Ordering::Equal);
                if let Some(container) = container {
                    shared = Some((Arc::clone(&container.namespace), Arc::clone(&container.pod)));
                }
                match judge(reading, container.map(|container| &container.tracked)) {
                    Ok((usage, arrived)) => {
                        earliest = Some(match earliest {
                            None => (usage, arrived),
                            Some((least, oldest)) => {
                                (earlier(least, usage), older(oldest, arrived, now))
                            }
                        });
                        let name = container.map_or_else(
                            || names.intern(key.container),
                            |known| Arc::clone(&known.name),
                        );
                        incomplete.push(ContainerState {
                            pod: pods.len(),
                            name: Arc::clone(&name),
                            absent: None,
                        });
                        containers.push(ContainerLatest {
                            name,
                            cpu: usage.cpu,
                            memory: usage.memory,
                        });
                    }
                    Err(why) => {
                        let name = names.intern(key.container);
                        let why = why.of(Some(Arc::clone(&name)));
                        absent.get_or_insert_with(|| why.clone());
                        incomplete.push(ContainerState {
                            pod: pods.len(),
                            name,
                            absent: Some(why),
                        });
                    }
                }
            }
            let rates = match (absent, earliest) {
                (Some(absent), _) => Err(absent),
                (None, Some((usage, arrived))) => {
                    PodRates::new(&usage, arrived, first, group.len()).ok_or(Absent::NotReported)
                }
                (None, None) => Err(Absent::NotReported),
            };
            // The containers are told apart only where a pod is not whole.
            match rates {
                Ok(_) => incomplete.truncate(states),
                Err(_) => containers.truncate(first),
            }
            let (namespace, name) =
                shared.unwrap_or_else(|| (names.intern(pod.namespace), names.intern(pod.pod)));
            pods.push(PodLatest {
                namespace,
                name,
                rates,
            });
        }
        Latest {
            scraped: now,
            node: judge(&scrape.node, self.node.as_ref())
                .map(|(usage, arrived)| NodeLatest { usage, arrived })
                .map_err(|why| why.of(None)),
            pods: pods.into_boxed_slice(),
            containers: containers.into_boxed_slice(),
            incomplete: incomplete.into_boxed_slice(),
        }
    }
}

impl Container {
    /// A new container; names are shared with the one before it where they are the same.
    fn new(
        key: &ContainerKey<'_>,
        tracked: Tracked,
        previous: Option<&Self>,
        names: &Interner,
    ) -> Self {
        let (namespace, pod) = match previous {
            Some(previous)
                if (&*previous.namespace, &*previous.pod) == (key.namespace, key.pod) =>
            {
                (Arc::clone(&previous.namespace), Arc::clone(&previous.pod))
            }
            _ => (names.intern(key.namespace), names.intern(key.pod)),
        };
        Self {
            namespace,
            pod,
            name: names.intern(key.container),
            tracked,
        }
    }

    pub(super) fn key(&self) -> (&str, &str, &str) {
        (&self.namespace, &self.pod, &self.name)
    }

    fn order(&self, key: &ContainerKey<'_>) -> Ordering {
        self.key().cmp(&(key.namespace, key.pod, key.container))
    }
}

/// The usage of a series as it is remembered.
fn sample(reading: &Reading, tracked: Option<&Tracked>) -> Option<Sample> {
    let (usage, _) = judge(reading, tracked).ok()?;
    Some(Sample {
        at: usage.at,
        cpu: usage.cpu,
        memory: usage.memory,
        swap: reading.swap.filter(|swap| *swap > 0).map(Bytes),
        restarted: false,
    })
}

enum Why {
    Lack(super::rate::Lack),
    NoRate(NoRate),
}

impl Why {
    fn of(self, container: Option<Arc<str>>) -> Absent {
        match self {
            Self::Lack(lack) => Absent::Incomplete { container, lack },
            Self::NoRate(why) => Absent::NoRate { container, why },
        }
    }
}

/// A reading that is not whole silences its series for this answer, whatever points it has.
fn judge(reading: &Reading, tracked: Option<&Tracked>) -> Result<(Usage, Age), Why> {
    Point::whole(reading, Timestamp(0)).map_err(Why::Lack)?;
    let tracked = tracked.ok_or(Why::NoRate(NoRate::FirstPoint))?;
    tracked
        .pair
        .usage()
        .map(|usage| (usage, tracked.arrived))
        .map_err(Why::NoRate)
}

/// The earlier of two usages; of two with the same time, the one with the longer window.
pub(super) fn earlier(a: Usage, b: Usage) -> Usage {
    if (b.at, a.window) < (a.at, b.window) {
        b
    } else {
        a
    }
}

fn older(a: Age, b: Age, now: Age) -> Age {
    if now.since(a) >= now.since(b) { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Retention;
    use kubevitals_proto::kubelet::resource::decode;
    use kubevitals_proto::units::Nanocores;

    const RESOLUTION: Duration = Duration::from_secs(15);

    /// A node whose kubelet says what a test writes.
    struct Node {
        series: NodeSeries,
        names: Interner,
        latest: Option<Latest>,
        now: Duration,
    }

    impl Node {
        fn new() -> Self {
            Self {
                series: NodeSeries::new(RESOLUTION),
                names: Interner::default(),
                latest: None,
                now: Duration::ZERO,
            }
        }

        /// One scrape, a resolution after the last. Each container is (pod/container, CPU seconds, bytes,
        /// timestamp in seconds).
        fn scrape(&mut self, containers: &[(&str, f64, u64, u64)]) {
            self.now += RESOLUTION;
            let mut body = String::new();
            for (path, cpu, memory, at) in containers {
                let (pod, container) = path.split_once('/').unwrap();
                let labels =
                    format!("{{container=\"{container}\",namespace=\"ns\",pod=\"{pod}\"}}");
                body += &format!("container_cpu_usage_seconds_total{labels} {cpu} {at}000\n");
                body += &format!("container_memory_working_set_bytes{labels} {memory} {at}000\n");
                body += &format!("container_start_time_seconds{labels} 1\n");
            }
            let mut scrape = ResourceScrape::default();
            decode(body.as_bytes(), &mut scrape);
            let now = Age::from_elapsed(self.now);
            self.series.ingest(&scrape, Timestamp(0), now, &self.names);
            self.latest = Some(self.series.latest(&scrape, now, &self.names));
        }

        fn cpu(&self, pod: &str) -> Result<Vec<u64>, Absent> {
            let (_, containers) = self.latest.as_ref().unwrap().pod(
                "ns",
                pod,
                Retention::of(RESOLUTION),
                Age::from_elapsed(self.now),
            )?;
            Ok(containers
                .iter()
                .map(|container| container.cpu.0 / 1_000_000)
                .collect())
        }
    }

    #[test]
    fn pods_are_found_whatever_the_order_of_the_lines() {
        let mut node = Node::new();
        node.scrape(&[
            ("b/x", 1.0, 1, 1000),
            ("a/y", 1.0, 1, 1000),
            ("a/x", 1.0, 1, 1000),
        ]);
        node.scrape(&[
            ("a/x", 2.5, 1, 1015),
            ("b/x", 4.0, 1, 1015),
            ("a/y", 1.0, 1, 1015),
        ]);
        assert_eq!(node.cpu("a"), Ok(vec![100, 0]));
        assert_eq!(node.cpu("b"), Ok(vec![200]));
        assert_eq!(node.cpu("c"), Err(Absent::NotReported));
    }

    #[test]
    fn one_container_without_a_rate_leaves_out_its_pod_and_says_why() {
        let mut node = Node::new();
        node.scrape(&[("a/x", 1.0, 1, 1000)]);
        node.scrape(&[("a/new", 1.0, 1, 1015), ("a/x", 2.5, 1, 1015)]);
        assert_eq!(
            node.cpu("a"),
            Err(Absent::NoRate {
                container: Some("new".into()),
                why: NoRate::FirstPoint
            })
        );
        node.scrape(&[("a/new", 1.0, 0, 1030), ("a/x", 4.0, 1, 1030)]);
        let lack = crate::store::Lack::ZeroMemory;
        assert_eq!(
            node.cpu("a"),
            Err(Absent::Incomplete {
                container: Some("new".into()),
                lack
            })
        );
    }

    #[test]
    fn a_gone_container_leaves_and_is_forgotten_after_the_reach_of_a_pair() {
        let mut node = Node::new();
        node.scrape(&[("a/x", 1.0, 1, 1000), ("b/x", 1.0, 1, 1000)]);
        for turn in 1..=5 {
            node.scrape(&[("a/x", 1.0, 1, 1000 + turn * 15)]);
            assert_eq!(node.cpu("b"), Err(Absent::NotReported));
        }
        assert_eq!(node.series.len(), 2, "it may still come back");
        node.scrape(&[("a/x", 1.0, 1, 1090)]);
        assert_eq!(node.series.len(), 1);
    }

    #[test]
    fn a_point_that_the_kubelet_keeps_repeating_is_believed_for_five_resolutions() {
        let mut node = Node::new();
        node.scrape(&[("a/x", 1.0, 1, 1000)]);
        node.scrape(&[("a/x", 2.5, 1, 1015)]);
        for _ in 0..5 {
            node.scrape(&[("a/x", 2.5, 1, 1015)]);
            assert_eq!(node.cpu("a"), Ok(vec![100]));
        }
        node.scrape(&[("a/x", 2.5, 1, 1015)]);
        assert_eq!(node.cpu("a"), Err(Absent::Stale));
    }

    #[test]
    fn without_scrapes_the_last_answer_is_believed_for_two_and_a_half_resolutions() {
        let mut node = Node::new();
        node.scrape(&[("a/x", 1.0, 1, 1000)]);
        node.scrape(&[("a/x", 2.5, 1, 1015)]);
        node.now += RESOLUTION * 5 / 2;
        assert_eq!(node.cpu("a"), Ok(vec![100]));
        node.now += Duration::from_millis(1);
        assert_eq!(node.cpu("a"), Err(Absent::Stale));
    }

    #[test]
    fn a_clock_set_back_is_followed_once_the_last_answer_is_void() {
        let mut node = Node::new();
        node.scrape(&[("a/x", 1.0, 1, 9000)]);
        node.scrape(&[("a/x", 2.5, 1, 9015)]);
        for (turn, at) in [(1, 5400), (2, 5415), (3, 5430)] {
            node.scrape(&[("a/x", 2.5 + 1.5 * f64::from(turn), 1, at)]);
        }
        node.scrape(&[("a/x", 8.5, 1, 5445)]);
        assert_eq!(node.cpu("a"), Ok(vec![100]));
    }

    #[test]
    fn the_kubelets_own_rate_stands_in_until_the_second_point() {
        let mut node = Node::new();
        node.scrape(&[("a/x", 1.0, 7, 1000)]);
        assert!(node.series.wants_stand_in());
        let usage = Usage {
            at: Timestamp::from_millis(1_000_000),
            window: kubevitals_proto::duration::GoDuration(20_000_000_000),
            cpu: Nanocores(42_000_000),
            memory: kubevitals_proto::units::Bytes(0),
        };
        let key = ("ns".to_owned(), "a".to_owned(), "x".to_owned());
        node.series.stand_in(&StandIn {
            node: None,
            containers: [(key, usage)].into(),
        });
        assert!(!node.series.wants_stand_in());
        node.scrape(&[("a/x", 1.0, 7, 1000)]);
        assert_eq!(
            node.cpu("a"),
            Ok(vec![42]),
            "the same point again: the stand-in stays"
        );
        node.scrape(&[("a/x", 2.5, 7, 1015)]);
        assert_eq!(node.cpu("a"), Ok(vec![100]));
    }
}
