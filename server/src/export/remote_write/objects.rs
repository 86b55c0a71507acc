//! Collects the series of objects: nodes, pods, incidents, HPAs. Each round has all of them with one time.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Incident;

use super::writer::Writer;
use crate::availability::{Availability, WorkloadKey, WorkloadSeries};
use crate::clock::Clock;
use crate::cluster::{Cluster, Jobs, Node, Nodes, Pod, PodKey, Pods, Uid};
use crate::export::series::{
    Family, HPAS, Hpa, INCIDENTS, NODES, POD_HEALTH, PODS, PodHealth, PodSubject, VOLUMES,
    WORKLOADS, is_exported,
};
use crate::health::Health;
use crate::query::Volume;
use crate::store::Store;

/// The objects of the last round, so that this one knows which series have ended. Snapshots share what has not changed.
#[derive(Debug)]
pub(super) struct Objects {
    cluster: Arc<Cluster>,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
    availability: Option<Arc<Availability>>,
    at: Option<Timestamp>,
    nodes: Arc<Nodes>,
    pods: Arc<Pods>,
    jobs: Arc<Jobs>,
    /// Of pods with probes or restarts.
    pod_health: HashMap<Uid, PodHealth>,
    incidents: HashMap<String, Arc<Incident>>,
    hpas: HashMap<(String, String), Hpa>,
    workloads: BTreeMap<WorkloadKey, WorkloadSeries>,
    volumes: BTreeMap<PodKey, Volume>,
    hasher: RandomState,
}

impl Objects {
    pub(super) fn new(
        (cluster, store): (Arc<Cluster>, Arc<Store>),
        health: Arc<Health>,
        availability: Option<Arc<Availability>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            cluster,
            store,
            clock,
            health,
            availability,
            at: None,
            nodes: Arc::default(),
            pods: Arc::default(),
            jobs: Arc::default(),
            pod_health: HashMap::new(),
            incidents: HashMap::new(),
            hpas: HashMap::new(),
            workloads: BTreeMap::new(),
            volumes: BTreeMap::new(),
            hasher: RandomState::new(),
        }
    }

    /// Whether the objects have been listed. No cluster is without nodes and pods.
    pub(super) fn are_known(&self) -> bool {
        !self.cluster.nodes().is_empty() && !self.cluster.pods().is_empty()
    }

    /// Adds a sample of each series at `now`, and marks those that have ended. Returns whether it did: not if the
    /// clock was set back, because the samples would be out of order.
    pub(super) fn collect(&mut self, hpas: Vec<Hpa>, now: Timestamp, writer: &mut Writer) -> bool {
        if self
            .at
            .is_some_and(|last| now.as_millis() <= last.as_millis())
        {
            return false;
        }
        self.at = Some(now);
        self.nodes(now, writer);
        self.pods(now, writer);
        self.incidents(now, writer);
        self.hpas(hpas, now, writer);
        self.workloads(now, writer);
        self.volumes(now, writer);
        true
    }

    fn nodes(&mut self, now: Timestamp, writer: &mut Writer) {
        let nodes = self.cluster.nodes();
        let before = std::mem::replace(&mut self.nodes, Arc::clone(&nodes));
        for (name, node) in nodes.iter() {
            let old = before.get(name).filter(|old| !Arc::ptr_eq(old, node));
            let old: Option<&Node> = old.map(|old| &**old);
            self.replace(NODES, old, &**node, now, writer);
        }
        for (_, gone) in before.iter().filter(|(name, _)| !nodes.contains_key(*name)) {
            writer.end(NODES, &**gone, now, |_, _| false);
        }
    }

    fn pods(&mut self, now: Timestamp, writer: &mut Writer) {
        let (pods, jobs) = (self.cluster.pods(), self.cluster.jobs());
        let before = std::mem::replace(&mut self.pods, Arc::clone(&pods));
        let jobs_before = std::mem::replace(&mut self.jobs, Arc::clone(&jobs));
        let mut health_before = std::mem::take(&mut self.pod_health);
        let mut pod_health = HashMap::with_capacity(health_before.len());
        let mut old_subject = |pod: &Arc<Pod>| PodSubject {
            pod: Arc::clone(pod),
            jobs: Arc::clone(&jobs_before),
            health: health_before.remove(&pod.uid).unwrap_or_default(),
        };
        for (key, pod) in pods.iter() {
            let new = PodSubject {
                pod: Arc::clone(pod),
                jobs: Arc::clone(&jobs),
                health: PodHealth::of(&self.health, pod),
            };
            let old = before.get(key).map(&mut old_subject);
            let old = old.filter(|old| !Arc::ptr_eq(&old.pod, pod) || old.health != new.health);
            for families in [PODS, POD_HEALTH] {
                self.replace(families, old.as_ref(), &new, now, writer);
            }
            if !new.health.is_empty() {
                pod_health.insert(pod.uid, new.health);
            }
        }
        for (_, gone) in before.iter().filter(|(key, _)| !pods.contains_key(*key)) {
            let gone = old_subject(gone);
            for families in [PODS, POD_HEALTH] {
                writer.end(families, &gone, now, |_, _| false);
            }
        }
        self.pod_health = pod_health;
    }

    fn incidents(&mut self, now: Timestamp, writer: &mut Writer) {
        let (all, _) = self.health.incidents();
        let open = all.into_iter().map(|it| it.incident);
        let open = open.filter(|it| is_exported(it));
        let name = |it: &Incident| format!("{}/{}", it.metadata.namespace, it.metadata.name);
        let open: HashMap<String, Arc<Incident>> = open.map(|it| (name(&it), it)).collect();
        let before = std::mem::take(&mut self.incidents);
        for (name, incident) in &open {
            let old = before.get(name).map(|old| &**old);
            self.replace(INCIDENTS, old, &**incident, now, writer);
        }
        for (_, gone) in before.iter().filter(|(name, _)| !open.contains_key(*name)) {
            writer.end(INCIDENTS, &**gone, now, |_, _| false);
        }
        self.incidents = open;
    }

    fn hpas(&mut self, hpas: Vec<Hpa>, now: Timestamp, writer: &mut Writer) {
        let key = |it: &Hpa| (it.namespace.clone(), it.name.clone());
        let hpas: HashMap<_, Hpa> = hpas.into_iter().map(|it| (key(&it), it)).collect();
        let before = std::mem::take(&mut self.hpas);
        for (key, hpa) in &hpas {
            self.replace(HPAS, before.get(key), hpa, now, writer);
        }
        for (_, gone) in before.iter().filter(|(key, _)| !hpas.contains_key(*key)) {
            writer.end(HPAS, gone, now, |_, _| false);
        }
        self.hpas = hpas;
    }

    fn workloads(&mut self, now: Timestamp, writer: &mut Writer) {
        let series = self.availability.as_ref().map(|it| it.series());
        let series = series.unwrap_or_default().into_iter();
        let workloads: BTreeMap<WorkloadKey, WorkloadSeries> =
            series.map(|it| (it.key.clone(), it)).collect();
        let before = std::mem::take(&mut self.workloads);
        for (key, workload) in &workloads {
            self.replace(WORKLOADS, before.get(key), workload, now, writer);
        }
        for (_, gone) in before
            .iter()
            .filter(|(key, _)| !workloads.contains_key(*key))
        {
            writer.end(WORKLOADS, gone, now, |_, _| false);
        }
        self.workloads = workloads;
    }

    fn volumes(&mut self, now: Timestamp, writer: &mut Writer) {
        let all = Volume::all(&self.cluster, &self.store, self.clock.elapsed(), |_| true);
        let volumes: BTreeMap<PodKey, Volume> =
            all.into_iter().map(|it| (it.key.clone(), it)).collect();
        let before = std::mem::take(&mut self.volumes);
        for (key, volume) in &volumes {
            self.replace(VOLUMES, before.get(key), volume, now, writer);
        }
        for (_, gone) in before.iter().filter(|(key, _)| !volumes.contains_key(*key)) {
            writer.end(VOLUMES, gone, now, |_, _| false);
        }
        self.volumes = volumes;
    }

    /// Adds the samples of a subject, and marks the series that only its old state has.
    fn replace<S: ?Sized>(
        &self,
        families: &[Family<S>],
        old: Option<&S>,
        new: &S,
        now: Timestamp,
        writer: &mut Writer,
    ) {
        writer.add(families, new, now);
        let Some(old) = old else { return };
        let mut present = HashSet::new();
        for family in families {
            (family.write)(new, &mut |labels, _| {
                present.insert(self.hasher.hash_one((family.name, labels)));
            });
        }
        writer.end(families, old, now, |name, labels| {
            present.contains(&self.hasher.hash_one((name, labels)))
        });
    }
}
