//! CAs that change while the server runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use kubevitals_sim::identity::UserInfo;
use kubevitals_sim::pki::Authority;

use super::{NODES, TestUser, config, unauthorized};
use crate::harness::{Harness, client, wait_until};

/// Requests nodes from the kube-apiserver again and again until stopped. Returns the number of successes, and the
/// other responses.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    requests: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(harness: &Harness) -> Self {
        let identities = harness.cluster.identities();
        let token = identities.mint_token(UserInfo::new("root", ["system:masters"]));
        let url = format!("{}{NODES}", harness.cluster.api_url());
        let (stop, answered) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let request = |_| {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            let (client, url, token) = (client(None), url.clone(), token.clone());
            tokio::spawn(async move {
                let mut refused = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    match client.get(&url).bearer_auth(&token).send().await {
                        Ok(response) if response.status() == 200 => {
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                        other => refused.push(format!("{other:?}")),
                    }
                }
                refused
            })
        };
        let requests = (0..3).map(request).collect();
        Self {
            stop,
            answered,
            requests,
        }
    }

    /// Waits until some more requests have succeeded.
    async fn goes_on(&self) {
        let before = self.answered.load(Ordering::Relaxed);
        wait_until("requests go on being answered", async || {
            self.answered.load(Ordering::Relaxed) >= before + 30
        })
        .await;
    }

    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let mut refused = Vec::new();
        for requests in self.requests {
            refused.extend(requests.await.unwrap());
        }
        refused
    }
}

async fn wait_for_reloads(harness: &Harness, more_than: u64) {
    wait_until("the new CA was taken over", async || {
        harness.server.auth().metrics().trust_changes.get() > more_than
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_front_proxy_ca_rotates_without_a_failed_request() {
    let harness = Harness::start(config()).await;
    harness.first_step(1).await;
    let old = harness.cluster.pki().front_proxy();
    let old = old.issue_client("front-proxy-client", &[]).unwrap();
    let api = harness.cluster.api();
    let load = Load::start(&harness);
    load.goes_on().await;

    let changes = || harness.server.auth().metrics().trust_changes.get();
    let before = changes();
    api.announce_requestheader_ca().unwrap();
    wait_for_reloads(&harness, before).await;
    load.goes_on().await;
    api.switch_requestheader_ca();
    // By then, requests in flight with the old certificate have ended.
    load.goes_on().await;
    let before = changes();
    api.retire_requestheader_ca();
    wait_for_reloads(&harness, before).await;
    load.goes_on().await;
    assert_eq!(load.end().await, [] as [String; 0]);

    let former = TestUser::with_certificate(&harness, &old).with_header("X-Remote-User", "jane");
    assert_eq!(
        former.status_and_message(NODES).await,
        unauthorized(),
        "the old CA is believed no longer"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ca_file_takes_precedence_and_is_reloaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.crt");
    let (first, second) = (Authority::new("a").unwrap(), Authority::new("b").unwrap());
    std::fs::write(&path, first.pem()).unwrap();
    let harness = Harness::start_with(config(), |settings| {
        settings.auth.client_ca = Some(path.clone());
    })
    .await;
    let master = |ca: &Authority| ca.issue_client("root", &["system:masters"]).unwrap();
    let (first, second, cluster) = (
        TestUser::with_certificate(&harness, &master(&first)),
        TestUser::with_certificate(&harness, &master(&second)),
        TestUser::with_certificate(&harness, &master(harness.cluster.pki().cluster())),
    );
    assert_eq!(first.status(NODES).await, 200);
    assert_eq!(second.status(NODES).await, 401);
    assert_eq!(cluster.status(NODES).await, 401);

    let metrics = harness.server.auth().metrics();
    // A half-written file leaves the last good one in use.
    std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nMIIB").unwrap();
    wait_until("half a file was read", async || {
        metrics.trust_failures.get() > 0
    })
    .await;
    assert_eq!(first.status(NODES).await, 200);
    let whole = Authority::new("b").unwrap();
    let newest = TestUser::with_certificate(&harness, &master(&whole));
    std::fs::write(&path, whole.pem()).unwrap();
    wait_until("the new CA is believed", async || {
        newest.status(NODES).await == 200
    })
    .await;
    assert_eq!(first.status(NODES).await, 401);
    assert_eq!(second.status(NODES).await, 401);
}
