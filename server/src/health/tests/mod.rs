//! The engine as a whole: fed with what Kubernetes says, asked what it makes of it.

mod first_sight;
mod groups;
mod merging;
mod pods;
mod readiness;
mod recording;
mod trust;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use kubevitals_proto::kubelet::probes::decode;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Incident;
use serde_json::Value;

use super::engine::Engine;
use super::limits::Limits;
use super::merge::{CurrentObjects, MergeResult};
use super::snapshot::{Snapshot, SnapshotError};
use super::usage_history::{NoUsageHistory, UsageHistory, UsagePoint, UsageSubject};
use crate::cluster::testing::Reader;
use crate::cluster::{Event, Node, Pod, PodKey};

/// What was measured, by pod and container.
#[derive(Debug, Default)]
struct FixedUsage(BTreeMap<(String, String), Vec<UsagePoint>>);

impl UsageHistory for FixedUsage {
    fn between(&self, of: UsageSubject<'_>, since: Timestamp, until: Timestamp) -> Vec<UsagePoint> {
        let key = (of.pod.name.to_string(), of.container.to_owned());
        let points = self.0.get(&key).into_iter().flatten();
        points
            .filter(|point| (since..=until).contains(&point.at))
            .copied()
            .collect()
    }
}

/// An engine, and a cluster that tells it what changes.
struct TestCluster {
    engine: Engine,
    reader: Reader,
    pods: BTreeMap<PodKey, Arc<Pod>>,
    nodes: BTreeMap<Arc<str>, Arc<Node>>,
    past: FixedUsage,
    now: Timestamp,
}

impl TestCluster {
    fn new(now: Timestamp) -> Self {
        Self {
            engine: Engine::new(Limits::default()),
            reader: Reader::default(),
            pods: BTreeMap::new(),
            nodes: BTreeMap::new(),
            past: FixedUsage::default(),
            now,
        }
    }

    /// A pod is as this JSON says from now on.
    fn pod(&mut self, json: Value) -> Arc<Pod> {
        let pod = self.reader.pod(json);
        let before = self.pods.insert(pod.key.clone(), Arc::clone(&pod));
        if before.as_ref() != Some(&pod) {
            self.engine
                .pod(before.as_ref(), Some(&pod), &self.past, self.now);
        }
        pod
    }

    fn node(&mut self, json: Value) {
        let node = self.reader.node(json);
        let before = self.nodes.insert(Arc::clone(&node.name), Arc::clone(&node));
        self.engine
            .node(before.as_ref(), Some(&node), &self.past, self.now);
    }

    fn delete(&mut self, key: &PodKey) {
        if let Some(gone) = self.pods.remove(key) {
            self.engine.pod(Some(&gone), None, &self.past, self.now);
        }
    }

    fn event(&mut self, json: Value) {
        if let Some(event) = self.reader.event(json) {
            self.tell(&event);
        }
    }

    fn tell(&mut self, event: &Event) {
        let pods = &self.pods;
        let find = |key: &PodKey| pods.get(key).cloned();
        self.engine.event(event, &find, &self.past, self.now);
    }

    fn probes(&mut self, node: &str, page: &str) {
        let pods = &self.pods;
        let find = |key: &PodKey| pods.get(key).cloned();
        let scrape = decode(page.as_bytes());
        let node = Arc::from(node);
        self.engine
            .probes(&node, &scrape, &find, &self.past, self.now);
    }

    fn tick(&mut self) {
        self.engine.tick(&self.past, self.now);
    }

    /// Lets so many seconds pass, and notices what comes of it.
    fn pass(&mut self, seconds: i64) {
        self.now = self.now.plus_nanos(seconds * 1_000_000_000);
        self.tick();
    }

    /// The server is stopped and started again: what was known is taken in, and the cluster is told anew.
    fn restart(&mut self) {
        let snapshot = self.engine.export();
        let json = serde_json::to_string(&snapshot).unwrap();
        let read: Snapshot = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        let mut engine = Engine::new(Limits::default());
        learn(&mut engine, read, self.now).unwrap();
        self.engine = engine;
        self.pods.clear();
        self.nodes.clear();
    }

    fn incidents(&self) -> Vec<Arc<Incident>> {
        let records = self.engine.incidents.visible();
        records
            .map(|(_, record)| Arc::clone(&record.incident))
            .collect()
    }

    fn only(&self) -> Arc<Incident> {
        let all = self.incidents();
        assert_eq!(all.len(), 1, "{all:#?}");
        Arc::clone(&all[0])
    }
}

/// Merges a snapshot that was just written into an engine that knows nothing of the cluster.
fn learn(
    engine: &mut Engine,
    snapshot: Snapshot,
    now: Timestamp,
) -> Result<MergeResult, SnapshotError> {
    let present = CurrentObjects {
        pod: &|_| None,
        node: &|_| None,
    };
    engine.merge(snapshot, now, &present, &NoUsageHistory, now)
}

/// An incident for a person to read.
fn render(incident: &Incident) -> String {
    let time = |at: Timestamp| at.to_rfc3339_seconds()[11..19].to_owned();
    let involved = &incident.involved;
    let mut text = format!(
        "{}/{} {}: {:?} by {:?} ({:?}), {} times\n",
        involved.namespace,
        involved.name,
        involved.container,
        incident.reason,
        incident.cause,
        incident.certainty,
        incident.count
    );
    let _ = writeln!(text, "  {}", incident.message);
    let ended = incident.ended.map_or("goes on".to_owned(), time);
    let _ = writeln!(
        text,
        "  began {}, last seen {}, ended {ended}",
        time(incident.began),
        time(incident.last_seen)
    );
    for evidence in &incident.evidence {
        let _ = writeln!(
            text,
            "  {} {:?}: {}",
            time(evidence.time),
            evidence.source,
            evidence.text
        );
    }
    text
}
