//! One node's history: its own series and those of all containers that it ran.

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;

use super::excerpt::Excerpt;
use super::offset::Offset;
use super::pod::PodId;
use super::room::{grow, room};
use super::settings::Shared;
use crate::clock::Age;
use crate::cluster::Uid;
use crate::store::ring::{Block, Blocks, Offered, Ring, Sample, Tick};

/// A point that is older than the newest by more than so many resolutions was stamped by a clock that was set back while
/// nobody watched it: no repetition, and no replica's point, is so much older.
const SET_BACK: u32 = 5;

/// So often is a pod's UID asked for again after a container of it was new: the watch may lag behind the kubelet.
const DOUBTS: u8 = 8;

/// What a container used, as a scrape gave it.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The pod's namespace.
    pub namespace: &'a Arc<str>,
    /// The pod's name.
    pub pod: &'a Arc<str>,
    /// The container's name.
    pub container: &'a Arc<str>,
    /// The point; whether its container was restarted is seen from `life`.
    pub sample: Sample,
    /// Another number for each life of the container, made of its start time.
    pub life: u32,
}

/// The history of one node, behind a lock that is held for microseconds: by the node's own task once a scrape, and by
/// readers while they copy what they want, to decode it afterwards.
#[derive(Debug)]
pub struct NodeHistory {
    inner: Mutex<Inner>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) blocks: Blocks,
    /// The node's own series.
    pub(super) node: Ring,
    /// By namespace and name; of those that had the same one after the other, the last one last.
    pub(super) pods: Vec<Pod>,
    /// The containers' series, in the order of the pods, those of a pod by name.
    pub(super) series: Vec<Series>,
    /// The node's own time, and when it was that.
    pub(super) clock: Option<(Tick, Age)>,
    /// Whether that was told by [`NodeHistory::hear`]; else it is that of the newest point, which is older.
    heard: bool,
    pub(super) points: usize,
    /// What of the shared count of bytes is ours.
    counted: usize,
}

#[derive(Debug)]
pub(super) struct Pod {
    pub(super) id: PodId,
    /// The first of its series; the next pod's first is behind its last.
    pub(super) first: u32,
    doubts: u8,
}

#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: Arc<str>,
    pub(super) ring: Ring,
    pub(super) life: u32,
}

/// What one history holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Series that have points, the node's own among them.
    pub series: usize,
    /// Their points.
    pub points: usize,
    /// All memory it takes, in bytes, without the names that are shared.
    pub bytes: usize,
    /// When the oldest point was.
    pub oldest: Option<Tick>,
}

impl NodeHistory {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            inner: Mutex::default(),
            shared,
        }
    }

    /// Takes in what a scrape gave whose answer was in at `now`: the node's own point and those of its containers,
    /// sorted by namespace, pod and container. Points that are there already are no news. `uid` tells a pod's UID, if
    /// it is known; it is asked when a container is new, or has begun another life.
    pub fn take<'a>(
        &self,
        now: Age,
        node: Option<Sample>,
        containers: impl Iterator<Item = Reading<'a>>,
        uid: impl Fn(&Arc<str>, &Arc<str>) -> Uid,
    ) {
        let shared = &*self.shared;
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        let mut clock = None;
        let (mut kept, mut dropped, mut refused) = (0, 0, 0);
        let oldest = inner.time(now).map(|time| time.plus(-shared.keeps()));
        let mut offer = |ring: &mut Ring, blocks: &mut Blocks, sample: &Sample| {
            let tick = Tick::nearest(sample.at);
            clock = clock.max(Some(tick));
            match shared.offer(ring, blocks, sample) {
                (Offered::Kept, forgotten) => {
                    kept += 1;
                    dropped += forgotten;
                }
                (Offered::Old, _) => {}
                (Offered::NoRoom, _) => refused += 1,
            }
            if let Some(oldest) = oldest {
                dropped += ring.drop_before(blocks, oldest).1;
            }
        };
        if let Some(sample) = &node {
            offer(&mut inner.node, &mut inner.blocks, sample);
        }
        let mut place = 0;
        for reading in containers {
            let Some(at) = locate(
                &mut inner.pods,
                &mut inner.series,
                &mut place,
                &reading,
                &uid,
            ) else {
                continue;
            };
            if let Some(series) = inner.series.get_mut(at) {
                let restarted = series.life != reading.life && !series.ring.is_empty();
                let sample = Sample {
                    restarted,
                    ..reading.sample
                };
                offer(&mut series.ring, &mut inner.blocks, &sample);
                series.life = reading.life;
            }
        }
        inner.points = (inner.points + kept).saturating_sub(dropped);
        if let Some(tick) = clock.filter(|_| !inner.heard) {
            inner.clock = Some((tick, now));
        }
        if refused > 0 {
            shared.refused.fetch_add(refused, Relaxed);
        }
        inner.count(shared);
    }

    /// The node's clock shows `time` at `now`.
    pub fn hear(&self, time: Timestamp, now: Age) {
        let mut inner = self.inner.lock();
        inner.clock = Some((Tick::nearest(time), now));
        inner.heard = true;
    }

    /// The node's clock was set forward by so many nanoseconds, or back if that is negative: what was before is told in
    /// its new time, as if the clock had always been so.
    pub fn shift(&self, by: i64) {
        let ticks = Tick::nearest(Timestamp(by)).since(Tick::default());
        self.change(|inner, _| {
            let rings = inner.series.iter().map(|series| &series.ring);
            for ring in rings.chain([&inner.node]) {
                ring.shift(&mut inner.blocks, ticks);
            }
            inner.clock = inner.clock.map(|(tick, heard)| (tick.plus(ticks), heard));
        });
    }

    /// How far the node's clock is from ours, which shows `wall` at `now`.
    pub fn offset(&self, now: Age, wall: Timestamp) -> Offset {
        let inner = self.inner.lock();
        let slack = match inner.heard {
            true => Offset::SLACK,
            false => self.shared.settings.resolution * SET_BACK,
        };
        let ahead = inner.time(now).map(|tick| tick.time().since(wall));
        Offset::beyond(slack, ahead.unwrap_or_default())
    }

    /// What it holds.
    pub fn held(&self) -> Held {
        self.inner.lock().held()
    }

    /// The node's time at `now`, by its own clock as far as that was heard; nothing before the first point.
    pub fn time(&self, now: Age) -> Option<Tick> {
        self.inner.lock().time(now)
    }

    /// Copies the series that are wanted, of the node itself (told as no pod) and of pods' containers, into an excerpt,
    /// each from the block on that holds `since` to the one that holds `until`. What was in the excerpt is gone.
    ///
    /// `wanted` is asked once a pod, with the lock held.
    pub fn copy(
        &self,
        excerpt: &mut Excerpt,
        mut wanted: impl FnMut(Option<&PodId>) -> bool,
        since: Tick,
        until: Tick,
    ) {
        self.excerpt(excerpt, &mut wanted, |ring, blocks, out| {
            let mut begins = None;
            let chain = ring
                .chain(blocks)
                .take_while(|block| block.first() <= until);
            for block in chain {
                // What is before a block that begins before the span is of no use any more.
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

    /// Copies of each series that is wanted the one block that holds the newest point not newer than `at`.
    pub fn copy_at(
        &self,
        excerpt: &mut Excerpt,
        mut wanted: impl FnMut(Option<&PodId>) -> bool,
        at: Tick,
    ) {
        self.excerpt(excerpt, &mut wanted, |ring, blocks, out| {
            out.extend(ring.block_at(blocks, at));
        });
    }

    /// The same, and of series that begin later their first block.
    pub fn copy_from(
        &self,
        excerpt: &mut Excerpt,
        mut wanted: impl FnMut(Option<&PodId>) -> bool,
        at: Tick,
    ) {
        self.excerpt(excerpt, &mut wanted, |ring, blocks, out| {
            let begins = || ring.chain(blocks).next();
            out.extend(ring.block_at(blocks, at).or_else(begins));
        });
    }

    fn excerpt(
        &self,
        excerpt: &mut Excerpt,
        wanted: &mut dyn FnMut(Option<&PodId>) -> bool,
        copy: impl Fn(&Ring, &Blocks, &mut Vec<Block>),
    ) {
        excerpt.clear();
        let inner = self.inner.lock();
        if wanted(None) {
            excerpt.add(None, 0, |out| copy(&inner.node, &inner.blocks, out));
        }
        for (pod, series) in inner.pods() {
            if wanted(Some(&pod.id)) {
                excerpt.begin_pod(&pod.id);
                for series in series {
                    excerpt.add(Some(&series.name), series.life, |out| {
                        copy(&series.ring, &inner.blocks, out);
                    });
                }
            }
        }
    }

    /// Drops what is older than is kept at `now`, series and pods that have nothing left, and memory of which much lies
    /// idle; with `tight` all that does. Whether anything is left.
    pub(super) fn tidy(&self, now: Age, tight: bool) -> bool {
        let mut inner = self.inner.lock();
        let asked = Tick::count(self.shared.settings.retention);
        if let Some(time) = inner.time(now) {
            let dropped = inner.drop_before(time.plus(-self.shared.keeps()));
            // What was asked for would have kept some of them: they are counted as cut, as near as is known.
            if self.shared.keeps() < asked {
                self.shared.cut.fetch_add(dropped as u64, Relaxed);
            }
        }
        let most = if tight {
            Blocks::PAGE
        } else {
            inner.blocks.used() / 4 + Blocks::PAGE * 2
        };
        inner.compact(most);
        inner.count(&self.shared);
        inner.points > 0
    }

    /// Calls `each` with the age in ticks of every block at `now`.
    pub(super) fn ages(&self, now: Age, mut each: impl FnMut(i64)) {
        let inner = self.inner.lock();
        let Some(time) = inner.time(now) else { return };
        let rings = inner.series.iter().map(|series| &series.ring);
        for ring in rings.chain([&inner.node]) {
            let mut chain = ring.chain(&inner.blocks).peekable();
            while chain.next().is_some() {
                // A block goes when the next one's first point, or its own last one, is too old.
                let next = chain.peek().map(|next| next.first());
                let ends = next.or_else(|| ring.newest(&inner.blocks));
                each(ends.map_or(0, |ends| time.since(ends)));
            }
        }
    }

    /// Does something with what there is, and counts it anew.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Inner, &Shared) -> T) -> T {
        let mut inner = self.inner.lock();
        let result = change(&mut inner, &self.shared);
        inner.count(&self.shared);
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
    /// Offers a point, and says how many were forgotten because of it: all that are not older, when the node's clock
    /// was set back.
    fn offer(&self, ring: &mut Ring, blocks: &mut Blocks, sample: &Sample) -> (Offered, usize) {
        let settings = &self.settings;
        let tick = Tick::nearest(sample.at);
        let mut forgotten = 0;
        if let Some(newest) = ring.newest(blocks) {
            if newest.since(tick) > Tick::count(settings.resolution * SET_BACK) {
                forgotten = ring.forget_from(blocks, tick, settings.resolution);
            } else if tick.since(newest) < Tick::count(settings.step) {
                return (Offered::Old, 0);
            }
        }
        if blocks.idle() == 0 && self.is_full() {
            return (Offered::NoRoom, forgotten);
        }
        let step = settings.resolution.max(settings.step);
        (ring.offer(blocks, sample, step), forgotten)
    }
}

/// Where the series of a reading is; it is made if need be. `place` is the pod that was met last.
fn locate(
    pods: &mut Vec<Pod>,
    series: &mut Vec<Series>,
    place: &mut usize,
    reading: &Reading<'_>,
    uid: impl Fn(&Arc<str>, &Arc<str>) -> Uid,
) -> Option<usize> {
    let order = |pods: &[Pod], at: usize| {
        let pod = pods.get(at)?;
        Some(pod.id.order(reading.namespace, reading.pod))
    };
    while order(pods, *place) == Some(Ordering::Less) {
        *place += 1;
    }
    // Of several pods that had the name one after the other, the last one has it now.
    while order(pods, *place + 1) == Some(Ordering::Equal) {
        *place += 1;
    }
    let known = order(pods, *place) == Some(Ordering::Equal);
    let mut found;
    if known {
        found = find(pods, series, *place, reading.container);
        let same = found.is_ok_and(|at| series.get(at).is_some_and(|it| it.life == reading.life));
        let pod = pods.get_mut(*place)?;
        if same && pod.doubts == 0 {
            return found.ok();
        }
        let uid = uid(reading.namespace, reading.pod);
        if pod.id.may_be(uid) {
            if uid.is_some() {
                pod.id.uid = uid;
                pod.doubts = pod.doubts.saturating_sub(1);
            }
            if !same {
                pod.doubts = DOUBTS;
            }
        } else {
            // Another pod has the name now.
            let id = PodId {
                uid,
                ..pod.id.clone()
            };
            *place += 1;
            insert_pod(pods, series, *place, id);
            found = find(pods, series, *place, reading.container);
        }
    } else {
        let id = PodId {
            namespace: Arc::clone(reading.namespace),
            name: Arc::clone(reading.pod),
            uid: uid(reading.namespace, reading.pod),
        };
        insert_pod(pods, series, *place, id);
        found = find(pods, series, *place, reading.container);
    }
    match found {
        Ok(at) => Some(at),
        Err(at) => {
            let new = Series {
                name: Arc::clone(reading.container),
                ring: Ring::default(),
                life: reading.life,
            };
            insert_series(pods, series, *place, at, new);
            Some(at)
        }
    }
}

/// The series of a pod's container, or where it belongs.
fn find(pods: &[Pod], series: &[Series], pod: usize, container: &str) -> Result<usize, usize> {
    let (first, end) = bounds(pods, series, pod);
    let of_pod = series.get(first..end).unwrap_or_default();
    for (at, series) in (first..).zip(of_pod) {
        match (*series.name).cmp(container) {
            Ordering::Less => {}
            Ordering::Equal => return Ok(at),
            Ordering::Greater => return Err(at),
        }
    }
    Err(end)
}

/// From which to which series is a pod's.
fn bounds(pods: &[Pod], series: &[Series], pod: usize) -> (usize, usize) {
    let first = |pod: usize| pods.get(pod).map_or(series.len(), |pod| pod.first as usize);
    (first(pod), first(pod + 1))
}

/// Inserts a pod without containers.
pub(super) fn insert_pod(pods: &mut Vec<Pod>, series: &[Series], at: usize, id: PodId) {
    let (first, _) = bounds(pods, series, at);
    grow(pods);
    let pod = Pod {
        id,
        first: first as u32,
        doubts: DOUBTS,
    };
    pods.insert(at.min(pods.len()), pod);
}

/// Inserts a series of the pod `pod` at `at`.
pub(super) fn insert_series(
    pods: &mut [Pod],
    series: &mut Vec<Series>,
    pod: usize,
    at: usize,
    new: Series,
) {
    grow(series);
    series.insert(at.min(series.len()), new);
    for pod in pods.iter_mut().skip(pod + 1) {
        pod.first += 1;
    }
}

impl Inner {
    /// The pods, each with its containers' series.
    pub(super) fn pods(&self) -> impl Iterator<Item = (&Pod, &[Series])> {
        self.pods.iter().enumerate().map(|(at, pod)| {
            let (first, end) = bounds(&self.pods, &self.series, at);
            (pod, self.series.get(first..end).unwrap_or_default())
        })
    }

    /// Where the series of a pod's container is, or where it belongs.
    pub(super) fn find(&self, pod: usize, container: &str) -> Result<usize, usize> {
        find(&self.pods, &self.series, pod, container)
    }

    /// The node's time at `now`.
    pub(super) fn time(&self, now: Age) -> Option<Tick> {
        let (tick, heard) = self.clock?;
        Some(tick.plus(Tick::count(now.since(heard))))
    }

    /// Drops blocks all of whose points are older, and what has no points left; how many blocks.
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
        let mut kept = 0;
        for at in 0..self.pods.len() {
            let (first, end) = bounds(&self.pods, &self.series, at);
            let of_pod = self.series.get(first..end).unwrap_or_default();
            let left = of_pod
                .iter()
                .filter(|series| !series.ring.is_empty())
                .count();
            // The bounds of the pods behind are read off their own firsts, which are not changed yet.
            if let Some(pod) = self.pods.get_mut(at) {
                pod.first = kept | if left == 0 { EMPTY } else { 0 };
                kept += left as u32;
            }
        }
        self.pods.retain(|pod| pod.first & EMPTY == 0);
        self.series.retain(|series| !series.ring.is_empty());
    }

    /// Gives memory back when more than `most` blocks lie idle.
    fn compact(&mut self, most: usize) {
        if self.blocks.idle() > most {
            let mut blocks = Blocks::with_room(self.blocks.used());
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

    fn bytes(&self) -> usize {
        let lists = room(self.series.capacity() * size_of::<Series>())
            + room(self.pods.capacity() * size_of::<Pod>());
        size_of::<NodeHistory>() + lists + self.blocks.bytes()
    }

    /// Brings the shared count of bytes up to date.
    fn count(&mut self, shared: &Shared) {
        let bytes = self.bytes();
        shared.bytes.fetch_add(bytes, Relaxed);
        shared.bytes.fetch_sub(self.counted, Relaxed);
        self.counted = bytes;
    }

    fn held(&self) -> Held {
        let rings = self.series.iter().map(|series| &series.ring);
        let all = || rings.clone().chain([&self.node]);
        Held {
            series: all().filter(|ring| !ring.is_empty()).count(),
            points: self.points,
            bytes: self.bytes(),
            oldest: all().filter_map(|ring| ring.oldest(&self.blocks)).min(),
        }
    }
}

/// Marks a pod that has no series left.
const EMPTY: u32 = 1 << 31;

/// The number of a life of a container that started at this time.
pub fn life(start: Timestamp) -> u32 {
    // Milliseconds, of which the lower bits tell any two starts apart that are less than fifty days from each other.
    start.as_millis() as u32
}
