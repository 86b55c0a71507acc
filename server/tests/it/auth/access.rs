//! Authorization.

use std::time::Duration;

use kubevitals_sim::identity::{Rule, Subject, UserInfo};

use super::{NODES, TestUser, cannot_list, config, may_see_nodes};
use crate::harness::Harness;

const TTL: Duration = Duration::from_secs(10);

fn jane(harness: &Harness) -> TestUser<'_> {
    let token = harness
        .cluster
        .identities()
        .mint_token(UserInfo::new("jane", []));
    TestUser::with_token(harness, &token)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anonymous_users_may_only_read_the_health() {
    let harness = Harness::start(config()).await;
    let anonymous = TestUser::anonymous(&harness);
    harness.first_step(1).await;
    for path in [
        "/healthz",
        "/livez",
        "/readyz",
        "/healthz?verbose",
        "/livez?exclude=ping",
    ] {
        let status = anonymous.get(path).await.status();
        assert!(status == 200 || status == 500, "{path}: {status}");
    }
    for path in [
        "/",
        "/metrics",
        "/livez/ping",
        "/livez/",
        "//livez",
        "/debug/scrapes",
        "/apis",
        "/apis/metrics.k8s.io/v1beta1",
        "/openapi/v2",
        "/no/such/path",
        NODES,
        "/apis/metrics.k8s.io/v1/namespaces/default/pods/a",
        "/apis/metrics.k8s.io/v1/no-such-resource",
    ] {
        assert_eq!(anonymous.status(path).await, 403, "{path}");
    }
    assert_eq!(
        anonymous.status_and_message("/metrics").await.1,
        r#"forbidden: User "system:anonymous" cannot get path "/metrics""#
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_is_for_what_it_names() {
    let harness = Harness::start(config()).await;
    let (identities, jane) = (harness.cluster.identities(), jane(&harness));
    let user = Subject::User("jane".to_owned());
    let rule =
        |verbs: &[&str], resource: &str| Rule::resources(verbs, "metrics.k8s.io", &[resource]);
    identities.grant(user.clone(), rule(&["get"], "nodes").named(&["a"]));
    identities.grant(user.clone(), rule(&["list"], "nodes").named(&["b"]));
    identities.grant(
        user.clone(),
        rule(&["list"], "pods").in_namespace("default"),
    );
    identities.grant(user, Rule::paths(&["/debug/*"]));
    let at = |path: &str| format!("/apis/metrics.k8s.io/v1{path}");
    for (path, may) in [
        (at("/nodes/a"), true),
        (at("/nodes/%61"), true),
        (at("/nodes/a/"), true),
        (at("/nodes/a%2Fb"), false),
        (at("/nodes/a%00"), false),
        (at("/nodes/b"), false),
        (at("/nodes/a/why"), false),
        (at("/nodes"), false),
        (at("//nodes/a"), false),
        (at("/nodes?fieldSelector=metadata.name%3Db"), true),
        (at("/nodes?fieldSelector=metadata.name!%3Db"), false),
        (at("/nodes?watch&fieldSelector=metadata.name%3Db"), false),
        (at("/namespaces/default/pods"), true),
        (at("/namespaces/default/pods/"), true),
        (at("/namespaces/%64efault/pods"), true),
        (at("/namespaces/other/pods"), false),
        (at("/namespaces/default%2F../pods"), false),
        (at("/namespaces//pods"), false),
        (at("/namespaces/default/pods/a"), false),
        (at("/pods"), false),
        (
            at("/pods?fieldSelector=metadata.namespace%3Ddefault"),
            false,
        ),
        ("/debug/scrapes".to_owned(), true),
        ("/%64ebug/scrapes".to_owned(), true),
        ("/debug%2Fscrapes".to_owned(), false),
        ("//debug/scrapes".to_owned(), false),
        ("/metrics".to_owned(), false),
    ] {
        let status = jane.status(&path).await;
        assert_eq!(status != 403, may, "{path}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_is_cached_for_its_lifetime() {
    let harness = Harness::start(config()).await;
    let (identities, jane) = (harness.cluster.identities(), jane(&harness));
    let user = Subject::User("jane".to_owned());
    assert_eq!(jane.status_and_message(NODES).await, cannot_list("jane"));
    may_see_nodes(&harness, user.clone());
    harness.clock.advance(TTL - Duration::from_millis(1));
    assert_eq!(jane.status(NODES).await, 403);
    harness.clock.advance(Duration::from_millis(1));
    assert_eq!(jane.status(NODES).await, 200);
    identities.revoke(&user);
    harness.clock.advance(TTL - Duration::from_millis(1));
    assert_eq!(jane.status(NODES).await, 200);
    harness.clock.advance(Duration::from_millis(1));
    assert_eq!(jane.status_and_message(NODES).await, cannot_list("jane"));
    let metrics = &harness.server.auth().metrics().access;
    assert_eq!((metrics.hits.get(), metrics.misses.get()), (2, 3));
    let results = [&metrics.yes, &metrics.no, &metrics.failed];
    assert_eq!(results.map(|counter| counter.get()), [1, 2, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn masters_may_do_everything_without_a_review() {
    let harness = Harness::start(config()).await;
    let reviews = || harness.server.auth().metrics().access.misses.get();
    let before = reviews();
    assert_eq!(harness.get(NODES).await.0, 200);
    assert_eq!(harness.get("/debug/scrapes").await.0, 200);
    let identities = harness.cluster.identities();
    let token = identities.mint_token(UserInfo::new("root", ["system:masters"]));
    assert_eq!(
        TestUser::with_token(&harness, &token).status(NODES).await,
        200
    );
    assert_eq!(reviews(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_kube_apiserver_forwards_the_users_identity() {
    let harness = Harness::start(config()).await;
    let identities = harness.cluster.identities();
    let url = format!("{}{NODES}", harness.cluster.api_url());
    let request = async |token: &str| {
        let client = crate::harness::client(None);
        let response = client.get(&url).bearer_auth(token).send().await.unwrap();
        response.status().as_u16()
    };
    may_see_nodes(&harness, Subject::Group("ops".to_owned()));
    let jane = identities.mint_token(UserInfo::new("jane", ["ops"]));
    let eve = identities.mint_token(UserInfo::new("eve", ["dev"]));
    assert_eq!(request(&jane).await, 200);
    assert_eq!(request(&eve).await, 403);
    let metrics = harness.server.auth().metrics();
    let through = metrics.authenticated.read()[&["front-proxy"]];
    assert!(through >= 1, "{metrics:?}");
}
