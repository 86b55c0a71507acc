//! Whoever watches has in the end what a list shows, wherever he began and whenever he was interrupted.

use std::collections::BTreeMap;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::units::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;

use super::snapshot::Observed;
use super::version::{Version, Versions};
use super::*;
use crate::clock::Age;
use crate::cluster::{Node, Nodes, Pod, PodKey, Pods};
use crate::cluster::{Phase, PodTemplate, Ready, Uid};
use crate::store::{Absent, NodeCell};
use crate::store::{Cells, Latest, PodLatest, Retention};

const RESOLUTION: Duration = Duration::from_secs(15);

fn key(name: usize) -> PodKey {
    let namespace = ["even", "odd"][name % 2];
    PodKey::new(namespace, format!("pod-{name:02}"))
}

fn node_name(node: usize) -> Arc<str> {
    Arc::from(format!("node-{node}"))
}

/// A cluster that changes as it is told to.
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

    /// The node's kubelet tells of the pods on it, but for one.
    fn scrape(&mut self, node: usize, but: usize) {
        let name = node_name(node);
        let here = self
            .pods
            .values()
            .filter(|pod| pod.node.as_ref() == Some(&name));
        let told = here.filter(|pod| pod.key != key(but)).map(|pod| PodLatest {
            key: pod.key.clone(),
            rates: Err(Absent::NotReported),
            swap: Bytes::default(),
        });
        let latest = Latest {
            scraped: Age::from_elapsed(Duration::from_millis(self.now)),
            node: Err(Absent::NotReported),
            pods: told.collect(),
            containers: Box::default(),
            incomplete: Box::default(),
        };
        if let Some(cell) = self.cells.get(&name) {
            let cell: &Arc<NodeCell> = cell;
            cell.publish(latest);
        }
    }

    fn take(&mut self, change: &Happening) {
        self.now += 1_000;
        match *change {
            Happening::Pod {
                name,
                node,
                labelled,
            } => self.pod(name, node, labelled),
            Happening::Gone(name) => {
                self.pods.remove(&key(name));
            }
            Happening::Touched(name) => {
                self.touched.insert(key(name));
            }
            Happening::Node(node, ready) => self.node(node, ready),
            Happening::NodeGone(node) => {
                self.nodes.remove(&node_name(node));
                self.cells.remove(&node_name(node));
            }
            Happening::Scraped { node, but } => self.scrape(node, but),
            Happening::Later => self.now += 60_000,
        }
    }
}

#[derive(Debug, Clone)]
enum Happening {
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

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0..8_usize, 0..4_usize, any::<bool>()).prop_map(|(name, node, labelled)| Happening::Pod { name, node, labelled }),
        2 => (0..8_usize).prop_map(Happening::Gone),
        1 => (0..8_usize).prop_map(Happening::Touched),
        1 => (0..3_usize, any::<bool>()).prop_map(|(node, ready)| Happening::Node(node, ready)),
        1 => (0..3_usize).prop_map(Happening::NodeGone),
        4 => (0..3_usize, 0..16_usize).prop_map(|(node, but)| Happening::Scraped { node, but }),
        1 => Just(Happening::Later),
    ]
}

/// Who watches the pods that are labelled.
struct Watcher {
    seen: Version,
    namespace: Option<Arc<str>>,
    known: BTreeMap<PodKey, Version>,
}

fn wanted(pod: &Pod) -> bool {
    pod.labels.get("app").is_some()
}

/// What a list shows.
fn listed(snapshot: &VersionedSnapshot, namespace: Option<&Arc<str>>) -> BTreeMap<PodKey, Version> {
    let pods = snapshot.pods().iter();
    pods.filter(|(key, pod)| {
        wanted(pod) && namespace.is_none_or(|namespace| *namespace == key.namespace)
    })
    .map(|(key, pod)| (key.clone(), snapshot.pod_version(pod)))
    .collect()
}

impl Watcher {
    fn of(snapshot: &VersionedSnapshot, namespace: Option<Arc<str>>) -> Self {
        Self {
            seen: snapshot.version,
            known: listed(snapshot, namespace.as_ref()),
            namespace,
        }
    }

    /// Takes the changes, but no more than so many; whoever is interrupted goes on from the last one's version.
    fn take(&mut self, changes: &Changes, snapshot: &Arc<VersionedSnapshot>, most: usize) {
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
        let state = |pod: &Option<Arc<Pod>>| pod.as_ref().filter(|pod| wanted(pod)).cloned();
        let (before, after) = (state(&change.before), state(&change.after));
        let named = before.as_ref().or(after.as_ref());
        let Some(key) = named.map(|pod| pod.key.clone()) else {
            return;
        };
        assert_eq!(
            before.is_some(),
            self.known.contains_key(&key),
            "{key:?} is told as new if it is, and as another or gone if it was known"
        );
        match after {
            Some(_) => {
                let known = self.known.insert(key, change.version);
                assert!(known.is_none_or(|known| known < change.version));
            }
            None => {
                self.known.remove(&key);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_watch_ends_where_a_list_is(
        steps in prop::collection::vec((prop::collection::vec(happening(), 0..4), 0..20_usize), 1..30),
        begin in any::<Index>(),
        namespaced in any::<bool>(),
    ) {
        let mut world = World::new();
        let mut watcher = None;
        let begin = begin.index(steps.len());
        let namespace = namespaced.then(|| Arc::from("odd"));
        for (at, (happenings, most)) in steps.iter().enumerate() {
            happenings.iter().for_each(|happening| world.take(happening));
            let snapshot = world.detect();
            if at == begin {
                watcher = Some(Watcher::of(&snapshot, namespace.clone()));
            } else if let Some(watcher) = &mut watcher {
                watcher.take(&world.changes, &snapshot, *most);
            }
        }
        let snapshot = world.detect();
        let mut watcher = watcher.unwrap();
        watcher.take(&world.changes, &snapshot, usize::MAX);
        prop_assert_eq!(&watcher.known, &listed(&snapshot, namespace.as_ref()));
        // Where nothing happens there is nothing new.
        prop_assert_eq!(world.detect().version, snapshot.version);
    }

    #[test]
    fn the_same_is_true_of_nodes(
        steps in prop::collection::vec(prop::collection::vec(happening(), 0..4), 1..20),
    ) {
        let mut world = World::new();
        let snapshot = world.detect();
        let versions = |snapshot: &VersionedSnapshot| -> BTreeMap<Arc<str>, Version> {
            let nodes = snapshot.nodes().values();
            nodes.map(|node| (Arc::clone(&node.name), snapshot.node_version(node))).collect()
        };
        let (mut seen, mut known) = (snapshot.version, versions(&snapshot));
        for happenings in &steps {
            happenings.iter().for_each(|happening| world.take(happening));
            let snapshot = world.detect();
            let mut changes = snapshot.node_changes(seen);
            while let (Some(change), _) = changes.advance(1) {
                prop_assert!(change.version > seen);
                seen = change.version;
                let node = change.after.as_ref().or(change.before.as_ref()).unwrap();
                prop_assert_eq!(change.before.is_some(), known.contains_key(&node.name));
                match &change.after {
                    Some(node) => known.insert(Arc::clone(&node.name), change.version),
                    None => known.remove(&node.name),
                };
            }
            seen = snapshot.version;
            prop_assert_eq!(&known, &versions(&snapshot));
        }
    }
}

#[test]
fn a_scrape_changes_the_pods_that_it_tells_of_and_their_node() {
    let mut world = World::new();
    world.scrape(0, 3);
    let before = world.detect();
    world.now += 15_000;
    world.scrape(0, 3);
    let snapshot = world.detect();
    let mut changes = snapshot.pod_changes(before.version, None);
    let mut told = Vec::new();
    while let (Some(change), _) = changes.advance(10) {
        told.push(change.after.unwrap().key.name.to_string());
    }
    assert_eq!(told, ["pod-00", "pod-02", "pod-01"]);
    let mut nodes = snapshot.node_changes(before.version);
    let (change, _) = nodes.advance(1);
    assert_eq!(*change.unwrap().after.unwrap().name, *"node-0");
    assert!(nodes.advance(1).0.is_none());
}

#[test]
fn a_node_that_falls_silent_changes_its_pods_once() {
    let mut world = World::new();
    world.scrape(0, 9);
    let before = world.detect();
    world.now += 60_000;
    let silent = world.detect();
    assert!(
        silent
            .pod_changes(before.version, None)
            .advance(10)
            .0
            .is_some()
    );
    world.now += 60_000;
    assert_eq!(world.detect().version, silent.version);
}

#[test]
fn who_has_missed_too_much_and_who_is_too_old_must_list_again() {
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
    // Of this process: one that it has not given.
    for places in [1, 1_000, 1 << 40] {
        let version = snapshot.version.after(places);
        assert_eq!(resume(&world, version), Resume::Future, "{places}");
    }
    assert_eq!(
        resume(&world, Version::of_number(9_200_000_000_000_000_000)),
        Resume::Future
    );
    assert_eq!(resume(&world, Version::of_number(u64::MAX)), Resume::Future);
    // Of a replica whose clock is as far ahead as this; it gave its version this very snapshot.
    let of_replica = |world: &World, ahead: i64| {
        let mut versions = Versions::new(8);
        versions.advance(
            Timestamp::from_secs(ahead).plus_nanos(i64::try_from(world.now).unwrap() * 1_000_000),
        );
        versions.last()
    };
    for (ahead, is_future) in [
        (-29, false),
        (0, false),
        (5, false),
        (29, false),
        (31, true),
        (60, true),
        (3_600, true),
    ] {
        let resumed = resume(&world, of_replica(&world, ahead));
        assert_eq!(
            resumed == Resume::Future,
            is_future,
            "{ahead} s: {resumed:?}"
        );
    }
    // A quiet minute later nothing is new here, but the replica's version is no more in the future than before.
    world.now += 60_000;
    world.detect();
    for (ahead, is_future) in [(0, false), (29, false), (31, true)] {
        let resumed = resume(&world, of_replica(&world, ahead));
        assert_eq!(
            resumed == Resume::Future,
            is_future,
            "{ahead} s: {resumed:?}"
        );
        if !is_future {
            assert_eq!(resumed, Resume::After(snapshot.version));
        }
    }
}

#[test]
fn a_watch_looks_at_no_node_that_was_not_scraped_since() {
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
    // Who was interrupted in the midst of a scrape goes on with the rest of it.
    let scrape = snapshot.scrapes.get("node-0").unwrap();
    assert!(scrape.last() > scrape.first);
    assert_eq!(after(&snapshot, scrape.first), ["node-0"]);
    assert!(after(&snapshot, scrape.last()).is_empty());
}
