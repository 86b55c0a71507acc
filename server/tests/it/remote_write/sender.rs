//! The rules for senders in the specifications of remote write 1.0 and 2.0, one test each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kubevitals_sim::Faults;
use kubevitals_sim::objects::Resource;

use super::receiver::{Answer, Label, Received, Receiver};
use super::{config, export, step};
use crate::harness::{Harness, counted, wait_until};

/// A receiver and a server that writes to it, after some requests were accepted.
struct Writing {
    harness: Harness,
    receiver: Receiver,
}

impl Writing {
    async fn start(receiver: Receiver, flags: &[&str]) -> Self {
        let mut all = vec![
            format!("--remote-write-url={}", receiver.url),
            "--leader-elect=false".to_owned(),
        ];
        all.extend(flags.iter().map(ToString::to_string));
        let harness = Harness::start_with(config(2, Faults::None), |settings| {
            export(settings, &all);
        })
        .await;
        harness.first_step(2).await;
        let writing = Self { harness, receiver };
        writing.step().await;
        writing
    }

    async fn step(&self) {
        step(&self.harness, 2).await;
    }

    /// Waits for so many accepted requests, while time passes for retries.
    async fn accepted(&self, count: usize) -> Vec<Received> {
        wait_until("requests were accepted", async || {
            self.harness.clock.advance(Duration::from_secs(1));
            self.receiver.accepted().len() >= count
        })
        .await;
        self.receiver.accepted()
    }

    async fn samples(&self, result: &str) -> u64 {
        let name = format!("kubevitals_remote_write_samples_total{{result=\"{result}\"}}");
        counted(&self.harness.cluster, &self.harness.server, &name).await
    }
}

fn written(samples: usize) -> Vec<(&'static str, String)> {
    vec![(
        "x-prometheus-remote-write-samples-written",
        samples.to_string(),
    )]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_are_those_of_version_1() {
    let writing = Writing::start(Receiver::start(vec![], vec![]).await, &[]).await;
    for request in writing.accepted(1).await {
        assert_eq!(request.header("content-encoding"), "snappy");
        assert_eq!(request.header("content-type"), "application/x-protobuf");
        assert_eq!(request.header("x-prometheus-remote-write-version"), "0.1.0");
        assert!(request.header("user-agent").starts_with("vitals-server/"));
        assert!(!request.v1().timeseries.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_are_sorted_unique_and_not_empty_and_samples_in_order() {
    let flags = [
        "--remote-write-external-label=cluster=prod",
        "--remote-write-external-label=namespace=never-replaces",
    ];
    let writing = Writing::start(Receiver::start(vec![], vec![]).await, &flags).await;
    writing.step().await;
    let mut newest = BTreeMap::new();
    for series in writing
        .accepted(2)
        .await
        .iter()
        .flat_map(|it| it.v1().timeseries)
    {
        let names: Vec<&str> = series.labels.iter().map(|it| &*it.name).collect();
        let sorted: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(names, sorted.into_iter().collect::<Vec<_>>());
        assert_eq!(names.first(), Some(&"__name__"));
        assert!(series.labels.iter().all(|it| !it.value.is_empty()));
        let value = |name: &str| {
            let mut labels = series.labels.iter();
            labels.find(|it| it.name == name).map(|it| it.value.clone())
        };
        assert_eq!(value("cluster").as_deref(), Some("prod"));
        if value("pod").is_some() {
            assert_ne!(value("namespace").as_deref(), Some("never-replaces"));
        }
        assert!(!series.samples.is_empty());
        let key: Vec<(String, String)> = series
            .labels
            .iter()
            .map(|Label { name, value }| (name.clone(), value.clone()))
            .collect();
        for sample in series.samples {
            let before = newest.insert(key.clone(), sample.timestamp);
            assert!(before < Some(sample.timestamp), "{key:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_of_the_receiver_are_repeated_until_it_accepts() {
    let later = vec![("retry-after", "7".to_owned())];
    let script = vec![
        Answer(500, vec![]),
        Answer(503, vec![]),
        Answer(429, later),
        Answer(302, vec![("location", "http://127.0.0.1:1/".to_owned())]),
    ];
    let writing = Writing::start(Receiver::start(script, vec![]).await, &[]).await;
    let accepted = writing.accepted(1).await;
    let received = writing.receiver.received();
    let statuses: Vec<u16> = received.iter().take(5).map(|it| it.status).collect();
    assert_eq!(statuses, [500, 503, 429, 302, 204]);
    // The same request each time: nothing is lost, and nothing overtakes it.
    assert!(
        received
            .iter()
            .take(5)
            .all(|it| it.body == accepted[0].body)
    );
    assert_eq!(writing.samples("refused").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_request_is_not_repeated_and_its_samples_are_counted() {
    let script = vec![Answer(400, vec![]), Answer(413, vec![])];
    let writing = Writing::start(Receiver::start(script, vec![]).await, &[]).await;
    writing.step().await;
    writing.accepted(1).await;
    let received = writing.receiver.received();
    let bodies: BTreeSet<_> = received.iter().map(|it| it.body.to_vec()).collect();
    assert_eq!(bodies.len(), received.len(), "each request once");
    let refused: usize = received[..2]
        .iter()
        .flat_map(|it| it.v1().timeseries)
        .map(|it| it.samples.len())
        .sum();
    assert_eq!(writing.samples("refused").await, refused as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_2_has_symbols_and_the_type_of_each_series() {
    let receiver = Receiver::start(vec![], written(1)).await;
    let flags = ["--remote-write-protocol=2.0"];
    let writing = Writing::start(receiver, &flags).await;
    for request in writing.accepted(1).await {
        let content_type = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
        assert_eq!(request.header("content-type"), content_type);
        assert_eq!(request.header("x-prometheus-remote-write-version"), "2.0.0");
        let request = request.v2();
        assert_eq!(request.symbols.first().map(String::as_str), Some(""));
        let symbols: BTreeSet<&String> = request.symbols.iter().collect();
        assert_eq!(symbols.len(), request.symbols.len(), "each symbol once");
        let symbol = |at: u32| &*request.symbols[at as usize];
        for series in &request.timeseries {
            let pairs = series.labels_refs.chunks(2);
            let labels: Vec<_> = pairs.map(|it| (symbol(it[0]), symbol(it[1]))).collect();
            assert!(labels.is_sorted());
            assert_eq!(labels[0].0, "__name__");
            let metadata = series.metadata.unwrap();
            let counter = labels[0].1.ends_with("_total");
            assert_eq!(metadata.kind, if counter { 1 } else { 2 }, "{labels:?}");
            assert!(!symbol(metadata.help_ref).is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_without_version_2_gets_version_1() {
    let unsupported = Receiver::start(vec![Answer(415, vec![])], vec![]).await;
    // It accepts, but does not say that it has written samples: it knows only 1.0.
    let silent = Receiver::start(vec![Answer(204, vec![])], vec![]).await;
    for receiver in [unsupported, silent] {
        let writing = Writing::start(receiver, &["--remote-write-protocol=2.0"]).await;
        writing.step().await;
        writing.accepted(3).await;
        let received = writing.receiver.received();
        let (first, others) = received.split_first().unwrap();
        assert_eq!(first.header("x-prometheus-remote-write-version"), "2.0.0");
        for other in others {
            assert_eq!(other.header("x-prometheus-remote-write-version"), "0.1.0");
        }
        let sent: usize = first.v2().timeseries.len();
        assert_eq!(
            others[0].v1().timeseries.len(),
            sent,
            "the same series again"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_and_headers_of_the_file_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("http.yaml");
    let yaml =
        "basic_auth: {username: u, password: p}\nhttp_headers: {X-Scope-OrgID: {values: [team-a]}}";
    std::fs::write(&file, yaml).unwrap();
    let flag = format!("--remote-write-http-config={}", file.display());
    let writing = Writing::start(Receiver::start(vec![], vec![]).await, &[&flag]).await;
    for request in writing.accepted(1).await {
        assert_eq!(request.header("authorization"), "Basic dTpw");
        assert_eq!(request.header("x-scope-orgid"), "team-a");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_kept_and_dropped_by_name() {
    let flags = [
        "--remote-write-keep=container_.*",
        "--remote-write-keep=kube_pod_info",
        "--remote-write-drop=.*_start_time_seconds",
    ];
    let writing = Writing::start(Receiver::start(vec![], vec![]).await, &flags).await;
    let accepted = writing.accepted(2).await;
    let series = accepted.iter().flat_map(|it| it.v1().timeseries);
    let names: BTreeSet<String> = series.map(|it| it.labels[0].value.clone()).collect();
    let expected = [
        "container_cpu_usage_seconds_total",
        "container_memory_working_set_bytes",
        "kube_pod_info",
    ];
    assert_eq!(
        names.iter().collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn series_of_a_deleted_pod_end_with_a_stale_marker() {
    let receiver = Receiver::start(vec![], vec![]).await;
    let writing = Writing::start(receiver, &["--remote-write-objects-interval=5s"]).await;
    let pods = writing
        .harness
        .json("/apis/metrics.k8s.io/v1beta1/pods")
        .await;
    let text = |field: &str| {
        pods["items"][0]["metadata"][field]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (namespace, pod) = (text("namespace"), text("name"));
    let store = writing.harness.cluster.store();
    assert!(store.delete(Resource::Pods, Some(&namespace), &pod));
    const STALE: u64 = 0x7ff0_0000_0000_0002;
    let mut ended = BTreeSet::new();
    wait_until("the series of the pod have ended", async || {
        writing.harness.clock.advance(Duration::from_secs(5));
        for series in writing
            .receiver
            .accepted()
            .iter()
            .flat_map(|it| it.v1().timeseries)
        {
            let of_pod = |it: &Label| it.name == "pod" && it.value == pod;
            let is_stale = series.samples.iter().any(|it| it.value.to_bits() == STALE);
            if is_stale && series.labels.iter().any(of_pod) {
                ended.insert(series.labels[0].value.clone());
            }
        }
        ended.contains("kube_pod_info")
    })
    .await;
    assert!(ended.contains("kube_pod_status_phase"), "{ended:?}");
}
