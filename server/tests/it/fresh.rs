//! A container that starts between two turns of its node: when its usage is there.

use std::time::Duration;

use bytes::Bytes;
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_server::scrape::Phase;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Faults, Forged, SimClock};
use serde_json::{Value, json};

use crate::harness::{Harness, RESOLUTION, wait_until};

const NOW: i64 = 1_795_241_000;
const VITALS: &str = "/apis/kubevitals.io/v1alpha1/namespaces/shop/podvitals/young";
const METRICS: &str = "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/young";

/// CPU, rounded: the kubelet writes the start of a container as a float.
fn millicores(usage: &Value) -> u64 {
    let cpu: Quantity = usage["cpu"].as_str().unwrap().parse().unwrap();
    (cpu.to_nanocores().0 + 500_000) / 1_000_000
}

/// A cluster of one node. Its kubelet measures on request, as real kubelets measure young containers.
struct Node {
    harness: Harness,
    name: String,
    start: Option<Timestamp>,
}

impl Node {
    async fn new() -> Self {
        let config = Config {
            nodes: 1,
            pods_per_node: 2,
            faults: Faults::None,
            clock: Some(SimClock::manual(Timestamp::from_secs(NOW))),
            ..Config::default()
        };
        let harness = Harness::start_with(config, |settings| {
            settings.scrape.pages.probes = None;
            settings.scrape.pages.summary = None;
        })
        .await;
        harness.first_step(1).await;
        harness.server.ready().await;
        let name = harness.cluster.node_names().remove(0);
        let mut node = Self {
            harness,
            name,
            start: None,
        };
        for _ in 0..2 {
            node.turn().await;
        }
        node
    }

    /// Moves the clock to `at`. The kubelet's page is of that time; the young container uses 200m.
    fn set(&self, at: Timestamp) {
        let millis = at.as_millis();
        let mut page = format!(
            "node_cpu_usage_seconds_total {} {millis}\nnode_memory_working_set_bytes 4e9 {millis}\n",
            at.as_secs() - NOW + 100,
        );
        if let Some(start) = self.start {
            let labels = "{container=\"app\",namespace=\"shop\",pod=\"young\"}";
            let cpu = at.since(start) as f64 / 5e9;
            let start = start.as_millis() as f64 / 1e3;
            page += &format!(
                "container_cpu_usage_seconds_total{labels} {cpu} {millis}\n\
                 container_memory_working_set_bytes{labels} 1048576 {millis}\n\
                 container_start_time_seconds{labels} {start}\n"
            );
        }
        let page = Forged::Body(Bytes::from(page));
        assert!(
            self.harness
                .cluster
                .forge(&self.name, "/metrics/resource", page)
        );
        let by = at.since(self.harness.clock.now());
        self.harness
            .clock
            .advance(Duration::from_nanos(by.unsigned_abs()));
    }

    /// Moves the clock to the node's next turn, and waits for its scrape.
    async fn turn(&mut self) {
        let (now, scraped) = (self.harness.clock.now(), self.harness.scraped());
        let wait = Phase::of(&self.name, RESOLUTION).until_next(now, 0, 1);
        self.set(now.plus_nanos(nanos(wait)));
        let scraped_again = async || self.harness.scraped() > scraped;
        wait_until("the node was scraped at its turn", scraped_again).await;
        self.planned().await;
    }

    /// Waits until the node's task waits for its next turn.
    async fn planned(&self) {
        wait_until("the next turn is planned", async || {
            let targets = self.harness.server.query().targets();
            targets.iter().all(|target| target.next_scrape.is_some())
        })
        .await;
    }

    /// Starts a container now. Waits until the server has seen it.
    async fn start(&mut self) {
        let now = self.harness.clock.now();
        self.start = Some(now);
        let started = Timestamp::from_secs(now.as_secs()).to_string();
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": "shop", "name": "young", "uid": "4c9a", "creationTimestamp": started},
            "spec": {"nodeName": self.name, "containers": [{"name": "app"}]},
            "status": {"phase": "Running", "startTime": started, "containerStatuses": [{
                "name": "app", "ready": true, "started": true, "restartCount": 0,
                "state": {"running": {"startedAt": started}},
            }]},
        });
        self.harness.cluster.store().apply(Resource::Pods, pod);
        let seen = async || self.harness.get(VITALS).await.0 == 200;
        wait_until("the server has seen the pod", seen).await;
    }

    async fn usage(&self) -> Option<Value> {
        let vitals = self.harness.json(VITALS).await;
        vitals.get("usage").cloned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_there_after_three_seconds_and_a_rate_after_ten_and_a_half() {
    // Whether the next turn is far, comes between the two, or would come after both.
    for after_turn in [800, 6_400, 12_700] {
        let mut node = Node::new().await;
        let begin = node.harness.clock.now();
        node.set(begin.plus_nanos(after_turn * 1_000_000));
        node.start().await;
        let start = node.harness.clock.now();
        let age = |milliseconds: i64| start.plus_nanos(milliseconds * 1_000_000);
        // The scrape after the start is at 3 s or, if that is earlier, at the node's turn.
        let next = begin.plus_nanos(nanos(RESOLUTION));
        if next < age(3_000) {
            node.turn().await;
        }
        node.set(age(3_000));
        wait_until("the usage is there", async || node.usage().await.is_some()).await;
        let usage = node.usage().await.unwrap();
        assert_eq!(usage["provisional"], true, "{usage}");
        assert_eq!(millicores(&usage), 200, "{usage}");
        assert_eq!(node.harness.get(METRICS).await.0, 404, "{after_turn}");
        for turn in [next, next.plus_nanos(nanos(RESOLUTION))] {
            if turn > age(3_000) && turn < age(10_000) {
                node.turn().await;
                assert_eq!(node.harness.get(METRICS).await.0, 404, "{after_turn}");
            }
        }
        node.set(age(10_500));
        wait_until("the rate is there", async || {
            node.harness.get(METRICS).await.0 == 200
        })
        .await;
        let metrics = node.harness.json(METRICS).await;
        assert_eq!(
            millicores(&metrics["containers"][0]["usage"]),
            200,
            "{metrics}"
        );
        let window: GoDuration = metrics["window"].as_str().unwrap().parse().unwrap();
        assert_eq!((window.0 + 500_000) / 1_000_000, 10_500, "{metrics}");
        let usage = node.usage().await.unwrap();
        assert_eq!(usage.get("provisional"), None, "{usage}");
    }
}
