//! A simulated cluster and a server on it, in one process over real sockets.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kubevitals_proto::quantity::Quantity;
use kubevitals_server::Server;
use kubevitals_server::clock::Clock;
use kubevitals_server::config::Settings;
use kubevitals_server::telemetry::{self, LogFormat};
use kubevitals_sim::identity::UserInfo;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::pki::Certified;
use kubevitals_sim::{Cluster, Config, SimClock};
use serde_json::Value;

/// The resolution of all tests.
pub(crate) const RESOLUTION: Duration = Duration::from_secs(15);

/// Waiting longer than this for something that must happen is a failure; it bounds a hang, not a speed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The configmap by which the API server says whom to believe.
pub(crate) const BELIEVED: (&str, &str) = ("kube-system", "extension-apiserver-authentication");

/// A cluster, its server, and a client.
pub(crate) struct Harness {
    pub(crate) cluster: Cluster,
    pub(crate) server: Server,
    pub(crate) clock: SimClock,
    client: reqwest::Client,
}

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not within a minute.
pub(crate) async fn wait_until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !condition().await {
        assert!(
            began.elapsed() < PATIENCE,
            "waited a minute in vain until {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The value of a sample on a server's `/metrics`, or 0 if there is none. `sample` is the name with the labels, as on
/// the page.
pub(crate) async fn counted(cluster: &Cluster, server: &Server, sample: &str) -> u64 {
    let authority = cluster.pki().cluster();
    let certificate = authority.issue_client("tester", &["system:masters"]);
    let url = format!("https://{}/metrics", server.local_addr());
    let page = client(certificate.as_ref().ok()).get(url).send().await;
    let page = page.unwrap().text().await.unwrap();
    let value = page
        .lines()
        .find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

/// A client that takes any server for the right one, and shows a certificate of its own if it has one.
pub(crate) fn client(certificate: Option<&Certified>) -> reqwest::Client {
    let _provider = kubevitals_server::tls::provider();
    let builder = reqwest::Client::builder().tls_danger_accept_invalid_certs(true);
    let builder = match certificate {
        None => builder,
        Some(Certified { cert_pem, key_pem }) => {
            let both = format!("{cert_pem}{key_pem}");
            builder.identity(reqwest::Identity::from_pem(both.as_bytes()).unwrap())
        }
    };
    builder.build().unwrap()
}

/// The server's clock, driven by the simulation's.
pub(crate) fn clock_of(clock: &SimClock) -> Arc<dyn Clock> {
    clock.process()
}

impl Harness {
    /// Starts both; the server's clock is the cluster's.
    pub(crate) async fn start(config: Config) -> Self {
        Self::start_with(config, |_| {}).await
    }

    /// As `start`, with settings changed before the server starts.
    pub(crate) async fn start_with(config: Config, change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_changed(config, |_| {}, change).await
    }

    /// As `start`, with something done to the cluster before the server starts.
    pub(crate) async fn start_on(config: Config, prepare: impl FnOnce(&Cluster)) -> Self {
        Self::start_changed(config, prepare, |_| {}).await
    }

    /// As `start`, with both.
    pub(crate) async fn start_changed(
        config: Config,
        prepare: impl FnOnce(&Cluster),
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        telemetry::init(LogFormat::Text, 0);
        let cluster = Cluster::start(config).await.expect("the cluster starts");
        prepare(&cluster);
        let clock = cluster.clock().clone();
        let mut settings = Settings::embedded(cluster.server_kubeconfig(), clock_of(&clock))
            .await
            .expect("the kubeconfig is good");
        change(&mut settings);
        if settings.tls.manage {
            crate::manage::install(&cluster);
        }
        let server = Server::start(settings).await.expect("the server starts");
        cluster.set_aggregated(server.local_addr());
        // By certificate: whose it is needs no API server, which some tests cut off.
        let certificate = cluster.pki().cluster();
        let certificate = certificate.issue_client("tester", &["system:masters"]);
        let client = client(certificate.as_ref().ok());
        // Unless a test has taken away what says so.
        let (namespace, name) = BELIEVED;
        if cluster
            .store()
            .get(Resource::ConfigMaps, Some(namespace), name)
            .is_some()
        {
            wait_until("the server knows whom to believe", async || {
                server.auth().ready()
            })
            .await;
        }
        Self {
            cluster,
            server,
            clock,
            client,
        }
    }

    /// Ends the server as SIGTERM does, does something to the cluster, and starts another server.
    pub(crate) async fn restart(
        self,
        between: impl FnOnce(&Cluster),
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let Self {
            cluster,
            server,
            clock,
            client,
        } = self;
        server.shutdown().await;
        between(&cluster);
        let mut settings = Settings::embedded(cluster.server_kubeconfig(), clock_of(&clock))
            .await
            .expect("the kubeconfig is good");
        change(&mut settings);
        let server = Server::start(settings).await.expect("the server starts");
        cluster.set_aggregated(server.local_addr());
        wait_until("the server knows whom to believe", async || {
            server.auth().ready()
        })
        .await;
        Self {
            cluster,
            server,
            clock,
            client,
        }
    }

    /// Asks the server itself; the status and the body.
    pub(crate) async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        self.send(self.client.get(self.url(path))).await
    }

    /// Asks another server; the status and the body.
    pub(crate) async fn get_at(&self, url: &str) -> (u16, Vec<u8>) {
        self.send(self.client.get(url)).await
    }

    /// A token of somebody who may everything, for clients without a certificate.
    pub(crate) fn token(&self) -> String {
        let tester = UserInfo::new("tester", ["system:masters"]);
        self.cluster.identities().mint_token(tester)
    }

    /// The client's builder for a request of another kind.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), self.url(path))
    }

    /// Sends a request; the status and the body.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> (u16, Vec<u8>) {
        let response = request.send().await.expect("the server answers");
        (
            response.status().as_u16(),
            response.bytes().await.expect("a whole body").to_vec(),
        )
    }

    /// Asks for JSON; of a server that has just started again, as clients do when it says so.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let (mut status, mut body) = self.get(path).await;
        if status == 503 {
            wait_until("the server knows all objects", async || {
                (status, body) = self.get(path).await;
                status != 503
            })
            .await;
        }
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("JSON")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.server.local_addr())
    }

    /// How many scrapes have been taken in or have failed, all nodes together.
    pub(crate) fn scraped(&self) -> u64 {
        let scrapes = self.server.query().scrapes();
        scrapes.succeeded + scrapes.failed.values().sum::<u64>()
    }

    /// Waits until every scrape that is due by the clock is over. One that has not begun would otherwise be in flight at
    /// the node's next turn, which is then skipped.
    pub(crate) async fn due_scrapes(&self) {
        wait_until("the due scrapes are over", async || {
            let query = self.server.query();
            let now = self.clock.now();
            let targets = query.targets();
            let mut turns = targets.iter().filter_map(|target| target.next_scrape);
            !turns.any(|turn| turn <= now) && query.scrapes().asking == 0
        })
        .await;
    }

    /// Waits until the first scrape of each of `nodes` nodes has been taken in.
    pub(crate) async fn first_step(&self, nodes: u64) {
        wait_until("every node was scraped once", async || {
            self.scraped() >= nodes
        })
        .await;
    }

    /// Moves a manual clock one resolution on, and waits until each of `nodes` nodes was scraped once more.
    pub(crate) async fn step(&self, nodes: u64) {
        let before = self.scraped();
        self.clock.advance(RESOLUTION);
        wait_until("every node was scraped once more", async || {
            self.scraped() >= before + nodes
        })
        .await;
        assert_eq!(
            self.scraped(),
            before + nodes,
            "a node is scraped once a resolution"
        );
    }
}

impl Harness {
    /// Waits until the server has seen a node's label.
    pub(crate) async fn labels_seen(&self, node: &str, label: &str) {
        let path = format!("/apis/metrics.k8s.io/v1beta1/nodes?labelSelector={label}");
        wait_until("the server has seen the node's labels", async || {
            let list = self.json(&path).await;
            list["items"]
                .as_array()
                .unwrap()
                .iter()
                .any(|item| item["metadata"]["name"] == node)
        })
        .await;
    }
}

impl Harness {
    /// The names of all pods that are answered.
    pub(crate) async fn pods(&self) -> BTreeSet<String> {
        let list = self.json("/apis/metrics.k8s.io/v1beta1/pods").await;
        let pods = list["items"].as_array().unwrap().iter();
        pods.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits until these pods are answered.
    pub(crate) async fn fresh(&self, pods: &BTreeSet<String>) {
        wait_until("these pods are answered", async || {
            self.pods().await.is_superset(pods)
        })
        .await;
    }

    /// No container uses more CPU than the largest machine has.
    pub(crate) async fn no_absurd_rates(&self) {
        let list = self.json("/apis/metrics.k8s.io/v1beta1/pods").await;
        for pod in list["items"].as_array().unwrap() {
            for container in pod["containers"].as_array().unwrap() {
                let cpu: Quantity = container["usage"]["cpu"].as_str().unwrap().parse().unwrap();
                assert!(cpu <= "1000".parse().unwrap(), "{pod}");
            }
        }
    }

    /// An object as the API server has it.
    pub(crate) fn cluster_object(
        &self,
        resource: Resource,
        namespace: Option<&str>,
        name: &str,
    ) -> Value {
        let object = self
            .cluster
            .store()
            .get(resource, namespace, name)
            .expect("the object is there");
        let mut json = Vec::new();
        object.write_item(&mut json);
        serde_json::from_slice(&json).expect("JSON")
    }
}
