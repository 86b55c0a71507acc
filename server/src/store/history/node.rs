//! The history of one node: its own series and the series of its containers.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;

use super::excerpt::Excerpt;
use super::locator::{Location, Locator};
use super::malloc_size::{key_size, malloc_size, name_size};
use super::offset::Offset;
use super::pod_id::PodId;
use super::series_list::{Pod, Reading, Series, bounds};
use super::settings::Shared;
use crate::clock::Age;
use crate::cluster::{Binding, PodKey};
use crate::store::ring::{Block, Blocks, Offered, Ring, Sample, Tick};

/// A sample that is older than the newest by more than this, in resolutions, is from a clock that was set back: a
/// repeated sample, or one of another replica, is younger.
const SET_BACK: u32 = 5;

/// The history of one node, behind a lock that is held for microseconds: by the node's task once a scrape, and by
/// readers while they copy blocks, which they decode afterwards.
#[derive(Debug)]
pub struct NodeHistory {
    inner: Mutex<Inner>,
    /// The memory of its entry in the map of nodes, in bytes.
    slot: usize,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) blocks: Blocks,
    /// The node's own series.
    pub(super) node: Ring,
    /// By namespace and name; of several pods with the same name, the last pod last.
    pub(super) pods: Vec<Pod>,
    /// The containers' series, in the order of the pods, those of a pod by name.
    pub(super) series: Vec<Series>,
    /// The time of the node's clock, and when it was read.
    pub(super) clock: Option<(Tick, Age)>,
    /// Whether [`NodeHistory::set_clock`] set it. Otherwise it is the time of the newest sample, which is older.
    clock_set: bool,
    pub(super) points: usize,
    /// The retention of this node's samples in ticks, if it is shorter than for all nodes, because the node exceeds its
    /// share.
    pub(super) retention_ticks: Option<i64>,
    /// Bytes of this node in the shared total.
    counted: usize,
    /// The bytes of names; none after a change of the pods or series.
    name_bytes: Option<usize>,
}

/// The size of one node's history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistorySize {
    /// Series with samples, including the node's own.
    pub series: usize,
    /// Samples.
    pub points: usize,
    /// All memory in bytes: samples, lists, names, and the entry in the map of nodes. Shared names count in full.
    pub bytes: usize,
    /// The part of `bytes` for names.
    pub name_bytes: usize,
    /// Pods that the API server has reported to be bound to the node.
    pub bound_pods: usize,
    /// The time of the oldest sample.
    pub oldest: Option<Tick>,
    /// Whether its samples are stored for a shorter time than those of other nodes.
    pub shortened: bool,
}

impl NodeHistory {
    /// An empty history of a node.
    pub(super) fn new(name: &str, shared: Arc<Shared>) -> Self {
        Self {
            inner: Mutex::default(),
            slot: name_size(name) + SLOT,
            shared,
        }
    }

    /// Stores the samples of a scrape with a response at `now`: the node's own and the containers', sorted by namespace,
    /// pod and container. Samples that are stored already change nothing.
    ///
    /// `binding` returns whether the API server has bound a pod to this node. It is called when a container is new or has
    /// restarted, for some scrapes after that, and from time to time. Readings of pods that are bound to another node are
    /// not stored, and samples stored before the API server reported the pod are dropped.
    pub fn take<'a>(
        &self,
        now: Age,
        node: Option<Sample>,
        containers: impl Iterator<Item = Reading<'a>>,
        binding: impl Fn(&PodKey) -> Binding,
    ) {
        let shared = &*self.shared;
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        let mut clock = None;
        let (mut stored, mut dropped, mut refused) = (0, 0, 0);
        let (mut limited, mut removed) = (0, 0);
        let oldest = inner
            .time(now)
            .map(|time| time.plus(-inner.retention_ticks(shared)));
        let full = shared.is_full(inner.is_over_share(shared));
        let mut offer = |ring: &mut Ring, blocks: &mut Blocks, sample: &Sample| {
            let tick = Tick::nearest(sample.at);
            clock = clock.max(Some(tick));
            match shared.offer(ring, blocks, sample, full) {
                (Offered::Stored, removed) => {
                    stored += 1;
                    dropped += removed;
                }
                (Offered::Old, _) => {}
                (Offered::Full, _) => refused += 1,
            }
            if let Some(oldest) = oldest {
                dropped += ring.drop_before(blocks, oldest).1;
            }
        };
        if let Some(sample) = &node {
            offer(&mut inner.node, &mut inner.blocks, sample);
        }
        let series_before = inner.series.len();
        let mut locator = Locator::new(&inner.pods);
        let mut emptied = false;
        for reading in containers {
            let found = locator.locate(&mut inner.pods, &mut inner.series, &reading, &binding);
            let at = match found {
                Location::Series(at) => at,
                Location::NotOfNode => continue,
                Location::LimitReached => {
                    limited += 1;
                    continue;
                }
                Location::Misattributed(pod) => {
                    let (first, end) = bounds(&inner.pods, &inner.series, pod);
                    let of_pod = inner.series.get_mut(first..end).unwrap_or_default();
                    for series in of_pod {
                        removed += series.ring.len(&inner.blocks);
                        series.ring.clear(&mut inner.blocks);
                    }
                    emptied = true;
                    continue;
                }
            };
            if let Some(series) = inner.series.get_mut(at) {
                let restarted = series.run != reading.run && !series.ring.is_empty();
                let sample = Sample {
                    restarted,
                    ..reading.sample
                };
                offer(&mut series.ring, &mut inner.blocks, &sample);
                series.run = reading.run;
            }
        }
        inner.points = (inner.points + stored).saturating_sub(dropped + removed);
        if let Some(tick) = clock.filter(|_| !inner.clock_set) {
            inner.clock = Some((tick, now));
        }
        if inner.series.len() > series_before {
            inner.name_bytes = None;
        }
        if emptied {
            inner.drop_empty();
        }
        if refused + limited > 0 {
            shared.refused.fetch_add(refused + limited, Relaxed);
        }
        inner.count(self.slot, shared);
    }

    /// Sets the time of the node's clock at `now`.
    pub fn set_clock(&self, time: Timestamp, now: Age) {
        let mut inner = self.inner.lock();
        inner.clock = Some((Tick::nearest(time), now));
        inner.clock_set = true;
    }

    /// Whether the time of the node's clock was set, and does not only follow from samples.
    pub(super) fn is_clock_set(&self) -> bool {
        self.inner.lock().clock_set
    }

    /// Counts the present time of the node's clock as set.
    pub(super) fn trust_clock(&self) {
        self.inner.lock().clock_set = true;
    }

    /// Applies a step of the node's clock in nanoseconds: moves all samples to the new time.
    pub fn shift(&self, by: i64) {
        let ticks = Tick::nearest(Timestamp(by)).since(Tick::default());
        self.change(|inner, _| {
            let rings = inner.series.iter_mut().map(|series| &mut series.ring);
            for ring in rings.chain([&mut inner.node]) {
                ring.shift(&mut inner.blocks, ticks);
            }
            inner.clock = inner
                .clock
                .map(|(tick, read_at)| (tick.plus(ticks), read_at));
        });
    }

    /// The difference between the node's clock and the server's, which shows `wall` at `now`.
    pub fn offset(&self, now: Age, wall: Timestamp) -> Offset {
        let inner = self.inner.lock();
        let slack = match inner.clock_set {
            true => Offset::SLACK,
            false => self.shared.settings.resolution * SET_BACK,
        };
        let ahead = inner.time(now).map(|tick| tick.time().since(wall));
        Offset::beyond(slack, ahead.unwrap_or_default())
    }

    /// The size of the history.
    pub fn size(&self) -> HistorySize {
        self.inner.lock().size(self.slot)
    }

    /// The time of the node's oldest own sample.
    pub fn oldest(&self) -> Option<Tick> {
        let inner = self.inner.lock();
        inner.node.oldest(&inner.blocks)
    }

    /// The node's time at `now`, by its own clock where it was read; none before the first sample.
    pub fn time(&self, now: Age) -> Option<Tick> {
        self.inner.lock().time(now)
    }

    /// Copies series into an excerpt and replaces its content: from the block that contains `since` to the block that
    /// contains `until`.
    ///
    /// `select` chooses the pods; none stands for the node itself. It is called once a pod, under the lock.
    pub fn copy(
        &self,
        excerpt: &mut Excerpt,
        mut select: impl FnMut(Option<&PodId>) -> bool,
        since: Tick,
        until: Tick,
    ) {
        self.excerpt(excerpt, &mut select, |ring, blocks, out| {
            let mut begins = None;
            let chain = ring
                .chain(blocks)
                .take_while(|block| block.first() <= until);
            for block in chain {
                // This block begins before the span too, so the blocks before it are not needed.
                if block.first() <= since
                    && let Some(begin) = begins
                {
                    out.truncate(begin);
                }
                begins.get_or_insert(out.len());
                out.push(*block);
            }
        });
    }

    /// Copies the block with the newest point at or before `at` of each selected series.
    pub fn copy_at(
        &self,
        excerpt: &mut Excerpt,
        mut select: impl FnMut(Option<&PodId>) -> bool,
        at: Tick,
    ) {
        self.excerpt(excerpt, &mut select, |ring, blocks, out| {
            out.extend(ring.block_at(blocks, at));
        });
    }

    /// Copies the same blocks, and the first block of series that begin later.
    pub fn copy_from(
        &self,
        excerpt: &mut Excerpt,
        mut select: impl FnMut(Option<&PodId>) -> bool,
        at: Tick,
    ) {
        self.excerpt(excerpt, &mut select, |ring, blocks, out| {
            let begins = || ring.chain(blocks).next();
            out.extend(ring.block_at(blocks, at).or_else(begins));
        });
    }

    fn excerpt(
        &self,
        excerpt: &mut Excerpt,
        select: &mut dyn FnMut(Option<&PodId>) -> bool,
        copy: impl Fn(&Ring, &Blocks, &mut Vec<Block>),
    ) {
        excerpt.clear();
        let inner = self.inner.lock();
        if select(None) {
            excerpt.add(None, 0, |out| copy(&inner.node, &inner.blocks, out));
        }
        for (pod, series) in inner.pods() {
            if select(Some(&pod.id)) {
                excerpt.begin_pod(&pod.id);
                for series in series {
                    excerpt.add(Some(&series.name), series.run, |out| {
                        copy(&series.ring, &inner.blocks, out);
                    });
                }
            }
        }
    }

    /// Drops samples older than the retention, empty series and pods, and unused memory; with `tight` all unused
    /// memory. Returns whether any sample is left.
    pub(super) fn tidy(&self, now: Age, tight: bool) -> bool {
        let mut inner = self.inner.lock();
        let configured = Tick::count(self.shared.settings.retention);
        if let Some(time) = inner.time(now) {
            let retention_ticks = inner.retention_ticks(&self.shared);
            let dropped = inner.drop_before(time.plus(-retention_ticks));
            // With the configured retention some of these blocks would still be stored: they count as cut.
            if retention_ticks < configured {
                self.shared.cut.fetch_add(dropped as u64, Relaxed);
            }
        }
        let most = if tight {
            Blocks::PAGE
        } else {
            inner.blocks.used() / 4 + Blocks::PAGE * 2
        };
        inner.compact(most);
        inner.count(self.slot, &self.shared);
        inner.points > 0
    }

    /// The retention of samples, in ticks.
    pub(super) fn retention_ticks(&self) -> i64 {
        self.inner.lock().retention_ticks(&self.shared)
    }

    /// Sets the retention of this node's samples.
    pub(super) fn set_retention_ticks(&self, ticks: i64) {
        self.inner.lock().retention_ticks = Some(ticks.max(1));
    }

    /// Extends the retention by `step` ticks, up to the configured one.
    pub(super) fn extend_retention(&self, step: i64, configured: i64) {
        let mut inner = self.inner.lock();
        let more = inner
            .retention_ticks
            .map(|retention_ticks| retention_ticks + step);
        inner.retention_ticks = more.filter(|retention_ticks| *retention_ticks < configured);
    }

    /// Calls `each` with the age in ticks of every block at `now`.
    pub(super) fn ages(&self, now: Age, mut each: impl FnMut(i64)) {
        let inner = self.inner.lock();
        let Some(time) = inner.time(now) else { return };
        let rings = inner.series.iter().map(|series| &series.ring);
        for ring in rings.chain([&inner.node]) {
            let mut chain = ring.chain(&inner.blocks).peekable();
            while chain.next().is_some() {
                // A block is dropped when the first point of the next one, or its own last point, is too old.
                let next = chain.peek().map(|next| next.first());
                let end = next.or_else(|| ring.newest(&inner.blocks));
                each(end.map_or(0, |end| time.since(end)));
            }
        }
    }

    /// Changes the history, and updates its size.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Inner, &Shared) -> T) -> T {
        let mut inner = self.inner.lock();
        let result = change(&mut inner, &self.shared);
        inner.name_bytes = None;
        inner.count(self.slot, &self.shared);
        result
    }
}

impl Drop for NodeHistory {
    fn drop(&mut self) {
        self.shared
            .bytes
            .fetch_sub(self.inner.get_mut().counted, Relaxed);
    }
}

impl Shared {
    /// Offers a sample. Also returns the number of samples removed because the node's clock was set back: all that are
    /// not older. A node that is `full` gets no new blocks.
    fn offer(
        &self,
        ring: &mut Ring,
        blocks: &mut Blocks,
        sample: &Sample,
        full: bool,
    ) -> (Offered, usize) {
        let settings = &self.settings;
        let tick = Tick::nearest(sample.at);
        let mut removed = 0;
        if let Some(newest) = ring.newest(blocks) {
            if newest.since(tick) > Tick::count(settings.resolution * SET_BACK) {
                removed = ring.truncate_from(blocks, tick, settings.resolution);
            } else if tick.since(newest) < Tick::count(settings.step) {
                return (Offered::Old, 0);
            }
        }
        if blocks.idle() == 0 && full {
            return (Offered::Full, removed);
        }
        let step = settings.resolution.max(settings.step);
        (ring.offer(blocks, sample, step), removed)
    }
}

impl Inner {
    /// The pods, each with the series of its containers.
    pub(super) fn pods(&self) -> impl Iterator<Item = (&Pod, &[Series])> {
        self.pods.iter().enumerate().map(|(at, pod)| {
            let (first, end) = bounds(&self.pods, &self.series, at);
            (pod, self.series.get(first..end).unwrap_or_default())
        })
    }

    /// The node's time at `now`.
    pub(super) fn time(&self, now: Age) -> Option<Tick> {
        let (tick, read_at) = self.clock?;
        Some(tick.plus(Tick::count(now.since(read_at))))
    }

    /// Drops blocks with only older samples, and empty series. Returns the number of blocks.
    fn drop_before(&mut self, oldest: Tick) -> usize {
        let (mut blocks, mut points) = self.node.drop_before(&mut self.blocks, oldest);
        let mut empty = false;
        for series in &mut self.series {
            let dropped = series.ring.drop_before(&mut self.blocks, oldest);
            blocks += dropped.0;
            points += dropped.1;
            empty |= series.ring.is_empty();
        }
        self.points = self.points.saturating_sub(points);
        if empty {
            self.drop_empty();
        }
        blocks
    }

    /// Drops series without points, and pods without series.
    pub(super) fn drop_empty(&mut self) {
        let mut stored = 0;
        for at in 0..self.pods.len() {
            let (first, end) = bounds(&self.pods, &self.series, at);
            let of_pod = self.series.get(first..end).unwrap_or_default();
            let left = of_pod
                .iter()
                .filter(|series| !series.ring.is_empty())
                .count();
            // The bounds of later pods depend on their own `first`, which is not changed yet.
            if let Some(pod) = self.pods.get_mut(at) {
                pod.first = stored | if left == 0 { EMPTY } else { 0 };
                stored += left as u32;
            }
        }
        self.name_bytes = None;
        self.pods.retain(|pod| pod.first & EMPTY == 0);
        self.series.retain(|series| !series.ring.is_empty());
    }

    /// Frees memory when more than `most` blocks are unused.
    fn compact(&mut self, most: usize) {
        if self.blocks.idle() > most {
            let mut blocks = Blocks::with_capacity(self.blocks.used());
            self.node = self.node.moved(&self.blocks, &mut blocks);
            for series in &mut self.series {
                series.ring = series.ring.moved(&self.blocks, &mut blocks);
            }
            self.blocks = blocks;
        }
        if self.series.capacity() > self.series.len() * 2 + 64 {
            self.series.shrink_to_fit();
            self.pods.shrink_to_fit();
        }
    }

    /// Bytes of names: one for each pod and container, and one for each namespace.
    fn name_bytes(&self) -> usize {
        if let Some(bytes) = self.name_bytes {
            return bytes;
        }
        let mut before: Option<&Arc<str>> = None;
        let of_pods = self.pods.iter().map(|pod| {
            let namespace = &pod.id.key.namespace;
            let is_counted = before.replace(namespace).is_some_and(|it| it == namespace);
            key_size(&pod.id.key) + if is_counted { 0 } else { name_size(namespace) }
        });
        let of_pods: usize = of_pods.sum();
        let of_series = self.series.iter().map(|series| name_size(&series.name));
        of_pods + of_series.sum::<usize>()
    }

    fn bytes(&self, slot: usize) -> usize {
        let lists = malloc_size(self.series.capacity() * size_of::<Series>())
            + malloc_size(self.pods.capacity() * size_of::<Pod>());
        size_of::<NodeHistory>() + slot + lists + self.name_bytes() + self.blocks.bytes()
    }

    /// Updates the shared total of bytes.
    fn count(&mut self, slot: usize, shared: &Shared) {
        self.name_bytes = Some(self.name_bytes());
        let bytes = self.bytes(slot);
        shared.bytes.fetch_add(bytes, Relaxed);
        shared.bytes.fetch_sub(self.counted, Relaxed);
        self.counted = bytes;
    }

    /// The retention in ticks: the node's own, or the shared one if it is shorter.
    fn retention_ticks(&self, shared: &Shared) -> i64 {
        let all = shared.retention_ticks();
        self.retention_ticks.map_or(all, |own| own.min(all))
    }

    fn bound_pods(&self) -> usize {
        let bound = |pod: &&Pod| pod.id.uid.is_some();
        self.pods.iter().filter(bound).count()
    }

    fn is_over_share(&self, shared: &Shared) -> bool {
        self.counted > shared.share(self.bound_pods())
    }

    fn size(&self, slot: usize) -> HistorySize {
        let rings = self.series.iter().map(|series| &series.ring);
        let all = || rings.clone().chain([&self.node]);
        HistorySize {
            series: all().filter(|ring| !ring.is_empty()).count(),
            points: self.points,
            bytes: self.bytes(slot),
            name_bytes: self.name_bytes(),
            bound_pods: self.bound_pods(),
            oldest: all().filter_map(|ring| ring.oldest(&self.blocks)).min(),
            shortened: self.retention_ticks.is_some(),
        }
    }
}

/// The memory of an entry in the map of nodes: two words for the name, one for the history, a control byte, and as much
/// again for free entries.
const SLOT: usize = 2 * (size_of::<Arc<str>>() + size_of::<usize>() + 1);

/// Marks a pod without series.
const EMPTY: u32 = 1 << 31;

/// The number of the run of a container that started at this time.
pub fn run_number(start: Timestamp) -> u32 {
    // The lower bits of the milliseconds differ for starts within fifty days of each other.
    start.as_millis() as u32
}
