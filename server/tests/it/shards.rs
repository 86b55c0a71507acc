//! Several servers of one Service, each of which scrapes a part of the nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kubevitals_server::config::Settings;
use kubevitals_server::telemetry::{self, LogFormat};
use kubevitals_server::{Server, shard};
use kubevitals_sim::identity::{Rule, SERVER_ACCOUNT, Subject};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, Fault, Faults, SimClock};
use serde_json::{Value, json};

use crate::harness::{client, clock_of, wait_until};
use crate::state::{machine, peer_credentials};

const NODES: u32 = 12;
const PODS_PER_NODE: u32 = 3;
const PODS: usize = (NODES * PODS_PER_NODE) as usize;
const SET: &str = "vitals-server";

/// A cluster and its servers, by index.
struct Fleet {
    cluster: Cluster,
    clock: SimClock,
    client: reqwest::Client,
    servers: BTreeMap<u32, Server>,
}

impl Fleet {
    /// A cluster without servers, whose StatefulSet has `replicas`.
    async fn new(replicas: u32) -> Self {
        telemetry::init(LogFormat::Text, 0);
        let cluster = Cluster::start(Config {
            nodes: NODES,
            pods_per_node: PODS_PER_NODE,
            faults: Faults::None,
            clock: Some(SimClock::manual(machine())),
            ..Config::default()
        })
        .await
        .unwrap();
        crate::manage::install(&cluster);
        let (namespace, name) = SERVER_ACCOUNT;
        let rule = Rule::resources(&["get"], "apps", &["statefulsets"]).named(&[SET]);
        let account = Subject::service_account(namespace, name);
        cluster
            .identities()
            .grant(account, rule.in_namespace(namespace));
        let certificate = cluster.pki().cluster();
        let certificate = certificate.issue_client("tester", &["system:masters"]);
        let fleet = Self {
            clock: cluster.clock().clone(),
            client: client(certificate.as_ref().ok()),
            cluster,
            servers: BTreeMap::new(),
        };
        fleet.scale(replicas);
        fleet
    }

    /// A fleet whose servers have all pods.
    async fn started(count: u32) -> Self {
        let mut fleet = Self::new(count).await;
        for index in 0..count {
            fleet.start(index, index).await;
        }
        fleet.complete().await;
        fleet
    }

    /// Sets the replicas of the StatefulSet.
    fn scale(&self, replicas: u32) {
        let set = json!({
            "metadata": {"name": SET, "namespace": "kube-system"},
            "spec": {"replicas": replicas, "selector": {}, "serviceName": SET, "template": {}},
        });
        self.cluster.store().apply(Resource::StatefulSets, set);
    }

    /// Starts a server with this index, which `key` names.
    async fn start(&mut self, key: u32, index: u32) {
        let kubeconfig = self.cluster.server_kubeconfig();
        let mut settings = Settings::embedded(kubeconfig, clock_of(&self.clock))
            .await
            .unwrap();
        settings.tls.manage = true;
        settings.peers = Some(peer_credentials(&self.cluster));
        settings.shard = Some(shard::Settings {
            index,
            count: shard::Count::StatefulSet(SET.to_owned()),
        });
        let server = Server::start(settings).await.unwrap();
        wait_until("the server knows whom to believe", async || {
            server.auth().ready()
        })
        .await;
        self.servers.insert(key, server);
        self.publish();
    }

    /// Ends a server as a machine that fails does.
    fn kill(&mut self, key: u32) {
        self.servers.remove(&key);
    }

    /// Updates the EndpointSlice.
    fn publish(&self) {
        for server in self.servers.values() {
            let slice = endpoint(server.local_addr().port());
            self.cluster.store().apply(Resource::EndpointSlices, slice);
        }
    }

    /// Moves the clock on in steps shorter than any timeout of a shard, until a condition holds.
    async fn until(&self, what: &str, mut condition: impl AsyncFnMut(&Self) -> bool) {
        wait_until(what, async || {
            self.clock.advance(Duration::from_millis(500));
            tokio::time::sleep(Duration::from_millis(10)).await;
            condition(self).await
        })
        .await;
    }

    /// Moves the clock on.
    async fn pass(&self, seconds: u32) {
        for _ in 0..2 * seconds {
            self.clock.advance(Duration::from_millis(500));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until each server has the metrics of all pods.
    async fn complete(&self) {
        self.until("each server has all pods", async |fleet| {
            for key in fleet.servers.keys() {
                if fleet.pods(*key).await.len() != PODS {
                    return false;
                }
            }
            true
        })
        .await;
    }

    async fn get(&self, key: u32, path: &str) -> (reqwest::header::HeaderMap, Value) {
        let url = format!("https://{}{path}", self.servers[&key].local_addr());
        let response = self.client.get(url).send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        let value = if status.is_success() {
            serde_json::from_slice(&body).unwrap()
        } else {
            Value::Null
        };
        (headers, value)
    }

    async fn items(&self, key: u32, path: &str) -> Vec<Value> {
        let (_, list) = self.get(key, path).await;
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// The pods with metrics.
    async fn pods(&self, key: u32) -> BTreeSet<String> {
        let items = self.items(key, "/apis/metrics.k8s.io/v1beta1/pods").await;
        let name = |item: &Value| item["metadata"]["name"].as_str().unwrap().to_owned();
        items.iter().map(name).collect()
    }

    /// The nodes that a server scrapes.
    fn scraped(&self, key: u32) -> BTreeSet<String> {
        let targets = self.servers[&key].query().targets();
        targets.into_iter().map(|target| target.node).collect()
    }

    /// The points of a node in the history as a server answers it.
    async fn points(&self, key: u32, node: &str) -> usize {
        let path =
            format!("/apis/kubevitals.io/v1alpha1/nodevitals/{node}/history?since=30m&step=15s");
        let (_, history) = self.get(key, &path).await;
        let points = history["total"]["points"].as_array();
        points.map_or(0, |points| points.iter().filter(|it| !it.is_null()).count())
    }

    async fn metric(&self, key: u32, sample: &str) -> u64 {
        crate::harness::counted(&self.cluster, &self.servers[&key], sample).await
    }
}

/// An EndpointSlice of the servers' Service with one port on loopback.
fn endpoint(port: u16) -> Value {
    json!({
        "metadata": {
            "name": format!("{SET}-{port}"), "namespace": "kube-system",
            "labels": {"kubernetes.io/service-name": SET},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"serving": true}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    })
}

/// What a list says of each pod's usage, without the time of the response.
fn usages(items: &[Value]) -> Vec<String> {
    let usage = |item: &Value| {
        format!(
            "{} {} {} {}",
            item["metadata"]["name"], item["timestamp"], item["window"], item["containers"]
        )
    };
    items.iter().map(usage).collect()
}

/// What a list of vitals says of each object, without versions and what only the shard that scrapes it has.
fn vitals(items: Vec<Value>) -> Vec<Value> {
    let strip = |mut item: Value| {
        let object = item.as_object_mut().unwrap();
        object.remove("metadata");
        object.remove("pages");
        item
    };
    items.into_iter().map(strip).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_shard_answers_for_all_nodes_and_scrapes_its_own() {
    let fleet = Fleet::started(3).await;
    let scraped: Vec<_> = (0..3).map(|key| fleet.scraped(key)).collect();
    let all: BTreeSet<_> = scraped.iter().flatten().cloned().collect();
    assert_eq!(all.len(), NODES as usize);
    assert_eq!(
        scraped.iter().map(BTreeSet::len).sum::<usize>(),
        NODES as usize,
        "each node is scraped once: {scraped:?}"
    );
    // The pages of all nodes have been requested.
    fleet.pass(70).await;
    // The clock stands still: after the last exchange all servers say the same.
    for path in [
        "/apis/metrics.k8s.io/v1beta1/pods",
        "/apis/metrics.k8s.io/v1beta1/nodes",
    ] {
        fleet
            .until(&format!("all lists of {path} are equal"), async |fleet| {
                let first = usages(&fleet.items(0, path).await);
                let second = usages(&fleet.items(1, path).await);
                let third = usages(&fleet.items(2, path).await);
                !first.is_empty() && first == second && first == third
            })
            .await;
    }
    for path in [
        "/apis/kubevitals.io/v1alpha1/podvitals",
        "/apis/kubevitals.io/v1alpha1/nodevitals",
        "/apis/kubevitals.io/v1alpha1/podvitals?trend=8",
        "/apis/kubevitals.io/v1alpha1/podvitals?stats=5m",
        "/apis/kubevitals.io/v1alpha1/nodevitals?at=-40s",
        "/apis/kubevitals.io/v1alpha1/podvitals?at=-40s",
    ] {
        fleet
            .until(&format!("all lists of {path} are equal"), async |fleet| {
                let first = vitals(fleet.items(0, path).await);
                let second = vitals(fleet.items(1, path).await);
                !first.is_empty() && first == second
            })
            .await;
    }
    assert_eq!(
        fleet
            .metric(0, "kubevitals_shard_refused_reports_total{reason=\"own\"}")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nodes_of_a_shard_that_is_gone_are_absent_with_the_reason() {
    let mut fleet = Fleet::started(3).await;
    let (lost, kept) = (fleet.scraped(2), fleet.scraped(1));
    assert!(!lost.is_empty() && !kept.is_empty());
    fleet.kill(2);
    let path = "/apis/metrics.k8s.io/v1beta1/nodes";
    // Each shard finds out by itself.
    for key in 0..2 {
        fleet
            .until("its nodes are absent", async |fleet| {
                fleet.items(key, path).await.len() == NODES as usize - lost.len()
            })
            .await;
    }
    let named = |items: &[Value]| -> BTreeSet<String> {
        let name = |item: &Value| item["metadata"]["name"].as_str().unwrap().to_owned();
        items.iter().map(name).collect()
    };
    let present = named(&fleet.items(0, path).await);
    assert!(present.is_disjoint(&lost) && present.is_superset(&kept));
    let (headers, _) = fleet.get(0, path).await;
    let warning = headers["warning"].to_str().unwrap();
    assert!(
        warning.starts_with("299 - \"shard 2/3 (127.0.0.1:")
            && warning.contains("has not answered"),
        "{warning}"
    );
    let node = lost.first().unwrap();
    let of_node = format!("/apis/kubevitals.io/v1alpha1/nodevitals/{node}");
    let (_, vitals) = fleet.get(1, &of_node).await;
    assert_eq!(vitals["absent"]["reason"], "ShardAbsent", "{vitals}");
    let message = vitals["absent"]["message"].as_str().unwrap();
    assert!(message.contains("shard 2/3 (127.0.0.1:"), "{message}");
    let why = format!("{path}/{node}/why");
    let (_, why) = fleet.get(0, &why).await;
    assert_eq!(why["reason"], "shard_absent", "{why}");
    let (headers, _) = fleet.get(0, &format!("{of_node}/history?since=5m")).await;
    assert!(headers.contains_key("warning"));
    assert_eq!(
        fleet
            .metric(0, "kubevitals_shard_answers{shard=\"2\"}")
            .await,
        0
    );
    assert_eq!(
        fleet
            .metric(0, "kubevitals_shard_answers{shard=\"1\"}")
            .await,
        1
    );
    // It comes back at another address.
    fleet.start(2, 2).await;
    fleet.complete().await;
    assert_eq!(fleet.scraped(2), lost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_shard_takes_over_its_nodes_with_their_history() {
    let mut fleet = Fleet::started(2).await;
    fleet.pass(90).await;
    let before: BTreeMap<String, u32> = (0..2)
        .flat_map(|key| fleet.scraped(key).into_iter().map(move |node| (node, key)))
        .collect();
    fleet.scale(3);
    fleet.start(2, 2).await;
    fleet
        .until("the third shard scrapes", async |fleet| {
            !fleet.scraped(2).is_empty()
        })
        .await;
    let moved = fleet.scraped(2);
    for key in 0..2 {
        fleet
            .until("the others no longer scrape its nodes", async |fleet| {
                fleet.scraped(key).is_disjoint(&moved)
            })
            .await;
        // No node moves between the two.
        assert!(fleet.scraped(key).iter().all(|node| before[node] == key));
    }
    let node = moved.first().unwrap();
    let points = fleet.points(2, node).await;
    assert!(points >= 5, "{points} points of the time before");
    for key in 0..3 {
        assert_eq!(
            fleet.pods(key).await.len(),
            PODS,
            "nothing is absent meanwhile"
        );
    }
    fleet.pass(60).await;
    for key in 0..3 {
        fleet
            .until("the history goes on", async |fleet| {
                fleet.points(key, node).await >= points + 3
            })
            .await;
        // The clock of the test may be faster than a scrape.
        fleet
            .until("it has all pods", async |fleet| {
                fleet.pods(key).await.len() == PODS
            })
            .await;
    }
    // The third leaves: its nodes go back, with their history.
    fleet.scale(2);
    fleet
        .until("it has no nodes", async |fleet| fleet.scraped(2).is_empty())
        .await;
    fleet
        .until("the others have all nodes", async |fleet| {
            fleet.scraped(0).len() + fleet.scraped(1).len() == NODES as usize
        })
        .await;
    fleet.kill(2);
    assert!(fleet.points(0, node).await >= points + 3);
    fleet.pass(50).await;
    for key in 0..2 {
        // The clock of the test may be faster than a scrape.
        fleet
            .until("it has all pods", async |fleet| {
                fleet.pods(key).await.len() == PODS
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_servers_with_the_same_index_the_later_one_scrapes() {
    let mut fleet = Fleet::started(2).await;
    let nodes = fleet.scraped(1);
    fleet.pass(2).await;
    fleet.start(9, 1).await;
    fleet
        .until("the earlier one stands by", async |fleet| {
            fleet.scraped(1).is_empty() && fleet.scraped(9) == nodes
        })
        .await;
    fleet.complete().await;
    assert_eq!(fleet.metric(1, "kubevitals_shard_stands_by").await, 1);
    assert_eq!(fleet.metric(9, "kubevitals_shard_stands_by").await, 0);
    fleet.kill(9);
    fleet
        .until("the earlier one scrapes again", async |fleet| {
            fleet.scraped(1) == nodes
        })
        .await;
    fleet.complete().await;
}

/// What a server says of each incident, without its own names and times.
fn incidents(server: &Server) -> BTreeSet<String> {
    let (entries, _) = server.query().health().incidents();
    let entries = entries.iter().map(|entry| &entry.incident);
    entries
        .map(|it| {
            let (of, cause) = (&it.involved, &it.cause);
            format!(
                "{:?} {}/{} {} {cause:?}",
                it.reason, of.namespace, of.name, of.container
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_shard_judges_incidents_alike() {
    let fleet = Fleet::started(2).await;
    fleet.pass(60).await;
    for fault in [Fault::OomKill, Fault::CrashLoop, Fault::LivenessFailure] {
        assert!(fleet.cluster.inject(fault), "{fault:?}");
    }
    fleet
        .until(
            "both have the same three incidents or more",
            async |fleet| {
                let [first, second] = [0, 1].map(|key| incidents(&fleet.servers[&key]));
                first.len() >= 3 && first == second
            },
        )
        .await;
}

/// A machine that accepts connections and says nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_that_hangs_is_absent_and_delays_nobody() {
    let mut fleet = Fleet::new(3).await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let slice = endpoint(port);
    fleet.cluster.store().apply(Resource::EndpointSlices, slice);
    for index in 0..2 {
        fleet.start(index, index).await;
    }
    let path = "/apis/kubevitals.io/v1alpha1/nodevitals";
    fleet
        .until("the nodes of the others have metrics", async |fleet| {
            let items = fleet.items(0, path).await;
            let (absent, present): (Vec<_>, Vec<_>) =
                items.iter().partition(|item| item["absent"].is_object());
            let has_problem = |item: &&Value| {
                let message = item["absent"]["message"].as_str().unwrap_or_default();
                message.contains(&format!("127.0.0.1:{port}: cannot connect: no connection"))
            };
            present.len() == fleet.scraped(0).len() + fleet.scraped(1).len()
                && !absent.is_empty()
                && absent.iter().all(has_problem)
        })
        .await;
}
