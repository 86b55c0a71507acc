//! Availability: when each workload was up, degraded and down over the last month.
//!
//! An [`Observer`] behind one lock, which is taken only when the readiness of a pod changes. It stores transitions of
//! each workload in whole seconds, with the times that Kubernetes gives them: the last transition of the condition
//! Ready, the request to delete a pod, the termination of a container. So a report that arrives late, or with a new list
//! after a gap, does not move an outage. docs/availability.md states the rules in tables.

mod buckets;
mod engine;
mod listing;
mod metrics;
mod record;
mod settings;
mod snapshot;
mod standing;
mod state;
#[cfg(test)]
mod tests;
mod time;
mod timeline;
mod totals;

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use prost::Message as _;
use tokio::time::Instant;

pub use engine::WorkloadKey;
pub use settings::AvailabilityFlags;
pub use snapshot::RestoreError;
pub use state::State;
pub use time::Second;
pub use timeline::RETENTION;
pub use totals::{Outage, Totals};

use crate::clock::Clock;
use crate::cluster::{Cluster, Event, Node, Observer, Pod};
use crate::telemetry::metrics::{Registry, collect};
use engine::Engine;
use metrics::AvailabilityMetrics;
use record::Record;
use snapshot::{Records, Workload};
use standing::PodFacts;

/// The kinds of owners whose pods are meant to end, or are no workload: a node owns its static pods.
const OTHER_OWNERS: [&str; 3] = ["Job", "CronJob", "Node"];

/// The number of workloads in one frame of the state.
const FRAME: usize = 1_000;

/// The availability of the workloads of a cluster.
#[derive(Debug)]
pub struct Availability {
    engine: Mutex<Engine>,
    cluster: Arc<Cluster>,
    clock: Arc<dyn Clock>,
    heard: LastReport,
}

/// A watch that has reported nothing for this long, not even that it is up to date, may have missed changes. A working
/// one reports every minute or two.
const SILENCE: Duration = Duration::from_secs(180);

/// When the watch of pods reported something for the last time.
#[derive(Debug)]
struct LastReport {
    /// By the wall clock, in seconds since the epoch.
    at: AtomicU32,
    /// In milliseconds since `start`, which measures the silence of the watch: its timeouts are measured so too.
    elapsed_millis: AtomicU64,
    start: Instant,
}

impl LastReport {
    fn set(&self, now: Second) {
        self.at.store(now.0, Ordering::Relaxed);
        let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.elapsed_millis.store(elapsed, Ordering::Relaxed);
    }

    /// The time by the wall clock, and whether it is too long ago.
    fn get(&self) -> (Second, bool) {
        let at = Second(self.at.load(Ordering::Relaxed));
        let elapsed = Duration::from_millis(self.elapsed_millis.load(Ordering::Relaxed));
        (at, self.start.elapsed().saturating_sub(elapsed) > SILENCE)
    }
}

/// A workload now, and its totals over the requested spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadAvailability {
    /// The workload.
    pub key: WorkloadKey,
    /// The present state; none before the workload was first ready.
    pub state: Option<State>,
    /// The begin of the state.
    pub since: Second,
    /// The totals of each span, in the order of the request.
    pub totals: Vec<Totals>,
}

/// What a scrape by Prometheus reports of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadSeries {
    /// The workload.
    pub key: WorkloadKey,
    /// Whether it is up; none if it is not to run, or if nobody knows.
    pub up: Option<bool>,
    /// The downtime since the workload was first seen, in seconds. Never decreases.
    pub downtime_seconds: u64,
}

impl Availability {
    /// The availability of a cluster that has not been read yet, stored for `retention`.
    pub fn new(cluster: Arc<Cluster>, clock: Arc<dyn Clock>, retention: Duration) -> Arc<Self> {
        Arc::new(Self {
            engine: Mutex::new(Engine::new(retention)),
            cluster,
            clock,
            heard: LastReport {
                at: AtomicU32::new(0),
                elapsed_millis: AtomicU64::new(0),
                start: Instant::now(),
            },
        })
    }

    fn now(&self) -> Second {
        self.clock.wall().into()
    }

    /// Locks the engine, with the last time at which the watch reported something.
    fn engine(&self) -> parking_lot::MutexGuard<'_, Engine> {
        let mut engine = self.engine.lock();
        let (at, is_silent) = self.heard.get();
        engine.heard(at, is_silent);
        engine
    }

    /// The workloads of a namespace, or of all, in the order of namespace, kind and name, with their totals over these
    /// spans before now. Workloads that were never ready are included, without a state.
    pub fn workloads(
        &self,
        namespace: Option<&str>,
        spans: &[Duration],
    ) -> Vec<WorkloadAvailability> {
        let now = self.now();
        let engine = self.engine();
        let first = namespace.map_or(Bound::Unbounded, |namespace| {
            Bound::Included(WorkloadKey {
                namespace: namespace.into(),
                kind: Arc::default(),
                name: Arc::default(),
            })
        });
        let range = engine.records.range((first, Bound::Unbounded));
        range
            .take_while(|(key, _)| namespace.is_none_or(|namespace| *namespace == *key.namespace))
            .map(|(key, record)| of_record(&engine, key, record, spans, now))
            .collect()
    }

    /// One workload; none if it has had no pods within the retention.
    pub fn workload(&self, key: &WorkloadKey, spans: &[Duration]) -> Option<WorkloadAvailability> {
        let now = self.now();
        let engine = self.engine();
        let record = engine.records.get(key)?;
        Some(of_record(&engine, key, record, spans, now))
    }

    /// The series of all workloads: `kubevitals_workload_up` and `kubevitals_workload_downtime_seconds_total`.
    pub fn series(&self) -> Vec<WorkloadSeries> {
        let now = self.now();
        let mut engine = self.engine();
        let known: Vec<Second> = engine
            .records
            .values()
            .map(|record| engine.known_until(record, now))
            .collect();
        let records = engine.records.iter_mut().zip(known);
        records
            .map(|((key, record), known)| WorkloadSeries {
                key: key.clone(),
                up: record.up(known, now),
                downtime_seconds: record.downtime_seconds(known, now),
            })
            .collect()
    }

    /// Writes the records for the state, in messages of limited size.
    ///
    /// # Errors
    /// The error of `write`.
    pub fn export<E>(&self, mut write: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let (now, mut first) = (self.now(), Bound::Unbounded);
        loop {
            // The lock is held for some workloads at a time.
            let mut workloads = Vec::new();
            {
                let engine = self.engine();
                let range = engine.records.range((first, Bound::Unbounded));
                let mut last = None;
                for (key, record) in range.take(FRAME) {
                    workloads.push((engine.known_until(record, now), Workload::of(key, record)));
                    last = Some(key.clone());
                }
                let Some(last) = last else { return Ok(()) };
                first = Bound::Excluded(last);
            }
            let known = workloads.iter().map(|(known, _)| *known).min();
            let records = Records {
                known: known.unwrap_or(now).0,
                workloads: workloads
                    .into_iter()
                    .map(|(_, workload)| workload)
                    .collect(),
            };
            write(&records.encode_to_vec())?;
        }
    }

    /// Merges a message of [`Self::export`]. What this process knows already stays. Returns the number of workloads
    /// that were restored or completed.
    ///
    /// # Errors
    /// The bytes are something else.
    pub fn restore(&self, message: &[u8]) -> Result<usize, RestoreError> {
        let Records { known, workloads } = Records::decode(message)?;
        let known = Second(known).min(self.now());
        let names = self.cluster.names();
        let mut restored = 0;
        for workload in workloads {
            let Some((key, record)) = workload.restore(known) else {
                continue;
            };
            let key = WorkloadKey {
                namespace: names.intern(&key.namespace),
                kind: names.intern(&key.kind),
                name: names.intern(&key.name),
            };
            restored += usize::from(self.engine.lock().merge(key, record, known));
        }
        Ok(restored)
    }

    /// The workload of a pod; none if the pod has no owner, or one whose pods are meant to end.
    fn workload_of(&self, pod: &Pod) -> Option<WorkloadKey> {
        let (kind, name) = pod.workload(|_| None)?;
        if OTHER_OWNERS.contains(&kind) {
            return None;
        }
        let names = self.cluster.names();
        Some(WorkloadKey {
            namespace: Arc::clone(&pod.key.namespace),
            kind: names.intern(kind),
            name: names.intern(name),
        })
    }

    /// Registers its metrics.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        collect(registry, Arc::clone(self), |availability, families| {
            AvailabilityMetrics::of(&availability.engine.lock()).write(families)
        });
    }
}

fn of_record(
    engine: &Engine,
    key: &WorkloadKey,
    record: &Record,
    spans: &[Duration],
    now: Second,
) -> WorkloadAvailability {
    let known = engine.known_until(record, now);
    let (state, since) = record.state(known, now).unzip();
    let totals = spans.iter().map(|span| {
        let since = now.before(*span);
        record.timeline.totals(since, now, known)
    });
    WorkloadAvailability {
        key: key.clone(),
        state,
        since: since.unwrap_or_default(),
        totals: totals.collect(),
    }
}

impl Record {
    /// The state at `now` and its begin, if it is known up to `known`.
    fn state(&self, known: Second, now: Second) -> Option<(State, Second)> {
        if known < now {
            return self.timeline.state().map(|_| (State::Unknown, known));
        }
        let last = self.timeline.segments(now.after(1)).last()?;
        Some((last.state, last.begin))
    }

    fn up(&self, known: Second, now: Second) -> Option<bool> {
        match self.state(known, now)?.0 {
            State::Up | State::Degraded => Some(true),
            State::Down => Some(false),
            State::Deliberate | State::Off | State::Unknown => None,
        }
    }

    fn downtime_seconds(&mut self, known: Second, now: Second) -> u64 {
        let totals = self.timeline.totals(Second::default(), now, known);
        let seconds = self.expired_seconds + totals.seconds(State::Down);
        self.reported_seconds = self.reported_seconds.max(seconds);
        self.reported_seconds
    }
}

impl Observer for Availability {
    fn pod(&self, before: Option<&Arc<Pod>>, after: Option<&Arc<Pod>>) {
        let now = self.now();
        self.heard.set(now);
        let facts = |pod: Option<&Arc<Pod>>| pod.map(|pod| PodFacts::of(pod));
        let (was, is) = (facts(before), facts(after));
        if was == is {
            return;
        }
        let workload = |pod: &Arc<Pod>| self.workload_of(pod);
        let same = |(one, other): (&Arc<Pod>, &Arc<Pod>)| {
            one.owner == other.owner && one.labels == other.labels
        };
        let from = before.or(after).and_then(workload);
        let to = match before.zip(after).is_none_or(same) {
            true => from.clone(),
            false => after.and_then(workload),
        };
        if from == to {
            let Some(key) = to else { return };
            return self.engine.lock().pod(key, was.as_ref(), is.as_ref(), now);
        }
        // Another controller has adopted the pod.
        let mut engine = self.engine.lock();
        if let Some(key) = from {
            engine.pod(key, was.as_ref(), None, now);
        }
        if let Some(key) = to {
            engine.pod(key, None, is.as_ref(), now);
        }
    }

    fn node(&self, _: Option<&Arc<Node>>, _: Option<&Arc<Node>>) {}

    fn event(&self, _: &Event) {}

    fn pods_listing(&self) {
        self.engine().listing();
    }

    fn pods_listed(&self) {
        let now = self.now();
        self.engine.lock().listed(now);
        self.heard.set(now);
    }

    fn pods_current(&self) {
        self.heard.set(self.now());
    }
}
