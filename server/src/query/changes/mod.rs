//! What changes, and when: for lists that a watch goes on from, and for watches.
//!
//! Nothing is written down of a change of usage: a node's scrape changes all its pods at once, so a version for the
//! scrape is enough, and a pod's place in it makes the pod's own. Only changes of the objects themselves, and what went
//! away, are in a log, which is bounded. So a watcher costs a version, however many objects it watches; one that was
//! slow is told the present and not all that was between; and what it has not seen is found by looking, once a second
//! at most.

mod detector;
mod reader;
mod table;
mod version;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use imbl::{HashMap, OrdMap};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Incident;
use parking_lot::Mutex;
use tokio::sync::watch;

pub(super) use detector::{DetectorState, instance};
pub use reader::{Change, ChangeList, ChangeReader, PodChanges};
use table::Table;
use version::Versions;
pub use version::{ParseVersionError, Version};

use crate::clock::Age;
use crate::cluster::{Node, Nodes, Pod, PodKey, Pods};
use crate::store::{Cells, Latest, PodLatest, Retention};

/// How often is looked for changes.
pub(super) const DETECT_INTERVAL: Duration = Duration::from_secs(1);

/// Incidents by namespace and name.
pub(super) type Incidents = OrdMap<PodKey, Arc<Incident>>;

/// The cluster as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterSingleton;

impl ClusterSingleton {
    /// Its name.
    pub const NAME: &'static str = "cluster";
}

/// A node's scrape, and the version that it gave the first of its pods; each has one of its own.
#[derive(Debug, Clone)]
pub(super) struct Scrape {
    latest: Arc<Latest>,
    /// The node has not answered for so long that what it said is not believed any more.
    stale: bool,
    first: Version,
}

impl Scrape {
    /// The version of its last pod.
    fn last(&self) -> Version {
        self.first.after(self.latest.pods.len().saturating_sub(1))
    }
}

/// All objects and their versions, at one moment.
#[derive(Debug, Clone)]
pub struct VersionedSnapshot {
    /// The last change's version.
    pub version: Version,
    pods: Table<PodKey, Pod>,
    nodes: Table<Arc<str>, Node>,
    incidents: Table<PodKey, Incident>,
    scrapes: HashMap<Arc<str>, Scrape>,
    /// The nodes of the same scrapes by the scrape's first version. It is updated once a second for all watches, so that
    /// no watch has to walk over all nodes.
    by_version: OrdMap<Version, Arc<str>>,
}

/// What is looked at for changes.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) pods: Arc<Pods>,
    pub(super) nodes: Arc<Nodes>,
    pub(super) cells: Arc<Cells>,
    /// Nothing if they are as before.
    pub(super) incidents: Option<Incidents>,
    /// Pods of whose health something else is said.
    pub(super) touched: BTreeSet<PodKey>,
    pub(super) retention: Retention,
    pub(super) now: Age,
    pub(super) wall: Timestamp,
}

fn key_of(pod: &PodLatest) -> PodKey {
    PodKey {
        namespace: Arc::clone(&pod.namespace),
        name: Arc::clone(&pod.name),
    }
}

/// The moments, one after the other.
#[derive(Debug)]
pub struct Changes {
    latest: ArcSwap<VersionedSnapshot>,
    versions: Mutex<Versions>,
    told: watch::Sender<Version>,
    /// The time of the last check for changes, as a version: the bound for versions of other processes.
    checked: AtomicU64,
}

/// Where a watch continues for a client that has seen a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// Behind this version of this process.
    After(Version),
    /// Nowhere: the client has missed changes that are no longer in the log.
    Expired,
    /// Nowhere: the version is later than all that this process knows, so it cannot send what happened until then. The
    /// version is from a replica whose clock is ahead, or invented.
    Future,
}

impl Changes {
    /// Of a process that calls itself `instance`, different from others most of the time.
    pub(super) fn new(instance: u64) -> Self {
        let versions = Versions::new(instance);
        let begins = versions.last();
        Self {
            latest: ArcSwap::from_pointee(VersionedSnapshot {
                version: begins,
                pods: Table::beginning(Pods::new(), begins),
                nodes: Table::beginning(Nodes::new(), begins),
                incidents: Table::beginning(Incidents::new(), begins),
                scrapes: HashMap::new(),
                by_version: OrdMap::new(),
            }),
            versions: Mutex::new(versions),
            told: watch::Sender::new(begins),
            checked: AtomicU64::new(begins.number()),
        }
    }

    /// The last moment at which something changed.
    pub fn moment(&self) -> Arc<VersionedSnapshot> {
        self.latest.load_full()
    }

    /// Tells of each new one.
    pub fn told(&self) -> watch::Receiver<Version> {
        self.told.subscribe()
    }

    /// Where a watch continues at `moment` for a client that has seen `version`, of this process or another.
    ///
    /// Two processes see the same change up to half a minute apart (`Version::seen_from`). A version of another process
    /// that is further ahead, and a version that this process has not given yet, must not count as the current one: the
    /// client would miss all changes until then, deletions too.
    pub fn resume(&self, moment: &VersionedSnapshot, version: Version) -> Resume {
        let from = version.seen_from(moment.version);
        let latest = if from == version {
            moment.version
        } else {
            Version::of_number(self.checked.load(Ordering::Acquire)).max(moment.version)
        };
        if from > latest {
            Resume::Future
        } else if from < moment.begins() {
            Resume::Expired
        } else {
            Resume::After(from.min(moment.version))
        }
    }

    /// Begins anew with what is seen: there is no way to go on from what was before.
    pub(super) fn begin(&self, seen: &Observed) {
        let mut versions = self.versions.lock();
        versions.advance(seen.wall);
        let mut moment = VersionedSnapshot {
            version: versions.last(),
            pods: Table::beginning(Pods::clone(&seen.pods), versions.last()),
            nodes: Table::beginning(Nodes::clone(&seen.nodes), versions.last()),
            incidents: Table::beginning(
                seen.incidents.clone().unwrap_or_default(),
                versions.last(),
            ),
            scrapes: HashMap::new(),
            by_version: OrdMap::new(),
        };
        moment.scrape(seen, &mut versions);
        // What was there at the beginning has not changed since.
        let begins = versions.next();
        moment.version = begins;
        moment.pods.begin_at(begins);
        moment.nodes.begin_at(begins);
        moment.incidents.begin_at(begins);
        self.publish(moment);
        self.checked.store(begins.number(), Ordering::Release);
    }

    /// Looks for changes, and tells of them.
    pub(super) fn apply(&self, seen: &Observed) {
        let mut versions = self.versions.lock();
        versions.advance(seen.wall);
        let before = self.moment();
        let started = versions.last();
        let mut moment = VersionedSnapshot::clone(&before);
        let mut nodes: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut of_node = |pod: Option<&Arc<Pod>>| {
            if let Some(node) = pod.and_then(|pod| pod.node.as_ref()) {
                nodes.insert(Arc::clone(node));
            }
        };
        moment
            .pods
            .update(&seen.pods, &mut versions, |before, after| {
                of_node(before);
                of_node(after);
            });
        for key in &seen.touched {
            moment.pods.touch(key, versions.next());
            of_node(moment.pods.now.get(key));
        }
        moment.nodes.update(&seen.nodes, &mut versions, |_, _| {});
        nodes.extend(moment.scrape(seen, &mut versions));
        for node in nodes {
            if moment.nodes.now.contains_key(&node) {
                moment.nodes.changed.insert(node, versions.next());
            }
        }
        if let Some(incidents) = &seen.incidents {
            moment.incidents.update(incidents, &mut versions, |_, _| {});
        }
        if versions.last() != started {
            moment.version = versions.last();
            self.publish(moment);
        }
        self.checked
            .store(versions.last().number(), Ordering::Release);
    }

    fn publish(&self, moment: VersionedSnapshot) {
        let version = moment.version;
        self.latest.store(Arc::new(moment));
        self.told.send_replace(version);
    }
}

impl VersionedSnapshot {
    /// Takes over the nodes' scrapes; the nodes that were scraped since, or have become stale.
    fn scrape(&mut self, seen: &Observed, versions: &mut Versions) -> Vec<Arc<str>> {
        let mut nodes = Vec::new();
        for (node, cell) in &*seen.cells {
            let Some(latest) = cell.latest() else {
                continue;
            };
            let stale = seen.now.since(latest.scraped) > seen.retention.unseen;
            let known = self.scrapes.get(node);
            if known
                .is_some_and(|known| known.stale == stale && Arc::ptr_eq(&known.latest, &latest))
            {
                continue;
            }
            let left: Vec<PodKey> = known.map_or_else(Vec::new, |known| {
                let reported = known.latest.pods.iter();
                reported
                    .filter(|pod| latest.find(&pod.namespace, &pod.name).is_none())
                    .map(key_of)
                    .collect()
            });
            let first = versions.reserve(latest.pods.len().max(1));
            for pod in &latest.pods {
                let key = key_of(pod);
                // The scrape is later than whatever changed it, if it is on this node.
                let is_here = |pod: &Arc<Pod>| pod.node.as_ref() == Some(node);
                if self.pods.changed.contains_key(&key)
                    && self.pods.now.get(&key).is_some_and(is_here)
                {
                    self.pods.changed.remove(&key);
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
            // The kubelet reports them no longer: their usage is gone, but not by this scrape's version.
            for key in left {
                self.pods.touch(&key, versions.next());
            }
            nodes.push(Arc::clone(node));
        }
        let gone: Vec<Arc<str>> = self
            .scrapes
            .keys()
            .filter(|node| !seen.cells.contains_key(*node))
            .cloned()
            .collect();
        for node in gone {
            let Some(scrape) = self.scrapes.remove(&node) else {
                continue;
            };
            self.by_version.remove(&scrape.first);
            // What its pods have from its last scrape they have no longer.
            for pod in &scrape.latest.pods {
                self.pods.touch(&key_of(pod), versions.next());
            }
        }
        nodes
    }

    /// The first scrape with a version after `from`, by its own first version.
    fn scraped_after(&self, from: Version) -> Option<(Version, &Arc<str>)> {
        // A scrape that began before `from` may have given versions after it.
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

    /// The version that its node's scrape has given a pod.
    fn scraped_version(&self, pod: &Pod) -> Option<Version> {
        let scrape = self.scrapes.get(pod.node.as_ref()?)?;
        let (at, _) = scrape.latest.find(&pod.key.namespace, &pod.key.name)?;
        Some(scrape.first.after(at))
    }

    /// All pods.
    pub fn pods(&self) -> &Pods {
        &self.pods.now
    }

    /// All nodes.
    pub fn nodes(&self) -> &Nodes {
        &self.nodes.now
    }

    /// All incidents.
    pub fn incidents(&self) -> &OrdMap<PodKey, Arc<Incident>> {
        &self.incidents.now
    }

    /// When something of a pod changed last.
    pub fn pod_version(&self, pod: &Pod) -> Version {
        let own = self.pods.version(&pod.key);
        self.scraped_version(pod)
            .map_or(own, |scraped| scraped.max(own))
    }

    /// When something of a node changed last.
    pub fn node_version(&self, node: &Node) -> Version {
        self.nodes.version(&node.name)
    }

    /// When an incident changed last.
    pub fn incident_version(&self, key: &PodKey) -> Version {
        self.incidents.version(key)
    }

    /// Who has seen this version, or a later one, has missed nothing that is not in the logs.
    fn begins(&self) -> Version {
        let (pods, nodes) = (self.pods.begins, self.nodes.begins);
        pods.max(nodes).max(self.incidents.begins)
    }

    /// The pods that have changed since `from`, which must be one to [resume](Changes::resume) from.
    pub fn pod_changes(
        self: &Arc<Self>,
        from: Version,
        namespace: Option<&Arc<str>>,
    ) -> PodChanges {
        PodChanges::new(self, from, namespace)
    }

    /// The nodes likewise.
    pub fn node_changes(&self, from: Version) -> ChangeList<Node> {
        ChangeList::new(self.nodes.changes(from))
    }

    /// The incidents likewise.
    pub fn incident_changes(&self, from: Version) -> ChangeList<Incident> {
        ChangeList::new(self.incidents.changes(from))
    }

    /// The cluster as a whole: whatever changes, it has.
    pub fn whole_changes(&self, from: Version) -> ChangeList<ClusterSingleton> {
        let change = (self.version > from).then(|| Change {
            version: self.version,
            before: Some(Arc::new(ClusterSingleton)),
            after: Some(Arc::new(ClusterSingleton)),
        });
        ChangeList::new(change.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
