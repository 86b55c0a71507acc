//! A watch ends with the objects of a list, wherever it starts and whenever it is interrupted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;

use super::snapshot::Observed;
use super::version::{Version, Versions};
use super::*;
use crate::clock::Age;
use crate::cluster::{Node, Nodes, Phase, Pod, PodKey, PodTemplate, Pods, Ready, Uid};
use crate::store::{Absent, Cells, Latest, NodeCell, PodLatest, Retention};

const RESOLUTION: Duration = Duration::from_secs(15);

fn key(name: usize) -> PodKey {
    let namespace = ["even", "odd"][name % 2];
    PodKey::new(namespace, format!("pod-{name:02}"))
}

fn node_name(node: usize) -> Arc<str> {
    Arc::from(format!("node-{node}"))
}

/// A cluster that a test changes.
struct World {
    changes: Changes,
    pods: Pods,
    nodes: Nodes,
    cells: Cells,
    touched: BTreeSet<PodKey>,
    now: u64,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            changes: Changes::new(7),
            pods: Pods::new(),
            nodes: Nodes::new(),
            cells: Cells::new(),
            touched: BTreeSet::new(),
            now: 1_000,
        };
        for node in 0..3 {
            world.node(node, true);
        }
        for pod in 0..4 {
            world.pod(pod, 0, true);
        }
        let observed = world.observed();
        world.changes.reset(&observed);
        world
    }

    fn observed(&mut self) -> Observed {
        Observed {
            pods: Arc::new(self.pods.clone()),
            nodes: Arc::new(self.nodes.clone()),
            cells: Arc::new(self.cells.clone()),
            incidents: None,
            touched: std::mem::take(&mut self.touched),
            retention: Retention::of(RESOLUTION),
            now: Age::from_elapsed(Duration::from_millis(self.now)),
            wall: Timestamp::from_millis(i64::try_from(self.now).unwrap()),
        }
    }

    fn detect(&mut self) -> Arc<VersionedSnapshot> {
        let observed = self.observed();
        self.changes.apply(&observed);
        self.changes.snapshot()
    }

    fn pod(&mut self, name: usize, node: usize, labelled: bool) {
        let key = key(name);
        let pod = Pod {
            key: key.clone(),
            uid: Uid::default(),
            labels: if labelled {
                Labels::from_iter([("app", "web")])
            } else {
                Labels::default()
            },
            node: (node < 3).then(|| node_name(node)),
            phase: Phase::Running,
            initialized: true,
            gated: false,
            ready: Ready::default(),
            started_seconds: 1,
            created_seconds: 1,
            deleted_seconds: 0,
            owner: None,
            details: None,
            template: Arc::new(PodTemplate::default()),
            containers: Box::default(),
        };
        self.pods.insert(key, Arc::new(pod));
    }

    fn node(&mut self, node: usize, ready: bool) {
        let name = node_name(node);
        let node = Node {
            name: Arc::clone(&name),
            ready,
            ..Node::default()
        };
        self.nodes.insert(Arc::clone(&name), Arc::new(node));
        self.cells
            .entry(name)
            .or_insert_with(|| Arc::new(NodeCell::new(RESOLUTION)));
    }

    /// Publishes a scrape of a node that contains all its pods but one.
    fn scrape(&mut self, node: usize, but: usize) {
        let name = node_name(node);
        let here = self
            .pods
            .values()
            .filter(|pod| pod.node.as_ref() == Some(&name));
        let reported = here.filter(|pod| pod.key != key(but)).map(|pod| PodLatest {
            key: pod.key.clone(),
            rates: Err(Absent::NotReported),
            swap: Bytes::default(),
        });
        let latest = Latest {
            scraped: Age::from_elapsed(Duration::from_millis(self.now)),
            node: Err(Absent::NotReported),
            pods: reported.collect(),
            containers: Box::default(),
            incomplete: Box::default(),
            provisional: None,
        };
        if let Some(cell) = self.cells.get(&name) {
            cell.publish(latest);
        }
    }

    fn change(&mut self, change: &WorldChange) {
        self.now += 1_000;
        match *change {
            WorldChange::Pod {
                name,
                node,
                labelled,
            } => self.pod(name, node, labelled),
            WorldChange::Gone(name) => {
                self.pods.remove(&key(name));
            }
            WorldChange::Touched(name) => {
                self.touched.insert(key(name));
            }
            WorldChange::Node(node, ready) => self.node(node, ready),
            WorldChange::NodeGone(node) => {
                self.nodes.remove(&node_name(node));
                self.cells.remove(&node_name(node));
            }
            WorldChange::Scraped { node, but } => self.scrape(node, but),
            WorldChange::Later => self.now += 60_000,
        }
    }
}

#[derive(Debug, Clone)]
enum WorldChange {
    Pod {
        name: usize,
        node: usize,
        labelled: bool,
    },
    Gone(usize),
    Touched(usize),
    Node(usize, bool),
    NodeGone(usize),
    Scraped {
        node: usize,
        but: usize,
    },
    Later,
}

fn world_change() -> impl Strategy<Value = WorldChange> {
    prop_oneof![
        4 => (0..8_usize, 0..4_usize, any::<bool>()).prop_map(|(name, node, labelled)| WorldChange::Pod { name, node, labelled }),
        2 => (0..8_usize).prop_map(WorldChange::Gone),
        1 => (0..8_usize).prop_map(WorldChange::Touched),
        1 => (0..3_usize, any::<bool>()).prop_map(|(node, ready)| WorldChange::Node(node, ready)),
        1 => (0..3_usize).prop_map(WorldChange::NodeGone),
        4 => (0..3_usize, 0..16_usize).prop_map(|(node, but)| WorldChange::Scraped { node, but }),
        1 => Just(WorldChange::Later),
    ]
}

/// A client that watches the pods with a label, and caches their versions.
struct Watcher {
    seen: Version,
    namespace: Option<Arc<str>>,
    cache: BTreeMap<PodKey, Version>,
}

fn is_selected(pod: &Pod) -> bool {
    pod.labels.get("app").is_some()
}

/// The pods of a list.
fn listed(snapshot: &VersionedSnapshot, namespace: Option<&Arc<str>>) -> BTreeMap<PodKey, Version> {
    let pods = snapshot.pods().iter();
    pods.filter(|(key, pod)| {
        is_selected(pod) && namespace.is_none_or(|namespace| *namespace == key.namespace)
    })
    .map(|(key, pod)| (key.clone(), snapshot.pod_version(pod)))
    .collect()
}

impl Watcher {
    fn of(snapshot: &VersionedSnapshot, namespace: Option<Arc<str>>) -> Self {
        Self {
            seen: snapshot.version,
            cache: listed(snapshot, namespace.as_ref()),
            namespace,
        }
    }

    /// Applies at most so many changes. A watch that is interrupted continues from the version of the last change.
    fn read(&mut self, changes: &Changes, snapshot: &Arc<VersionedSnapshot>, most: usize) {
        let from = self.seen;
        assert_eq!(changes.resume(snapshot, from), Resume::After(from));
        let mut changes = snapshot.pod_changes(from, self.namespace.as_ref());
        for _ in 0..most {
            let (change, more) = loop {
                match changes.advance(1) {
                    (None, true) => {}
                    next => break next,
                }
            };
            if let Some(change) = change {
                assert!(change.version > self.seen, "versions grow");
                assert!(change.version <= snapshot.version);
                self.seen = change.version;
                self.apply(&change);
            }
            if !more {
                self.seen = snapshot.version;
                return;
            }
        }
    }

    fn apply(&mut self, change: &Change<Pod>) {
        let state = |pod: &Option<Arc<Pod>>| pod.as_ref().filter(|pod| is_selected(pod)).cloned();
        let (before, after) = (state(&change.before), state(&change.after));
        let named = before.as_ref().or(after.as_ref());
        let Some(key) = named.map(|pod| pod.key.clone()) else {
            return;
        };
        assert_eq!(
            before.is_some(),
            self.cache.contains_key(&key),
            "{key:?} is new if the cache lacks it, and changed or deleted if it does not"
        );
        match after {
            Some(_) => {
                let before = self.cache.insert(key, change.version);
                assert!(before.is_none_or(|before| before < change.version));
            }
            None => {
                self.cache.remove(&key);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_watch_ends_with_the_objects_of_a_list(
        steps in prop::collection::vec((prop::collection::vec(world_change(), 0..4), 0..20_usize), 1..30),
        begin in any::<Index>(),
        namespaced in any::<bool>(),
    ) {
        let mut world = World::new();
        let mut watcher = None;
        let begin = begin.index(steps.len());
        let namespace = namespaced.then(|| Arc::from("odd"));
        for (at, (changes, most)) in steps.iter().enumerate() {
            changes.iter().for_each(|change| world.change(change));
            let snapshot = world.detect();
            if at == begin {
                watcher = Some(Watcher::of(&snapshot, namespace.clone()));
            } else if let Some(watcher) = &mut watcher {
                watcher.read(&world.changes, &snapshot, *most);
            }
        }
        let snapshot = world.detect();
        let mut watcher = watcher.unwrap();
        watcher.read(&world.changes, &snapshot, usize::MAX);
        prop_assert_eq!(&watcher.cache, &listed(&snapshot, namespace.as_ref()));
        // Where nothing happens there is nothing new.
        prop_assert_eq!(world.detect().version, snapshot.version);
    }

    #[test]
    fn a_watch_of_nodes_ends_with_the_objects_of_a_list(
        steps in prop::collection::vec(prop::collection::vec(world_change(), 0..4), 1..20),
    ) {
        let mut world = World::new();
        let snapshot = world.detect();
        let versions = |snapshot: &VersionedSnapshot| -> BTreeMap<Arc<str>, Version> {
            let nodes = snapshot.nodes().values();
            nodes.map(|node| (Arc::clone(&node.name), snapshot.node_version(node))).collect()
        };
        let (mut seen, mut cache) = (snapshot.version, versions(&snapshot));
        for changes in &steps {
            changes.iter().for_each(|change| world.change(change));
            let snapshot = world.detect();
            let mut changes = snapshot.node_changes(seen);
            while let (Some(change), _) = changes.advance(1) {
                prop_assert!(change.version > seen);
                seen = change.version;
                let node = change.after.as_ref().or(change.before.as_ref()).unwrap();
                prop_assert_eq!(change.before.is_some(), cache.contains_key(&node.name));
                match &change.after {
                    Some(node) => cache.insert(Arc::clone(&node.name), change.version),
                    None => cache.remove(&node.name),
                };
            }
            seen = snapshot.version;
            prop_assert_eq!(&cache, &versions(&snapshot));
        }
    }
}

#[test]
fn a_scrape_changes_its_pods_and_their_node() {
    let mut world = World::new();
    world.scrape(0, 3);
    let before = world.detect();
    world.now += 15_000;
    world.scrape(0, 3);
    let snapshot = world.detect();
    let mut changes = snapshot.pod_changes(before.version, None);
    let mut changed = Vec::new();
    while let (Some(change), _) = changes.advance(10) {
        changed.push(change.after.unwrap().key.name.to_string());
    }
    assert_eq!(changed, ["pod-00", "pod-02", "pod-01"]);
    let mut nodes = snapshot.node_changes(before.version);
    let (change, _) = nodes.advance(1);
    assert_eq!(*change.unwrap().after.unwrap().name, *"node-0");
    assert!(nodes.advance(1).0.is_none());
}

#[test]
fn a_node_that_stops_responding_changes_its_pods_once() {
    let mut world = World::new();
    world.scrape(0, 9);
    let before = world.detect();
    world.now += 60_000;
    let silent = world.detect();
    let mut changes = silent.pod_changes(before.version, None);
    assert!(changes.advance(10).0.is_some());
    world.now += 60_000;
    assert_eq!(world.detect().version, silent.version);
}

#[test]
fn a_client_that_has_missed_too_much_must_list_again() {
    let mut world = World::new();
    let first = world.detect().version;
    for round in 0..6_000_usize {
        world.pod(0, 3, round.is_multiple_of(2));
        world.pod(1, 3, round.is_multiple_of(2));
        world.now += 1_000;
        world.detect();
    }
    let snapshot = world.changes.snapshot();
    let resume = |version| world.changes.resume(&snapshot, version);
    assert_eq!(resume(first), Resume::Expired);
    assert_eq!(resume(snapshot.version), Resume::After(snapshot.version));
    assert_eq!(resume(Version::default()), Resume::Expired);
    assert_eq!(snapshot.pods.log.len(), 10_000);
    assert!(snapshot.pods.changed.len() <= snapshot.pods.now.len());
}

#[test]
fn a_version_of_the_future_is_not_taken_for_now() {
    let mut world = World::new();
    world.pod(0, 3, true);
    world.now += 1_000;
    let snapshot = world.detect();
    let resume = |world: &World, version| world.changes.resume(&snapshot, version);
    // Versions that this process has not created.
    let later = [1, 1_000, 1 << 40].map(|places| snapshot.version.after(places));
    let invented = [9_200_000_000_000_000_000, u64::MAX].map(Version::of_number);
    for version in later.into_iter().chain(invented) {
        assert_eq!(resume(&world, version), Resume::Future, "{version}");
    }
    // The version that a replica would create now, with a clock that is this many seconds ahead.
    let of_replica = |world: &World, ahead: i64| {
        let now = i64::try_from(world.now).unwrap();
        let mut versions = Versions::new(8);
        versions.advance(Timestamp::from_millis(now + ahead * 1_000));
        versions.last()
    };
    for ahead in [-29, 0, 5, 29, 31, 60, 3_600] {
        let resumed = resume(&world, of_replica(&world, ahead));
        assert_eq!(
            resumed == Resume::Future,
            ahead > 30,
            "{ahead} s: {resumed:?}"
        );
    }
    // A minute later nothing has changed, but the replica's version is as far in the future as before.
    world.now += 60_000;
    world.detect();
    let after = Resume::After(snapshot.version);
    for (ahead, expected) in [(0, after), (29, after), (31, Resume::Future)] {
        assert_eq!(
            resume(&world, of_replica(&world, ahead)),
            expected,
            "{ahead} s"
        );
    }
}

#[test]
fn a_watch_reads_only_nodes_scraped_since() {
    let mut world = World::new();
    for node in 0..3 {
        world.scrape(node, 3);
    }
    let before = world.detect();
    let after = |snapshot: &VersionedSnapshot, mut from: Version| {
        let mut nodes = Vec::new();
        while let Some((_, node)) = snapshot.scraped_after(from) {
            nodes.push(node.to_string());
            from = snapshot.scrapes.get(node).unwrap().last();
        }
        nodes
    };
    assert!(after(&before, before.version).is_empty());
    world.now += 15_000;
    world.scrape(0, 3);
    let snapshot = world.detect();
    assert_eq!(after(&snapshot, before.version), ["node-0"]);
    assert_eq!(after(&snapshot, Version::default()).len(), 3);
    assert_eq!(snapshot.by_version.len(), snapshot.scrapes.len());
    // A watch that was interrupted within a scrape continues with the rest of it.
    let scrape = snapshot.scrapes.get("node-0").unwrap();
    assert!(scrape.last() > scrape.first);
    assert_eq!(after(&snapshot, scrape.first), ["node-0"]);
    assert!(after(&snapshot, scrape.last()).is_empty());
}
