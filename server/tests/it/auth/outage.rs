//! The API server does not answer, or its configmap has not been read yet.

use std::time::Duration;

use kubevitals_sim::identity::{Subject, UserInfo};
use kubevitals_sim::objects::Resource;

use super::{NODES, TestUser, config, may_see_nodes, unauthorized};
use crate::harness::{BELIEVED, Harness, wait_until};

const TTL: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_api_server_cached_decisions_expire() {
    let harness = Harness::start(config()).await;
    let user = UserInfo::new("jane", []);
    may_see_nodes(&harness, Subject::User("jane".to_owned()));
    let token = harness.cluster.identities().mint_token(user);
    let jane = TestUser::with_token(&harness, &token);
    let certificate = harness.cluster.pki().cluster().issue_client("jane", &[]);
    let by_certificate = TestUser::with_certificate(&harness, &certificate.unwrap());
    for user in [&jane, &by_certificate] {
        assert_eq!(user.status(NODES).await, 200);
    }

    harness.cluster.cut_api(true);
    harness.clock.advance(TTL - Duration::from_millis(1));
    for user in [&jane, &by_certificate] {
        assert_eq!(user.status(NODES).await, 200);
    }
    harness.clock.advance(Duration::from_millis(1));
    let (status, message) = jane.status_and_message(NODES).await;
    assert_eq!(status, 500);
    assert_eq!(
        message,
        "Internal error occurred: cannot ask the API server whose token this is: it cannot be reached"
    );
    let (status, message) = by_certificate.status_and_message(NODES).await;
    assert_eq!(status, 500);
    assert_eq!(
        message,
        "Internal error occurred: cannot ask the API server whether this is allowed: it cannot be reached"
    );
    // Requests without a review still succeed.
    assert_eq!(TestUser::anonymous(&harness).status("/healthz").await, 200);
    assert_eq!(harness.get(NODES).await.0, 200);

    harness.cluster.cut_api(false);
    for user in [&jane, &by_certificate] {
        wait_until("jane is let in again", async || {
            user.status(NODES).await == 200
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_certificate_is_judged_before_the_cas_are_loaded() {
    let (namespace, name) = BELIEVED;
    let harness = Harness::start_on(config(), |cluster| {
        let store = cluster.store();
        assert!(store.delete(Resource::ConfigMaps, Some(namespace), name));
    })
    .await;
    assert!(!harness.server.auth().ready());
    let pki = harness.cluster.pki();
    let proxy = pki
        .front_proxy()
        .issue_client("front-proxy-client", &[])
        .unwrap();
    let client = pki
        .cluster()
        .issue_client("jane", &["system:masters"])
        .unwrap();
    for certificate in [&proxy, &client] {
        let user =
            TestUser::with_certificate(&harness, certificate).with_header("X-Remote-User", "jane");
        let response = user.get(NODES).await;
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(user.status(NODES).await, 503);
    }
    // Credentials that need no CA are still judged.
    assert_eq!(TestUser::anonymous(&harness).status("/healthz").await, 200);
    assert_eq!(TestUser::anonymous(&harness).status(NODES).await, 403);
    assert_eq!(
        TestUser::with_token(&harness, "bad")
            .status_and_message(NODES)
            .await,
        unauthorized()
    );

    // The old CAs and the new ones: the one in use is among them.
    harness.cluster.api().announce_requestheader_ca().unwrap();
    wait_until("it is known whom to believe", async || {
        harness.server.auth().ready()
    })
    .await;
    assert_eq!(
        TestUser::with_certificate(&harness, &client)
            .status(NODES)
            .await,
        200
    );
    let through = TestUser::with_certificate(&harness, &proxy)
        .with_header("X-Remote-User", "jane")
        .with_header("X-Remote-Group", "system:masters");
    assert_eq!(through.status(NODES).await, 200);
}
