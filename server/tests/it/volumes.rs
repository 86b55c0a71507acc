//! The volumes of claims over real sockets: what the simulated kubelets report, and what the API server has.

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::identity::Rule;
use kubevitals_sim::{Config, Faults, SimClock};
use serde_json::Value;

use crate::harness::{Harness, wait_until};
use crate::kubectl::{Kubectl, squeezed};

const BASE: &str = "/apis/kubevitals.io/v1alpha1";
const EPOCH: i64 = 1_800_000_000;
const NODES: u64 = 2;

async fn cluster() -> Harness {
    let harness = Harness::start(Config {
        nodes: NODES as u32,
        pods_per_node: 8,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(EPOCH))),
        ..Config::default()
    })
    .await;
    harness.first_step(NODES).await;
    harness.server.ready().await;
    // The first turn of a page comes within one resolution.
    harness.step(NODES).await;
    harness.step(NODES).await;
    wait_until("the volumes are read", async || {
        let list = harness.json(&format!("{BASE}/volumevitals")).await;
        list["items"].as_array().unwrap().len() >= 2
    })
    .await;
    harness
}

async fn volume(harness: &Harness, name: &str) -> Value {
    harness
        .json(&format!("{BASE}/namespaces/shop/volumevitals/{name}"))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_that_grows_has_the_time_at_which_it_is_full() {
    let harness = cluster().await;
    let first = volume(&harness, "data-postgres-0").await;
    assert_eq!(first["kind"], "VolumeVitals");
    assert_eq!(first["capacity"], "20Gi");
    assert_eq!(first["growth"], Value::Null, "{first}");
    // A quarter of an hour.
    for _ in 0..60 {
        harness.step(NODES).await;
    }
    let mut grown = Value::Null;
    wait_until("the volume has a growth", async || {
        grown = volume(&harness, "data-postgres-0").await;
        grown["growth"].is_object()
    })
    .await;
    // From 84 % of what root leaves to all of it in five hours.
    let per_hour = grown["growth"]["bytesPerHour"].as_f64().unwrap();
    let expected = 20.0 * 1_073_741_824.0 * 0.95 * 0.16 / 5.0;
    assert!((per_hour / expected - 1.0).abs() < 0.02, "{grown}");
    let full: Timestamp = serde_json::from_value(grown["growth"]["fullAt"].clone()).unwrap();
    assert!((full.as_secs() - EPOCH - 5 * 3_600).abs() < 600, "{grown}");
    let full = volume(&harness, "data-postgres-1").await;
    assert_eq!(full["available"], "0", "{full}");
    assert_eq!(full["ratios"]["used"], 1.0, "{full}");
    assert_eq!(full["growth"]["bytesPerHour"], 0, "{full}");
    let pods = harness.pods().await;
    for (volume, pod) in [(&grown, "postgres-0"), (&full, "postgres-1")] {
        assert_eq!(volume["pods"], serde_json::json!([pod]));
        assert_eq!(volume["podCount"], 1);
        assert!(pods.iter().any(|name| name.ends_with(pod)), "{pods:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_lists_volumes_of_a_user_who_may_read_them() {
    let harness = cluster().await;
    let rules = [Rule::resources(
        &["get", "list"],
        "kubevitals.io",
        &["volumevitals"],
    )];
    let kubectl = Kubectl::of_user(&harness, "viewer", rules);
    let table = squeezed(&kubectl.says("get volumevitals -A").await);
    assert_eq!(
        table[0],
        "NAMESPACE NAME USED CAPACITY USED% GROWTH/H FULL-IN INODES% PODS MEASURED"
    );
    assert!(
        table[1..]
            .iter()
            .any(|row| row.starts_with("shop data-postgres-0 ")),
        "{table:?}"
    );
    let one = kubectl.says("get vv -n shop data-postgres-0 -o name").await;
    assert_eq!(one.trim(), "volumevitals.kubevitals.io/data-postgres-0");
    let selected = kubectl
        .says("get vv -A --field-selector metadata.name=data-postgres-1 -o name")
        .await;
    assert_eq!(selected.lines().count(), 1, "{selected}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_list_of_volumes_cannot_do_is_refused() {
    let harness = cluster().await;
    for (query, status, message) in [
        ("at=-5m", 400, "volumevitals have present values only"),
        ("stats=1h", 400, "volumevitals have present values only"),
        ("watch=true", 405, "watch"),
        ("fieldSelector=spec.nodeName%3Da", 400, "spec.nodeName"),
    ] {
        let (code, body) = harness.get(&format!("{BASE}/volumevitals?{query}")).await;
        let body = String::from_utf8(body).unwrap();
        assert_eq!(code, status, "{query}: {body}");
        assert!(body.contains(message), "{query}: {body}");
    }
    let path = format!("{BASE}/namespaces/shop/volumevitals/none");
    assert_eq!(harness.get(&path).await.0, 404);
}
