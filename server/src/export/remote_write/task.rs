//! The task: collects, fills queues, sends.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::Client as ApiServer;
use kubevitals_proto::time::{Timestamp, nanos};
use parking_lot::Mutex;
use reqwest::Url;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::backfill::{self, Slice};
use super::collector::Collector;
use super::disk::Folder;
use super::encode::Protocol;
use super::gap::{Floor, Gap};
use super::metrics::RemoteWriteMetrics;
use super::objects::Objects;
use super::queue::{Limits, Queue, Request};
use super::relabel::{ExternalLabel, MetricFilter, MetricPattern};
use super::sender::Sender;
use super::writer::{Body, Writer};
use crate::availability::Availability;
use crate::clock::{Age, Clock};
use crate::cluster::Cluster;
use crate::export::election::{Election, Previous};
use crate::export::hpas::Hpas;
use crate::export::series::{Hpa, Usages};
use crate::health::Health;
use crate::outbound::{Client, shown_url};
use crate::store::Store;

/// The longest time between two rounds. Each round sees every scrape, because scrapes of a node are further apart.
const ROUND: Duration = Duration::from_secs(5);

/// The part of a gap that is filled at once.
const SLICE: Duration = Duration::from_secs(120);

/// A gap is filled while the queue is less full than this.
const FILL_BELOW: f64 = 0.5;

/// Where and what to write.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) receivers: Vec<(Url, Arc<Client>)>,
    pub(crate) protocol: Protocol,
    pub(crate) external: Vec<ExternalLabel>,
    pub(crate) keep: Vec<MetricPattern>,
    pub(crate) drop: Vec<MetricPattern>,
    /// Bytes for each receiver.
    pub(crate) queue_memory: usize,
    pub(crate) queue_disk: u64,
    pub(crate) objects_interval: Duration,
}

/// What remote write reads.
pub(crate) struct Parts {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) store: Arc<Store>,
    pub(crate) health: Arc<Health>,
    pub(crate) availability: Option<Arc<Availability>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) client: ApiServer,
    pub(crate) election: Election,
    /// The election of the shard that writes the series of objects; without it, the replica that writes has all series.
    pub(crate) objects: Option<Election>,
    pub(crate) metrics: RemoteWriteMetrics,
    /// The folder of the state, if there is one.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) resolution: Duration,
}

/// A receiver with its queue.
struct Target {
    url: Url,
    client: Arc<Client>,
    queue: Arc<Queue>,
    /// What the queue lacks.
    gap: Option<Gap>,
}

/// Writes while this replica is the one that does. Does not return.
pub(crate) async fn run(settings: Settings, parts: Parts) {
    let limits = Limits {
        memory: settings.queue_memory,
        disk: settings.queue_disk,
    };
    let targets = settings.receivers.iter().map(|(url, _)| {
        let folder = parts.folder.as_ref();
        let folder = folder.map(|folder| Folder::of(folder, url.as_str()));
        let queue = Arc::new(Queue::new(limits, folder));
        parts.metrics.add_queue(&queue);
        queue
    });
    let queues: Vec<Arc<Queue>> = targets.collect();
    let mut last: Option<Session<'_>> = None;
    let mut election = parts.election.clone();
    let mut lost = parts.election.clone();
    loop {
        let previous = election.won().await;
        let mut session = match (last.take(), previous) {
            (Some(mut session), Previous::Itself) => {
                session.resume();
                session
            }
            _ => Session::new(&settings, &parts, &queues, previous),
        };
        let writing = election.writing().await;
        parts.metrics.writes.set(1);
        session.run(lost.lost()).await;
        parts.metrics.writes.set(0);
        drop(writing);
        last = Some(session);
    }
}

fn writer(settings: &Settings) -> Writer {
    let filter = MetricFilter::new(settings.keep.clone(), settings.drop.clone());
    Writer::new(settings.protocol, settings.external.clone(), filter)
}

/// What the queue of a receiver lacks at the start.
fn initial_gap(queue: &Queue, previous: Previous, resolution: Duration) -> Option<Gap> {
    let margin = nanos(resolution * 2);
    match previous {
        Previous::Itself => {
            let (cursor, collected) = queue.restore()?;
            let begin = collected.plus_nanos(-margin);
            Some(Gap::new(Floor::Nodes(cursor.nodes()), begin))
        }
        Previous::Other(until) => {
            queue.forget();
            Some(Gap::new(Floor::Wall(until), until.plus_nanos(-margin)))
        }
        Previous::Nobody => {
            queue.forget();
            None
        }
    }
}

/// What a queue lacks after this round.
fn gap_after(collector: &Collector, round: Timestamp, resolution: Duration) -> Gap {
    let floor = Floor::Series(collector.nodes().clone());
    Gap::new(floor, round.plus_nanos(-nanos(resolution * 2)))
}

struct Session<'a> {
    settings: &'a Settings,
    parts: &'a Parts,
    targets: Vec<Target>,
    collector: Collector,
    objects: Objects,
    writer: Writer,
    hpas: Arc<Mutex<Vec<Hpa>>>,
    began: Age,
    objects_due: Age,
    /// The last round.
    last: Timestamp,
    /// Those that are counted.
    out_of_order: u64,
}

impl<'a> Session<'a> {
    fn new(
        settings: &'a Settings,
        parts: &'a Parts,
        queues: &[Arc<Queue>],
        previous: Previous,
    ) -> Self {
        let receivers = settings.receivers.iter().zip(queues);
        let targets = receivers.map(|((url, client), queue)| Target {
            url: url.clone(),
            client: Arc::clone(client),
            queue: Arc::clone(queue),
            gap: initial_gap(queue, previous, parts.resolution),
        });
        let objects = || (Arc::clone(&parts.cluster), Arc::clone(&parts.store));
        let (cluster, store) = objects();
        Self {
            settings,
            parts,
            targets: targets.collect(),
            collector: Collector::new(cluster, store, parts.resolution),
            objects: Objects::new(
                objects(),
                Arc::clone(&parts.health),
                parts.availability.clone(),
                Arc::clone(&parts.clock),
            ),
            writer: writer(settings),
            hpas: Arc::default(),
            began: parts.clock.elapsed(),
            objects_due: parts.clock.elapsed(),
            last: parts.clock.wall(),
            out_of_order: 0,
        }
    }

    /// Continues after a time in which nobody wrote: what is new since the last round comes from the ring.
    fn resume(&mut self) {
        for target in &mut self.targets {
            if target.gap.is_none() {
                target.gap = Some(gap_after(&self.collector, self.last, self.parts.resolution));
            }
        }
    }

    /// Collects and sends until `lost`. The requests under way are finished: the receiver may have them already, and would
    /// get them twice.
    async fn run(&mut self, lost: impl Future<Output = ()>) {
        let parts = self.parts;
        let stop = CancellationToken::new();
        let mut senders = JoinSet::new();
        for target in &self.targets {
            let sender = Sender::new(
                target.url.clone(),
                Arc::clone(&target.client),
                Arc::clone(&target.queue),
                parts.metrics.clone(),
                Arc::clone(&parts.clock),
            );
            senders.spawn(sender.run(stop.clone()));
        }
        let (hpas, clock) = (Arc::clone(&self.hpas), Arc::clone(&parts.clock));
        let mut lister = Hpas::new(parts.client.clone());
        let interval = self.settings.objects_interval;
        let mut listers = JoinSet::new();
        listers.spawn(async move {
            loop {
                let listed = lister.list().await;
                *hpas.lock() = listed;
                clock.sleep(interval).await;
            }
        });
        let interval = ROUND.min(parts.resolution / 3).max(Duration::from_secs(1));
        let rounds = async {
            loop {
                // Begun before the round, so that rounds are one interval apart, whatever one takes.
                let next = parts.clock.sleep(interval);
                self.round();
                next.await;
            }
        };
        tokio::select! {
            () = rounds => {}
            () = lost => {}
        }
        stop.cancel();
        while senders.join_next().await.is_some() {}
        self.set_written(self.last);
    }

    /// Collects what is new, and fills what is missing.
    fn round(&mut self) {
        let clock = &self.parts.clock;
        let (now, wall) = (clock.elapsed(), clock.wall());
        for target in &mut self.targets {
            if target.gap.is_none() && target.queue.is_full() {
                target.gap = Some(gap_after(&self.collector, wall, self.parts.resolution));
                tracing::warn!(
                    url = shown_url(&target.url),
                    "the queue of remote write is full; what is new is read from the history when the receiver is back"
                );
            }
        }
        let known = self.objects.are_known();
        // A sample of an unknown pod belongs to a series without an image, which ends as soon as the image is known.
        if known || now.since(self.began) >= self.parts.resolution {
            self.collector.collect(&mut self.writer);
        }
        let objects = self.parts.objects.as_ref().is_none_or(Election::is_won);
        if now >= self.objects_due && objects && known {
            self.objects_due = now.after(self.settings.objects_interval);
            let hpas = self.hpas.lock().clone();
            if !self.objects.collect(hpas, wall, &mut self.writer) {
                self.collector.out_of_order += 1;
            }
        }
        let out_of_order = self.collector.out_of_order - self.out_of_order;
        self.out_of_order = self.collector.out_of_order;
        if out_of_order > 0 {
            self.parts.metrics.add_samples("out_of_order", out_of_order);
        }
        let bodies = self.writer.finish();
        for target in &self.targets {
            if target.gap.is_none() {
                self.push(target, &bodies, wall);
            }
        }
        // Each node has been scraped since the start, so that counters continue from its last samples.
        if now.since(self.began) >= self.parts.resolution * 2 {
            self.fill_gaps(wall);
        }
        self.set_written(wall);
        self.last = wall;
        self.parts.metrics.rounds.inc();
    }

    /// Sets the time up to which all receivers have everything, for the successor. `collected` is the last round.
    fn set_written(&self, collected: Timestamp) {
        let until = self.targets.iter().map(|target| {
            let queued = target.queue.oldest();
            let gap = target.gap.as_ref().map(|gap| gap.filled);
            queued.into_iter().chain(gap).min().unwrap_or(collected)
        });
        if let Some(until) = until.min() {
            self.parts.election.set_written(until);
        }
    }

    /// Adds the requests of a round to a queue, with the cursor in the last one.
    fn push(&self, target: &Target, bodies: &[Body], collected: Timestamp) {
        let mut cursor = None;
        for (at, body) in bodies.iter().enumerate() {
            if at + 1 == bodies.len() {
                cursor = Some(self.collector.cursor());
            }
            target
                .queue
                .push(self.request(body, collected), cursor.take());
        }
    }

    fn request(&self, body: &Body, collected: Timestamp) -> Request {
        Request {
            body: body.bytes.clone(),
            samples: body.samples,
            protocol: self.settings.protocol,
            collected,
        }
    }

    /// Fills a part of the gap of each receiver whose queue has space.
    fn fill_gaps(&mut self, wall: Timestamp) {
        let mut targets = std::mem::take(&mut self.targets);
        for target in &mut targets {
            while target.queue.fraction() < FILL_BELOW
                && let Some(gap) = target.gap.take()
            {
                target.gap = self.fill(target, gap, wall);
            }
        }
        self.targets = targets;
    }

    /// Fills a slice of a gap. Returns what remains.
    fn fill(&mut self, target: &Target, mut gap: Gap, wall: Timestamp) -> Option<Gap> {
        let store = &self.parts.store;
        if gap.filled == gap.begin {
            self.skip_lost(target, &mut gap);
        }
        let slice = gap.slice(wall, nanos(SLICE));
        let usages = Usages::of(&self.parts.cluster);
        let filled = if store.history().is_on() {
            let nodes = self.collector.nodes();
            let clock = &*self.parts.clock;
            backfill::fill(
                store,
                &usages,
                nodes,
                &gap.floor,
                slice,
                clock,
                &mut self.writer,
            )
        } else {
            backfill::Filled::default()
        };
        self.parts.metrics.backfilled.inc_by(filled.samples as u64);
        let bodies = self.writer.finish();
        let count = bodies.len();
        let mut cursor = Some(if slice.last {
            self.collector.cursor()
        } else {
            filled.cursor
        });
        for (at, body) in bodies.iter().enumerate() {
            let last = at + 1 == count;
            let cursor = if last { cursor.take() } else { None };
            target.queue.push(self.request(body, slice.until), cursor);
        }
        gap.filled = slice.until;
        if slice.last {
            tracing::info!(
                url = shown_url(&target.url),
                since = gap.begin.to_rfc3339_seconds(),
                "what the receiver of remote write lacked is in its queue"
            );
            return None;
        }
        Some(gap)
    }
}

impl Session<'_> {
    /// Skips what the history no longer has, or never had, and logs it.
    fn skip_lost(&self, target: &Target, gap: &mut Gap) {
        let history = self.parts.store.history();
        let oldest = history
            .totals_at(self.parts.clock.elapsed(), self.parts.clock.wall())
            .oldest;
        let margin = nanos(self.parts.resolution * 4);
        let Some(oldest) = oldest.filter(|it| it.since(gap.begin) > margin) else {
            return;
        };
        tracing::warn!(
            url = shown_url(&target.url),
            since = gap.begin.to_rfc3339_seconds(),
            until = oldest.to_rfc3339_seconds(),
            "the receiver of remote write was away for longer than the queue and the history last: usage of this time is \
             not written; raise --remote-write-queue-disk or --history-retention"
        );
        gap.filled = oldest.plus_nanos(-nanos(self.parts.resolution));
    }
}

impl Gap {
    /// The next part to fill: at most `most` nanoseconds.
    fn slice(&self, now: Timestamp, most: i64) -> Slice {
        let until = self.filled.plus_nanos(most);
        Slice {
            begin: self.begin,
            since: self.filled,
            until: until.min(now),
            last: until >= now,
        }
    }
}
