//! Pods' own metrics, counted by the allocator itself: the history of a name, and nothing without the feature.

use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::objects::{Pod, Pools, WirePod};
use kubevitals_proto::time::Timestamp;
use kubevitals_server::pod_metrics::History;

use super::usage::in_use;

const INTERVAL: Duration = Duration::from_secs(15);
const HOUR: u32 = 240;

/// A value between 0 and 1 that follows from the turn.
fn chance(turn: u32) -> f64 {
    let x = (u64::from(turn) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((x ^ (x >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A shape of values, by turn, and the most bytes that an hour of it may take: of a pod's only name, and of each of ten.
/// A pod gets memory for eight blocks at a time, so its only name takes at least that.
struct Shape {
    name: &'static str,
    value: fn(u32) -> f64,
    alone: u64,
    of_ten: u64,
}

/// What autoscalers ask for: a constant, a queue of a few, requests per second, a quantile in seconds that swings by a
/// tenth, memory that grows, and what nothing can predict.
#[rustfmt::skip] // a table
const SHAPES: [Shape; 6] = [
    Shape { name: "constant", value: |_| 100.0, alone: 640, of_ten: 470 },
    Shape { name: "queue", value: |turn| (chance(turn) * 8.0).floor(), alone: 640, of_ten: 580 },
    Shape { name: "requests", value: |turn| 40.0 + (chance(turn) * 60.0).floor() / 15.0, alone: 640, of_ten: 580 },
    Shape { name: "p95", value: |turn| 0.25 + chance(turn) * 0.025, alone: 640, of_ten: 580 },
    Shape { name: "memory", value: |turn| 2e8 + f64::from(turn) * 4096.0, alone: 640, of_ten: 470 },
    Shape { name: "random", value: |turn| 1000.0 * chance(turn), alone: 1_200, of_ten: 810 },
];

/// Two hours of so many names with these values, of which one hour is stored. Returns the bytes of each.
fn stored(value: fn(u32) -> f64, names: usize) -> u64 {
    let names: Vec<Arc<str>> = (0..names).map(|n| n.to_string().into()).collect();
    let (before, mut history) = (in_use(), History::default());
    for turn in 0..2 * HOUR {
        // No scrape is on time to the millisecond.
        let millis = i64::from(turn) * 15_000 + (chance(turn) * 40.0) as i64;
        let at = Timestamp::from_secs(1_800_000_000).plus_nanos(millis * 1_000_000);
        for name in &names {
            history.record(name, at, value(turn), INTERVAL, true);
        }
        history.expire(at);
    }
    let (bytes, counted) = (in_use() - before, history.bytes() as u64);
    assert!(
        counted <= bytes && bytes - counted <= bytes / 20,
        "counts {counted} of {bytes} bytes"
    );
    bytes / names.len() as u64
}

#[test]
fn an_hour_of_a_name_takes_about_half_a_kibibyte() {
    for shape in SHAPES {
        let (alone, of_ten) = (stored(shape.value, 1), stored(shape.value, 10));
        let name = shape.name;
        println!("{name}: {alone} bytes alone, {of_ten} each of ten");
        assert!(alone <= shape.alone, "{name}: {alone} bytes alone");
        assert!(of_ten <= shape.of_ten, "{name}: {of_ten} bytes each of ten");
    }
}

/// The bytes in use of a hundred pods of a workload, as a watch reports them.
fn stored_pods(annotations: &str, scraped: bool) -> u64 {
    let (before, pools) = (in_use(), Pools::default());
    if scraped {
        pools.store_endpoints();
    }
    let pods = (0..100).map(|n| {
        let text = format!(
            r#"{{"metadata": {{"namespace": "shop", "name": "web-{n}", "uid": "{n}", "annotations": {{{annotations}}}}},
            "spec": {{"nodeName": "node-1", "containers": [
                {{"name": "web", "image": "web:1", "ports": [{{"name": "metrics", "containerPort": 9090}}]}}]}},
            "status": {{"phase": "Running", "podIP": "10.0.0.{n}"}}}}"#
        );
        let pod: WirePod = serde_json::from_str(&text).unwrap();
        pod.convert(&pools).unwrap()
    });
    let pods: Vec<Pod> = pods.collect();
    let bytes = in_use() - before;
    drop(pods);
    bytes
}

#[test]
fn without_the_feature_a_pod_that_asks_for_scrapes_takes_no_byte_more() {
    const ANNOTATIONS: &str = r#""prometheus.io/scrape": "true", "prometheus.io/port": "9090""#;
    // The first call also makes what all pods of the process share.
    stored_pods("", false);
    let plain = stored_pods("", false);
    assert_eq!(stored_pods(ANNOTATIONS, false), plain);
    let more = (stored_pods(ANNOTATIONS, true) - plain) / 100;
    println!("with the feature: {more} bytes a pod");
    assert!((1..=129).contains(&more), "{more} bytes a pod");
}
