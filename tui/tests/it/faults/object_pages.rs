//! The objects of the pages of workloads and namespaces, through the source.

use std::time::Duration;

use kubevitals::model::{Action, View};
use kubevitals_sim::apiserver::{Affected, RequestFault};
use kubevitals_sim::objects::{Resource, Store};
use serde_json::json;

use super::cluster::{Cluster, NAMESPACE};
use super::dashboard::Dashboard;
use super::{PKI, in_simulated_time};

/// Objects of the namespace, the last one the most important: its quota is used up.
fn quotas(store: &Store, count: usize) {
    for at in 1..=count {
        let used = if at == count { "10" } else { "0" };
        let object = json!({"metadata": {"namespace": NAMESPACE, "name": format!("quota-{at:05}")},
            "spec": {"hard": {"pods": "10"}}, "status": {"used": {"pods": used}}});
        store.apply(Resource::ResourceQuotas, object);
    }
    let object = json!({"metadata": {"namespace": NAMESPACE, "name": "defaults"},
        "spec": {"limits": [{"type": "Container", "default": {"cpu": "500m"}}]}});
    store.apply(Resource::LimitRanges, object);
}

/// Opens the page of the namespace. Returns the screen when its objects have been read.
async fn page(cluster: &Cluster) -> Dashboard {
    let mut dashboard = Dashboard::open(cluster, View::Namespaces, None);
    dashboard.pass(Duration::from_secs(5)).await;
    dashboard.open_pod(NAMESPACE);
    dashboard.pass(Duration::from_secs(5)).await;
    dashboard
}

#[test]
fn a_page_has_the_objects_of_every_page_of_a_list() {
    in_simulated_time(async {
        let cluster = Cluster::filled(&PKI, |store| quotas(store, 1_200)).await;
        let dashboard = page(&cluster).await;
        let displayed = dashboard.displayed();
        assert!(
            displayed.text.contains("quota quota-01200 pods"),
            "{}",
            displayed.text
        );
        assert!(
            !displayed.text.contains("only the first"),
            "{}",
            displayed.text
        );
    });
}

#[test]
fn a_page_says_that_a_list_is_too_long() {
    in_simulated_time(async {
        let cluster = Cluster::filled(&PKI, |store| quotas(store, 5_001)).await;
        let dashboard = page(&cluster).await;
        let text = dashboard.displayed().text;
        assert!(
            text.contains("resourcequotas: only the first 5000 are read"),
            "{text}"
        );
    });
}

#[test]
fn a_page_names_the_permission_that_is_missing_and_shows_the_rest() {
    in_simulated_time(async {
        let cluster = Cluster::filled(&PKI, |store| quotas(store, 1)).await;
        let affected = || Affected::resource("", "resourcequotas");
        cluster
            .api
            .set_fault(affected(), Some(RequestFault::Refused(403)));
        let mut dashboard = page(&cluster).await;
        let denied =
            "resourcequotas: forbidden: User \"jane\" cannot list resourcequotas in namespace shop";
        let text = dashboard.displayed().text;
        assert!(text.contains(denied), "{text}");
        assert!(
            text.contains("each Container default limit cpu 500m"),
            "{text}"
        );
        assert!(text.contains("web-0"), "{text}");
        assert!(!text.contains("no ResourceQuota"), "{text}");
        cluster.api.set_fault(affected(), None);
        let allowed = dashboard.until(Duration::from_secs(60), |displayed| {
            displayed.text.contains("quota pods") && !displayed.text.contains("forbidden")
        });
        assert!(allowed.await.is_some(), "{}", dashboard.displayed().text);
        dashboard.press(Action::Back);
    });
}
