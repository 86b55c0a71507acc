//! The API server does not answer, or its configmap has not been read yet.

use std::time::Duration;

use kubevitals_sim::identity::{Subject, UserInfo};
use kubevitals_sim::objects::Resource;

use super::{Asker, NODES, config, may_see_nodes, unauthorized};
use crate::harness::{BELIEVED, Harness, wait_until};

const TTL: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_api_server_cached_decisions_expire() {
    let harness = Harness::start(config()).await;
    let user = UserInfo::new("jane", []);
    may_see_nodes(&harness, Subject::User("jane".to_owned()));
    let token = harness.cluster.identities().mint_token(user);
    let jane = Asker::bearing(&harness, &token);
    let certificate = harness.cluster.pki().cluster().issue_client("jane", &[]);
    let by_certificate = Asker::with(&harness, &certificate.unwrap());
    for asker in [&jane, &by_certificate] {
        assert_eq!(asker.status(NODES).await, 200);
    }

    harness.cluster.cut_api(true);
    harness.clock.advance(TTL - Duration::from_millis(1));
    for asker in [&jane, &by_certificate] {
        assert_eq!(asker.status(NODES).await, 200);
    }
    harness.clock.advance(Duration::from_millis(1));
    let (status, message) = jane.is_told(NODES).await;
    assert_eq!(status, 500);
    assert_eq!(
        message,
        "Internal error occurred: cannot ask the API server whose token this is: it cannot be reached"
    );
    let (status, message) = by_certificate.is_told(NODES).await;
    assert_eq!(status, 500);
    assert_eq!(
        message,
        "Internal error occurred: cannot ask the API server whether this is allowed: it cannot be reached"
    );
    // Requests without a review still succeed.
    assert_eq!(Asker::anonymous(&harness).status("/healthz").await, 200);
    assert_eq!(harness.get(NODES).await.0, 200);

    harness.cluster.cut_api(false);
    for asker in [&jane, &by_certificate] {
        wait_until("jane is let in again", async || {
            asker.status(NODES).await == 200
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
        let asker = Asker::with(&harness, certificate).saying("X-Remote-User", "jane");
        let response = asker.asks(NODES).await;
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(asker.status(NODES).await, 503);
    }
    // Credentials that need no CA are still judged.
    assert_eq!(Asker::anonymous(&harness).status("/healthz").await, 200);
    assert_eq!(Asker::anonymous(&harness).status(NODES).await, 403);
    assert_eq!(
        Asker::bearing(&harness, "bad").is_told(NODES).await,
        unauthorized()
    );

    // The old CAs and the new ones: the one in use is among them.
    harness.cluster.api().announce_requestheader_ca().unwrap();
    wait_until("it is known whom to believe", async || {
        harness.server.auth().ready()
    })
    .await;
    assert_eq!(Asker::with(&harness, &client).status(NODES).await, 200);
    let through = Asker::with(&harness, &proxy)
        .saying("X-Remote-User", "jane")
        .saying("X-Remote-Group", "system:masters");
    assert_eq!(through.status(NODES).await, 200);
}
