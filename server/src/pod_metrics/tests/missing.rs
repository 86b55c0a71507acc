//! Pods that should have a value.

use serde_json::json;

use super::*;

/// The time of the clock at the start.
fn begin() -> i64 {
    Manual::default().wall().as_secs()
}

/// Adds a pod that has been ready since so many seconds before the start.
fn add_ready(world: &World, name: &str, seconds: i64, status: &str, more: Json) {
    let key = key(name);
    let mut metadata = json!({
        "namespace": &*key.namespace, "name": &*key.name, "uid": name,
        "annotations": {"prometheus.io/scrape": "true"},
    });
    for (member, value) in more.as_object().unwrap() {
        metadata[member] = value.clone();
    }
    let since = Timestamp::from_secs(begin() - seconds).to_string();
    let pod = world.reader.pod(json!({
        "metadata": metadata,
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "ports": [{"containerPort": 80}]}]},
        "status": {
            "phase": "Running", "podIP": "10.0.0.7",
            "conditions": [{"type": "Ready", "status": status, "lastTransitionTime": since}],
        },
    }));
    let cluster = &world.cluster;
    cluster.change_pods(|pods| pods.insert(pod.key.clone(), pod));
}

/// Whether a pod should have a value of `queue`, and why it has none.
fn should_have(world: &World, name: &str, selector: &str) -> (bool, Absence) {
    let absence = world.read(name, "queue", selector).unwrap_err();
    let pods = world.cluster.pods();
    let selector = selector.parse().unwrap();
    let should = world
        .store
        .should_have(&pods[&key(name)], "queue", &selector, &absence);
    (should, absence)
}

#[test]
fn a_pod_that_was_not_scraped_often_enough_should_have_a_value_once_it_is_not_new() {
    let world = World::new(Settings::default());
    let deleted = json!({"deletionTimestamp": "2030-01-01T00:00:00Z"});
    for (name, seconds, status, more, expected) in [
        ("shop/old", 46, "True", json!({}), true),
        ("shop/new", 44, "True", json!({}), false),
        ("shop/busy", 600, "False", json!({}), false),
        ("shop/ending", 600, "True", deleted, false),
        ("shop/other", 600, "True", json!({"annotations": {}}), false),
    ] {
        add_ready(&world, name, seconds, status, more);
        let (should, absence) = should_have(&world, name, "");
        assert_eq!(should, expected, "{name}: {absence}");
    }
    // Its page has come, from before anything asked for the family.
    world.scrape("shop/old", "a 1\n");
    assert_eq!(
        should_have(&world, "shop/old", ""),
        (true, Absence::NotKept)
    );
    world.asks("shop", &["queue"]);
    world.clock.pass(15 * SECOND);
    world.scrape("shop/old", "a 1\n");
    assert_eq!(
        should_have(&world, "shop/old", ""),
        (false, Absence::NoFamily)
    );
}

#[test]
fn a_pod_whose_scrapes_fail_should_have_what_it_had_for_ten_minutes() {
    let world = World::new(Settings::default());
    add_ready(&world, "shop/web", 600, "True", json!({}));
    world.asks("shop", &["queue"]);
    world.scrape("shop/web", "queue{of=\"a\"} 7\n");
    assert_eq!(world.value("shop/web", "queue"), 7.0);
    world.clock.pass(60 * SECOND);
    let (should, absence) = should_have(&world, "shop/web", "of=a");
    assert!(should && matches!(absence, Absence::Stale(_)), "{absence}");
    assert!(!should_have(&world, "shop/web", "of=b").0);
    world.clock.pass(540 * SECOND);
    world.store.expire();
    let failed = LastScrape {
        at: world.clock.wall(),
        duration: SECOND,
        bytes: 0,
        samples: 0,
        problems: Vec::new(),
        result: Err(("it refuses".to_owned(), String::new())),
    };
    let (pod, target) = (key("shop/web"), world.target("shop/web"));
    world.store.store(&pod, &target, Vec::new(), failed);
    let (should, absence) = should_have(&world, "shop/web", "of=a");
    assert!(!should, "{absence}");
}
