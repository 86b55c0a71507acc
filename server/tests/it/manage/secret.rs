//! The Secret: its creation, its content, and changes by others.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};
use kubevitals_server::Server;
use kubevitals_sim::identity::{SERVER_ACCOUNT, UserInfo};
use kubevitals_sim::objects::Resource;
use serde_json::{Value, json};

use super::{ROUND, SECRET, SERVICES, World, count, install};
use crate::harness::{counted, wait_until};
use crate::tls::now;

/// The label by which the server recognizes its Secret.
const MARK: (&str, &str) = ("app.kubernetes.io/managed-by", "vitals-server");

impl World {
    fn stored(&self) -> Option<Value> {
        self.object(Resource::Secrets, Some(SERVER_ACCOUNT.0), SECRET)
    }

    fn delete(&self) {
        let store = self.cluster.store();
        assert!(store.delete(Resource::Secrets, Some(SERVER_ACCOUNT.0), SECRET));
    }

    /// The same as `kubectl patch --type merge`.
    async fn patch(&self, patch: Value) {
        let secrets = Api::<Secret>::namespaced(self.client.clone(), SERVER_ACCOUNT.0);
        let patch = Patch::Merge(patch);
        let patched = secrets.patch(SECRET, &PatchParams::default(), &patch).await;
        patched.unwrap();
    }

    /// The server's requests for secrets.
    fn verbs(&self) -> Vec<String> {
        let UserInfo { username, .. } =
            UserInfo::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
        let seen = self.cluster.identities().requests_seen(&username);
        let of_secrets = seen.into_iter().filter(|a| a.resource == "secrets");
        of_secrets.map(|attributes| attributes.verb).collect()
    }

    /// The number of failed rounds of a server.
    async fn failures(&self, server: &Server) -> u64 {
        let sample = "kubevitals_managed_ca_rounds_total{result=\"failure\"}";
        counted(&self.cluster, server, sample).await
    }

    /// Waits for two more failed rounds of each server. Each must answer over new connections all the time.
    async fn rounds_fail(&self, servers: &[&Server]) {
        for server in servers {
            let before = self.failures(server).await;
            wait_until("two more rounds have failed", async || {
                self.clock.advance(ROUND);
                self.cluster.set_aggregated(server.local_addr());
                assert!(self.is_answered().await);
                self.failures(server).await >= before + 2
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_one_ca() {
    let world = World::at(now()).await;
    // Both servers find the Secret empty; one fills it first.
    let (first, second) = tokio::join!(world.serve(), world.serve());
    for server in [&first, &second] {
        world.cluster.set_aggregated(server.local_addr());
        world.wait_for_answer().await;
    }
    let bundle = world.bundle();
    assert_eq!(count(&bundle), 1);
    let third = world.serve().await;
    world.wait_for_answer().await;
    assert_eq!(
        world.bundle(),
        bundle,
        "one that comes later takes what is there"
    );
    drop(third);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_waits_for_its_secret_and_never_creates_it() {
    let world = World::at(now()).await;
    world.delete();
    let _server = world.serve().await;
    wait_until("it has looked for it", async || !world.verbs().is_empty()).await;
    world.clock.advance(ROUND);
    assert!(world.spec(SERVICES[0])["caBundle"].is_null());
    install(&world.cluster);
    wait_until("there is a CA", async || {
        world.clock.advance(ROUND);
        !world.spec(SERVICES[0])["caBundle"].is_null()
    })
    .await;
    world.wait_for_answer().await;
    assert_eq!(world.verbs(), ["get", "update"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_secret_is_filled_again_when_it_is_back() {
    let world = World::at(now()).await;
    let (first, second) = (world.serve().await, world.serve().await);
    let both = [&first, &second];
    world.wait_for_answer().await;
    let old = world.secret().unwrap()["tls.crt"].clone();
    world.delete();
    world.rounds_fail(&both).await;
    assert!(world.stored().is_none());
    assert_eq!(world.bundle(), old);

    install(&world.cluster);
    world
        .rounds_until(&both, "there is a new CA, and the old one believed", || {
            world.secret().is_some_and(|secret| {
                secret["tls.crt"] != old && world.bundle() == secret["ca.crt"]
            })
        })
        .await;
    let bundle = world.bundle();
    assert!(bundle.contains(&old) && count(&bundle) == 2, "{bundle}");
    let settled = || world.secret().unwrap()["ca.crt"] == bundle;
    for _ in 0..5 {
        world
            .rounds_until(&both, "another round has passed", settled)
            .await;
    }
}

/// The steps of docs/operations.md.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaked_ca_is_replaced_without_a_failed_request() {
    let world = World::at(now()).await;
    let (first, second) = (world.serve().await, world.serve().await);
    let both = [&first, &second];
    world.wait_for_answer().await;
    let leaked = world.secret().unwrap()["tls.crt"].clone();
    world.patch(json!({"data": null})).await;
    world
        .rounds_until(&both, "there is a new CA, and the old one believed", || {
            count(&world.bundle()) == 2
        })
        .await;
    // Waits until both servers have a certificate of the new CA, which is the only one that the API server trusts.
    let new = world.secret().unwrap()["tls.crt"].clone();
    for server in both {
        wait_until("it shows a certificate of the new CA", async || {
            world.clock.advance(ROUND);
            shows_one_of(server, &new).await
        })
        .await;
    }
    let without = json!({"data": {"previous.crt": null}});
    world.patch(without).await;
    world
        .rounds_until(&both, "the old one is in no bundle", || {
            world.bundle() == new
        })
        .await;
    let secret = world.secret().unwrap();
    assert_eq!((&secret["tls.crt"], &secret["ca.crt"]), (&new, &new));
    assert!(!secret.values().any(|value| value.contains(&leaked)));
}

/// Whether a server is verified by a CA.
async fn shows_one_of(server: &Server, authority: &str) -> bool {
    let name = "vitals-server.kube-system.svc";
    let authority = reqwest::Certificate::from_pem(authority.as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([authority])
        .resolve(name, server.local_addr())
        .build()
        .unwrap();
    let url = format!("https://{name}:{}/livez", server.local_addr().port());
    client.get(url).send().await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn empty_secrets_are_filled_and_invalid_ones_if_ours() {
    let empty = BTreeMap::from([("tls.crt", String::new()), ("tls.key", String::new())]);
    let garbage = BTreeMap::from([("tls.crt", "garbage".to_owned())]);
    let cases = [
        ("kubernetes.io/tls", json!({}), &empty),
        ("Opaque", json!({MARK.0: MARK.1}), &garbage),
        // Helm writes its own name into the label when it applies the Secret.
        (
            "Opaque",
            json!({MARK.0: "Helm", "app.kubernetes.io/part-of": "kubevitals"}),
            &garbage,
        ),
    ];
    for (kind, labels, data) in cases {
        let world = World::at(now()).await;
        world.put_secret(kind, labels, data);
        let _server = world.serve().await;
        world.wait_for_answer().await;
        assert_eq!(world.secret().unwrap()["ca.crt"], world.bundle());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_of_another_owner_is_not_changed() {
    let world = World::at(now()).await;
    let server = world.serve().await;
    world.wait_for_answer().await;
    let nothing = BTreeMap::new();
    let other = BTreeMap::from([("password", "secret".to_owned())]);
    let token = "kubernetes.io/service-account-token";
    let cases = [
        ("Opaque", json!({MARK.0: "Helm"}), &other),
        // Another controller fills a Secret of this type with a token.
        (token, json!({MARK.0: MARK.1}), &nothing),
        (
            "bootstrap.kubernetes.io/token",
            json!({MARK.0: MARK.1}),
            &other,
        ),
    ];
    for (kind, labels, data) in cases {
        let bundle = world.bundle();
        world.put_secret(kind, labels, data);
        let before = world.stored();
        world.rounds_fail(&[&server]).await;
        assert_eq!(world.stored(), before, "{kind}");
        assert_eq!(world.bundle(), bundle, "{kind}");

        world.delete();
        install(&world.cluster);
        world
            .rounds_until(&[&server], "there is a CA again", || {
                world.bundle() != bundle
                    && world
                        .secret()
                        .is_some_and(|secret| secret["ca.crt"] == world.bundle())
            })
            .await;
    }
    assert_eq!(world.verbs(), ["get", "update"]);
}
