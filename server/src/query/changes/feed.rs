//! The sequence of snapshots, for lists and watches.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::snapshot::{Incidents, Observed, VersionedSnapshot};
use super::version::{Version, Versions};
use crate::cluster::{Nodes, Pod, Pods};
use crate::query::restarted_pods::RestartedPods;

/// The latest snapshot, and the versions for the next ones.
#[derive(Debug)]
pub struct Changes {
    latest: ArcSwap<VersionedSnapshot>,
    versions: Mutex<Versions>,
    subscribers: watch::Sender<Version>,
    /// The time of the last run of the detector, as a version: the upper bound for versions of other processes.
    checked: AtomicU64,
}

/// Where a watch continues for a client that has seen a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// Behind this version of this process.
    After(Version),
    /// Nowhere: the client has missed changes that are no longer in the log.
    Expired,
    /// Nowhere: the version is later than all versions of this process, so it cannot send the changes until then. The
    /// version is from a replica whose clock is ahead, or invented.
    Future,
}

impl Changes {
    /// No changes yet, of the process `instance`. Two processes should have different numbers.
    pub(super) fn new(instance: u64) -> Self {
        let versions = Versions::new(instance);
        let start = versions.last();
        Self {
            latest: ArcSwap::from_pointee(VersionedSnapshot::new(
                start,
                &Pods::new(),
                RestartedPods::default(),
                &Nodes::new(),
                Incidents::new(),
            )),
            versions: Mutex::new(versions),
            subscribers: watch::Sender::new(start),
            checked: AtomicU64::new(start.number()),
        }
    }

    /// The latest snapshot.
    pub fn snapshot(&self) -> Arc<VersionedSnapshot> {
        self.latest.load_full()
    }

    /// Subscribes to the versions of new snapshots.
    pub fn subscribe(&self) -> watch::Receiver<Version> {
        self.subscribers.subscribe()
    }

    /// Where a watch continues at `snapshot` for a client that has seen `version`, of this process or another.
    ///
    /// Two processes see the same change up to half a minute apart (`Version::seen_from`). A version of another process
    /// that is further ahead, and a version that this process has not created yet, must not count as the current one: the
    /// client would miss all changes until then, deletions too.
    pub fn resume(&self, snapshot: &VersionedSnapshot, version: Version) -> Resume {
        let from = version.seen_from(snapshot.version);
        let latest = if from == version {
            snapshot.version
        } else {
            Version::of_number(self.checked.load(Ordering::Acquire)).max(snapshot.version)
        };
        if from > latest {
            Resume::Future
        } else if from < snapshot.oldest() {
            Resume::Expired
        } else {
            Resume::After(from.min(snapshot.version))
        }
    }

    /// Starts again with these objects. No watch can resume from an earlier version.
    pub(super) fn reset(&self, observed: &Observed) {
        let mut versions = self.versions.lock();
        versions.advance(observed.wall);
        let incidents = observed.incidents.clone().unwrap_or_default();
        let before = self.snapshot();
        let mut restarted = before.restarted.clone();
        restarted.update(&before.pods.now, &observed.pods);
        let mut snapshot = VersionedSnapshot::new(
            versions.last(),
            &observed.pods,
            restarted,
            &observed.nodes,
            incidents,
        );
        snapshot.apply_scrapes(observed, &mut versions);
        // The first objects and scrapes do not count as changes.
        let start = versions.next();
        snapshot.version = start;
        snapshot.pods.reset(start);
        snapshot.nodes.reset(start);
        snapshot.incidents.reset(start);
        self.publish(snapshot);
        self.checked.store(start.number(), Ordering::Release);
    }

    /// Compares with the last snapshot, and publishes a new one if anything has changed.
    pub(super) fn apply(&self, observed: &Observed) {
        let mut versions = self.versions.lock();
        versions.advance(observed.wall);
        let before = self.snapshot();
        let started = versions.last();
        let mut snapshot = VersionedSnapshot::clone(&before);
        let mut nodes: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut add_node = |pod: Option<&Arc<Pod>>| {
            if let Some(node) = pod.and_then(|pod| pod.node.as_ref()) {
                nodes.insert(Arc::clone(node));
            }
        };
        let restarted = &mut snapshot.restarted;
        snapshot
            .pods
            .update(&observed.pods, &mut versions, |before, after| {
                restarted.replace(before, after);
                add_node(before);
                add_node(after);
            });
        for key in &observed.touched {
            snapshot.pods.touch(key, versions.next());
            add_node(snapshot.pods.now.get(key));
        }
        snapshot
            .nodes
            .update(&observed.nodes, &mut versions, |_, _| {});
        nodes.extend(snapshot.apply_scrapes(observed, &mut versions));
        for node in nodes {
            if snapshot.nodes.now.contains_key(&node) {
                snapshot.nodes.changed.insert(node, versions.next());
            }
        }
        if let Some(incidents) = &observed.incidents {
            snapshot
                .incidents
                .update(incidents, &mut versions, |_, _| {});
        }
        if versions.last() != started {
            snapshot.version = versions.last();
            self.publish(snapshot);
        }
        self.checked
            .store(versions.last().number(), Ordering::Release);
    }

    fn publish(&self, snapshot: VersionedSnapshot) {
        let version = snapshot.version;
        self.latest.store(Arc::new(snapshot));
        self.subscribers.send_replace(version);
    }
}
