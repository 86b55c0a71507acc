//! Each kind of difference, between two small clusters.

use kubevitals_proto::vitals::{Cause, Incident, IncidentKind, Involved};

use super::*;
use crate::model::row::Restarts;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

fn amounts(millicores: u64, mebibytes: u64) -> Amounts {
    Amounts {
        cpu: Nanocores(millicores * 1_000_000).into(),
        memory: Bytes(mebibytes << 20).into(),
    }
}

fn node(name: &str) -> NodeRow {
    NodeRow {
        name: name.into(),
        status: "Ready".into(),
        ready: true,
        usage: amounts(1_000, 1_000),
        ..NodeRow::default()
    }
}

fn pod(name: &str) -> PodRow {
    PodRow {
        namespace: "shop".into(),
        name: name.into(),
        uid: 1,
        status: "Running".into(),
        usage: amounts(100, 100),
        ..PodRow::default()
    }
}

fn incident(name: &str, began: i64, ended: Option<i64>) -> IncidentRow {
    let mut incident = Incident {
        reason: IncidentKind::Restart,
        cause: Cause::OomKilled,
        message: "m".to_owned(),
        began: at(began),
        ended: ended.map(at),
        involved: Involved {
            kind: "Pod".to_owned(),
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            ..Involved::default()
        },
        ..Incident::default()
    };
    incident.metadata.name = name.to_owned();
    IncidentRow::new(incident)
}

fn world(nodes: Vec<NodeRow>, pods: Vec<PodRow>, incidents: Vec<IncidentRow>) -> World {
    let mut world = World::default();
    world.nodes = Table::of(nodes);
    world.pods = Table::of(pods);
    world.incidents = Table::of(incidents);
    world
}

/// Each difference as `what namespace/name: before after message`.
fn texts(then: &World, now: &World, namespaces: &[Name]) -> Vec<String> {
    let basis = Basis {
        since: at(100),
        until: at(200),
        threshold: 0.2,
        namespaces,
    };
    let differences = differences(then, now, &basis);
    let text = |it: &Difference| {
        let (before, after) = (it.before.text(), it.after.text());
        let Object {
            namespace, name, ..
        } = &it.object;
        format!(
            "{} {namespace}/{name}: {before} {after} {}",
            it.what.name(),
            it.message
        )
    };
    differences.iter().map(text).collect()
}

#[test]
fn equal_clusters_have_no_differences_and_small_changes_are_none() {
    let cluster = |used| {
        let mut pod = pod("a");
        pod.usage = used;
        world(
            vec![node("n")],
            vec![pod],
            vec![incident("old", 10, Some(100))],
        )
    };
    let before = amounts(100, 100);
    for after in [
        before,
        // More than a fifth, but little.
        amounts(149, 115),
        Amounts::default(),
    ] {
        let texts = texts(&cluster(before), &cluster(after), &[]);
        assert!(texts.is_empty(), "{after:?}: {texts:?}");
    }
    // Much, but less than a fifth.
    let texts = texts(
        &cluster(amounts(10_000, 10_000)),
        &cluster(amounts(11_900, 8_100)),
        &[],
    );
    assert!(texts.is_empty(), "{texts:?}");
}

#[test]
fn differences_are_in_order_and_usage_by_size() {
    let mut later = node("stays");
    later.status = "NotReady".into();
    let mut grown = pod("grown");
    grown.usage = amounts(200, 500);
    let mut more = pod("more");
    more.usage = amounts(1_000, 50);
    more.restarts = Restarts {
        count: 3,
        ..Restarts::default()
    };
    more.status = "CrashLoopBackOff".into();
    more.message = Some("back-off".into());
    let mut again = pod("again");
    again.uid = 2;
    let then = world(
        vec![node("stays"), node("removed")],
        ["grown", "more", "again", "gone"].map(pod).into(),
        Vec::new(),
    );
    let now = world(
        vec![later, node("added")],
        vec![grown, more, again, pod("new")],
        vec![
            incident("began", 150, None),
            incident("ended", 50, Some(160)),
            incident("both", 120, Some(130)),
            incident("before", 50, None),
            incident("after", 201, None),
        ],
    );
    assert_eq!(
        texts(&then, &now, &[]),
        [
            "incident-began shop/began: - open restarts: OOMKilled; m",
            "incident-began shop/both: - ended restarts: OOMKilled; m",
            "incident-ended shop/ended: open ended restarts: OOMKilled; m",
            "node-gone /removed: Ready - ",
            "node-new /added: - Ready ",
            "node-status /stays: Ready NotReady ",
            "pod-gone shop/again: Running - ",
            "pod-gone shop/gone: Running - ",
            "pod-new shop/again: - Running ",
            "pod-new shop/new: - Running ",
            "pod-status shop/more: Running CrashLoopBackOff back-off",
            "restarts shop/more: 0 3 ",
            "cpu shop/more: 100m 1000m +900%",
            "cpu shop/grown: 100m 200m +100%",
            "memory shop/grown: 100Mi 500Mi +400%",
            "memory shop/more: 100Mi 50Mi -50%",
        ]
    );
    // Nodes are in no namespace.
    let elsewhere = texts(&then, &now, &["elsewhere".into()]);
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert_eq!(texts(&then, &now, &["shop".into()]).len(), 13);
}
