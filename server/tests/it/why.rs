//! Every pod and node without metrics has a reason with a hint, under the subresource `why`.

use std::collections::BTreeMap;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::why::{Kind, State, StepName, Why};
use kubevitals_sim::identity::{Rule, Subject, UserInfo};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Faults, Kill, Replay, SimClock, fixtures};
use serde_json::{Value, json};

use crate::harness::{Harness, RESOLUTION, wait_until};

const BASE: &str = "/apis/metrics.k8s.io/v1beta1";
const NODES: u32 = 2;
const PODS_PER_NODE: u32 = 4;

fn config() -> Config {
    Config {
        nodes: NODES,
        pods_per_node: PODS_PER_NODE,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    }
}

/// A cluster all of whose pods have metrics.
async fn cluster() -> Harness {
    let harness = Harness::start(config()).await;
    harness.first_step(u64::from(NODES)).await;
    wait_until("all pods have metrics", async || {
        harness.pods().await.len() == (NODES * PODS_PER_NODE) as usize
    })
    .await;
    harness
}

async fn ask(harness: &Harness, path: &str) -> Why {
    let (status, body) = harness.get(&format!("{BASE}{path}/why")).await;
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    let why: Why = serde_json::from_slice(&body).unwrap();
    let breaks = why
        .steps
        .iter()
        .position(|step| step.state == State::Failed);
    if let Some(at) = breaks {
        assert_eq!(
            at + 1,
            why.steps.len(),
            "nothing holds behind what does not: {why:#?}"
        );
    }
    assert!(why.verdict.ends_with('.'), "{why:#?}");
    if !why.available {
        assert!(!why.hint.is_empty(), "{why:#?}");
    }
    assert_eq!(why.available, why.freshness.is_some(), "{why:#?}");
    why
}

async fn pod(harness: &Harness, namespace: &str, name: &str) -> Why {
    ask(harness, &format!("/namespaces/{namespace}/pods/{name}")).await
}

async fn node(harness: &Harness, name: &str) -> Why {
    ask(harness, &format!("/nodes/{name}")).await
}

/// The pods of a node: namespace and name.
fn pods_on(harness: &Harness, node: &str) -> Vec<(String, String)> {
    let pods = harness.cluster.store().snapshot(Resource::Pods);
    pods.range(None, None)
        .map(|(_, pod)| pod.meta())
        .filter(|meta| meta.field("spec.nodeName") == Some(node))
        .map(|meta| {
            let namespace = meta.namespace.as_deref().unwrap_or_default();
            (namespace.to_owned(), meta.name.to_string())
        })
        .collect()
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_metrics_have_the_right_reason() {
    let folder = fixtures().join("scenarios");
    let replay = Replay::from_dir(&folder).unwrap();
    let harness = Harness::start(Config {
        replay: Some(replay),
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    })
    .await;
    let nodes = harness.cluster.node_names();
    let existing: Vec<String> = {
        let pods = harness.cluster.store().snapshot(Resource::Pods);
        pods.range(None, None)
            .map(|(_, pod)| pod.meta().name.to_string())
            .collect()
    };
    let mut reasons: BTreeMap<(String, usize), String> = BTreeMap::new();
    for step in 1..=7 {
        if step == 1 {
            harness.first_step(nodes.len() as u64).await;
        } else {
            harness.step(nodes.len() as u64).await;
        }
        let list = harness.json(&format!("{BASE}/pods")).await;
        for name in &existing {
            let why = pod(&harness, "scn", name).await;
            assert_eq!(why.kind, Kind::PodMetricsWhy);
            assert_eq!(
                why.available,
                names(&list).contains(&name.as_str()),
                "{name}, step {step}: {why:#?}"
            );
            reasons.insert((name.clone(), step), why.reason);
        }
        let list = harness.json(&format!("{BASE}/nodes")).await;
        for name in &nodes {
            let why = node(&harness, name).await;
            assert_eq!(why.kind, Kind::NodeMetricsWhy);
            assert_eq!(
                why.available,
                names(&list).contains(&name.as_str()),
                "{name}, step {step}: {why:#?}"
            );
            reasons.insert((name.clone(), step), why.reason);
        }
    }
    // The scenarios about missing metrics, by node or pod and step.
    for (name, step, expected) in [
        ("p01", 1, "first_point"),
        ("p01", 2, "available"),
        ("p03", 4, "restarted"),
        ("p04", 1, "not_reported"),
        ("p05", 4, "zero_cpu"),
        ("p06", 4, "zero_memory"),
        ("p07", 4, "no_cpu"),
        ("p08", 4, "went_backwards"),
        ("scn-09", 4, "no_memory"),
        ("p10", 4, "available"),
        ("p18", 7, "pending"),
    ] {
        assert_eq!(
            reasons[&(name.to_owned(), step)],
            expected,
            "{name}, step {step}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_second_sample_is_not_the_reason() {
    let replay = Replay::from_dir(fixtures().join("scenarios")).unwrap();
    let harness = Harness::start(Config {
        replay: Some(replay),
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    })
    .await;
    let nodes = harness.cluster.node_names().len() as u64;
    harness.first_step(nodes).await;
    assert_eq!(pod(&harness, "scn", "p01").await.reason, "first_point");
    harness.cluster.kill_kubelet("scn-01", Kill::Status(403));
    harness.step(nodes).await;
    assert_eq!(pod(&harness, "scn", "p01").await.reason, "forbidden");
    assert_eq!(node(&harness, "scn-01").await.reason, "forbidden");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn existing_metrics_are_reported_with_their_age() {
    let harness = cluster().await;
    let name = &harness.cluster.node_names()[0];
    let (namespace, pod_name) = &pods_on(&harness, name)[0];
    let why = pod(&harness, namespace, pod_name).await;
    assert!(
        why.available && why.reason == "available" && why.hint.is_empty(),
        "{why:#?}"
    );
    let steps: Vec<StepName> = why.steps.iter().map(|step| step.name).collect();
    assert_eq!(
        steps,
        [
            StepName::Known,
            StepName::Running,
            StepName::Node,
            StepName::Ready,
            StepName::Scraped,
            StepName::Reported,
            StepName::Whole,
            StepName::Fresh
        ]
    );
    assert!(
        why.steps.iter().all(|step| step.state == State::Ok),
        "{why:#?}"
    );
    assert!(
        !why.containers.is_empty() && why.containers.iter().all(|one| one.whole),
        "{why:#?}"
    );
    assert_eq!(why.freshness.unwrap().window.as_secs_f64(), 20.0);
    let why = node(&harness, name).await;
    assert!(why.available, "{why:#?}");
    // As the paths of metrics-server: with an optional trailing slash, in both versions, and read-only.
    for path in [
        format!("{BASE}/nodes/{name}/why/"),
        format!("/apis/metrics.k8s.io/v1/nodes/{name}/why"),
    ] {
        assert_eq!(harness.json(&path).await["metadata"]["name"], **name);
    }
    let (status, _) = harness
        .send(harness.request("POST", &format!("{BASE}/nodes/{name}/why")))
        .await;
    assert_eq!(status, 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_objects_are_reported() {
    let harness = cluster().await;
    let why = pod(&harness, "nowhere", "nobody").await;
    assert_eq!((why.reason.as_str(), why.steps.len()), ("unknown", 1));
    assert_eq!(why.verdict, "There is no pod nowhere/nobody.");
    let why = node(&harness, "nobody").await;
    assert_eq!(why.reason, "unknown_node");
    assert_eq!(why.verdict, "The API server has no node nobody.");
}

/// A pod on a node, as the API server has it; its kubelet reports no metrics of it.
fn idle_pod(node: &str, name: &str, status: Value) -> Value {
    json!({
        "metadata": {"namespace": "shop", "name": name, "creationTimestamp": "2027-01-15T07:00:00Z"},
        "spec": {"nodeName": node, "containers": [{"name": "web", "image": "web:2"}],
            "initContainers": [{"name": "migrate", "image": "web:2"}]},
        "status": status,
    })
}

fn container_status(name: &str, restarts: u32, state: Value, last: Value) -> Value {
    json!({"name": name, "restartCount": restarts, "ready": false, "started": false, "state": state, "lastState": last})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reason_of_a_pod_that_does_not_run_is_its_state() {
    let harness = cluster().await;
    let on = harness.cluster.node_names()[0].clone();
    let waits =
        |reason: &str, message: &str| json!({"waiting": {"reason": reason, "message": message}});
    let ended =
        |code: i32, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason}});
    let none = json!({});
    let one = |phase: &str, status: Value| {
        let done = container_status("migrate", 0, ended(0, "Completed"), json!({}));
        json!({"phase": phase, "containerStatuses": [status], "initContainerStatuses": [done],
            "conditions": [{"type": "Initialized", "status": "True"}]})
    };
    let web = |restarts, state, last| container_status("web", restarts, state, last);
    let unscheduled = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/2 nodes are available: 2 Insufficient memory."});
    let migrating = container_status("migrate", 0, json!({"running": {}}), json!({}));
    let cases = [
        (
            "loops",
            &*on,
            one(
                "Running",
                web(
                    7,
                    waits("CrashLoopBackOff", "back-off 5m0s"),
                    ended(7, "Error"),
                ),
            ),
            ("not_running", "NotRunning"),
            "Its container web does not run: CrashLoopBackOff after exit 7, 8 times; nothing runs, so nothing is measured.",
        ),
        (
            "no-image",
            &on,
            one(
                "Running",
                web(1, waits("ImagePullBackOff", "not found"), none.clone()),
            ),
            ("not_running", "NotRunning"),
            "Its container web does not run: its image cannot be pulled (ImagePullBackOff: not found); nothing runs, so \
             nothing is measured.",
        ),
        (
            "between",
            &on,
            one(
                "Running",
                web(3, ended(137, "OOMKilled"), ended(137, "OOMKilled")),
            ),
            ("not_running", "NotRunning"),
            "Its container web does not run: ended with OOMKilled (exit 137); nothing runs, so \
             nothing is measured.",
        ),
        (
            "no-config",
            &on,
            one(
                "Pending",
                web(
                    0,
                    waits("CreateContainerConfigError", "secret \"db\" not found"),
                    none.clone(),
                ),
            ),
            ("pending", "Pending"),
            "It has not started: container web does not run: CreateContainerConfigError: secret \"db\" not found.",
        ),
        (
            "creating",
            &on,
            one(
                "Pending",
                web(0, waits("ContainerCreating", ""), none.clone()),
            ),
            ("pending", "Pending"),
            "It has not started: container web does not run: ContainerCreating.",
        ),
        (
            "migrating",
            &on,
            json!({"phase": "Pending", "initContainerStatuses": [migrating],
                "containerStatuses": [web(0, waits("PodInitializing", ""), none.clone())]}),
            ("pending", ""),
            "It has not started: init container migrate (1 of 1) still runs.",
        ),
        (
            "homeless",
            "",
            json!({"phase": "Pending", "conditions": [unscheduled]}),
            ("pending", "NoNode"),
            "It has not started: no node has been found for it: 0/2 nodes are available: 2 Insufficient memory.",
        ),
        (
            "evicted",
            &on,
            json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory. "}),
            ("failed", "Failed"),
            "It was evicted: The node was low on resource: memory.",
        ),
        (
            "done",
            &on,
            one("Succeeded", web(0, ended(0, "Completed"), none.clone())),
            ("succeeded", "Succeeded"),
            "It has ended well: its containers have completed.",
        ),
    ];
    for (name, node, status, (reason, absent), verdict) in cases {
        let mut object = idle_pod(node, name, status);
        if node.is_empty() {
            object["spec"].as_object_mut().unwrap().remove("nodeName");
        }
        harness.cluster.store().apply(Resource::Pods, object);
        wait_until("the server has seen it", async || {
            pod(&harness, "shop", name).await.reason != "unknown"
        })
        .await;
        let why = pod(&harness, "shop", name).await;
        assert_eq!((&*why.reason, &*why.verdict), (reason, verdict), "{name}");
        assert!(
            !why.available && !why.hint.contains("kubelet's log") && !why.hint.contains("runtime"),
            "{name}: {why:#?}"
        );
        let path = format!("/apis/kubevitals.io/v1alpha1/namespaces/shop/podvitals/{name}");
        wait_until("podvitals has it", async || {
            harness.get(&path).await.0 == 200
        })
        .await;
        let vitals = harness.json(&path).await;
        // The init container runs, and no kubelet in this test reports it.
        if absent.is_empty() {
            continue;
        }
        assert_eq!(vitals["absent"]["reason"], absent, "{vitals:#}");
        let message = vitals["absent"].to_string() + &vitals["containers"].to_string();
        assert!(
            !message.contains("kubelet's last response"),
            "{name}: {message}"
        );
    }
}

/// A pod of which one container has ended has metrics of the others; the response says so, and how that one ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_that_does_not_run_is_reported_beside_metrics() {
    let harness = cluster().await;
    let on = harness.cluster.node_names()[0].clone();
    let (namespace, name) = pods_on(&harness, &on)[0].clone();
    let before = pod(&harness, &namespace, &name).await;
    let running = before.containers[0].name.clone();
    let state = before.containers[0].state.as_ref().unwrap();
    assert_eq!(state.state, "Running", "{before:#?}");
    let mut object = harness.cluster_object(Resource::Pods, Some(&namespace), &name);
    let list = |object: &mut Value, of: &str, field: &str, item: Value| {
        object[of][field].as_array_mut().unwrap().push(item);
    };
    let ended = json!({"terminated": {"exitCode": 7, "reason": "Error", "finishedAt": "2027-01-15T07:59:00Z"}});
    let status = container_status(
        "agent",
        2,
        json!({"waiting": {"reason": "CrashLoopBackOff"}}),
        ended,
    );
    list(
        &mut object,
        "spec",
        "containers",
        json!({"name": "agent", "image": "agent:1"}),
    );
    list(&mut object, "status", "containerStatuses", status);
    harness.cluster.store().apply(Resource::Pods, object);
    wait_until("the server has seen it", async || {
        pod(&harness, &namespace, &name).await.containers.len() > before.containers.len()
    })
    .await;
    let why = pod(&harness, &namespace, &name).await;
    let what = "container agent does not run: CrashLoopBackOff after exit 7, 3 times; it last ended at 2027-01-15T07:59:00Z, ";
    assert_eq!(
        (why.available, &*why.reason),
        (true, "available"),
        "{why:#?}"
    );
    assert!(why.verdict.starts_with("Metrics are there, "), "{why:#?}");
    assert!(
        why.verdict.contains(what) && why.verdict.ends_with(" ago."),
        "{why:#?}"
    );
    assert!(why.hint.contains("kubectl logs --previous"), "{why:#?}");
    let agent = why.containers.iter().find(|it| it.name == "agent").unwrap();
    assert!(
        what.contains(agent.message.split(';').next().unwrap()),
        "{agent:#?}"
    );
    let state = agent.state.as_ref().unwrap();
    assert_eq!(
        (&*state.state, &*state.reason),
        ("Waiting", "CrashLoopBackOff")
    );
    assert_eq!(agent.last_ended.as_ref().unwrap().exit_code, 7);
    let running = why.containers.iter().find(|it| it.name == running).unwrap();
    assert!(running.whole && running.message.is_empty(), "{running:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_not_selected_names_the_selector() {
    let harness = Harness::start_with(config(), |settings| {
        settings.node_selector = Some("metrics=please".to_owned());
    })
    .await;
    wait_until("it is ready", async || {
        harness.get("/readyz").await.0 == 200
    })
    .await;
    let name = &harness.cluster.node_names()[0];
    let (namespace, pod_name) = &pods_on(&harness, name)[0];
    for why in [
        node(&harness, name).await,
        pod(&harness, namespace, pod_name).await,
    ] {
        assert_eq!(why.reason, "unknown_node");
        assert!(
            why.verdict.contains("--node-selector metrics=please"),
            "{why:#?}"
        );
        assert!(why.hint.contains("--show-labels"), "{why:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusing_kubelet_is_first_a_warning_then_the_reason() {
    for (kill, reason, hint) in [
        (
            Kill::Status(401),
            "unauthorized",
            "--authentication-token-webhook",
        ),
        (Kill::Status(403), "forbidden", "nodes/metrics"),
        (Kill::Status(500), "status", "kubelet's log"),
        (
            Kill::ScrapeError,
            "kubelet_error",
            "container runtime's log",
        ),
        (Kill::Html, "not_metrics", "what listens"),
    ] {
        let harness = cluster().await;
        harness.step(u64::from(NODES)).await;
        let name = harness.cluster.node_names()[0].clone();
        let (namespace, pod_name) = pods_on(&harness, &name)[0].clone();
        let both = async || {
            [
                node(&harness, &name).await,
                pod(&harness, &namespace, &pod_name).await,
            ]
        };
        harness.cluster.kill_kubelet(&name, kill);
        harness.step(u64::from(NODES)).await;
        for why in both().await {
            assert!(why.available, "the last response is still fresh: {why:#?}");
            assert!(why.hint.contains(hint), "{kill:?}: {why:#?}");
            let scraped = why.steps.iter().find(|step| step.name == StepName::Scraped);
            assert_eq!(scraped.unwrap().state, State::Warning, "{why:#?}");
        }
        harness.clock.advance(RESOLUTION * 4);
        for why in both().await {
            assert_eq!(
                (why.available, why.reason.as_str()),
                (false, reason),
                "{why:#?}"
            );
            assert!(why.verdict.contains("https://127."), "{why:#?}");
            assert!(why.hint.contains(hint), "{kill:?}: {why:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_subresource_why_needs_its_permission() {
    let harness = cluster().await;
    let name = harness.cluster.node_names()[0].clone();
    let (namespace, pod_name) = pods_on(&harness, &name)[0].clone();
    let identities = harness.cluster.identities();
    let jane = identities.mint_token(UserInfo::new("jane", ["dev"]));
    let john = identities.mint_token(UserInfo::new("john", ["dev"]));
    let read = |resources: &[&str]| Rule::resources(&["get"], "metrics.k8s.io", resources);
    identities.grant(
        Subject::User("jane".to_owned()),
        read(&["pods/why"]).in_namespace(&namespace),
    );
    // The permission to read metrics does not include `why`.
    identities.grant(Subject::User("john".to_owned()), read(&["pods", "nodes"]));
    let ca =
        reqwest::Certificate::from_pem(harness.cluster.pki().cluster().pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([ca])
        .build()
        .unwrap();
    let ask = async |token: &str, path: &str| {
        let url = format!("{}{BASE}{path}", harness.cluster.api_url());
        let response = client.get(url).bearer_auth(token).send().await.unwrap();
        let status = response.status().as_u16();
        let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        (status, body)
    };
    let of_pod = format!("/namespaces/{namespace}/pods/{pod_name}/why");
    let of_node = format!("/nodes/{name}/why");
    let (status, why) = ask(&jane, &of_pod).await;
    assert_eq!((status, &why["kind"]), (200, &"PodMetricsWhy".into()));
    assert_eq!(why["available"], true);
    for (token, path) in [(&jane, &of_node), (&john, &of_pod), (&john, &of_node)] {
        let (status, body) = ask(token, path).await;
        assert_eq!((status, &body["reason"]), (403, &"Forbidden".into()));
        let message = body["message"].as_str().unwrap();
        assert!(
            message.contains("/why\" in API group \"metrics.k8s.io\""),
            "{message}"
        );
    }
}
