//! The time of samples: the scrape's or their own, and clocks that are set.

use serde_json::json;

use super::*;

const HITS: &str = "# TYPE hits counter\nhits ";

/// A pod of whose page these names are kept.
fn web(rule: &str, names: &[&str]) -> World {
    let world = World::new(Settings::default());
    world.store.config.store(Arc::new(
        config(&format!("annotations: {{{rule}}}")).unwrap(),
    ));
    world.add("shop/web", json!({}));
    world.asks("shop", names);
    world
}

#[test]
fn after_the_clock_was_set_back_values_start_anew_and_do_not_stand_still() {
    let world = web("", &["hits", "queue", "late_mean"]);
    let page = |hits: u32, queue: u32| {
        format!(
            "{HITS}{hits}\n# TYPE queue gauge\nqueue {queue}\n\
             # TYPE late summary\nlate_sum {hits}\nlate_count {queue}\n"
        )
    };
    world.scrapes("shop/web", &[&page(0, 1), &page(15, 2)]);
    assert_eq!(world.value("shop/web", "hits"), 1.0);
    world.clock.set_back(3600 * SECOND);
    world.clock.pass(15 * SECOND);
    world.scrape("shop/web", &page(60, 3));
    assert_eq!(world.value("shop/web", "queue"), 3.0);
    for rate in ["hits", "late_mean"] {
        assert_eq!(
            world.read("shop/web", rate, ""),
            Err(Absence::OneSample),
            "{rate}"
        );
    }
    world.clock.pass(15 * SECOND);
    world.scrape("shop/web", &page(90, 4));
    assert_eq!(world.value("shop/web", "hits"), 2.0);
    assert_eq!(world.value("shop/web", "late_mean"), 30.0);
}

#[test]
fn a_rate_is_over_the_time_between_timestamps_if_they_are_honoured() {
    // The exporter's second sample is 10 s after its first, the scrapes are 15 s apart.
    let millis = |world: &World, before: i64| world.clock.wall().0 / 1_000_000 - before;
    for (rule, rate, window) in [
        ("", 3.0, 10 * SECOND),
        ("honor_timestamps: true", 3.0, 10 * SECOND),
        ("honor_timestamps: false", 2.0, 15 * SECOND),
    ] {
        let world = web(rule, &["hits", "queue"]);
        let page = |hits: u32, at: i64| {
            format!("{HITS}{hits} {at}\n# TYPE queue gauge\nqueue {hits} {at}\n")
        };
        world.scrape("shop/web", &page(0, millis(&world, 1000)));
        world.clock.pass(15 * SECOND);
        world.scrape("shop/web", &page(30, millis(&world, 6000)));
        let found = world.read("shop/web", "hits", "").unwrap();
        assert_eq!((found.value, found.window), (rate, Some(window)), "{rule}");
        let honours = !rule.ends_with("false");
        let gauge = world.read("shop/web", "queue", "").unwrap();
        let age = world.clock.wall().0 - gauge.at.0;
        assert_eq!(age / 1_000_000, if honours { 6000 } else { 0 }, "{rule}");
    }
}

#[test]
fn a_sample_that_is_not_newer_than_the_last_changes_nothing() {
    let world = web("", &["hits", "queue", "late_p50"]);
    let first = world.clock.wall().0 / 1_000_000;
    let page = |hits: u32, at: i64| {
        format!(
            "{HITS}{hits} {at}\n# TYPE queue gauge\nqueue {hits} {at}\n\
             # TYPE late summary\nlate{{quantile=\"0.5\"}} {hits} {at}\nlate_sum 1 {at}\nlate_count 1 {at}\n"
        )
    };
    world.scrape("shop/web", &page(0, first - 9000));
    world.clock.pass(15 * SECOND);
    world.scrape("shop/web", &page(30, first));
    for older in [first, first - 1] {
        world.clock.pass(15 * SECOND);
        world.scrape("shop/web", &page(7, older));
        for name in ["queue", "late_p50"] {
            assert_eq!(world.value("shop/web", name), 30.0, "{name} at {older}");
        }
        assert_eq!(world.value("shop/web", "hits"), 30.0 / 9.0);
    }
    // A clock of the exporter that stands still is noticed.
    world.clock.pass(60 * SECOND);
    let problems = world.scrape("shop/web", &page(7, first));
    assert!(problems[0].contains("past"), "{problems:?}");
    assert_eq!(world.read("shop/web", "queue", ""), Err(Absence::NoFamily));
}

#[test]
fn the_series_of_a_pod_have_finite_values_only() {
    // Without a sum there is no mean.
    let world = web("", &["late_mean"]);
    let page = |count: u32| {
        format!("# TYPE late histogram\nlate_bucket{{le=\"+Inf\"}} {count}\nlate_count {count}\n")
    };
    world.scrapes("shop/web", &[&page(1), &page(31)]);
    let series = world.store.series(&key("shop/web"));
    let of = |name: &str| series.iter().find(|it| *it.name == *name);
    assert_eq!(of("late_per_second").unwrap().value.value, 2.0);
    assert!(of("late_mean").is_none());
    assert_eq!(
        world.read("shop/web", "late_mean", ""),
        Err(Absence::NotFinite)
    );
}

#[test]
fn a_scrape_that_ends_after_its_pod_leaves_nothing() {
    let world = web("", &["queue"]);
    let page = "# TYPE queue gauge\nqueue 1\n";
    world.scrape("shop/web", page);
    let pod = key("shop/web");
    let late = world.store.state_or_new(&pod);
    world.store.remove(&pod);
    world.store.count(&pod, &mut late.lock());
    assert_eq!(world.store.usage(), Default::default());
    // The result of the scrape comes after all was forgotten.
    world.scrape("shop/web", page);
    world.cluster.change_pods(|pods| pods.remove(&pod));
    world.clock.pass(600 * SECOND);
    world.store.expire();
    assert!(world.store.state(&pod).is_none());
    assert_eq!(world.store.usage(), Default::default());
}
