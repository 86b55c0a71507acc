//! All objects and their versions at one moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use imbl::{HashMap, OrdMap};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Incident;

use super::table::Table;
use super::version::{Version, Versions};
use crate::clock::Age;
use crate::cluster::{Node, Nodes, Pod, PodKey, Pods};
use crate::query::restarted_pods::RestartedPods;
use crate::store::{Cells, Latest, PodLatest, Retention};

/// Incidents by namespace and name.
pub(super) type Incidents = OrdMap<PodKey, Arc<Incident>>;

/// The only object of kind ClusterVitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterSingleton;

impl ClusterSingleton {
    /// The object's name.
    pub const NAME: &'static str = "cluster";
}

/// A node's latest scrape. Each pod in it has a version of its own, from `first` on.
#[derive(Debug, Clone)]
pub(super) struct Scrape {
    pub(super) latest: Arc<Latest>,
    /// The scrape is too old, so its readings are stale.
    stale: bool,
    /// The version of the first pod.
    pub(super) first: Version,
}

impl Scrape {
    /// The version of the last pod.
    pub(super) fn last(&self) -> Version {
        self.first.after(self.latest.pods.len().saturating_sub(1))
    }
}

/// All objects and their versions at one moment.
#[derive(Debug, Clone)]
pub struct VersionedSnapshot {
    /// The version of the last change.
    pub version: Version,
    pub(super) pods: Table<PodKey, Arc<Pod>>,
    /// Pods with restarts.
    pub(super) restarted: RestartedPods,
    pub(super) nodes: Table<Arc<str>, Arc<Node>>,
    pub(super) incidents: Table<PodKey, Arc<Incident>>,
    pub(super) scrapes: HashMap<Arc<str>, Scrape>,
    /// The nodes of the scrapes, by the scrape's first version. It is updated once a second for all watches, so that no
    /// watch reads all nodes.
    pub(super) by_version: OrdMap<Version, Arc<str>>,
}

/// The state that one run of the detector compares with the last snapshot.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) pods: Arc<Pods>,
    pub(super) nodes: Arc<Nodes>,
    pub(super) cells: Arc<Cells>,
    /// `None` if they have not changed.
    pub(super) incidents: Option<Incidents>,
    /// Pods whose health has changed.
    pub(super) touched: BTreeSet<PodKey>,
    pub(super) retention: Retention,
    pub(super) now: Age,
    pub(super) wall: Timestamp,
}

/// The pods that the kubelet reported in `before` but no longer reports. Nearly always both scrapes have the same pods,
/// with the same interned keys.
fn left(before: &Latest, latest: &Latest) -> Vec<PodKey> {
    let same = before.pods.iter().zip(&latest.pods);
    let same = same.take_while(|(before, now)| before.key.is_same(&now.key));
    let others = before.pods.iter().skip(same.count());
    let left = others.filter(|pod| latest.find(&pod.key).is_none());
    left.map(|pod| pod.key.clone()).collect()
}

impl VersionedSnapshot {
    /// These objects, none of which has changed since `version`.
    pub(super) fn new(
        version: Version,
        pods: &Pods,
        restarted: RestartedPods,
        nodes: &Nodes,
        incidents: Incidents,
    ) -> Self {
        Self {
            version,
            pods: Table::new(pods.clone(), version),
            restarted,
            nodes: Table::new(nodes.clone(), version),
            incidents: Table::new(incidents, version),
            scrapes: HashMap::new(),
            by_version: OrdMap::new(),
        }
    }

    /// Applies the nodes' scrapes. Returns the nodes with a new scrape, or whose scrape has become stale.
    pub(super) fn apply_scrapes(
        &mut self,
        observed: &Observed,
        versions: &mut Versions,
    ) -> Vec<Arc<str>> {
        let mut nodes = Vec::new();
        for (node, cell) in &*observed.cells {
            let Some(latest) = cell.latest() else {
                continue;
            };
            let stale = observed.now.since(latest.scraped) > observed.retention.unseen;
            let before = self.scrapes.get(node);
            if before
                .is_some_and(|before| before.stale == stale && Arc::ptr_eq(&before.latest, &latest))
            {
                continue;
            }
            let left = before.map_or_else(Vec::new, |before| left(&before.latest, &latest));
            let first = versions.reserve(latest.pods.len().max(1));
            let pods: &[PodLatest] = match self.pods.changed.is_empty() {
                true => &[],
                false => &latest.pods,
            };
            for PodLatest { key, .. } in pods {
                // The scrape is later than the last change of a pod on this node.
                let is_here = |pod: &Arc<Pod>| pod.node.as_ref() == Some(node);
                if self.pods.changed.contains_key(key)
                    && self.pods.now.get(key).is_some_and(is_here)
                {
                    self.pods.changed.remove(key);
                }
            }
            let scrape = Scrape {
                latest,
                stale,
                first,
            };
            self.by_version.insert(first, Arc::clone(node));
            if let Some(before) = self.scrapes.insert(Arc::clone(node), scrape) {
                self.by_version.remove(&before.first);
            }
            // The kubelet no longer reports these pods. The removal of their usage needs a version of its own.
            for key in left {
                self.pods.touch(&key, versions.next());
            }
            nodes.push(Arc::clone(node));
        }
        let gone: Vec<Arc<str>> = self
            .scrapes
            .keys()
            .filter(|node| !observed.cells.contains_key(*node))
            .cloned()
            .collect();
        for node in gone {
            let Some(scrape) = self.scrapes.remove(&node) else {
                continue;
            };
            self.by_version.remove(&scrape.first);
            // The pods of the last scrape have lost their usage.
            for pod in &scrape.latest.pods {
                self.pods.touch(&pod.key, versions.next());
            }
        }
        nodes
    }

    /// The first scrape with a version after `from`, with its first version.
    pub(super) fn scraped_after(&self, from: Version) -> Option<(Version, &Arc<str>)> {
        // A scrape that began before `from` may have versions after it.
        let (first, node) = self
            .by_version
            .get_prev(&from)
            .filter(|(_, node)| {
                let scrape = self.scrapes.get(*node);
                scrape.is_some_and(|scrape| scrape.last() > from)
            })
            .or_else(|| self.by_version.get_next(&from.after(1)))?;
        Some((*first, node))
    }

    /// The version of a pod in its node's scrape.
    fn scraped_version(&self, pod: &Pod) -> Option<Version> {
        let scrape = self.scrapes.get(pod.node.as_ref()?)?;
        let (at, _) = scrape.latest.find(&pod.key)?;
        Some(scrape.first.after(at))
    }

    /// All pods.
    pub fn pods(&self) -> &Pods {
        &self.pods.now
    }

    /// Pods with restarts.
    pub fn restarted(&self) -> &RestartedPods {
        &self.restarted
    }

    /// All nodes.
    pub fn nodes(&self) -> &Nodes {
        &self.nodes.now
    }

    /// All incidents.
    pub fn incidents(&self) -> &OrdMap<PodKey, Arc<Incident>> {
        &self.incidents.now
    }

    /// The version of the last change of a pod or of its vitals.
    pub fn pod_version(&self, pod: &Pod) -> Version {
        let own = self.pods.version(&pod.key);
        self.scraped_version(pod)
            .map_or(own, |scraped| scraped.max(own))
    }

    /// The version of the last change of a node or of its vitals.
    pub fn node_version(&self, node: &Node) -> Version {
        self.nodes.version(&node.name)
    }

    /// The version of the last change of an incident.
    pub fn incident_version(&self, key: &PodKey) -> Version {
        self.incidents.version(key)
    }

    /// The oldest version from which a watch can resume: the logs contain all later changes.
    pub(super) fn oldest(&self) -> Version {
        let (pods, nodes) = (self.pods.oldest, self.nodes.oldest);
        pods.max(nodes).max(self.incidents.oldest)
    }
}
