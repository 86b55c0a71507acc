//! The managed CA: the kube-apiserver verifies the server with it, and the replicas share it.

mod secret;

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::FutureExt;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kubevitals_proto::time::Timestamp;
use kubevitals_server::Server;
use kubevitals_server::config::Settings;
use kubevitals_server::telemetry::{self, LogFormat};
use kubevitals_server::tls::Authority;
use kubevitals_sim::identity::{SERVER_ACCOUNT, Subject, UserInfo};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, Faults, SimClock};
use serde_json::{Value, json};

use crate::harness::{clock_of, wait_until};
use crate::manifests::rendered::{Rendered, repository};
use crate::tls::now;

/// The time between two rounds.
const ROUND: Duration = Duration::from_secs(60);

const SECRET: &str = "vitals-server-ca";
const SERVICES: [&str; 3] = [
    "v1beta1.metrics.k8s.io",
    "v1.metrics.k8s.io",
    "v1alpha1.kubevitals.io",
];

/// The Secret of the manifests.
fn manifest() -> Value {
    let text = std::fs::read_to_string(repository("deploy/base/secret.yaml")).unwrap();
    Rendered::yaml(&text).only("Secret").clone()
}

/// Creates the Secret and the ConfigMaps of the manifests.
pub(crate) fn install(cluster: &Cluster) {
    cluster.store().apply(Resource::Secrets, manifest());
    let text = std::fs::read_to_string(repository("deploy/base/configmaps.yaml")).unwrap();
    for object in Rendered::yaml(&text).kind("ConfigMap") {
        cluster.store().apply(Resource::ConfigMaps, object.clone());
    }
}

/// A cluster with a client of its API server.
struct World {
    cluster: Cluster,
    clock: SimClock,
    client: kube::Client,
}

impl World {
    /// A cluster at `start`, with the Secret and both APIServices of the manifests.
    async fn at(start: Timestamp) -> Self {
        telemetry::init(LogFormat::Text, 0);
        let _provider = kubevitals_server::tls::provider();
        let clock = SimClock::manual(start);
        let cluster = Cluster::start(Config {
            nodes: 1,
            pods_per_node: 2,
            faults: Faults::None,
            clock: Some(clock.clone()),
            ..Config::default()
        })
        .await
        .unwrap();
        let parsed = Kubeconfig::from_yaml(cluster.kubeconfig()).unwrap();
        let options = KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(parsed, &options).await;
        let mut config = config.unwrap();
        // A refusal is a response.
        config.default_retry = false;
        let world = Self {
            client: kube::Client::try_from(config).unwrap(),
            cluster,
            clock,
        };
        install(&world.cluster);
        for name in SERVICES {
            world.register(name, "vitals-server", json!({}));
        }
        world
    }

    fn register(&self, name: &str, service: &str, more: Value) {
        let (version, group) = name.split_once('.').unwrap();
        let mut spec = json!({
            "service": {"namespace": "kube-system", "name": service, "port": 443},
            "group": group, "version": version,
            "groupPriorityMinimum": 100, "versionPriority": 100,
        });
        let more = more.as_object().unwrap().clone();
        spec.as_object_mut().unwrap().extend(more);
        let object =
            json!({"metadata": {"name": name, "labels": {"unchanged": "yes"}}, "spec": spec});
        self.cluster.store().apply(Resource::ApiServices, object);
    }

    /// Starts a server with a managed CA, to which the API server forwards from now on.
    async fn serve(&self) -> Server {
        let kubeconfig = self.cluster.server_kubeconfig();
        let mut settings = Settings::embedded(kubeconfig, clock_of(&self.clock))
            .await
            .unwrap();
        settings.tls.manage = true;
        let server = Server::start(settings).await.unwrap();
        self.cluster.set_aggregated(server.local_addr());
        server
    }

    /// Whether the API server can connect, verifying as the APIService says.
    async fn is_answered(&self) -> bool {
        let request = http::Request::get("/apis/metrics.k8s.io/v1beta1")
            .body(Vec::new())
            .unwrap();
        let answer = self.client.request_text(request).await;
        answer.is_ok_and(|answer| answer.contains("APIResourceList"))
    }

    async fn wait_for_answer(&self) {
        wait_until("the server is verified and answers", async || {
            self.is_answered().await
        })
        .await;
    }

    /// Runs rounds until `condition` is true. Each server must answer over new connections all the time.
    async fn rounds_until(&self, servers: &[&Server], what: &str, condition: impl Fn() -> bool) {
        wait_until(what, async || {
            self.clock.advance(ROUND);
            for server in servers {
                self.cluster.set_aggregated(server.local_addr());
                assert!(self.is_answered().await);
            }
            condition()
        })
        .await;
    }

    fn object(&self, resource: Resource, namespace: Option<&str>, name: &str) -> Option<Value> {
        let object = self.cluster.store().get(resource, namespace, name)?;
        Some(object.to_value(resource))
    }

    /// The ConfigMap that has the CA without its key.
    fn published(&self) -> Option<Value> {
        self.object(Resource::ConfigMaps, Some("kube-system"), SECRET)
    }

    fn secret(&self) -> Option<BTreeMap<String, String>> {
        let secret = self.object(Resource::Secrets, Some("kube-system"), SECRET)?;
        let data = secret["data"].as_object()?.iter();
        Some(
            data.map(|(key, value)| (key.clone(), text(value)))
                .collect(),
        )
    }

    fn put_secret(&self, kind: &str, labels: Value, data: &BTreeMap<&str, String>) {
        let data: BTreeMap<_, _> = data
            .iter()
            .map(|(key, value)| (*key, BASE64_STANDARD.encode(value)))
            .collect();
        let metadata = json!({"name": SECRET, "namespace": "kube-system", "labels": labels});
        let secret = json!({"metadata": metadata, "type": kind, "data": data});
        self.cluster.store().apply(Resource::Secrets, secret);
    }

    fn spec(&self, name: &str) -> Value {
        self.object(Resource::ApiServices, None, name).unwrap()["spec"].clone()
    }

    /// The CA certificates that the API server verifies with.
    fn bundle(&self) -> String {
        let bundles = SERVICES.map(|name| text(&self.spec(name)["caBundle"]));
        let [bundle, ..] = bundles;
        bundle
    }
}

fn text(base64: &Value) -> String {
    let bytes = BASE64_STANDARD.decode(base64.as_str().unwrap_or_default());
    String::from_utf8(bytes.unwrap()).unwrap()
}

fn count(bundle: &str) -> usize {
    bundle.matches("BEGIN CERTIFICATE").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_kube_apiserver_verifies_the_ca_of_the_secret() {
    let world = World::at(now()).await;
    let insecure = json!({"insecureSkipTLSVerify": true});
    world.register(SERVICES[0], "vitals-server", insecure);
    let _server = world.serve().await;
    wait_until("all APIServices have the CA", async || {
        SERVICES
            .iter()
            .all(|name| !world.spec(name)["caBundle"].is_null())
    })
    .await;
    world.wait_for_answer().await;
    let secret = world.secret().unwrap();
    for name in SERVICES {
        let spec = world.spec(name);
        assert_eq!(text(&spec["caBundle"]), secret["ca.crt"]);
        assert_eq!(spec["insecureSkipTLSVerify"], false);
        let service = json!({"namespace": "kube-system", "name": "vitals-server", "port": 443});
        assert_eq!(
            (&spec["service"], &spec["versionPriority"]),
            (&service, &json!(100))
        );
        let object = world.object(Resource::ApiServices, None, name).unwrap();
        assert_eq!(object["metadata"]["labels"]["unchanged"], "yes");
    }
    assert_eq!(count(&secret["ca.crt"]), 1);
    assert_eq!(secret["ca.crt"], secret["tls.crt"]);
    let published = world.published().unwrap();
    assert_eq!(published["data"], json!({"ca.crt": secret["ca.crt"]}));
    let mark = &published["metadata"]["labels"]["app.kubernetes.io/managed-by"];
    assert_eq!(mark, "vitals-server");
    Authority::read(&secret["tls.crt"], &secret["tls.key"], now()).unwrap();
    let mut filled = world.object(Resource::Secrets, Some("kube-system"), SECRET);
    let filled = filled.as_mut().unwrap();
    for part in ["type", "metadata/labels"] {
        let part = format!("/{part}");
        assert_eq!(filled.pointer(&part), manifest().pointer(&part));
    }
    let account = format!(
        "system:serviceaccount:{}:{}",
        SERVER_ACCOUNT.0, SERVER_ACCOUNT.1
    );
    let refused = world.cluster.identities().refused(&account);
    let secrets: Vec<_> = refused.iter().filter(|a| a.resource == "secrets").collect();
    assert!(secrets.is_empty(), "{secrets:?}");
}

/// Manifests of an earlier version have no ConfigMap, and other writers may change it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ca_is_published_and_corrected_in_the_configmap() {
    let world = World::at(now()).await;
    let store = world.cluster.store();
    assert!(store.delete(Resource::ConfigMaps, Some("kube-system"), SECRET));
    let _server = world.serve().await;
    world.wait_for_answer().await;
    world.clock.advance(ROUND);
    assert!(world.published().is_none(), "it is never made");
    for content in [json!({}), json!({"ca.crt": "another", "more": "stays"})] {
        let metadata = json!({"name": SECRET, "namespace": "kube-system"});
        store.apply(
            Resource::ConfigMaps,
            json!({"metadata": metadata, "data": content}),
        );
        wait_until("the CA is published", async || {
            world.clock.advance(ROUND);
            world.published().unwrap()["data"]["ca.crt"] == json!(world.bundle())
        })
        .await;
        let published = world.published().unwrap();
        assert_eq!(published["data"]["more"], content["more"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ca_is_replaced_without_a_failed_request() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    // Certificates are verified with the machine's clock, so one that is made a day later must be valid by then.
    let start = Timestamp::from_secs(now().as_secs() - 25 * 3600);
    let world = World::at(start).await;
    let old = Authority::make(Timestamp::from_secs(start.as_secs() - 1700 * 24 * 3600)).unwrap();
    let data = BTreeMap::from([
        ("tls.crt", old.pem().to_owned()),
        ("tls.key", old.key_pem()),
    ]);
    world.put_secret("kubernetes.io/tls", json!({}), &data);
    let (first, second) = (world.serve().await, world.serve().await);
    let both = [&first, &second];
    world.wait_for_answer().await;
    let secret = world.secret().unwrap();
    assert_eq!(secret["tls.crt"], old.pem());
    let next = secret["next.crt"].clone();
    assert_eq!(world.bundle(), old.pem().to_owned() + &next);

    world.clock.advance(DAY);
    world
        .rounds_until(&both, "the new CA issues", || {
            world.secret().unwrap()["tls.crt"] == next
        })
        .await;
    world
        .rounds_until(&both, "the old one is believed beside it", || {
            world.bundle() == next.clone() + old.pem()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overwritten_bundle_is_corrected() {
    let world = World::at(now()).await;
    let _server = world.serve().await;
    world.wait_for_answer().await;
    let bundle = world.bundle();
    let stranger = Authority::make(now()).unwrap();
    let wrong = json!({"caBundle": BASE64_STANDARD.encode(stranger.pem())});
    world.register(SERVICES[0], "vitals-server", wrong);
    assert!(!world.is_answered().await);
    wait_until("the bundle is as it was", async || {
        world.clock.advance(ROUND);
        world.bundle() == bundle
    })
    .await;
    world.wait_for_answer().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_service_of_another_server_is_not_changed() {
    let world = World::at(now()).await;
    world.register(
        SERVICES[1],
        "metrics-server",
        json!({"insecureSkipTLSVerify": true}),
    );
    let before = world.spec(SERVICES[1]);
    let _server = world.serve().await;
    world.wait_for_answer().await;
    assert_eq!(world.spec(SERVICES[1]), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn denied_writes_succeed_once_they_are_permitted() {
    let world = World::at(now()).await;
    let identities = world.cluster.identities();
    let account = Subject::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    let user = UserInfo::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    let rules = identities.rules_of(&user);
    identities.revoke(&account);
    let _server = world.serve().await;
    let refused = |resource: &str| {
        let refused = identities.refused(&user.username);
        refused.iter().any(|a| a.resource == resource)
    };
    wait_until("it was refused", async || {
        refused("secrets") && refused("apiservices")
    })
    .await;
    assert!(world.secret().is_none());
    for rule in rules {
        identities.grant(account.clone(), rule);
    }
    wait_until("it has done its work", async || {
        world.clock.advance(ROUND);
        !world.spec(SERVICES[0])["caBundle"].is_null()
    })
    .await;
    world.wait_for_answer().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_waits_for_a_verifiable_certificate() {
    let world = World::at(now()).await;
    let identities = world.cluster.identities();
    let account = Subject::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    let rules = identities.rules_of(&UserInfo::service_account(
        SERVER_ACCOUNT.0,
        SERVER_ACCOUNT.1,
    ));
    let (of_secrets, others): (Vec<_>, Vec<_>) = rules
        .into_iter()
        .partition(|rule| rule.resources.iter().any(|name| name == "secrets"));
    identities.revoke(&account);
    for rule in others {
        identities.grant(account.clone(), rule);
    }
    let server = world.serve().await;
    wait_until("all else is ready", async || {
        let readiness = server.query().readiness();
        readiness.synced.is_ok() && readiness.storage.is_ok() && server.auth().ready()
    })
    .await;
    assert!(server.ready().now_or_never().is_none());
    for rule in of_secrets {
        identities.grant(account.clone(), rule);
    }
    wait_until("it is ready", async || {
        world.clock.advance(ROUND);
        server.ready().now_or_never().is_some()
    })
    .await;
    assert!(world.is_answered().await, "at once");
}
