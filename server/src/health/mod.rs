//! Incidents, restarts and probes: what is wrong, since when, and why.
//!
//! A deterministic engine behind one lock, which is held for microseconds. It receives changes of pods and nodes and
//! Events (it is an [`Observer`]), and the kubelets' counters of probes. It reads the usage of a container before a
//! termination from [`UsageHistory`]. It stores facts about pods that are or recently were unhealthy. For a healthy pod
//! it stores only the counters of the probes.
//!
//! Every cause has a certainty: direct, likely or unknown. Times are those of Kubernetes where Kubernetes has one.
//! docs/health.md states the rules in tables, and `rules` has one file for each kind of incident.

mod announcements;
mod apply;
mod bounded_list;
mod causes;
mod changes;
mod container_index;
mod engine;
mod facts;
mod groups;
mod incident_record;
mod incidents;
mod joint_incidents;
mod limits;
mod merge;
mod messages;
mod metrics;
mod open_incidents;
mod pod_events;
mod pod_versions;
mod probe_counters;
mod probe_status;
mod restart_queries;
mod review;
mod review_context;
mod rules;
mod sanitize;
mod snapshot;
mod store_usage_history;
mod streaks;
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
use kubevitals_proto::vitals::{Incident, Meta, Probe};
use parking_lot::Mutex;
use tokio::sync::watch;

pub use announcements::Announcement;
pub use changes::Changed;
pub use container_index::ContainerIndex;
pub use limits::Limits;
pub use merge::MergeResult;
pub use metrics::HealthMetrics;
pub use pod_versions::PodAt;
pub use probe_status::ProbeFailures;
pub use restart_queries::Restart;
pub use snapshot::{Snapshot, SnapshotError};
pub use store_usage_history::{StoreUsageHistory, USAGE_BEFORE_TERMINATION};
pub use usage_history::{UsageHistory, UsagePoint, UsageSubject};

use crate::clock::Clock;
use crate::cluster::{Cluster, Event, Node, Observer, Pod, PodKey};
use crate::scrape::ProbeSink;
use crate::telemetry::metrics::{Registry, collect};
use engine::Engine;

/// An incident and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentEntry {
    /// The incident.
    pub incident: Arc<Incident>,
    /// The version of health at the last change of the incident.
    pub version: u64,
}

/// The health of a cluster.
#[derive(Debug)]
pub struct Health {
    engine: Mutex<Engine>,
    cluster: Arc<Cluster>,
    clock: Arc<dyn Clock>,
    version: watch::Sender<u64>,
    /// Notified when work is due earlier than before.
    woken: tokio::sync::Notify,
}

impl Health {
    /// The health of a cluster that has not been read yet.
    pub fn new(
        cluster: Arc<Cluster>,
        usage: Arc<dyn UsageHistory>,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Arc<Self> {
        Arc::new(Self {
            engine: Mutex::new(Engine::new(Arc::clone(&cluster), usage, limits)),
            cluster,
            clock,
            version: watch::Sender::new(0),
            woken: tokio::sync::Notify::new(),
        })
    }

    /// The health of an empty cluster, for tests.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn unfed() -> Arc<Self> {
        let clock = Arc::new(crate::clock::SystemClock::default());
        let usage = Arc::new(StoreUsageHistory(Arc::default()));
        Self::new(Arc::default(), usage, clock, Limits::default())
    }

    /// Does the work that depends on time alone, when it is due: a container has run long enough to be healthy, a probe
    /// has failed long enough to count. Runs forever.
    pub async fn run(&self) {
        loop {
            let now = self.clock.wall();
            self.tick(now);
            let due = self.engine.lock().due();
            let wait = u64::try_from(due.since(now)).unwrap_or_default();
            // Times are whole seconds, so nothing changes earlier.
            let wait = Duration::from_nanos(wait).max(Duration::from_secs(1));
            tokio::select! {
                () = self.clock.sleep(wait) => {}
                () = self.woken.notified() => {}
            }
        }
    }

    /// Does the work that is due at `now`.
    pub fn tick(&self, now: Timestamp) {
        self.change(|engine| engine.tick(now));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Engine) -> T) -> T {
        let (result, before, after, version) = {
            let mut engine = self.engine.lock();
            let before = engine.due();
            let result = change(&mut engine);
            let version = engine.incidents.changes.version();
            (result, before, engine.due(), version)
        };
        if after < before {
            self.woken.notify_one();
        }
        self.version.send_if_modified(|current| {
            let is_newer = *current < version;
            *current = (*current).max(version);
            is_newer
        });
        result
    }

    /// The status of each probe of each container of a pod.
    pub fn probe_statuses(&self, pod: &Pod) -> Vec<Probe> {
        self.engine.lock().probe_statuses(pod, self.clock.wall())
    }

    /// The failed attempts of a pod's probes between the last two readings of its node; none without two readings.
    pub fn probe_failures(&self, pod: &Pod) -> Option<ProbeFailures> {
        self.engine.lock().probe_failures(pod, self.clock.wall())
    }

    /// The stored restarts of a pod's containers, oldest first for each container. The pod may be deleted.
    pub fn restarts(&self, pod: &Pod) -> Vec<Restart> {
        self.engine.lock().restarts(pod)
    }

    /// The number of stored restarts between two times, by node.
    pub fn restarts_by_node(&self, since: Timestamp, until: Timestamp) -> HashMap<Arc<str>, u64> {
        let mut counts = HashMap::new();
        for facts in self.engine.lock().pods.values() {
            let restarts = facts.containers.iter().flat_map(|it| &it.restarts);
            let finished = restarts.filter_map(|restart| restart.ended.finished);
            let count = finished.filter(|at| (since..=until).contains(at)).count() as u64;
            let node = facts.pod.as_ref().and_then(|pod| pod.node.as_ref());
            if let Some(node) = node.filter(|_| count > 0) {
                *counts.entry(Arc::clone(node)).or_default() += count;
            }
        }
        counts
    }

    /// The last restart of a container: the stored one, or else the one in the pod's status.
    pub fn last_restart(&self, pod: &Pod, container: ContainerIndex) -> Option<Restart> {
        self.engine.lock().last_restart(pod, container)
    }

    /// All stored incidents in the order of opening, and their version.
    pub fn incidents(&self) -> (Vec<IncidentEntry>, u64) {
        let mut engine = self.engine.lock();
        engine.incidents.flush();
        let entries = engine.incidents.visible().map(|(_, record)| IncidentEntry {
            incident: Arc::clone(&record.incident),
            version: record.version,
        });
        (entries.collect(), engine.incidents.changes.version())
    }

    /// The names of a pod's open incidents, including joint ones and the one of its node, and of the one about its
    /// failure.
    pub fn open_of_pod(&self, pod: &Pod) -> Vec<String> {
        self.engine.lock().incidents_of(pod)
    }

    /// The name of a node's open incident.
    pub fn open_of_node(&self, node: &str) -> Option<String> {
        let engine = self.engine.lock();
        let incident = engine.incidents.get(engine.nodes.incident(node)?)?;
        Some(incident.metadata.name.clone())
    }

    /// The states of pods that have changed since a time. All others have not changed.
    pub fn pods_at(&self, at: Timestamp) -> HashMap<PodKey, PodAt> {
        self.engine.lock().log.all_at(at)
    }

    /// The last announcement about an incident, by this process or by another whose state was merged.
    pub fn announced(&self, of: &Meta) -> Option<Announcement> {
        let engine = self.engine.lock();
        engine.announcements.get(&of.namespace, &of.name)
    }

    /// Stores the last announcement about an incident with the state; or removes it, if the incident is gone.
    pub fn set_announced(&self, of: &Meta, announcement: Option<Announcement>) {
        self.change(|engine| engine.announce(of, announcement));
    }

    /// The state that outlives the process.
    pub fn export(&self) -> Snapshot {
        self.engine.lock().export()
    }

    /// Merges a snapshot that another process wrote at `written`: an earlier process of this server, or another
    /// replica. An incident that both know stays one. Whether it has ended is decided by the cluster's present state,
    /// as far as the watches have read it.
    ///
    /// # Errors
    /// When the snapshot cannot be used; then nothing has changed.
    pub fn merge(
        &self,
        snapshot: Snapshot,
        written: Timestamp,
    ) -> Result<MergeResult, SnapshotError> {
        let now = self.clock.wall();
        self.change(|engine| engine.merge(snapshot, written, now))
    }

    /// Registers its metrics.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        collect(registry, Arc::clone(self), |health, families| {
            health.metrics().write(families)
        });
    }

    /// The current values of the metrics. Reads every pod.
    pub fn metrics(&self) -> HealthMetrics {
        let (mut metrics, failed) = {
            let engine = self.engine.lock();
            (engine.metrics(), engine.with_streaks())
        };
        let now = self.clock.wall();
        // A failing probe has a failed attempt, or its pod is not ready.
        let pods = self.cluster.pods();
        let suspects = pods
            .values()
            .filter(|pod| !pod.ready.status || failed.contains(&pod.uid));
        for pod in suspects {
            // The lock is held for one pod at a time.
            let kinds = self.engine.lock().failing_probes(pod, now);
            metrics.failing_pods += u64::from(!kinds.is_empty());
            for kind in kinds {
                *metrics.failing.entry(kind).or_default() += 1;
            }
        }
        metrics
    }

    /// Subscribes to the version of health.
    pub fn version(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// The changes since a version; none if they are no longer stored, so that the caller must read everything.
    pub fn changed_since(&self, version: u64) -> Option<Changed> {
        self.engine.lock().incidents.changes.since(version)
    }
}

impl ProbeSink for Health {
    fn probes(&self, node: &Arc<str>, scrape: &ProbeScrape<'_>, now: Timestamp) {
        self.change(|engine| engine.probes(node, scrape, now));
    }
}

impl Observer for Health {
    fn pod(&self, before: Option<&Arc<Pod>>, after: Option<&Arc<Pod>>) {
        let now = self.clock.wall();
        self.change(|engine| engine.pod(before, after, now));
    }

    fn node(&self, before: Option<&Arc<Node>>, after: Option<&Arc<Node>>) {
        let now = self.clock.wall();
        self.change(|engine| engine.node(before, after, now));
    }

    fn event(&self, event: &Event) {
        let now = self.clock.wall();
        self.change(|engine| engine.event(event, now));
    }
}
