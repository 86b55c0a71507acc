//! The engine as a whole: changes of a cluster, and the incidents that it derives from them.

mod first_sight;
mod groups;
mod merging;
mod objects;
mod pods;
mod readiness;
mod recording;
mod trust;
mod web;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use kubevitals_proto::kubelet::probes::decode;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Incident};
use parking_lot::Mutex;
use serde_json::Value;

use super::engine::Engine;
use super::limits::Limits;
use super::merge::MergeResult;
use super::snapshot::{Snapshot, SnapshotError};
use super::usage_history::{UsageHistory, UsagePoint, UsageSubject};
use crate::cluster::testing::Reader;
use crate::cluster::{Cluster, Nodes, Pod, Pods};

/// Usage by pod and container.
#[derive(Debug, Default)]
struct FixedUsage(Mutex<BTreeMap<(String, String), Vec<UsagePoint>>>);

impl UsageHistory for FixedUsage {
    fn between(&self, of: UsageSubject<'_>, since: Timestamp, until: Timestamp) -> Vec<UsagePoint> {
        let key = (of.pod.name.to_string(), of.container.to_owned());
        let usage = self.0.lock();
        let points = usage.get(&key).into_iter().flatten();
        points
            .filter(|point| (since..=until).contains(&point.at))
            .copied()
            .collect()
    }
}

/// An engine, and the cluster whose changes it receives.
struct TestCluster {
    engine: Engine,
    reader: Reader,
    cluster: Arc<Cluster>,
    usage: Arc<FixedUsage>,
    now: Timestamp,
}

impl TestCluster {
    fn new(now: Timestamp) -> Self {
        Self::with_limits(now, Limits::default())
    }

    fn with_limits(now: Timestamp, limits: Limits) -> Self {
        let (cluster, usage) = (Arc::<Cluster>::default(), Arc::<FixedUsage>::default());
        Self {
            engine: Engine::new(Arc::clone(&cluster), Arc::clone(&usage) as _, limits),
            reader: Reader::default(),
            cluster,
            usage,
            now,
        }
    }

    /// The first pod by name.
    fn first_pod(&self) -> Arc<Pod> {
        self.pods()[0].clone()
    }

    fn pods(&self) -> Vec<Arc<Pod>> {
        self.cluster.pods().values().cloned().collect()
    }

    /// Creates or changes a pod.
    fn pod(&mut self, json: Value) -> Arc<Pod> {
        let pod = self.reader.pod(json);
        let insert = |pods: &mut Pods| pods.insert(pod.key.clone(), Arc::clone(&pod));
        let before = self.cluster.change_pods(insert);
        if before.as_ref() != Some(&pod) {
            self.engine.pod(before.as_ref(), Some(&pod), self.now);
        }
        pod
    }

    fn node(&mut self, json: Value) {
        let node = self.reader.node(json);
        let insert = |nodes: &mut Nodes| nodes.insert(Arc::clone(&node.name), Arc::clone(&node));
        let before = self.cluster.change_nodes(insert);
        self.engine.node(before.as_ref(), Some(&node), self.now);
    }

    /// Deletes the pod with this name.
    fn delete(&mut self, name: &str) {
        let mut pods = self.pods().into_iter();
        let pod = pods.find(|pod| &*pod.key.name == name).unwrap();
        self.cluster.change_pods(|pods| pods.remove(&pod.key));
        self.engine.pod(Some(&pod), None, self.now);
    }

    fn event(&mut self, json: Value) {
        if let Some(event) = self.reader.event(json) {
            self.engine.event(&event, self.now);
        }
    }

    fn probes(&mut self, node: &str, page: &str) {
        let scrape = decode(page.as_bytes());
        self.engine.probes(&Arc::from(node), &scrape, self.now);
    }

    /// Lets this number of seconds pass, and does the work that is due then.
    fn pass(&mut self, seconds: i64) {
        self.now = self.now.plus_nanos(seconds * 1_000_000_000);
        self.engine.tick(self.now);
    }

    /// Restarts the server: the new engine restores the snapshot, and has not read the cluster yet.
    fn restart(&mut self) {
        let snapshot = self.engine.export();
        let json = serde_json::to_string(&snapshot).unwrap();
        let read: Snapshot = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        let usage = Arc::clone(&self.usage);
        *self = Self::new(self.now);
        self.usage.0.lock().append(&mut usage.0.lock());
        self.merge(read).unwrap();
    }

    /// Merges a snapshot that was just written.
    fn merge(&mut self, snapshot: Snapshot) -> Result<MergeResult, SnapshotError> {
        self.engine.merge(snapshot, self.now, self.now)
    }

    fn incidents(&self) -> Vec<Arc<Incident>> {
        let records = self.engine.incidents.visible();
        records
            .map(|(_, record)| Arc::clone(&record.incident))
            .collect()
    }

    /// The causes and counts of the incidents.
    fn causes(&self) -> Vec<(Cause, u64)> {
        let incidents = self.incidents();
        incidents.iter().map(|it| (it.cause, it.count)).collect()
    }

    /// The only incident.
    fn only(&self) -> Arc<Incident> {
        let all = self.incidents();
        assert_eq!(all.len(), 1, "{all:#?}");
        Arc::clone(&all[0])
    }
}

/// Formats an incident for people.
fn render(it: &Incident) -> String {
    let time = |at: Timestamp| at.to_rfc3339_seconds()[11..19].to_owned();
    let (of, began, last_seen) = (&it.involved, time(it.began), time(it.last_seen));
    let ended = it.ended.map_or("goes on".to_owned(), time);
    let mut text = format!(
        "{}/{} {}: {:?} by {:?} ({:?}), {} times\n  {}\n  began {began}, last seen {last_seen}, ended {ended}\n",
        of.namespace,
        of.name,
        of.container,
        it.reason,
        it.cause,
        it.certainty,
        it.count,
        it.message
    );
    for evidence in &it.evidence {
        let (at, source) = (time(evidence.time), evidence.source);
        let _ = writeln!(text, "  {at} {source:?}: {}", evidence.text);
    }
    text
}
