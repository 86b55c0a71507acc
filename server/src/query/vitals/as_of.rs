//! The state of the cluster at a time in the past.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Incident, IncidentKind};

use super::usage::{ContainerUsage, UsageSample};
use crate::clock::Age;
use crate::cluster::{Cluster, Node, Nodes, Pod, PodKey, Pods, Uid};
use crate::health::{Health, PodAt};
use crate::store::history::{Excerpt, NodeHistory, Offset, PodId};
use crate::store::ring::Tick;
use crate::work::Cancel;

/// The largest age of the last sample before the time, in resolutions.
const MAX_SAMPLE_AGE: u32 = 5;

/// A time in the past, and the incidents that were open then.
#[derive(Debug, Default)]
pub(super) struct AsOf {
    pub(super) at: Timestamp,
    /// Names of open incidents by the namespace and name of the pod, or by the empty namespace and the node's name.
    open: HashMap<(String, String), Vec<String>>,
    /// Nodes that were not ready.
    lost: HashSet<String>,
    /// The number of incidents that had begun.
    pub(super) total: u64,
    /// The number of open incidents.
    pub(super) open_count: u64,
    /// The number of open incidents of failing probes.
    pub(super) failing_probes: u64,
}

/// An incident that was open.
#[derive(Debug, Default)]
pub(super) struct OpenIncident {
    /// Its name.
    pub(super) name: String,
    /// `ProbeFailing`, …
    pub(super) kind: String,
    /// Its namespace.
    pub(super) namespace: String,
    /// The kind of the object.
    pub(super) object_kind: String,
    /// The name of the object.
    pub(super) object: String,
}

/// Whether an incident was open at a time.
pub(super) fn is_open(incident: &Incident, at: Timestamp) -> bool {
    incident.began <= at && incident.ended.is_none_or(|ended| at < ended)
}

impl AsOf {
    /// Reads the incidents at a time.
    pub(super) fn of(at: Timestamp, health: &Health) -> Self {
        let mut as_of = Self {
            at,
            ..Self::default()
        };
        for entry in health.incidents().0 {
            let incident = &*entry.incident;
            as_of.total += u64::from(incident.began <= at);
            if !is_open(incident, at) {
                continue;
            }
            as_of.open_count += 1;
            as_of.failing_probes += u64::from(incident.reason == IncidentKind::ProbeFailing);
            let involved = &incident.involved;
            if incident.reason == IncidentKind::NodeNotReady {
                as_of.lost.insert(involved.name.clone());
            }
            let own = (incident.affected_count == 0).then_some(&involved.name);
            let affected = incident.affected.iter().map(|pod| &pod.name);
            for name in affected.chain(own) {
                let object = (involved.namespace.clone(), name.clone());
                let names = as_of.open.entry(object).or_default();
                names.push(incident.metadata.name.clone());
            }
        }
        as_of
    }

    /// The state at a time, with the incidents that the engine has as open then.
    pub(super) fn of_incidents<'a>(
        at: Timestamp,
        incidents: impl Iterator<Item = &'a OpenIncident>,
    ) -> Self {
        let mut as_of = Self {
            at,
            ..Self::default()
        };
        for incident in incidents {
            as_of.total += 1;
            as_of.open_count += 1;
            let is_probe = incident.kind == IncidentKind::ProbeFailing.as_str();
            as_of.failing_probes += u64::from(is_probe);
            let namespace = match &*incident.object_kind {
                "Node" => String::new(),
                _ => incident.namespace.clone(),
            };
            let names = as_of.open.entry((namespace, incident.object.clone()));
            names.or_default().push(incident.name.clone());
        }
        as_of
    }

    /// The pods that existed: current pods that existed already, and pods that were deleted since. Each pod has the
    /// state of that time where it is recorded.
    pub(super) fn pods(&self, cluster: &Cluster, health: &Health, cancel: &Cancel) -> Pods {
        let (now, changed) = (cluster.pods(), health.pods_at(self.at));
        let mut then = Pods::clone(&now);
        for (key, pod) in now.iter().take_while(|_| !cancel.is_set()) {
            if !self.existed(pod) {
                then.remove(key);
            }
        }
        for (key, state) in changed.iter().filter(|(key, _)| now.contains_key(*key)) {
            match state {
                PodAt::Recorded(was) => {
                    then.insert(key.clone(), Arc::clone(was));
                }
                PodAt::Absent => {
                    then.remove(key);
                }
                PodAt::Unchanged => {}
            }
        }
        for ((key, _), gone) in cluster.gone_pods().iter() {
            if gone.at <= self.at || !self.existed(&gone.pod) || then.contains_key(key) {
                continue;
            }
            let was = match changed.get(key) {
                Some(PodAt::Recorded(was)) => was,
                // The state of that time is dropped, so its last state stands for it.
                Some(PodAt::Unchanged | PodAt::Absent) | None => &gone.pod,
            };
            then.insert(key.clone(), Arc::clone(was));
        }
        then
    }

    fn existed(&self, pod: &Pod) -> bool {
        pod.created().is_none_or(|created| created <= self.at)
    }

    /// The current nodes that existed already.
    pub(super) fn nodes(&self, cluster: &Cluster) -> Nodes {
        let existed = |node: &Node| node.created().is_none_or(|created| created <= self.at);
        let nodes = cluster.nodes();
        let then = nodes.iter().filter(|(_, node)| existed(node));
        then.map(|(name, node)| (Arc::clone(name), Arc::clone(node)))
            .collect()
    }

    /// Whether a node was ready. Before its last transition it was ready, unless it had an incident NodeNotReady.
    pub(super) fn is_ready(&self, node: &Node) -> bool {
        match node.ready_since {
            Some(since) if since > self.at => !self.lost.contains(&*node.name),
            _ => node.ready,
        }
    }

    /// Names of the open incidents of a pod, or of a node: its namespace is empty.
    pub(super) fn incidents(&self, namespace: &str, name: &str) -> Vec<String> {
        let object = (namespace.to_owned(), name.to_owned());
        self.open.get(&object).cloned().unwrap_or_default()
    }
}

/// The usage of a node and its pods at a time.
#[derive(Debug, Default)]
pub(super) struct NodeUsageAt {
    pub(super) node: Option<UsageSample>,
    /// The difference between the node's clock and the server's.
    pub(super) offset: Offset,
    /// By namespace and name.
    pods: Vec<PodUsageAt>,
}

#[derive(Debug)]
struct PodUsageAt {
    id: PodId,
    containers: Vec<(Arc<str>, UsageSample)>,
}

impl NodeUsageAt {
    /// Reads the usage at time `at` of the server's clock. `now` and `wall` are the current time; samples have the time
    /// of the node's clock.
    pub(super) fn of(
        history: &NodeHistory,
        at: Timestamp,
        (now, wall): (Age, Timestamp),
        resolution: Duration,
        excerpt: &mut Excerpt,
    ) -> Self {
        let offset = history.offset(now, wall);
        let tick = Tick::nearest(offset.theirs(at));
        let oldest = tick.plus(-Tick::count(resolution * MAX_SAMPLE_AGE));
        history.copy_at(excerpt, |_| true, tick);
        let mut past = Self {
            node: None,
            offset,
            pods: Vec::new(),
        };
        for copy in excerpt.series() {
            let last = copy.sample_at(tick);
            let Some(last) = last.filter(|last| Tick::nearest(last.at) >= oldest) else {
                continue;
            };
            let used = UsageSample::from_history(&last);
            let Some((pod, container)) = copy.pod.zip(copy.container) else {
                past.node = Some(used);
                continue;
            };
            let container = (Arc::clone(container), used);
            match past.pods.last_mut() {
                Some(last) if last.id == *pod => last.containers.push(container),
                _ => past.pods.push(PodUsageAt {
                    id: pod.clone(),
                    containers: vec![container],
                }),
            }
        }
        past
    }

    /// Adds the usage of a pod's containers. Pods must be added in order.
    pub(super) fn add_pod(&mut self, id: PodId, containers: Vec<(Arc<str>, UsageSample)>) {
        if !containers.is_empty() {
            self.pods.push(PodUsageAt { id, containers });
        }
    }

    /// The usage of a pod's containers; `None` if there is no sample.
    pub(super) fn pod(&self, key: &PodKey, uid: Uid) -> Option<ContainerUsage<'_>> {
        let first = self.pods.partition_point(|past| past.id.key < *key);
        let later = self.pods.iter().skip(first);
        let mut of_name = later.take_while(|past| past.id.key == *key);
        let past = of_name.find(|past| past.id.may_be(uid))?;
        let containers = past.containers.iter().map(|(name, used)| (name, *used));
        Some(ContainerUsage(containers.collect()))
    }
}
