//! Watches: the events that clients receive, and the end of watches.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kubevitals_proto::time::Timestamp;
use kubevitals_server::config::Settings;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Faults, SimClock};
use rustls::ClientConfig;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Harness, PATIENCE, wait_until};
use crate::limits::{certified, connect};

const PODS: &str = "/apis/kubevitals.io/v1alpha1/podvitals";
const NODES: u32 = 3;

/// A cluster in which only the test makes changes.
async fn cluster(pods_per_node: u32) -> Harness {
    cluster_with(pods_per_node, |_| {}).await
}

async fn cluster_with(pods_per_node: u32, change: impl FnOnce(&mut Settings)) -> Harness {
    let config = Config {
        nodes: NODES,
        pods_per_node,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_795_238_024))),
        ..Config::default()
    };
    let harness = Harness::start_with(config, change).await;
    harness.first_step(NODES.into()).await;
    harness.server.ready().await;
    harness
}

/// A list: its version, and the version of each object by namespace and name.
async fn list(harness: &Harness, path: &str) -> (String, BTreeMap<String, String>) {
    harness.server.query().detector().detect();
    let list = harness.json(path).await;
    let items = list["items"].as_array().unwrap().iter();
    let version = list["metadata"]["resourceVersion"].as_str().unwrap();
    (version.to_owned(), items.map(key_and_version).collect())
}

fn key_and_version(object: &Value) -> (String, String) {
    let text = |member: &str| object["metadata"][member].as_str().unwrap_or_default();
    (
        format!("{}/{}", text("namespace"), text("name")),
        text("resourceVersion").to_owned(),
    )
}

/// The objects that one watch has received.
struct Watcher {
    body: futures::stream::BoxStream<'static, Vec<u8>>,
    rest: Vec<u8>,
    known: BTreeMap<String, String>,
    seen: u64,
    events: usize,
}

impl Watcher {
    async fn start(harness: &Harness, path: &str, known: BTreeMap<String, String>) -> Self {
        let response = harness.request("GET", path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "application/json");
        Self {
            body: response
                .bytes_stream()
                .map(|piece| piece.unwrap().to_vec())
                .boxed(),
            rest: Vec::new(),
            known,
            seen: 0,
            events: 0,
        }
    }

    /// The next event; none at the end of the watch.
    async fn event(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let rest = self.rest.split_off(end + 1);
                let line = std::mem::replace(&mut self.rest, rest);
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let piece = tokio::time::timeout(PATIENCE, self.body.next()).await;
            match piece.expect("an event arrives") {
                Some(piece) => self.rest.extend(piece),
                None => {
                    assert!(self.rest.is_empty(), "it ends between two events");
                    return None;
                }
            }
        }
    }

    /// Applies an event, and checks that none was missed or repeated.
    fn take(&mut self, event: &Value) {
        let (key, version) = key_and_version(&event["object"]);
        let number: u64 = version.parse().unwrap();
        if event["type"] == "BOOKMARK" {
            assert!(number >= self.seen, "{event}");
            self.seen = number;
            return;
        }
        self.events += 1;
        assert!(number > self.seen, "versions grow: {event}");
        self.seen = number;
        let known = match event["type"].as_str().unwrap() {
            "DELETED" => self.known.remove(&key),
            _ => self.known.insert(key, version),
        };
        assert_eq!(known.is_none(), event["type"] == "ADDED", "{event}");
        let is_newer = known.is_none_or(|known| known.parse::<u64>().unwrap() < number);
        assert!(is_newer, "{event}");
    }

    /// Applies all events to the end of the watch. Returns the version of the last.
    async fn until_the_end(&mut self) -> u64 {
        while let Some(event) = self.event().await {
            self.take(&event);
        }
        self.seen
    }
}

/// Gives a pod of the API server another name or label.
fn changed(harness: &Harness, name: &str, change: impl FnOnce(&mut Value)) {
    let snapshot = harness.cluster.store().snapshot(Resource::Pods);
    let (_, object) = snapshot.range(None, None).next().unwrap();
    let mut pod = object.to_value(Resource::Pods);
    pod["metadata"]["name"] = json!(name);
    pod["metadata"]["uid"] = json!(format!("00000000-0000-0000-0000-{:012}", name.len()));
    change(&mut pod);
    harness.cluster.store().apply(Resource::Pods, pod);
}

/// Waits until the server has the state of the API server.
async fn caught_up(harness: &Harness) {
    let name = format!("marker-{}", harness.cluster.store().resource_version());
    changed(harness, &name, |_| {});
    wait_until("the server has seen the last change", async || {
        harness.server.query().detector().detect();
        let snapshot = harness.server.query().changes().snapshot();
        snapshot.pods().keys().any(|key| *key.name == *name)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_watches_get_every_change_once() {
    const WATCHERS: usize = 200;
    // One more client is stalled, but not cut off: it holds no more than a client may hold for a minute.
    let folder = tempfile::tempdir().unwrap();
    let (certificate, trust) = certified(folder.path());
    let harness = cluster_with(4, |settings| {
        settings.requests.request_timeout = Duration::from_secs(3600);
        settings.tls.certificate = Some(certificate);
    })
    .await;
    let (version, known) = list(&harness, PODS).await;
    let mut watchers = Vec::new();
    for at in 0..WATCHERS {
        let label = if at % 2 == 0 {
            "&labelSelector=app"
        } else {
            ""
        };
        let path = format!("{PODS}?watch=1&allowWatchBookmarks=1&resourceVersion={version}{label}");
        let known = if at % 2 == 0 {
            list(&harness, &format!("{PODS}?labelSelector=app")).await.1
        } else {
            known.clone()
        };
        watchers.push(Watcher::start(&harness, &path, known).await);
    }
    let stalled = stalled(&harness, &trust, &format!("{PODS}?watch=1")).await;
    let watching: Vec<_> = watchers
        .into_iter()
        .map(|mut watcher| {
            tokio::spawn(async move {
                let last = watcher.until_the_end().await;
                (watcher, last)
            })
        })
        .collect();

    for round in 0..12 {
        harness.step(NODES.into()).await;
        let name = format!("extra-{}", round % 4);
        match round % 3 {
            0 => changed(&harness, &name, |_| {}),
            1 => changed(&harness, &name, |pod| {
                pod["metadata"]["labels"] = json!({"other": "x"})
            }),
            _ => {
                let snapshot = harness.cluster.store().snapshot(Resource::Pods);
                let (_, last) = snapshot.range(None, None).last().unwrap();
                let last = last.to_value(Resource::Pods);
                let text = |member: &str| last["metadata"][member].as_str().unwrap().to_owned();
                let store = harness.cluster.store();
                assert!(store.delete(Resource::Pods, Some(&text("namespace")), &text("name")));
            }
        }
        harness.server.query().detector().detect();
        let buffered = buffered_bytes(&harness).await;
        assert!(
            buffered <= (WATCHERS as u64 + 1) * PIECE,
            "{round}: {buffered}"
        );
    }
    caught_up(&harness).await;
    wait_until("only the stalled one has not taken all", async || {
        let buffered = buffered_bytes(&harness).await;
        buffered > 0 && buffered <= STALLED
    })
    .await;
    // Further events are not encoded for a client that does not read.
    for _ in 0..4 {
        harness.step(NODES.into()).await;
        harness.server.query().detector().detect();
    }
    caught_up(&harness).await;
    wait_until("it buffers no more than before", async || {
        let buffered = buffered_bytes(&harness).await;
        buffered > 0 && buffered <= STALLED
    })
    .await;
    assert_eq!(watches(&harness).await, WATCHERS as u64 + 1);
    drop(stalled);
    wait_until("nothing is buffered when it has gone", async || {
        buffered_bytes(&harness).await == 0 && watches(&harness).await == WATCHERS as u64
    })
    .await;
    let (version, all) = list(&harness, PODS).await;
    let (_, labelled) = list(&harness, &format!("{PODS}?labelSelector=app")).await;

    // Watches end with the server, each with a bookmark: the events up to it add up to the list.
    let Harness {
        server, cluster, ..
    } = harness;
    server.shutdown().await;
    for (at, watching) in watching.into_iter().enumerate() {
        let (watcher, last) = watching.await.unwrap();
        assert_eq!(last.to_string(), version, "{at}");
        let expected = if at % 2 == 0 { &labelled } else { &all };
        assert_eq!(&watcher.known, expected, "{at}");
        assert!(watcher.events > 12, "{at}: {}", watcher.events);
    }
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_starts_with_all_objects_and_a_bookmark() {
    let harness = cluster(2).await;
    let (_, known) = list(&harness, PODS).await;
    let path = format!(
        "{PODS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    );
    let mut watcher = Watcher::start(&harness, &path, BTreeMap::new()).await;
    let mut received = BTreeMap::new();
    loop {
        let event = watcher.event().await.unwrap();
        let annotations = &event["object"]["metadata"]["annotations"];
        if event["type"] == "BOOKMARK" {
            assert_eq!(annotations["k8s.io/initial-events-end"], "true");
            assert_eq!(event["object"]["kind"], "PodVitals");
            break;
        }
        assert_eq!(event["type"], "ADDED");
        received.extend([key_and_version(&event["object"])]);
    }
    assert_eq!(received, known);
    // Then the watch continues.
    changed(&harness, "new", |_| {});
    loop {
        let event = watcher.event().await.unwrap();
        if event["type"] == "ADDED" {
            assert_eq!(event["object"]["metadata"]["name"], "new");
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_no_longer_selected_is_sent_as_deleted() {
    let harness = cluster(2).await;
    changed(&harness, "one", |pod| {
        pod["metadata"]["labels"] = json!({"mine": "yes"})
    });
    caught_up(&harness).await;
    let path = format!("{PODS}?labelSelector=mine");
    let (version, known) = list(&harness, &path).await;
    assert_eq!(known.len(), 1);
    let path = format!("{path}&watch=1&resourceVersion={version}");
    let mut watcher = Watcher::start(&harness, &path, known).await;
    changed(&harness, "one", |pod| {
        pod["metadata"]["labels"] = json!({"mine": "still"})
    });
    caught_up(&harness).await;
    let event = watcher.event().await.unwrap();
    assert_eq!(event["type"], "MODIFIED", "{event}");
    assert_eq!(event["object"]["metadata"]["labels"]["mine"], "still");
    changed(&harness, "one", |_| {});
    caught_up(&harness).await;
    let event = watcher.event().await.unwrap();
    assert_eq!(event["type"], "DELETED", "{event}");
    assert_eq!(event["object"]["metadata"]["name"], "one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_watched_row_by_row() {
    let harness = cluster(2).await;
    let (version, _) = list(&harness, PODS).await;
    let path = format!("{PODS}?watch=1&resourceVersion={version}");
    let request = harness.request("GET", &path).header(
        "accept",
        "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    );
    let response = request.send().await.unwrap();
    let mut watcher = Watcher {
        body: response
            .bytes_stream()
            .map(|piece| piece.unwrap().to_vec())
            .boxed(),
        rest: Vec::new(),
        known: BTreeMap::new(),
        seen: 0,
        events: 0,
    };
    harness.step(NODES.into()).await;
    let (first, second) = (
        watcher.event().await.unwrap(),
        watcher.event().await.unwrap(),
    );
    for event in [&first, &second] {
        assert_eq!(event["type"], "MODIFIED");
        assert_eq!(event["object"]["kind"], "Table");
        assert_eq!(event["object"]["rows"].as_array().unwrap().len(), 1);
        let meta = &event["object"]["rows"][0]["object"]["metadata"];
        assert!(meta["resourceVersion"].is_string(), "{event}");
    }
    assert!(first["object"]["columnDefinitions"].is_array());
    assert!(second["object"]["columnDefinitions"].is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_is_watched() {
    let harness = cluster(2).await;
    for (resource, kind) in [
        ("nodevitals", "NodeVitals"),
        ("clustervitals", "ClusterVitals"),
        ("podvitals", "PodVitals"),
    ] {
        let path = format!("/apis/kubevitals.io/v1alpha1/{resource}");
        let (version, known) = list(&harness, &path).await;
        let path = format!("{path}?watch=1&resourceVersion={version}");
        let mut watcher = Watcher::start(&harness, &path, known).await;
        harness.step(NODES.into()).await;
        let event = watcher.event().await.unwrap();
        assert_eq!(event["object"]["kind"], kind);
        watcher.take(&event);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_sent_again_with_its_cron_job() {
    let harness = cluster(1).await;
    let owner = |kind: &str, name: &str| json!([{"apiVersion": "batch/v1", "kind": kind, "name": name, "uid": "1", "controller": true}]);
    let change = |restarts: u32| {
        changed(&harness, "nightly-29-x", |pod| {
            pod["metadata"]["ownerReferences"] = owner("Job", "nightly-29");
            let status = &mut pod["status"]["containerStatuses"][0];
            status["restartCount"] = json!(restarts);
            if restarts > 0 {
                let at = status["state"]["running"]["startedAt"].clone();
                status["lastState"] = json!({"terminated": {
                    "exitCode": 137, "reason": "OOMKilled", "startedAt": at, "finishedAt": at,
                }});
            }
        });
    };
    change(0);
    caught_up(&harness).await;
    let path = "/apis/kubevitals.io/v1alpha1/incidents";
    let (version, known) = list(&harness, path).await;
    let path = format!("{path}?watch=1&resourceVersion={version}");
    let mut watcher = Watcher::start(&harness, &path, known).await;
    change(1);
    caught_up(&harness).await;
    let event = watcher.event().await.unwrap();
    watcher.take(&event);
    let workload = &event["object"]["involved"]["workload"];
    assert_eq!(*workload, json!({"kind": "Job", "name": "nightly-29"}));

    let namespace = &event["object"]["metadata"]["namespace"];
    let meta = json!({"namespace": namespace, "name": "nightly-29", "ownerReferences": owner("CronJob", "nightly")});
    let job = json!({"metadata": meta});
    harness.cluster.store().apply(Resource::Jobs, job);
    wait_until("the Job is known", async || {
        harness.server.query().detector().detect();
        let vitals = harness.json(PODS).await;
        let mut pods = vitals["items"].as_array().unwrap().iter();
        pods.any(|pod| pod["workload"] == json!({"kind": "CronJob", "name": "nightly"}))
    })
    .await;
    harness.server.query().detector().detect();
    let event = watcher.event().await.unwrap();
    watcher.take(&event);
    let workload = &event["object"]["involved"]["workload"];
    assert_eq!(*workload, json!({"kind": "CronJob", "name": "nightly"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_from_an_old_version_must_list_again() {
    let harness = cluster(1).await;
    harness.server.query().detector().detect();
    // An old version, of this process or of another.
    let path = format!("{PODS}?watch=1&resourceVersion=1024");
    let mut watcher = Watcher::start(&harness, &path, BTreeMap::new()).await;
    let event = watcher.event().await.unwrap();
    assert_eq!(event["type"], "ERROR");
    assert_eq!(event["object"]["code"], 410);
    assert_eq!(event["object"]["reason"], "Expired");
    assert_eq!(watcher.event().await, None);

    for (query, code, said) in [
        ("watch=1&resourceVersion=x", 400, "resourceVersion=\"x\""),
        (
            "watch=1&sortBy=cpu",
            400,
            "sortBy has no meaning for a watch",
        ),
        ("watch=1&at=-5m", 400, "at has no meaning for a watch"),
    ] {
        let (status, body) = harness.get(&format!("{PODS}?{query}")).await;
        let body = String::from_utf8(body).unwrap();
        assert_eq!(status, code, "{query}: {body}");
        assert!(body.contains(&said.replace('"', "\\\"")), "{query}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_ends_in_time_with_a_bookmark() {
    let harness = cluster(1).await;
    let (version, known) = list(&harness, PODS).await;
    let path = format!(
        "{PODS}?watch=1&resourceVersion={version}&timeoutSeconds=1&allowWatchBookmarks=true"
    );
    let mut watcher = Watcher::start(&harness, &path, known).await;
    assert_eq!(watcher.until_the_end().await.to_string(), version);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_client_that_does_not_read_is_cut_off() {
    let harness = cluster_with(20, |settings| {
        settings.requests.request_timeout = Duration::from_secs(2);
    })
    .await;
    harness.server.query().detector().detect();
    let path = format!("{PODS}?watch=1");
    let mut stalled = harness.request("GET", &path).send().await.unwrap();
    assert_eq!(stalled.status(), 200);
    // A client that reads everything, for longer than the request timeout.
    let (version, known) = list(&harness, PODS).await;
    let path = format!("{path}&resourceVersion={version}");
    let mut other = Watcher::start(&harness, &path, known).await;
    let other = tokio::spawn(async move { other.until_the_end().await });
    wait_until("the one who takes nothing is cut off", async || {
        harness.step(NODES.into()).await;
        harness.server.query().detector().detect();
        watches(&harness).await == 1
    })
    .await;
    assert!(!other.is_finished());
    // Data in flight still arrives; then the body ends with an error, not as a complete one.
    let end = loop {
        match stalled.chunk().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };
    assert!(end.is_err(), "it was cut off: {end:?}");
    let Harness { server, .. } = harness;
    server.shutdown().await;
    other.await.unwrap();
}

/// The most that a watch sends at once: 64 KiB, and the event that exceeds them.
const PIECE: u64 = (64 + 8) << 10;

/// The most that a watch holds: HTTP's buffer (64 KiB, and the written part of the first chunk), and the chunk that
/// exceeds it.
const STALLED: u64 = 3 * PIECE;

/// A watch whose client reads only the start of the response. It ends when both are dropped.
async fn stalled(
    harness: &Harness,
    trust: &ClientConfig,
    path: &str,
) -> (Response<Incoming>, JoinSet<()>) {
    // Unlike the kernel's buffers, HTTP/2's window has a known size.
    const WINDOW: u32 = 16 << 10;
    let stream = connect(harness.server.local_addr(), trust, "h2");
    let (mut client, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(WINDOW)
        .handshake(TokioIo::new(stream.await.unwrap()))
        .await
        .unwrap();
    let mut driven = JoinSet::new();
    driven.spawn(async move {
        let _ended = connection.await;
    });
    let request = Request::get(format!("https://localhost{path}"))
        .header("authorization", format!("Bearer {}", harness.token()))
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = client.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    (response, driven)
}

/// The number of open watches.
async fn watches(harness: &Harness) -> u64 {
    gauge(harness, "kubevitals_api_watches").await
}

/// The number of bytes that clients have not read.
async fn buffered_bytes(harness: &Harness) -> u64 {
    gauge(harness, "kubevitals_api_watch_bytes_held").await
}

async fn gauge(harness: &Harness, name: &str) -> u64 {
    let (_, metrics) = harness.get("/metrics").await;
    let metrics = String::from_utf8(metrics).unwrap();
    let mut values = metrics
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    values.next().unwrap().parse().unwrap()
}
