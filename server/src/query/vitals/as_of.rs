//! As of a time that is past.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Incident, IncidentKind};

use super::usage::{ContainerUsage, UsageSample};
use crate::clock::Age;
use crate::cluster::{Cluster, Node, Nodes, Pod, PodKey, Pods, Uid};
use crate::health::{Health, Then};
use crate::store::history::{Excerpt, NodeHistory, Offset, PodId};
use crate::store::ring::Tick;
use crate::work::Cancel;

/// The last point before the time must be no older than so many resolutions, as points are believed.
const BELIEVED: u32 = 5;

/// A time that is past, and what had gone wrong then and was not over.
#[derive(Debug)]
pub(super) struct AsOf {
    pub(super) at: Timestamp,
    /// Names of incidents, by the namespace and name of the pod, or the empty namespace and the name of the node.
    open: HashMap<(String, String), Vec<String>>,
    /// Nodes that were not ready.
    lost: HashSet<String>,
    /// Incidents that had begun.
    pub(super) begun: u64,
    /// Incidents that were not over.
    pub(super) going_on: u64,
    /// Of these, probes that failed.
    pub(super) probes: u64,
}

/// Whether an incident went on then.
pub(super) fn goes_on(incident: &Incident, at: Timestamp) -> bool {
    incident.began <= at && incident.ended.is_none_or(|ended| at < ended)
}

impl AsOf {
    pub(super) fn of(at: Timestamp, health: &Health) -> Self {
        let mut as_of = Self {
            at,
            open: HashMap::new(),
            lost: HashSet::new(),
            begun: 0,
            going_on: 0,
            probes: 0,
        };
        for told in health.incidents().0 {
            let incident = &*told.incident;
            as_of.begun += u64::from(incident.began <= at);
            if !goes_on(incident, at) {
                continue;
            }
            as_of.going_on += 1;
            as_of.probes += u64::from(incident.reason == IncidentKind::ProbeFailing);
            let involved = &incident.involved;
            if incident.reason == IncidentKind::NodeNotReady {
                as_of.lost.insert(involved.name.clone());
            }
            let own = (incident.affected_count == 0).then_some(&involved.name);
            let affected = incident.affected.iter().map(|pod| &pod.name);
            for name in affected.chain(own) {
                let whom = (involved.namespace.clone(), name.clone());
                let names = as_of.open.entry(whom).or_default();
                names.push(incident.metadata.name.clone());
            }
        }
        as_of
    }

    /// The pods that there were: those that are still there and were there already, and those that are gone since; each
    /// as it was, as far as that is remembered.
    pub(super) fn pods(&self, cluster: &Cluster, health: &Health, cancel: &Cancel) -> Pods {
        let (now, mut changed) = (cluster.pods(), health.pods_at(self.at));
        let mut then = Pods::clone(&now);
        for (key, pod) in now.iter() {
            if cancel.is_set() {
                break;
            }
            match changed.remove(key).unwrap_or(Then::AsNow) {
                Then::Was(was) => {
                    then.insert(key.clone(), was);
                }
                Then::AsNow if self.was_there(pod) => {}
                Then::AsNow | Then::Absent => {
                    then.remove(key);
                }
            }
        }
        for ((key, _), gone) in cluster.gone_pods().iter() {
            if gone.at <= self.at || !self.was_there(&gone.pod) || then.contains_key(key) {
                continue;
            }
            let was = match changed.remove(key) {
                Some(Then::Was(was)) => was,
                // What it was like then is forgotten, but not that it was.
                Some(Then::AsNow | Then::Absent) | None => Arc::clone(&gone.pod),
            };
            then.insert(key.clone(), was);
        }
        then
    }

    fn was_there(&self, pod: &Pod) -> bool {
        pod.created().is_none_or(|created| created <= self.at)
    }

    /// The nodes that there were, of those that still are.
    pub(super) fn nodes(&self, cluster: &Cluster) -> Nodes {
        let mut then = Nodes::clone(&cluster.nodes());
        let made_since = |node: &Node| node.created().is_some_and(|created| created > self.at);
        let news: Vec<_> = then
            .values()
            .filter(|node| made_since(node))
            .map(|node| Arc::clone(&node.name))
            .collect();
        for name in news {
            then.remove(&name);
        }
        then
    }

    /// Whether a node was ready: it is what it is since when it says, and before it was ready unless an incident tells
    /// otherwise.
    pub(super) fn is_ready(&self, node: &Node) -> bool {
        match node.ready_since {
            Some(since) if since > self.at => !self.lost.contains(&*node.name),
            _ => node.ready,
        }
    }

    /// Names of the incidents of a pod that were not over.
    pub(super) fn incidents_of_pod(&self, key: &PodKey) -> Vec<String> {
        self.incidents(&key.namespace, &key.name)
    }

    /// Names of a node's own.
    pub(super) fn incidents_of_node(&self, node: &str) -> Vec<String> {
        self.incidents("", node)
    }

    fn incidents(&self, namespace: &str, name: &str) -> Vec<String> {
        let whom = (namespace.to_owned(), name.to_owned());
        self.open.get(&whom).cloned().unwrap_or_default()
    }
}

/// What a node and its pods used at a time.
#[derive(Debug)]
pub(super) struct NodeUsageAt {
    pub(super) node: Option<UsageSample>,
    /// How far its clock is from ours.
    pub(super) offset: Offset,
    /// By namespace and name.
    pods: Vec<PodUsageAt>,
}

#[derive(Debug)]
struct PodUsageAt {
    id: PodId,
    containers: Vec<(Arc<str>, UsageSample)>,
}

impl PodUsageAt {
    fn name(&self) -> (&str, &str) {
        (&self.id.namespace, &self.id.name)
    }
}

impl NodeUsageAt {
    /// What is remembered of it at a time of ours, as of `now`, which is `wall`. Points have the time of the node's clock.
    pub(super) fn of(
        history: &NodeHistory,
        at: Timestamp,
        (now, wall): (Age, Timestamp),
        resolution: Duration,
        excerpt: &mut Excerpt,
    ) -> Self {
        let offset = history.offset(now, wall);
        let tick = Tick::nearest(offset.theirs(at));
        let oldest = tick.plus(-Tick::count(resolution * BELIEVED));
        history.copy_at(excerpt, |_| true, tick);
        let mut past = Self {
            node: None,
            offset,
            pods: Vec::new(),
        };
        for copy in excerpt.series() {
            let before = copy
                .samples()
                .take_while(|sample| Tick::nearest(sample.at) <= tick);
            let last = before.last();
            let Some(last) = last.filter(|last| Tick::nearest(last.at) >= oldest) else {
                continue;
            };
            let used = UsageSample::remembered(&last);
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

    /// What the containers of a pod used; nothing of one that is not remembered.
    pub(super) fn pod(&self, key: &PodKey, uid: Uid) -> Option<ContainerUsage<'_>> {
        let name = (&*key.namespace, &*key.name);
        let first = self.pods.partition_point(|past| past.name() < name);
        let mut of_name = self.pods.iter().skip(first);
        let past = of_name
            .by_ref()
            .take_while(|past| past.name() == name)
            .find(|past| past.id.may_be(uid))?;
        Some(ContainerUsage(
            past.containers
                .iter()
                .map(|(name, used)| (name, *used))
                .collect(),
        ))
    }
}
