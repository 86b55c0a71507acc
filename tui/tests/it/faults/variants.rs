//! Faults in a row, faults with `Retry-After`, faults in discovery; and few permissions.

use std::time::Duration;

use kubevitals::model::View;
use kubevitals_sim::apiserver::{Affected, RequestFault};
use kubevitals_sim::identity::Rule;

use super::cluster::{Cluster, NAMESPACE};
use super::dashboard::{Class, Dashboard, Displayed, Word};
use super::{PKI, in_simulated_time};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn fault(code: u16) -> Option<RequestFault> {
    Some(RequestFault::Refused(code))
}

/// A cluster without kubevitals.io, and its pods.
async fn pods_of(cluster: &Cluster) -> Dashboard {
    cluster.api.set_without(&["kubevitals.io"]);
    Dashboard::open(cluster, View::Pods, None)
}

fn all_live(displayed: &Displayed) -> bool {
    displayed.word == Word::Live && displayed.pods == 4 && displayed.reasons.is_empty()
}

/// An API server that starts: its authorizer has no rules yet, then no tokens, then all.
#[test]
fn a_403_and_then_a_401_cost_seconds_and_each_is_named() {
    in_simulated_time(async {
        let cluster = Cluster::start(&PKI).await;
        for group in ["", "metrics.k8s.io"] {
            cluster.api.set_fault(Affected::group(group), fault(403));
        }
        let mut dashboard = pods_of(&cluster).await;
        dashboard.pass(seconds(5)).await;
        let displayed = dashboard.displayed();
        assert_eq!(displayed.reasons, [Class::Forbidden], "{}", displayed.text);
        for group in ["", "metrics.k8s.io"] {
            cluster.api.set_fault(Affected::group(group), fault(401));
        }
        // Each part has been tried again by then, at its own time.
        let named = |displayed: &Displayed| displayed.reasons == [Class::Credential];
        let seen = dashboard.until(seconds(12), named).await;
        assert!(seen.is_some(), "{}", dashboard.displayed().text);
        for group in ["", "metrics.k8s.io"] {
            cluster.api.set_fault(Affected::group(group), None);
        }
        let live = dashboard.until(seconds(40), all_live).await;
        assert!(live.is_some(), "{}", dashboard.displayed().text);
    });
}

/// The user may see all namespaces, and was refused at first: for seconds, not for the session.
#[test]
fn a_403_of_six_seconds_does_not_leave_one_namespace_alone() {
    in_simulated_time(async {
        let cluster = Cluster::start(&PKI).await;
        cluster
            .api
            .set_fault(Affected::resource("", "pods"), fault(403));
        let mut dashboard = pods_of(&cluster).await;
        dashboard.pass(seconds(6)).await;
        cluster.api.set_fault(Affected::resource("", "pods"), None);
        let live = dashboard.until(seconds(20), all_live).await;
        assert!(live.is_some(), "{}", dashboard.displayed().text);
    });
}

#[test]
fn retry_after_is_followed() {
    in_simulated_time(async {
        let cluster = Cluster::start(&PKI).await;
        let mut dashboard = pods_of(&cluster).await;
        dashboard.pass(seconds(30)).await;
        for resource in ["pods", "nodes"] {
            let later = Some(RequestFault::Later(7));
            cluster
                .api
                .set_fault(Affected::resource("", resource), later);
        }
        let before = cluster.requested("/api/v1/pods").len();
        dashboard.pass(seconds(60)).await;
        let times = cluster.requested("/api/v1/pods");
        let after = &times[before..];
        assert!(after.len() >= 2, "{after:?}");
        assert!(
            after.windows(2).all(|pair| pair[1] - pair[0] >= seconds(7)),
            "{after:?}"
        );
        let displayed = dashboard.displayed();
        let is = (displayed.pods, displayed.word, displayed.reasons);
        let expected = (4, Word::PartlyLive, vec![Class::Busy]);
        assert_eq!(is, expected, "{}", displayed.text);
        for resource in ["pods", "nodes"] {
            cluster
                .api
                .set_fault(Affected::resource("", resource), None);
        }
        let live = dashboard.until(seconds(20), all_live).await;
        assert!(live.is_some(), "{}", dashboard.displayed().text);
    });
}

/// A Role in one namespace, on a cluster that serves kubevitals.io.
#[test]
fn the_pods_of_one_namespace_and_their_metrics_are_enough() {
    in_simulated_time(async {
        let cluster = Cluster::closed(&PKI).await;
        for group in ["", "metrics.k8s.io"] {
            let rule = Rule::resources(&["get", "list", "watch"], group, &["pods"]);
            cluster.grant(rule.in_namespace(NAMESPACE));
        }
        let mut dashboard = Dashboard::open(&cluster, View::Pods, None);
        let own = |displayed: &Displayed| {
            displayed.source == "metrics"
                && displayed.pods == 2
                && displayed.word == Word::PartlyLive
        };
        let seen = dashboard.until(seconds(8), own).await;
        let displayed = dashboard.displayed();
        assert!(seen.is_some(), "{}", displayed.text);
        assert_eq!(displayed.reasons, [Class::Forbidden], "{}", displayed.text);
        let used = |displayed: &Displayed| displayed.text.contains("100m");
        let seen = dashboard.until(seconds(15), used).await;
        assert!(seen.is_some(), "{}", dashboard.displayed().text);
        assert!(
            displayed.text.contains(&format!("ns {NAMESPACE}")),
            "{}",
            displayed.text
        );
        // A denied request is not retried all the time.
        let before = cluster.requests();
        dashboard.pass(seconds(600)).await;
        let requests = cluster.requests() - before;
        assert!(requests < 300, "{requests} requests in ten minutes");
        assert!(
            own(&dashboard.displayed()),
            "{}",
            dashboard.displayed().text
        );
        // The permissions are granted while it runs.
        cluster.grant(Rule::resources(&["*"], "*", &["*"]));
        let all = |displayed: &Displayed| all_live(displayed) && displayed.source == "vitals";
        let live = dashboard.until(seconds(160), all).await;
        assert!(live.is_some(), "{}", dashboard.displayed().text);
    });
}

/// The rollout of a vitals-server: its APIService is there, its server is not.
#[test]
fn an_aggregated_api_whose_server_is_down_is_replaced_and_taken_back() {
    for running in [false, true] {
        in_simulated_time(async {
            let cluster = Cluster::start(&PKI).await;
            let mut dashboard = if running {
                let mut dashboard = Dashboard::open(&cluster, View::Pods, None);
                let live = dashboard.until(seconds(10), all_live).await;
                assert!(live.is_some(), "{}", dashboard.displayed().text);
                assert_eq!(dashboard.displayed().source, "vitals");
                cluster
                    .api
                    .set_fault(Affected::group("kubevitals.io"), fault(503));
                dashboard
            } else {
                cluster
                    .api
                    .set_fault(Affected::group("kubevitals.io"), fault(503));
                Dashboard::open(&cluster, View::Pods, None)
            };
            let fallen =
                |displayed: &Displayed| displayed.source == "metrics" && displayed.pods == 4;
            let after = dashboard.until(seconds(8), fallen).await;
            assert!(after.is_some(), "{}", dashboard.displayed().text);
            // Rows go on with what core/v1 and metrics.k8s.io say.
            dashboard.pass(seconds(60)).await;
            let displayed = dashboard.displayed();
            assert!(
                fallen(&displayed) && displayed.text.contains("100m"),
                "{}",
                displayed.text
            );
            cluster
                .api
                .set_fault(Affected::group("kubevitals.io"), None);
            let back = |displayed: &Displayed| all_live(displayed) && displayed.source == "vitals";
            let after = dashboard.until(seconds(45), back).await;
            assert!(after.is_some(), "{}", dashboard.displayed().text);
        });
    }
}

/// Discovery works, but marks the groups of a server that does not answer as stale.
#[test]
fn discovery_that_fails_for_some_groups_is_enough_for_the_others() {
    in_simulated_time(async {
        let cluster = Cluster::start(&PKI).await;
        cluster.set_down(true);
        let mut dashboard = Dashboard::open(&cluster, View::Pods, None);
        let core = |displayed: &Displayed| displayed.source == "none" && displayed.pods == 4;
        let seen = dashboard.until(seconds(6), core).await;
        assert!(seen.is_some(), "{}", dashboard.displayed().text);
        cluster.set_down(false);
        let best = |displayed: &Displayed| all_live(displayed) && displayed.source == "vitals";
        let seen = dashboard.until(seconds(45), best).await;
        assert!(seen.is_some(), "{}", dashboard.displayed().text);
        // While it runs.
        cluster.set_down(true);
        let seen = dashboard.until(seconds(20), core).await;
        assert!(seen.is_some(), "{}", dashboard.displayed().text);
        cluster.set_down(false);
        let seen = dashboard.until(seconds(45), best).await;
        assert!(seen.is_some(), "{}", dashboard.displayed().text);
    });
}
