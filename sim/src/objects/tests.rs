//! Tests of the store.

use std::sync::Arc;

use serde_json::json;

use super::*;

fn store(window: usize) -> Arc<Store> {
    let now: Now = Arc::new(Timestamp::default);
    Store::with_watch_window(now, window)
}

fn node(name: &str) -> serde_json::Value {
    json!({"metadata": {"name": name}})
}

/// The present version of a node.
fn version_of(store: &Store, name: &str) -> u64 {
    let node = store.get(Resource::Nodes, None, name).unwrap();
    node.resource_version()
}

fn metadata(store: &Store, name: &str) -> serde_json::Value {
    let node = store.get(Resource::Nodes, None, name).unwrap();
    node.to_value(Resource::Nodes)["metadata"].clone()
}

/// Names with the kind of change, in the order they came.
fn texts(events: &[Arc<Event>]) -> Vec<String> {
    events
        .iter()
        .map(|e| format!("{} {}", e.kind.as_str(), e.object.meta().name))
        .collect()
}

#[test]
fn versions_rise_across_resources() {
    let store = store(8);
    let first = store.apply(Resource::Nodes, node("a"));
    let second = store.apply(Resource::Namespaces, node("b"));
    assert!(first < second);
    assert_eq!(version_of(&store, "a"), first);
    assert_eq!(store.resource_version(), second);
}

#[test]
fn what_a_writer_leaves_out_is_inherited_from_the_object_it_replaces() {
    let store = store(8);
    store.apply(
        Resource::Nodes,
        json!({"metadata": {"name": "a", "uid": "u", "creationTimestamp": "2020-01-01T00:00:00Z"}}),
    );
    store.apply(Resource::Nodes, node("a"));
    let replaced = metadata(&store, "a");
    assert_eq!(replaced["uid"], "u");
    assert_eq!(replaced["creationTimestamp"], "2020-01-01T00:00:00Z");
    store.apply(Resource::Nodes, node("b"));
    let made_up = metadata(&store, "b");
    assert_eq!(made_up["creationTimestamp"], "1970-01-01T00:00:00Z");
    assert_eq!(made_up["uid"].as_str().unwrap().len(), 36);
}

#[test]
fn a_subscription_resumes_after_a_version() {
    let store = store(8);
    store.apply(Resource::Nodes, node("a"));
    let from = store.apply(Resource::Nodes, node("b"));
    store.apply(Resource::Nodes, node("a"));
    store.delete(Resource::Nodes, None, "b");
    let mut subscription = store.watch(Resource::Nodes, from).unwrap();
    let (events, version) = subscription.next(1).unwrap();
    assert_eq!(texts(&events), ["MODIFIED a"]);
    assert_eq!(version, events[0].resource_version());
    let (events, version) = subscription.next(10).unwrap();
    assert_eq!(texts(&events), ["DELETED b"]);
    assert_eq!(version, store.resource_version());
    assert!(subscription.next(10).unwrap().0.is_empty());
}

#[test]
fn a_reader_that_is_too_slow_has_to_list_again() {
    let store = store(4);
    let mut slow = store
        .watch(Resource::Nodes, store.resource_version())
        .unwrap();
    let from = store.resource_version();
    for i in 0..5 {
        store.apply(Resource::Nodes, node(&format!("n{i}")));
    }
    assert_eq!(slow.next(10).unwrap_err(), Expired);
    assert_eq!(store.watch(Resource::Nodes, from).unwrap_err(), Expired);
    assert!(store.watch(Resource::Nodes, from + 1).is_ok());
    // The window is each resource's own.
    assert!(store.watch(Resource::Pods, from).is_ok());
}

#[test]
fn every_watcher_of_an_event_shares_one_frame() {
    let store = store(8);
    let mut watchers = [1, 1].map(|from| store.watch(Resource::Nodes, from).unwrap());
    store.apply(Resource::Nodes, node("a"));
    let frames = watchers
        .each_mut()
        .map(|w| w.next(1).unwrap().0[0].frame(Resource::Nodes));
    assert_eq!(frames[0].as_ptr(), frames[1].as_ptr());
    let start = br#"{"type":"ADDED","object":{"kind":"Node","apiVersion":"v1","metadata":{"#;
    assert!(frames[0].starts_with(start));
}

#[test]
fn a_conditional_write_is_done_only_if_its_condition_holds() {
    let store = store(8);
    let write = |condition| store.apply_if(Resource::Nodes, node("a"), condition);
    assert_eq!(write(Precondition::Present), Err(WriteError::Missing));
    let version = write(Precondition::Absent).unwrap();
    assert_eq!(write(Precondition::Absent), Err(WriteError::Exists));
    let next = write(Precondition::Version(version)).unwrap();
    let again = write(Precondition::Version(version));
    assert_eq!(again, Err(WriteError::Conflict));
    assert_eq!(version_of(&store, "a"), next);
}

#[test]
fn snapshots_are_retained_for_paging_but_not_for_ever() {
    let store = store(8);
    store.apply(Resource::Nodes, node("a"));
    let snapshot = store.snapshot(Resource::Nodes);
    store.retain_for_paging(Resource::Nodes, &snapshot);
    store.delete(Resource::Nodes, None, "a");
    let at = || store.snapshot_at(Resource::Nodes, snapshot.resource_version());
    assert_eq!(at().unwrap().len(), 1);
    for i in 0..40 {
        store.apply(Resource::Nodes, node(&format!("n{i}")));
        store.retain_for_paging(Resource::Nodes, &store.snapshot(Resource::Nodes));
    }
    assert_eq!(at().unwrap_err(), Expired);
}

#[test]
fn a_namespaces_range_has_its_objects_only() {
    let store = store(8);
    for key in ["a/x", "a/y", "a-b/x", "ab/x", "b/x"] {
        let (namespace, name) = key.split_once('/').unwrap();
        let pod = json!({"metadata": {"namespace": namespace, "name": name}});
        store.apply(Resource::Pods, pod);
    }
    let snapshot = store.snapshot(Resource::Pods);
    let keys = |namespace, after| {
        snapshot
            .range(namespace, after)
            .map(|(key, _)| &**key)
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(Some("a"), None), ["a/x", "a/y"]);
    assert_eq!(keys(Some("a"), Some("a/x")), ["a/y"]);
    assert_eq!(keys(None, Some("a/y")), ["ab/x", "b/x"]);
    assert_eq!(keys(Some("b"), Some("a/x")), ["b/x"]);
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_a_change() {
    let store = store(8);
    let (snapshot, mut subscription) = store.snapshot_and_watch(Resource::Nodes);
    assert!(snapshot.is_empty() && subscription.next(1).unwrap().0.is_empty());
    let writer = store.clone();
    let (_, ()) = tokio::join!(
        async move { writer.apply(Resource::Nodes, node("a")) },
        subscription.changed()
    );
    assert_eq!(texts(&subscription.next(1).unwrap().0), ["ADDED a"]);
}
