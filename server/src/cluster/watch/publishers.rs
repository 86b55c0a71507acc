//! Publishes the changes of each kind.

use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use kubevitals_proto::objects::{WireHpa, WireJob, WireNode, WirePod};
use tokio::sync::watch;

use super::cache::Publisher;
use crate::clock::Clock;
use crate::cluster::gone::DeletedObjects;
use crate::cluster::{
    Cluster, GonePod, GonePods, Hpa, Hpas, Job, Jobs, Node, Observers, Pod, PodKey, Uid,
};

/// Publishes nodes: notifies observers, and wakes the tasks that scrape nodes.
#[derive(Debug)]
pub(super) struct NodePublisher {
    pub(super) cluster: Arc<Cluster>,
    pub(super) observers: Observers,
    pub(super) changed: watch::Sender<()>,
}

impl Publisher<WireNode> for NodePublisher {
    fn notify(&mut self, before: Option<&Arc<Node>>, after: Option<&Arc<Node>>) {
        for observer in &self.observers {
            observer.node(before, after);
        }
    }

    fn publish(&mut self, objects: &OrdMap<Arc<str>, Arc<Node>>) {
        self.cluster.nodes.store(Arc::new(objects.clone()));
        self.changed.send_replace(());
    }
}

/// Publishes pods: notifies observers, and remembers deleted pods for a while.
#[derive(Debug)]
pub(super) struct PodPublisher {
    cluster: Arc<Cluster>,
    observers: Observers,
    clock: Arc<dyn Clock>,
    gone: GonePods,
    deleted: DeletedObjects<(PodKey, Uid)>,
    changed: bool,
}

impl PodPublisher {
    pub(super) fn new(
        cluster: &Arc<Cluster>,
        observers: Observers,
        retention: Duration,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        Self {
            cluster: Arc::clone(cluster),
            observers,
            clock: Arc::clone(clock),
            gone: GonePods::new(),
            deleted: DeletedObjects::new(retention),
            changed: false,
        }
    }
}

impl Publisher<WirePod> for PodPublisher {
    fn notify(&mut self, before: Option<&Arc<Pod>>, after: Option<&Arc<Pod>>) {
        for observer in &self.observers {
            observer.pod(before, after);
        }
        if let (Some(pod), None) = (before, after) {
            let (at, key) = (self.clock.wall(), (pod.key.clone(), pod.uid));
            let pod = Arc::clone(pod);
            self.gone.insert(key.clone(), GonePod { pod, at });
            self.deleted.push(at, key);
            self.changed = true;
        }
    }

    fn listing(&mut self) {
        for observer in &self.observers {
            observer.pods_listing();
        }
    }

    fn listed(&mut self) {
        for observer in &self.observers {
            observer.pods_listed();
        }
    }

    fn publish(&mut self, objects: &OrdMap<PodKey, Arc<Pod>>) {
        let now = self.clock.wall();
        while let Some(key) = self.deleted.expire(now) {
            self.gone.remove(&key);
            self.changed = true;
        }
        if std::mem::take(&mut self.changed) {
            self.cluster.gone.store(Arc::new(self.gone.clone()));
        }
        self.cluster.pods.store(Arc::new(objects.clone()));
    }
}

/// Publishes Jobs. Remembers deleted Jobs for a while, because their pods are deleted later.
#[derive(Debug)]
pub(super) struct JobPublisher {
    cluster: Arc<Cluster>,
    clock: Arc<dyn Clock>,
    jobs: Jobs,
    deleted: DeletedObjects<Arc<Job>>,
}

impl JobPublisher {
    pub(super) fn new(cluster: &Arc<Cluster>, retention: Duration, clock: &Arc<dyn Clock>) -> Self {
        Self {
            cluster: Arc::clone(cluster),
            clock: Arc::clone(clock),
            jobs: Jobs::new(),
            deleted: DeletedObjects::new(retention),
        }
    }
}

impl Publisher<WireJob> for JobPublisher {
    fn notify(&mut self, before: Option<&Arc<Job>>, after: Option<&Arc<Job>>) {
        if let Some(job) = after {
            self.jobs.insert(job.key.clone(), Arc::clone(job));
        } else if let Some(job) = before {
            self.deleted.push(self.clock.wall(), Arc::clone(job));
        }
    }

    fn publish(&mut self, _: &OrdMap<PodKey, Arc<Job>>) {
        let now = self.clock.wall();
        while let Some(gone) = self.deleted.expire(now) {
            // Another Job may have the name by now.
            let is_it = |job: &Arc<Job>| Arc::ptr_eq(job, &gone);
            if self.jobs.get(&gone.key).is_some_and(is_it) {
                self.jobs.remove(&gone.key);
            }
        }
        self.cluster.jobs.store(Arc::new(self.jobs.clone()));
    }
}

/// Publishes HorizontalPodAutoscalers.
#[derive(Debug)]
pub(super) struct HpaPublisher {
    pub(super) cluster: Arc<Cluster>,
    pub(super) changed: watch::Sender<()>,
}

impl Publisher<WireHpa> for HpaPublisher {
    fn notify(&mut self, _: Option<&Arc<Hpa>>, _: Option<&Arc<Hpa>>) {}

    fn publish(&mut self, objects: &Hpas) {
        self.cluster.hpas.store(Arc::new(objects.clone()));
        self.changed.send_replace(());
    }
}
