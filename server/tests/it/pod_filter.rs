//! The filter on pods finds the same pods as a reader of the whole list would.

use std::collections::BTreeSet;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::{Config, Fault, Faults, SimClock};
use serde_json::Value;

use crate::harness::{Harness, RESOLUTION, wait_until};
use crate::printed::is_as_printed;

const NODES: u64 = 3;
const PODS: &str = "/apis/kubevitals.io/v1alpha1/podvitals";

/// A cluster in which a container terminates again and again, some minutes after that started.
async fn cluster() -> Harness {
    let harness = Harness::start(Config {
        nodes: 3,
        pods_per_node: 12,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_795_241_000))),
        ..Config::default()
    })
    .await;
    harness.first_step(NODES).await;
    harness.cluster.inject(Fault::CrashLoop);
    pass(&harness, 8).await;
    harness
}

/// Advances by a number of resolutions, and waits until their scrapes are stored.
async fn pass(harness: &Harness, resolutions: u32) {
    for _ in 0..resolutions {
        let before = harness.scraped();
        harness.cluster.advance(RESOLUTION);
        wait_until("every node was scraped once more", async || {
            harness.scraped() >= before + NODES
        })
        .await;
    }
    is_as_printed(harness).await;
    harness.server.query().detector().detect();
}

async fn list_pods(harness: &Harness, query: &str) -> Vec<Value> {
    let list = harness.json(&format!("{PODS}?{query}")).await;
    list["items"].as_array().unwrap().clone()
}

fn name(pod: &Value) -> String {
    let part = |part| pod["metadata"][part].as_str().unwrap();
    format!("{}/{}", part("namespace"), part("name"))
}

fn names<'a>(pods: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    pods.into_iter().map(name).collect()
}

async fn found(harness: &Harness, query: &str) -> BTreeSet<String> {
    names(&list_pods(harness, query).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_covers_all_texts_of_a_pod() {
    let harness = cluster().await;
    let all = list_pods(&harness, "").await;
    for pod in all.iter().step_by(5) {
        let whole = name(pod);
        let (namespace, own) = whole.split_once('/').unwrap();
        let node = pod["nodeName"].as_str().unwrap();
        let workload = pod["workload"]["name"].as_str().unwrap();
        let container = pod["containers"][0]["name"].as_str().unwrap();
        for words in [
            own.to_uppercase(),
            format!("{namespace}+{node}+{workload}"),
            format!("{container}+{}", &own[1..]),
        ] {
            let found = found(&harness, &format!("search={words}")).await;
            assert!(found.contains(&whole), "{words}: {found:?}");
        }
        let found = found(&harness, &format!("search={own}")).await;
        let expected = all.iter().filter(|pod| name(pod).contains(own));
        assert_eq!(found, names(expected), "{own}");
    }
    // Each word must occur in some text.
    assert!(
        found(&harness, "search=web+there-is-no-such-word")
            .await
            .is_empty()
    );
    let restarted = all.iter().filter(|pod| pod["restarts"]["count"] != 0);
    let restarted = names(restarted);
    assert_eq!(restarted.len(), 1, "{restarted:?}");
    assert_eq!(found(&harness, "search=exit+7").await, restarted);
    // With an order and a limit the result is the same.
    assert_eq!(
        found(&harness, "search=exit+7&sortBy=cpu&limit=9").await,
        restarted
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn namespaces_and_workloads_have_their_pods() {
    let harness = cluster().await;
    let all = list_pods(&harness, "").await;
    let namespaces: BTreeSet<&str> = all
        .iter()
        .map(|pod| pod["metadata"]["namespace"].as_str().unwrap())
        .collect();
    let two: Vec<&str> = namespaces.into_iter().take(2).collect();
    let expected = all
        .iter()
        .filter(|pod| two.contains(&pod["metadata"]["namespace"].as_str().unwrap()));
    let query = format!("namespaces={}", two.join(","));
    assert_eq!(found(&harness, &query).await, names(expected));
    for pod in &all {
        let workload = &pod["workload"];
        let expected = all.iter().filter(|other| other["workload"] == *workload);
        let query = format!(
            "workload={}/{}",
            workload["kind"].as_str().unwrap(),
            workload["name"].as_str().unwrap()
        );
        assert_eq!(found(&harness, &query).await, names(expected), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unhealthy_pods_are_filtered_now_and_in_the_past() {
    let harness = cluster().await;
    let all = found(&harness, "").await;
    let unhealthy = found(&harness, "healthy=false").await;
    let healthy = found(&harness, "healthy=true").await;
    assert!(unhealthy.is_disjoint(&healthy));
    assert_eq!(&unhealthy | &healthy, all);
    let restarted = list_pods(&harness, "sortBy=restarts&limit=1").await;
    assert_eq!(unhealthy, names(&restarted));

    let then = harness.clock.now();
    harness.cluster.advance(Duration::from_secs(1));
    harness.cluster.inject(Fault::OomKill);
    harness.cluster.inject(Fault::ImagePullFailure);
    pass(&harness, 40).await;
    let now = found(&harness, "healthy=false").await;
    assert!(now.len() > unhealthy.len(), "{now:?}");
    let at = format!("healthy=false&at={}", then.to_rfc3339_seconds());
    assert_eq!(found(&harness, &at).await, unhealthy);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_lists_are_sorted_by_past_usage() {
    let harness = cluster().await;
    let then = harness.clock.now().to_rfc3339_seconds();
    pass(&harness, 8).await;
    let amount = |pod: &Value, of: &str| {
        let amount = pod["usage"][of].as_str();
        amount.map(|amount| {
            let amount: kubevitals_proto::quantity::Quantity = amount.parse().unwrap();
            amount.to_f64()
        })
    };
    for of in ["cpu", "memory"] {
        let mut all = list_pods(&harness, &format!("at={then}")).await;
        all.sort_by(|a, b| amount(b, of).partial_cmp(&amount(a, of)).unwrap());
        let first = list_pods(&harness, &format!("at={then}&sortBy={of}&limit=5")).await;
        let amounts = |pods: &[Value]| -> Vec<Option<f64>> {
            pods.iter().map(|pod| amount(pod, of)).collect()
        };
        assert!(amounts(&first).iter().all(Option::is_some));
        assert_eq!(amounts(&first), amounts(&all[..5]), "{of}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_has_no_filter() {
    let harness = cluster().await;
    for parameter in [
        "search=web",
        "healthy=false",
        "workload=Deployment/web",
        "namespaces=a",
    ] {
        let path = format!("{PODS}?watch=true&{parameter}");
        let (status, body) = harness.get(&path).await;
        let body = String::from_utf8(body).unwrap();
        assert_eq!(status, 400, "{parameter}: {body}");
        assert!(
            body.contains("has no meaning for a watch"),
            "{parameter}: {body}"
        );
    }
}
