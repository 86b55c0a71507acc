//! The pages of nodes, workloads and namespaces: their facts above the table of their pods.

use std::sync::Arc;
use std::time::Duration;

use kubevitals::model::{
    Action, Facts, Message, Objects, Scope, SourceKind, State, View, act, apply, refresh,
};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::objects::{
    Pools, WireLimitRange, WireNode, WireNodeImages, WireQuota, WireRollout,
};
use kubevitals_sim::Fault;
use serde_json::{Value, json};

use crate::dashboard::Dashboard;
use crate::picture::{draw, text};
use crate::running::Running;
use crate::simulated::calm;
use crate::views::{SIZES, go_back, shop};

/// Compares the page in every size and theme with snapshots.
fn shows(name: &str, state: &State) {
    for (columns, rows) in SIZES {
        let screen_text = text(&draw(state, &theme(), columns, rows));
        insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), screen_text);
    }
    for (look, ascii) in [("no-colour", false), ("ascii", true)] {
        let theme = Theme::new(Depth::None, Ground::Dark, ascii);
        let screen_text = text(&draw(state, &theme, 80, 24));
        insta::assert_snapshot!(format!("{name}-{look}"), screen_text);
    }
}

fn theme() -> Theme {
    Theme::new(Depth::Sixteen, Ground::Dark, false)
}

/// Eight nodes, of which one has a problem that node-problem-detector reports and one is short of memory.
async fn cluster() -> Running {
    let mut running = calm(8, 3).await;
    running.pass_for(Duration::from_secs(120)).await;
    for fault in [Fault::Eviction, Fault::ReadinessFailure, Fault::CrashLoop] {
        running.strike(fault).await;
        running.pass_for(Duration::from_secs(60)).await;
    }
    running
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_a_simulated_cluster() {
    let mut running = cluster().await;
    running.open().await;
    for (view, name) in [
        (View::Nodes, "node-0006"),
        (View::Nodes, "node-0008"),
        (View::Namespaces, "shop"),
        (View::Workloads, "checkout"),
    ] {
        running.open_page(view, name).await;
        let name = format!("page-{}-{name}", view.title().to_lowercase());
        shows(&name, &running.state);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_a_node_has_its_evictions_and_the_pod_its_message() {
    let mut running = cluster().await;
    running.open().await;
    let pods = running.state.live.pods.rows().iter();
    let evicted = pods.clone().find(|pod| pod.is_evicted()).unwrap().clone();
    running.open_page(View::Nodes, &evicted.node).await;
    let screen_text = text(&draw(&running.state, &theme(), 200, 60));
    let line = format!("evicted 1 pod, node short of memory: {}", evicted.name);
    assert!(screen_text.contains(&line), "{screen_text}");
    let message = evicted.message.clone().unwrap();
    assert!(
        message.contains("The node was low on resource: memory"),
        "{message}"
    );
    running.open_pod(&evicted.name).await;
    let screen_text = text(&draw(&running.state, &theme(), 200, 60));
    assert!(screen_text.contains(message.trim()), "{screen_text}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_by_metrics_and_at_a_past_time() {
    let mut running = cluster().await;
    running.look_by_metrics().await;
    running.open_page(View::Nodes, "node-0006").await;
    let screen_text = text(&draw(&running.state, &theme(), 120, 40));
    insta::assert_snapshot!("page-node-by-metrics", screen_text);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_keys_tell_what_uses_the_quota_of_a_namespace() {
    let mut running = calm(4, 3).await;
    running.pass_for(Duration::from_secs(120)).await;
    running.open().await;
    for key in ["6", "g", "enter"] {
        running.press_key(key).await;
    }
    let screen_text = text(&draw(&running.state, &theme(), 120, 40));
    let line = screen_text
        .lines()
        .find(|line| line.contains("quota requests.cpu"));
    let line = line.unwrap_or_else(|| panic!("{screen_text}"));
    assert!(line.contains("%  by ") && line.contains("% "), "{line}");
    running.stop().await;
}

/// A page of the shop with these objects.
fn page(scope: Scope, facts: Facts) -> State {
    let mut state = shop(SourceKind::Vitals);
    act(&mut state, Action::Resize(120, 40));
    act(&mut state, Action::Show(View::Namespaces));
    act(&mut state, Action::Enter);
    state.screen_mut().scope = scope.clone();
    apply(&mut state, Message::Facts(scope, Box::new(facts)));
    refresh(&mut state);
    state
}

fn node(object: Value) -> Objects {
    let images: WireNodeImages = serde_json::from_value(object.clone()).unwrap();
    let node: WireNode = serde_json::from_value(object).unwrap();
    let node = node.convert(&Pools::default()).unwrap();
    Objects::Node(Arc::new(node), images.largest(4))
}

/// A node with sixty conditions that report a problem, and long names.
fn hostile_node() -> Objects {
    let long = "x".repeat(253);
    let conditions = (0..60).map(|at| {
        json!({"type": format!("Problem{at}"), "status": "True", "reason": long, "message": format!("{long} \u{1b}[31m")})
    });
    let conditions: Vec<Value> = conditions.collect();
    node(
        json!({"metadata": {"name": long}, "spec": {"unschedulable": true,
        "taints": [{"key": long, "value": long, "effect": "NoSchedule"}]},
        "status": {"conditions": conditions, "addresses": [{"type": "InternalIP", "address": long}],
            "images": [{"names": [format!("{long}\u{1b}[31m:1")], "sizeBytes": u64::MAX}, {"sizeBytes": 7}],
            "nodeInfo": {"osImage": long}}}),
    )
}

/// A namespace with a quota of forty resources.
fn hostile_namespace() -> Objects {
    let hard = (0..40).map(|at| (format!("count/things-{at}.{}", "x".repeat(200)), json!("9")));
    let hard: serde_json::Map<String, Value> = hard.collect();
    let quota = json!({"metadata": {"name": "q".repeat(253)}, "spec": {"hard": hard}, "status": {"used": hard}});
    let quota: WireQuota = serde_json::from_value(quota).unwrap();
    let range = json!({"spec": {"limits": [{"type": "Container", "default": hard}]}});
    let range: WireLimitRange = serde_json::from_value(range).unwrap();
    Objects::Namespace(vec![quota.convert()], range.convert())
}

/// A workload with two hundred containers.
fn hostile_workload() -> Objects {
    let containers: Vec<Value> = (0..200)
        .map(|at| json!({"image": format!("{}:{at}", "i".repeat(253))}))
        .collect();
    let rollout = json!({"spec": {"replicas": 9, "template": {"spec": {"containers": containers}}},
        "status": {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
            "message": "m".repeat(5_000)}]}});
    let rollout: WireRollout = serde_json::from_value(rollout).unwrap();
    Objects::Workload(Box::new(rollout.convert("Deployment")), Vec::new())
}

#[test]
fn the_table_keeps_half_of_the_rows_however_much_a_page_has() {
    let name = kubevitals::model::Name::from("payments");
    let workload = kubevitals::model::row::Workload::new("Deployment", "ledger");
    for (scope, objects) in [
        (Scope::Node("node-0000".into()), hostile_node()),
        (Scope::Namespace(name.clone()), hostile_namespace()),
        (Scope::Workload(name, workload), hostile_workload()),
    ] {
        let missing = vec!["m".repeat(1_000)];
        let mut state = page(scope, Facts { objects, missing });
        for (columns, rows) in SIZES.into_iter().chain([(20, 6), (300, 90)]) {
            act(&mut state, Action::Resize(columns, rows));
            refresh(&mut state);
            let sizes = kubevitals::model::Rows::of(&state);
            assert!(sizes.facts <= sizes.body, "{columns}x{rows}: {sizes:?}");
            assert!(rows > 12 || sizes.facts <= 1, "{columns}x{rows}: {sizes:?}");
            let screen_text = text(&draw(&state, &theme(), columns, rows));
            assert!(!screen_text.contains('\u{1b}'), "{screen_text}");
            if rows >= 24 {
                assert!(screen_text.contains("more lines"), "{screen_text}");
            }
        }
    }
}

#[test]
fn the_page_of_a_node_names_its_largest_images() {
    let lines = |facts: Facts| {
        let state = page(Scope::Node("node-0000".into()), facts);
        text(&draw(&state, &theme(), 200, 60))
    };
    let digest = "a".repeat(64);
    let image = |name: &str, gib: u64| json!({"names": [name], "sizeBytes": gib << 30});
    let long = format!("registry.example/{}/web@sha256:{digest}", "x".repeat(100));
    let few = [image("a:1", 1), image(&long, 3), image("b:2", 2)];
    let many: Vec<Value> = (1..=50).map(|at| image(&format!("web:{at}"), at)).collect();
    for (images, expected) in [
        (
            &few[..],
            "images 3, 6Gi\n largest images registry.example/xxxxxxx…xxxxxx/web@aaaaaaaaaaaa 3Gi  b:2 2Gi  a:1 1Gi\n",
        ),
        (
            &many,
            "images 50 or more, 1.2Ti\n largest images web:50 50Gi  web:49 49Gi  web:48 48Gi  web:47 47Gi\n",
        ),
    ] {
        let objects =
            node(json!({"metadata": {"name": "node-0000"}, "status": {"images": images}}));
        let screen_text = lines(Facts {
            objects,
            missing: Vec::new(),
        });
        assert!(screen_text.contains(expected), "{screen_text}");
    }
    for missing in [Vec::new(), vec!["nodes: you may not get nodes".to_owned()]] {
        let objects = Objects::None;
        let screen_text = lines(Facts {
            objects,
            missing: missing.clone(),
        });
        assert!(!screen_text.contains("images"), "{screen_text}");
        for why in missing {
            assert!(screen_text.contains(&why), "{screen_text}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_one_line() {
    let scope = || Scope::Namespace("payments".into());
    let missing = vec![
        "resourcequotas: you may not list resourcequotas in namespace payments".to_owned(),
        "limitranges: you may not list limitranges in namespace payments".to_owned(),
    ];
    let facts = Facts {
        objects: Objects::Namespace(Vec::new(), Vec::new()),
        missing,
    };
    let state = page(scope(), facts);
    shows("page-degraded", &state);
    let nothing = Facts {
        objects: Objects::Namespace(Vec::new(), Vec::new()),
        missing: Vec::new(),
    };
    let mut state = page(scope(), nothing);
    shows("page-empty", &state);
    go_back(&mut state);
    refresh(&mut state);
    shows("page-past", &state);
}

#[test]
fn objects_are_requested_when_a_page_opens_and_not_after_it_is_closed() {
    use kubevitals::model::{Effect, SourceRequest};
    let asks = |effects: &[Effect]| {
        let is_of_facts =
            |effect: &&Effect| matches!(effect, Effect::Request(SourceRequest::Facts(_)));
        effects.iter().filter(is_of_facts).count()
    };
    let mut state = shop(SourceKind::Vitals);
    act(&mut state, Action::Resize(120, 40));
    assert_eq!(asks(&act(&mut state, Action::Show(View::Nodes))), 0);
    assert_eq!(asks(&act(&mut state, Action::Enter)), 1);
    let later = |state: &mut State| {
        let now = state.now.plus_nanos(11_000_000_000);
        apply(state, Message::Tick(now))
    };
    assert_eq!(asks(&later(&mut state)), 1);
    act(&mut state, Action::Back);
    assert_eq!(asks(&later(&mut state)), 0);
}

#[test]
fn probes_and_pages_open_by_keys() {
    let mut dashboard =
        Dashboard::of_demo(&["--nodes", "4", "--pods-per-node", "14", "--seed", "3"]);
    dashboard.show("b", "Probes");
    dashboard.terminal.press("/");
    dashboard.terminal.send("probe=passing");
    dashboard.terminal.press("enter");
    dashboard.wait_selected("a probe that passes", |row| row.contains("passing"));
    dashboard.terminal.press("enter");
    dashboard.terminal.wait_for_text("PROBES");
    dashboard.terminal.press("esc");
    dashboard.wait_selected("the same probe", |row| row.contains("passing"));
    dashboard.show("2", "Nodes");
    dashboard.wait_selected("a node", |row| row.contains("node-"));
    dashboard.terminal.press("enter");
    dashboard.terminal.wait_for_text("allocatable, requested");
    dashboard.terminal.press("esc");
    dashboard.wait_view("Nodes");
    dashboard.show("6", "Namespaces");
    dashboard.wait_selected("a namespace", |row| !row.trim().is_empty());
    dashboard.terminal.press("g");
    dashboard.terminal.press("enter");
    dashboard.terminal.wait_for_text("quota requests.cpu");
    dashboard.terminal.press("esc");
    dashboard.wait_view("Namespaces");
}
