//! Reads what a receiver lacks from the ring.
//!
//! The ring has rates and memory, and its times lie on a grid of 200 ms. The counter of the present run of a container is
//! computed backward from its last sample, so that it continues without a step. The counter of an earlier run begins at
//! zero, as after a restart. The last sample of a series is the exact one.

use std::collections::HashMap;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::Bytes;

use super::collector::{NodeCursor, key};
use super::cursor::{Cursor, NEAR, OWN, Written, series};
use super::encode::Sample;
use super::gap::Floor;
use super::writer::Writer;
use crate::clock::Clock;
use crate::export::series::{CONTAINER_USAGE, ContainerSample, Family, NODE_USAGE, Usages};
use crate::store::Store;
use crate::store::history::{CopiedSeries, Excerpt};
use crate::store::ring::{self, Tick};
use crate::store::{Point, history::NodeHistory};

/// How much later than now the newest sample may be, in nanoseconds.
const LATE: i64 = 3600 * 1_000_000_000;

/// Labels do not depend on it.
const NO_POINT: Point = Point {
    at: Timestamp(0),
    cpu_ns: 0,
    memory: Bytes(0),
    start: Timestamp(0),
};

/// The part of a gap that is filled at once, by the server's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    /// The begin of the gap.
    pub(super) begin: Timestamp,
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    /// Whether the gap ends here: up to the last samples.
    pub(super) last: bool,
}

/// What was added of a slice.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) samples: usize,
    /// How far the series of each node are written with it.
    pub(super) cursor: Cursor,
}

/// Adds the samples of all nodes in a slice of a gap.
pub(super) fn fill(
    store: &Store,
    usages: &Usages,
    nodes: &HashMap<Arc<str>, NodeCursor>,
    floor: &Floor,
    slice: Slice,
    clock: &dyn Clock,
    writer: &mut Writer,
) -> Filled {
    let mut excerpt = Excerpt::default();
    let mut cursor = Vec::new();
    let mut filler = Filler {
        samples: Vec::new(),
        cpu: Vec::new(),
        memory: Vec::new(),
        recent: Vec::new(),
        count: 0,
    };
    let none = NodeCursor::default();
    for (node, history) in store.history().nodes() {
        let offset = history.offset(clock.elapsed(), clock.wall());
        // A sample cannot be later than now, apart from errors of the clocks.
        let end = offset.theirs(clock.wall()).plus_nanos(LATE);
        let until = offset.theirs(slice.until);
        let bounds = Bounds {
            begin: offset.theirs(slice.begin),
            since: offset.theirs(slice.since),
            until: if slice.last { end } else { until },
            end,
        };
        let floor = match floor {
            Floor::Nodes(nodes) => NodeFloor::Written(nodes.get(&*node)),
            Floor::Wall(wall) => NodeFloor::Time(offset.theirs(*wall)),
            Floor::Series(nodes) => NodeFloor::Series(nodes.get(&node)),
        };
        let live = nodes.get(&node).unwrap_or(&none);
        filler.node(
            &node,
            &history,
            &mut excerpt,
            usages,
            live,
            &floor,
            bounds,
            writer,
        );
        let filled = Written {
            newest: bounds.until,
            recent: std::mem::take(&mut filler.recent),
        };
        let before = floor.written();
        let is_behind = before
            .as_ref()
            .is_some_and(|before| before.newest > filled.newest);
        cursor.push((node, before.filter(|_| is_behind).unwrap_or(filled)));
    }
    Filled {
        samples: filler.count,
        cursor: Cursor::of(cursor.iter().map(|(node, written)| (node, written.clone()))),
    }
}

/// A span of a node's time: after `since`, up to and including `until`. Counters are computed from `begin` to `end`.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    begin: Timestamp,
    end: Timestamp,
    since: Timestamp,
    until: Timestamp,
}

/// The floor of one node's series.
enum NodeFloor<'a> {
    Time(Timestamp),
    Written(Option<&'a Written>),
    Series(Option<&'a NodeCursor>),
}

impl NodeFloor<'_> {
    /// The last sample of the node that is in the queue; none if none is.
    fn own(&self) -> (Option<Timestamp>, Option<&Point>) {
        match self {
            Self::Time(time) => (Some(*time), None),
            Self::Written(written) => (written.map(|it| it.floor(series(OWN))), None),
            Self::Series(cursor) => {
                let point = cursor.and_then(|it| it.own.as_ref()).map(|it| &it.point);
                (point.map(|it| it.at), point)
            }
        }
    }

    /// The last sample of a container that is in the queue.
    fn container(&self, of: (&str, &str, &str)) -> (Option<Timestamp>, Option<&Point>) {
        match self {
            Self::Time(time) => (Some(*time), None),
            Self::Written(written) => (written.map(|it| it.floor(series(of))), None),
            Self::Series(cursor) => {
                let point = cursor.and_then(|it| find(it, of)).map(|it| &it.point);
                (point.map(|it| it.at), point)
            }
        }
    }

    /// How far the series of the node are in the queue, by the clock of its kubelet.
    fn written(&self) -> Option<Written> {
        match self {
            Self::Time(_) => None,
            Self::Written(written) => written.cloned(),
            Self::Series(cursor) => cursor.and_then(NodeCursor::written),
        }
    }
}

fn find<'a>(cursor: &'a NodeCursor, of: (&str, &str, &str)) -> Option<&'a ContainerSample> {
    let found = cursor.containers.binary_search_by(|it| key(it).cmp(&of));
    cursor.containers.get(found.ok()?)
}

/// Reuses its lists for all series.
struct Filler {
    samples: Vec<ring::Sample>,
    cpu: Vec<Sample>,
    memory: Vec<Sample>,
    /// The series of a node that have a sample less than [`NEAR`] before the end of the slice.
    recent: Vec<u32>,
    count: usize,
}

impl Filler {
    #[expect(clippy::too_many_arguments, reason = "one call")]
    fn node(
        &mut self,
        node: &Arc<str>,
        history: &NodeHistory,
        excerpt: &mut Excerpt,
        usages: &Usages,
        newest: &NodeCursor,
        floor: &NodeFloor<'_>,
        bounds: Bounds,
        writer: &mut Writer,
    ) {
        let (begin, end) = (Tick::nearest(bounds.begin), Tick::nearest(bounds.end));
        history.copy(excerpt, |_| true, begin, end);
        for series in excerpt.series() {
            let (Some(pod), Some(container)) = (series.pod, series.container) else {
                let last = newest.own.as_ref().map(|it| &it.point);
                self.read(series, OWN, last, floor.own(), bounds);
                let labels = [("node", &**node)];
                self.write(NODE_USAGE, &labels, writer);
                continue;
            };
            let of = (&*pod.key.namespace, &*pod.key.name, &**container);
            let live = find(newest, of);
            self.read(
                series,
                of,
                live.map(|it| &it.point),
                floor.container(of),
                bounds,
            );
            if self.cpu.is_empty() {
                continue;
            }
            let image = match live {
                Some(live) => Arc::clone(&live.image),
                None => usages
                    .image(&pod.key, pod.uid, container)
                    .unwrap_or_default(),
            };
            let sample = ContainerSample {
                node: Arc::clone(node),
                pod: pod.key.clone(),
                container: Arc::clone(container),
                image,
                point: NO_POINT,
            };
            self.write(CONTAINER_USAGE, &sample.labels(), writer);
        }
    }

    /// Reads the samples of a series that are after the floor and within the bounds. `live` is the last sample of the
    /// series, if it still has samples.
    fn read(
        &mut self,
        copied: CopiedSeries<'_>,
        of: (&str, &str, &str),
        live: Option<&Point>,
        (floor, sent): (Option<Timestamp>, Option<&Point>),
        bounds: Bounds,
    ) {
        self.samples.clear();
        self.samples.extend(copied.samples());
        // The exact sample replaces that of the ring.
        let end = live.map_or(bounds.end, |live| live.at.plus_nanos(-NEAR));
        let newest = self.samples.iter().rposition(|it| it.at < end);
        let rate_of_live = self.samples.last().map(|it| (it.cpu.0, it.restarted));
        self.samples.truncate(newest.map_or(0, |at| at + 1));
        counters(&self.samples, live.zip(rate_of_live), sent, &mut self.cpu);
        self.memory.clear();
        let memory = self
            .samples
            .iter()
            .map(|it| (it.at.as_millis(), float(it.memory.0)));
        self.memory.extend(memory);
        if let Some(live) = live {
            self.cpu
                .push((live.at.as_millis(), float(live.cpu_ns) / 1e9));
            self.memory
                .push((live.at.as_millis(), float(live.memory.0)));
        }
        let until = bounds.until.as_millis();
        let last = self.cpu.iter().rfind(|(at, _)| *at <= until);
        if last.is_some_and(|(at, _)| (until - at) * 1_000_000 < NEAR) {
            self.recent.push(series(of));
        }
        let after = floor.map_or(i64::MIN, |floor| floor.plus_nanos(NEAR).as_millis());
        let after = after.max(bounds.since.as_millis());
        let within = |(at, _): &Sample| *at > after && *at <= until;
        self.cpu.retain(within);
        self.memory.retain(within);
    }

    fn write<S: ?Sized>(
        &mut self,
        families: &'static [Family<S>],
        labels: &[(&str, &str)],
        writer: &mut Writer,
    ) {
        // The families of usage begin with CPU and memory.
        for (family, samples) in families.iter().zip([&self.cpu, &self.memory]) {
            self.count += writer.history(family, labels, samples);
        }
    }
}

/// Computes counters in seconds from rates. `live` is the last sample with its rate, and whether the container had
/// restarted before it. No counter of the present run is below `sent`, which a receiver has already.
fn counters(
    samples: &[ring::Sample],
    live: Option<(&Point, (u64, bool))>,
    sent: Option<&Point>,
    out: &mut Vec<Sample>,
) {
    out.clear();
    out.extend(samples.iter().map(|it| (it.at.as_millis(), 0.0)));
    // The first sample of the present run; those before it are of earlier runs.
    let mut run = samples.len();
    if let Some((live, (rate, restarted))) = live {
        let least = sent.filter(|sent| sent.start == live.start);
        let least = least.map_or(0.0, |sent| float(sent.cpu_ns) / 1e9);
        let mut counter = float(live.cpu_ns) / 1e9;
        let mut next = (live.at, rate, restarted);
        for (at, sample) in samples.iter().enumerate().rev() {
            if next.2 {
                break;
            }
            counter = (counter - increase(sample.at, next.0, next.1)).max(least);
            if let Some(slot) = out.get_mut(at) {
                slot.1 = counter;
            }
            run = at;
            next = (sample.at, sample.cpu.0, sample.restarted);
        }
    }
    // A run that has ended continues what the receiver has of it, or begins at zero.
    let mut counter = sent.map_or(0.0, |sent| float(sent.cpu_ns) / 1e9);
    let mut before = sent.map(|sent| sent.at);
    for (sample, slot) in samples.iter().zip(out.iter_mut()).take(run) {
        if before.is_some_and(|before| sample.at.since(before) <= 0) {
            continue;
        }
        if sample.restarted {
            counter = 0.0;
        }
        counter += before.map_or(0.0, |before| increase(before, sample.at, sample.cpu.0));
        slot.1 = counter;
        before = Some(sample.at);
    }
}

/// The CPU time in seconds between two times at a rate in nanocores.
fn increase(from: Timestamp, to: Timestamp, nanocores: u64) -> f64 {
    let nanos = u64::try_from(to.since(from)).unwrap_or_default();
    float(nanos) / 1e9 * (float(nanocores) / 1e9)
}

#[expect(clippy::cast_precision_loss, reason = "samples are floats")]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::units::Nanocores;

    use super::*;

    fn sample(at: i64, millicores: u64, restarted: bool) -> ring::Sample {
        ring::Sample {
            at: Timestamp::from_secs(at),
            cpu: Nanocores(millicores * 1_000_000),
            memory: Bytes(1),
            swap: None,
            restarted,
        }
    }

    fn point(at: i64, cpu_seconds: u64, start: i64) -> Point {
        Point {
            at: Timestamp::from_secs(at),
            cpu_ns: cpu_seconds * 1_000_000_000,
            memory: Bytes(1),
            start: Timestamp::from_secs(start),
        }
    }

    fn counted(
        samples: &[ring::Sample],
        live: Option<(&Point, (u64, bool))>,
        sent: Option<&Point>,
    ) -> Vec<f64> {
        let mut out = Vec::new();
        counters(samples, live, sent, &mut out);
        out.into_iter().map(|(_, value)| value).collect()
    }

    #[test]
    fn the_counter_of_a_running_container_ends_at_its_last_sample() {
        let samples = [
            sample(0, 500, false),
            sample(10, 500, false),
            sample(20, 1000, false),
        ];
        let live = point(30, 100, 0);
        let rate = (2_000_000_000, false);
        assert_eq!(
            counted(&samples, Some((&live, rate)), None),
            [65.0, 70.0, 80.0]
        );
        // No value is below what the receiver has of this run.
        let sent = point(-5, 68, 0);
        let values = counted(&samples, Some((&live, rate)), Some(&sent));
        assert_eq!(values, [68.0, 70.0, 80.0]);
    }

    #[test]
    fn the_counter_of_an_earlier_run_begins_at_zero() {
        let samples = [
            sample(0, 500, false),
            sample(10, 500, false),
            sample(20, 100, true),
            sample(30, 100, false),
        ];
        let live = point(40, 3, 15);
        let rate = (100_000_000, false);
        assert_eq!(
            counted(&samples, Some((&live, rate)), None),
            [0.0, 5.0, 1.0, 2.0]
        );
        // The last sample is the first of its run.
        let values = counted(&samples[..2], Some((&live, (100_000_000, true))), None);
        assert_eq!(values, [0.0, 5.0]);
    }

    #[test]
    fn the_counter_of_a_container_that_is_gone_continues_what_was_sent() {
        let samples = [
            sample(0, 500, false),
            sample(10, 500, false),
            sample(20, 500, true),
        ];
        let sent = point(0, 7, 0);
        assert_eq!(counted(&samples, None, Some(&sent)), [0.0, 12.0, 5.0]);
        assert_eq!(counted(&samples, None, None), [0.0, 5.0, 5.0]);
        assert!(counted(&[], None, None).is_empty());
    }
}
