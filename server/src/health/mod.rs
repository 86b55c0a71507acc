//! What is wrong, since when, and why: the truth about probes, restarts and incidents.
//!
//! A pure engine behind one lock that is held for microseconds. It is fed with pods and nodes as they change and with
//! events (it is an [`Observer`]), and with the kubelets' counters of probes; what was measured before a container
//! ended it asks for ([`UsageHistory`]). What is kept is kept of pods that are, or lately were, not as they should be; of one
//! that is well nothing is kept but its probes' counters.
//!
//! What is only likely is said to be likely, and what is unknown to be unknown. Times are Kubernetes' own wherever it
//! gives one. docs/health.md has the rules in tables.

mod apply;
mod bounded_list;
mod cause;
mod changes;
mod counts;
mod engine;
mod facts;
mod groups;
mod incidents;
mod merge;
mod messages;
mod nodes;
mod pod_events;
mod pod_versions;
mod probe_counters;
mod probe_status;
mod restart_queries;
mod restarts;
mod review;
mod review_context;
mod sanitize;
mod snapshot;
mod store_usage_history;
mod tallies;
mod terminations;
#[cfg(test)]
mod tests;
mod thresholds;
mod topic;
mod unmatched_events;
mod usage_history;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::kubelet::probes::ProbeScrape;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Incident, Probe};
use parking_lot::Mutex;
use tokio::sync::watch;

pub use changes::Changed;
pub use counts::Counts;
pub use merge::MergeResult;
pub use pod_versions::PodAt;
pub use restart_queries::Restart;
pub(crate) use review::IMAGE as IMAGE_REASONS;
pub use snapshot::{Snapshot, SnapshotError};
pub use store_usage_history::StoreUsageHistory;
pub use usage_history::{NoUsageHistory, UsageHistory, UsagePoint, UsageSubject};

use crate::clock::Clock;
use crate::cluster::{Cluster, Event, Node, Observer, Pod, PodKey};
use crate::scrape::ProbeSink;
use engine::Engine;
use merge::CurrentObjects;

/// How much is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Incidents; of more the oldest that are over go first.
    pub incidents: usize,
    /// For how long an incident that is over is remembered: a bad night.
    pub age: Duration,
    /// Pods that are not well at once.
    pub pods: usize,
    /// Earlier versions of pods.
    pub versions: usize,
    /// For how long those are remembered.
    pub history: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            incidents: 4096,
            age: Duration::from_secs(24 * 3600),
            pods: 20_000,
            versions: 10_000,
            history: Duration::from_secs(3600),
        }
    }
}

/// An incident, and the version in which it is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentEntry {
    /// The incident.
    pub incident: Arc<Incident>,
    /// The version of all that health tells in which this was told.
    pub version: u64,
}

/// The health of a cluster.
#[derive(Debug)]
pub struct Health {
    engine: Mutex<Engine>,
    cluster: Arc<Cluster>,
    past: Arc<dyn UsageHistory>,
    clock: Arc<dyn Clock>,
    version: watch::Sender<u64>,
    /// Told when something is due earlier than thought.
    woken: tokio::sync::Notify,
}

impl Health {
    /// Of a cluster of which nothing has been told yet.
    pub fn new(
        cluster: Arc<Cluster>,
        past: Arc<dyn UsageHistory>,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Arc<Self> {
        Arc::new(Self {
            engine: Mutex::new(Engine::new(limits)),
            cluster,
            past,
            clock,
            version: watch::Sender::new(0),
            woken: tokio::sync::Notify::new(),
        })
    }

    /// Of no cluster, for tests of who asks.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn unfed() -> Arc<Self> {
        let clock = Arc::new(crate::clock::SystemClock::default());
        Self::new(
            Arc::default(),
            Arc::new(NoUsageHistory),
            clock,
            Limits::default(),
        )
    }

    /// Notices what comes of time alone, when it is time: that a container has run for long enough to be well, that a
    /// probe has failed for long enough to count. Runs for ever.
    pub async fn run(&self) {
        loop {
            let now = self.clock.wall();
            self.tick(now);
            let due = self.engine.lock().due();
            let wait = u64::try_from(due.since(now)).unwrap_or_default();
            // Times are whole seconds: no sooner than that is anything new.
            let wait = Duration::from_nanos(wait).max(Duration::from_secs(1));
            tokio::select! {
                () = self.clock.sleep(wait) => {}
                () = self.woken.notified() => {}
            }
        }
    }

    /// Notices what is due at `now`.
    pub fn tick(&self, now: Timestamp) {
        self.change(|engine| engine.tick(&*self.past, now));
    }

    fn change(&self, change: impl FnOnce(&mut Engine)) {
        let (before, after, version) = {
            let mut engine = self.engine.lock();
            let before = engine.due();
            change(&mut engine);
            (before, engine.due(), engine.incidents.changes.version())
        };
        if after < before {
            self.woken.notify_one();
        }
        self.version.send_if_modified(|known| {
            let news = *known < version;
            *known = (*known).max(version);
            news
        });
    }

    /// Each probe of each container of a pod, as of now.
    pub fn probe_statuses(&self, pod: &Pod) -> Vec<Probe> {
        self.engine.lock().probe_statuses(pod, self.clock.wall())
    }

    /// The restarts of a pod's containers that are remembered, oldest first by container; of a pod that is gone too.
    pub fn restarts(&self, pod: &Pod) -> Vec<Restart> {
        self.engine.lock().restarts(pod)
    }

    /// How many restarts that are remembered were between two times, by node.
    pub fn restarts_by_node(&self, since: Timestamp, until: Timestamp) -> HashMap<Arc<str>, u64> {
        let mut counts = HashMap::new();
        for facts in self.engine.lock().pods.values() {
            let restarts = facts.containers.iter().flat_map(|it| &it.restarts);
            let ends = restarts.filter_map(|restart| restart.ended.finished);
            let count = ends.filter(|end| (since..=until).contains(end)).count() as u64;
            let node = facts.pod.as_ref().and_then(|pod| pod.node.as_ref());
            if let Some(node) = node.filter(|_| count > 0) {
                *counts.entry(Arc::clone(node)).or_default() += count;
            }
        }
        counts
    }

    /// The last restart of one container of a pod: as it is remembered, or else as the pod's status tells it.
    pub fn last_restart(&self, pod: &Pod, container: usize) -> Option<Restart> {
        self.engine.lock().last_restart(pod, container)
    }

    /// All incidents that are remembered, in the order in which they were noticed, and the version that this is.
    pub fn incidents(&self) -> (Vec<IncidentEntry>, u64) {
        let mut engine = self.engine.lock();
        engine.incidents.flush();
        let told = engine.incidents.visible().map(|(_, record)| IncidentEntry {
            incident: Arc::clone(&record.incident),
            version: record.version,
        });
        (told.collect(), engine.incidents.changes.version())
    }

    /// Names of a pod's incidents that are not over, those included that it shares with other pods or that its node has;
    /// and of the one that tells why it failed, if it did.
    pub fn open_of_pod(&self, pod: &Pod) -> Vec<String> {
        self.engine.lock().incidents_of(pod)
    }

    /// The name of a node's incident, if it has one that is not over.
    pub fn open_of_node(&self, node: &str) -> Option<String> {
        let engine = self.engine.lock();
        let incident = engine.incidents.get(engine.nodes.incident(node)?)?;
        Some(incident.metadata.name.clone())
    }

    /// The pods that have changed since a time, each as it was then; all others are as they are now. Earlier versions
    /// are at most ten thousand.
    pub fn pods_at(&self, at: Timestamp) -> HashMap<PodKey, PodAt> {
        self.engine.lock().log.all_at(at)
    }

    /// What is known, to outlive the process.
    pub fn export(&self) -> Snapshot {
        self.engine.lock().export()
    }

    /// Merges a snapshot that another process wrote at `written`: an earlier process of this server, or another replica.
    /// An incident that both know stays one. Whether it has ended is decided by the cluster's present state, as far as
    /// the watches have read it.
    ///
    /// # Errors
    /// When the snapshot cannot be used; then nothing has changed.
    pub fn learn(
        &self,
        snapshot: Snapshot,
        written: Timestamp,
    ) -> Result<MergeResult, SnapshotError> {
        let (pods, nodes) = (self.cluster.pods(), self.cluster.nodes());
        let present = CurrentObjects {
            pod: &|key| pods.get(key).cloned(),
            node: &|name| nodes.get(name).cloned(),
        };
        let now = self.clock.wall();
        let mut learned = Ok(MergeResult::default());
        self.change(|engine| {
            learned = engine.learn(snapshot, written, &present, &*self.past, now);
        });
        learned
    }

    /// What there is to count. Looks at every pod.
    pub fn counts(&self) -> Counts {
        let (mut counts, failed) = {
            let engine = self.engine.lock();
            (engine.counts(), engine.with_streaks())
        };
        let now = self.clock.wall();
        // A probe fails of which an attempt failed, or which keeps its pod from being ready.
        let pods = self.cluster.pods();
        let suspects = pods
            .values()
            .filter(|pod| !pod.ready.status || failed.contains(&pod.uid));
        for pod in suspects {
            // The lock is held for one pod at a time.
            let kinds = self.engine.lock().failing_probes(pod, now);
            counts.failing_pods += u64::from(!kinds.is_empty());
            for kind in kinds {
                *counts.failing.entry(kind).or_default() += 1;
            }
        }
        counts
    }

    /// Tells of each new version of what is told here.
    pub fn version(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// What has changed since a version; nothing if that is no longer known, and all is to be looked at anew.
    pub fn changed_since(&self, version: u64) -> Option<Changed> {
        self.engine.lock().incidents.changes.since(version)
    }
}

impl ProbeSink for Health {
    fn probes(&self, node: &Arc<str>, scrape: &ProbeScrape<'_>, now: Timestamp) {
        let find = |key: &PodKey| self.cluster.pods().get(key).cloned();
        self.change(|engine| engine.probes(node, scrape, &find, &*self.past, now));
    }
}

impl Observer for Health {
    fn pod(&self, before: Option<&Arc<Pod>>, after: Option<&Arc<Pod>>) {
        let now = self.clock.wall();
        self.change(|engine| engine.pod(before, after, &*self.past, now));
    }

    fn node(&self, before: Option<&Arc<Node>>, after: Option<&Arc<Node>>) {
        let now = self.clock.wall();
        self.change(|engine| engine.node(before, after, &*self.past, now));
    }

    fn event(&self, event: &Event) {
        let now = self.clock.wall();
        let find = |key: &PodKey| self.cluster.pods().get(key).cloned();
        self.change(|engine| engine.event(event, &find, &*self.past, now));
    }
}
