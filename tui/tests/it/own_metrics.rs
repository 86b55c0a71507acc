//! What people see of metrics that are not the kubelet's: the page of an HPA, a pod's own metrics, GPUs.

use kubevitals::model::row::{Gpu, HpaMetric, HpaRow, Limited, MetricKind, PodGpus};
use kubevitals::model::{
    Action, Batch, Change, Condition, Event, Fact, Facts, HpaFacts, Key, Message, MetricApi,
    MetricFacts, MetricServer, Objects, SourceKind, SourceRequest, State, View, act, apply,
    refresh,
};
use kubevitals::model::{Effect, Scope};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::OwnMetrics;
use kubevitals_proto::why::Why;
use serde_json::{Value, json};

use crate::picture::{draw, text};
use crate::shop::{NOW, Shop};
use crate::views::{OOM_KILLED, SIZES, colour, open_pod, shop, showing};

/// Compares the screen in every size and theme with snapshots.
fn shows(name: &str, state: &mut State) {
    for (columns, rows) in SIZES {
        act(state, Action::Resize(columns, rows));
        let screen_text = text(&draw(state, &colour(), columns, rows));
        insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), screen_text);
    }
    act(state, Action::Resize(80, 24));
    for (look, ascii) in [("no-colour", false), ("ascii", true)] {
        let theme = Theme::new(Depth::None, Ground::Dark, ascii);
        let screen_text = text(&draw(state, &theme, 80, 24));
        insta::assert_snapshot!(format!("{name}-{look}"), screen_text);
    }
}

fn ago(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp::from_secs(NOW - seconds))
}

fn metric(
    kind: MetricKind,
    name: &str,
    current: &str,
    target: &str,
    part: Option<f64>,
) -> HpaMetric {
    HpaMetric {
        kind,
        name: name.into(),
        current: current.into(),
        target: target.into(),
        part,
    }
}

/// An HPA of the shop with a metric of each kind, one of which is missing.
fn hpa() -> HpaRow {
    HpaRow {
        namespace: "shop".into(),
        name: "web".into(),
        target_kind: "Deployment".into(),
        target: "web".into(),
        min: 2,
        max: 10,
        current: 3,
        desired: 4,
        metrics: Box::new([
            metric(MetricKind::Resource, "cpu", "64%", "70%", Some(0.91)),
            metric(
                MetricKind::Pods,
                "http_requests_per_second",
                "125",
                "100",
                Some(1.25),
            ),
            metric(MetricKind::Pods, "queue_length", "", "30", None),
            metric(MetricKind::External, "open_incidents", "0", "5", Some(0.0)),
        ]),
        scaled_seconds: u32::try_from(NOW - 700).unwrap(),
        limited: Some(Limited {
            broken: false,
            reason: "TooManyReplicas".into(),
            message: "the desired replica count is more than the maximum replica count".into(),
        }),
        created_seconds: u32::try_from(NOW - 900_000).unwrap(),
    }
}

fn why(value: &Value) -> Why {
    serde_json::from_value(value.clone()).unwrap()
}

fn step(name: &str, state: &str, message: &str) -> Value {
    json!({"name": name, "state": state, "message": message})
}

fn facts(hpa: &HpaRow) -> HpaFacts {
    let scraped = step(
        "scraped",
        "ok",
        "scraped at 2026-11-21T05:13:49Z (5s ago), took 12ms: 40 series in 4096 bytes",
    );
    let there = json!({"kind": "OwnMetricWhy", "apiVersion": "kubevitals.io/v1alpha1", "metadata": {"name": "web-1"},
        "available": true, "reason": "available", "verdict": "It is 125.", "steps": [scraped]});
    let mut missing = there.clone();
    missing["available"] = false.into();
    missing["verdict"] =
        "The last scrape had none of the families that queue_length can stand for: queue_length."
            .into();
    missing["hint"] =
        "check the name on the page that the pod serves, and the limits of its rule".into();
    let whys = [None, Some(why(&there)), Some(why(&missing)), None];
    let metrics = hpa
        .metrics
        .iter()
        .zip(whys)
        .map(|(metric, why)| MetricFacts {
            metric: metric.clone(),
            why: why.map(|why| ("web-1".to_owned(), why)),
        });
    let ours = || MetricServer::Available("kube-system/vitals-server".to_owned());
    let api = |group, server| MetricApi { group, server };
    let condition = |kind: &str, status: &str, reason: &str, message: &str| Condition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        since: ago(3_000),
    };
    let event = |seconds, message: &str| Event {
        kind: "Normal".to_owned(),
        reason: "SuccessfulRescale".to_owned(),
        message: message.to_owned(),
        count: 1,
        last: ago(seconds),
    };
    HpaFacts {
        conditions: vec![
            condition(
                "AbleToScale",
                "True",
                "ReadyForNewScale",
                "recommended size matches current size",
            ),
            condition(
                "ScalingActive",
                "True",
                "ValidMetricFound",
                "the HPA was able to compute the replica count",
            ),
            condition(
                "ScalingLimited",
                "True",
                "TooManyReplicas",
                "the desired replica count is too large",
            ),
        ],
        metrics: metrics.collect(),
        apis: vec![
            api("metrics.k8s.io", ours()),
            api("custom.metrics.k8s.io", ours()),
            api("external.metrics.k8s.io", MetricServer::Nobody),
        ],
        events: vec![
            event(
                700,
                "New size: 3; reason: cpu resource utilization above target",
            ),
            event(4_000, "New size: 2; reason: All metrics below target"),
        ],
    }
}

/// The HPAs of the shop with this one, and its page.
fn opened(hpa: HpaRow, source: SourceKind) -> (State, Vec<Effect>) {
    let mut state = shop(source);
    act(&mut state, Action::Resize(120, 40));
    apply(&mut state, Message::rows(Batch::All(vec![hpa])));
    act(&mut state, Action::Show(View::Hpas));
    act(&mut state, Action::First);
    let effects = act(&mut state, Action::Enter);
    refresh(&mut state);
    (state, effects)
}

fn page(objects: Objects) -> State {
    let (mut state, _) = opened(hpa(), SourceKind::Vitals);
    let facts = Facts {
        objects,
        missing: Vec::new(),
    };
    let scope = state.screen().scope.clone();
    apply(&mut state, Message::Facts(scope, Box::new(facts)));
    refresh(&mut state);
    state
}

#[test]
fn the_page_of_an_hpa_shows_each_metric() {
    let mut state = page(Objects::Hpa(Box::new(facts(&hpa()))));
    shows("hpa-page", &mut state);
}

#[test]
fn the_page_of_an_hpa_opens_with_its_pods_and_requests_its_objects() {
    let (state, effects) = opened(hpa(), SourceKind::Metrics);
    let screen = state.screen();
    assert!(matches!(screen.scope, Scope::Hpa(..)));
    let wanted = Effect::Request(SourceRequest::Facts(screen.scope.clone()));
    assert!(effects.contains(&wanted), "{effects:?}");
    let pods = &state.world().pods;
    assert!(!screen.list.order.is_empty());
    for at in &screen.list.order {
        let pod = pods.row(*at).unwrap();
        let workload = pod.workload.as_deref().unwrap();
        assert_eq!((&*pod.namespace, &*workload.name), ("shop", "web"));
    }
    let screen_text = text(&draw(&state, &colour(), 120, 40));
    assert!(
        screen_text.contains("Loading the objects of this page"),
        "{screen_text}"
    );
}

#[test]
fn without_its_object_the_page_of_an_hpa_shows_its_row() {
    let mut state = page(Objects::None);
    act(&mut state, Action::Resize(120, 40));
    let screen_text = text(&draw(&state, &colour(), 120, 40));
    for expected in [
        "missing queue_length  replicas 3 to 4 of 2-10",
        "pods queue_length ",
        "- of 30",
        "from custom.metrics.k8s.io",
    ] {
        assert!(screen_text.contains(expected), "{expected}:\n{screen_text}");
    }
    let (mut state, _) = opened(hpa(), SourceKind::Vitals);
    apply(&mut state, Message::rows::<HpaRow>(Batch::All(Vec::new())));
    refresh(&mut state);
    let screen_text = text(&draw(&state, &colour(), 80, 24));
    assert!(
        screen_text.contains("this HPA does not exist"),
        "{screen_text}"
    );
}

#[test]
fn a_hostile_hpa_keeps_the_table_on_the_screen() {
    let long = "x".repeat(253);
    let mut row = hpa();
    row.metrics = (0..60)
        .map(|_| {
            metric(
                MetricKind::Other,
                &format!("{long}\u{1b}[31m"),
                "",
                &long,
                None,
            )
        })
        .collect();
    let (mut state, _) = opened(row.clone(), SourceKind::Vitals);
    let scope = state.screen().scope.clone();
    let hostile = HpaFacts {
        conditions: vec![Condition {
            message: long.repeat(20),
            ..Condition::default()
        }],
        ..facts(&row)
    };
    let facts = Facts {
        objects: Objects::Hpa(Box::new(hostile)),
        missing: vec![long],
    };
    apply(&mut state, Message::Facts(scope, Box::new(facts)));
    for (columns, rows) in SIZES {
        act(&mut state, Action::Resize(columns, rows));
        let screen_text = text(&draw(&state, &colour(), columns, rows));
        assert!(!screen_text.contains('\u{1b}'));
        let facts: &[Vec<Fact>] = &state.screen().fact_lines;
        assert!(facts.len() > 60);
        assert!(screen_text.contains(" NAME "), "{screen_text}");
    }
}

/// The answer about a pod, with points for the displayed span.
fn own(state: &State, change: impl FnOnce(&mut Value)) -> OwnMetrics {
    let (since, until) = state.shown_span();
    let step = until.since(since) / 60 / 1_000_000_000;
    let wave = |height: f64| {
        let point = move |at: i32| {
            let is_gap = (20..24).contains(&at);
            (!is_gap).then(|| height * (1.0 + (f64::from(at) / 6.0).sin() / 2.0))
        };
        (0..60).map(point).collect::<Vec<_>>()
    };
    let mut value = json!({
        "kind": "OwnMetrics", "apiVersion": "kubevitals.io/v1alpha1",
        "metadata": {"name": "web", "namespace": "shop"},
        "scrape": {"by": "annotation prometheus.io/scrape", "url": "http://10.1.0.7:8080/metrics", "interval": "15s",
            "timestamp": Timestamp::from_secs(NOW - 6), "duration": "12ms", "samples": 4},
        "span": {"since": since, "until": until, "step": format!("{step}s")},
        "metrics": [
            {"name": "http_requests_per_second", "value": 12.5, "timestamp": Timestamp::from_secs(NOW - 6),
                "window": "1m0s", "points": wave(12.5),
                "series": [{"labels": {"code": "200"}, "value": 10.5}, {"labels": {"code": "500"}, "value": 2.0}]},
            {"name": "latency_seconds_p95", "absent": "its rate needs a second scrape"},
            {"name": "queue_length", "value": 0.004, "points": wave(0.004)},
        ],
    });
    change(&mut value);
    serde_json::from_value(value).unwrap()
}

/// The page of a pod with these metrics of its own.
fn pod_page(change: impl FnOnce(&mut Value)) -> State {
    let mut state = shop(SourceKind::Vitals);
    act(&mut state, Action::Resize(120, 40));
    open_pod(&mut state, OOM_KILLED);
    let metrics = own(&state, change);
    apply(
        &mut state,
        Message::OwnMetrics(Shop::key(OOM_KILLED), Ok(Box::new(metrics))),
    );
    refresh(&mut state);
    state
}

fn nothing(value: &mut Value, reason: &str, message: &str) {
    value["metrics"] = json!([]);
    value["absent"] = json!({"reason": reason, "message": message});
}

#[test]
fn the_page_of_a_pod_has_its_own_metrics_with_charts() {
    let mut state = pod_page(|_| {});
    act(&mut state, Action::Resize(120, 40));
    for _ in 0..5 {
        act(&mut state, Action::Scroll(1));
    }
    shows("pod-own-metrics", &mut state);
}

#[test]
fn without_metrics_of_its_own_a_pod_says_why() {
    let mut state = pod_page(|value| {
        value["scrape"] = Value::Null;
        let message = "Neither an annotation nor --pod-metrics-config selects the pod.";
        nothing(value, "NotSelected", message);
    });
    shows("pod-own-metrics-not-selected", &mut state);
    let mut state = pod_page(|value| {
        value["scrape"]["error"] = "the pod refused the connection".into();
        nothing(
            value,
            "ScrapeFailed",
            "The last scrape failed: the pod refused the connection.",
        );
    });
    act(&mut state, Action::Resize(200, 60));
    let screen_text = text(&draw(&state, &colour(), 200, 60));
    assert!(
        screen_text.contains("the last scrape failed: the pod refused"),
        "{screen_text}"
    );
}

#[test]
fn without_the_feature_a_page_is_as_it_was() {
    let with = pod_page(|value| nothing(value, "Disabled", "It runs without --pod-metrics."));
    let without = showing(View::Pod, SourceKind::Vitals);
    let screen = |state: &State| text(&draw(state, &colour(), 120, 40));
    assert_eq!(screen(&with), screen(&without));
}

#[test]
fn a_past_time_has_the_value_of_its_step() {
    let mut state = pod_page(|_| {});
    act(&mut state, Action::Pause);
    act(&mut state, Action::Resize(200, 60));
    let metrics = own(&state, |_| {});
    let last = metrics.metrics[0].points[59].unwrap();
    apply(
        &mut state,
        Message::OwnMetrics(Shop::key(OOM_KILLED), Ok(Box::new(metrics))),
    );
    let screen_text = text(&draw(&state, &colour(), 200, 60));
    let expected = kubevitals_proto::words::decimal(last);
    let expected = format!("http_requests_per_second  {expected}");
    assert!(
        screen_text.contains(&expected),
        "{expected}:\n{screen_text}"
    );
}

#[test]
fn metrics_are_requested_only_for_the_page_of_a_pod_and_from_our_server() {
    let is_own =
        |effect: &Effect| matches!(effect, Effect::Request(SourceRequest::OwnMetrics { .. }));
    for (source, expected) in [
        (SourceKind::Vitals, true),
        (SourceKind::Metrics, false),
        (SourceKind::None, false),
    ] {
        let mut state = shop(source);
        act(&mut state, Action::Resize(120, 40));
        let effects = act(&mut state, Action::Show(View::Pods));
        assert!(!effects.iter().any(is_own));
        act(&mut state, Action::First);
        let effects = act(&mut state, Action::Enter);
        assert_eq!(effects.iter().any(is_own), expected, "{source}");
    }
}

fn gpu(count: u32, percent: u64, gib: u64) -> Gpu {
    Gpu {
        count,
        measured: count,
        busy: Nanocores(percent * 10_000_000 * u64::from(count)).into(),
        memory: Bytes(gib << 30).into(),
        capacity: Bytes(80 << 30).into(),
    }
}

/// The shop with three pods that have GPUs, of which one is not measured.
fn with_gpus() -> State {
    let mut state = shop(SourceKind::Vitals);
    let gpus = [
        gpu(2, 63, 34),
        gpu(1, 4, 70),
        Gpu {
            count: 1,
            ..Gpu::default()
        },
    ];
    let pods = gpus.into_iter().enumerate().map(|(at, gpu)| {
        let key: Key = Shop::key(at + 3);
        let mut pod = (**state.world().pods.get(&key).unwrap()).clone();
        let containers = pod.containers.iter().enumerate();
        let containers = containers.map(|(at, _)| if at == 0 { gpu } else { Gpu::default() });
        pod.gpus = Some(Box::new(PodGpus {
            all: gpu,
            containers: containers.collect(),
        }));
        Change::Put(pod)
    });
    let pods: Vec<_> = pods.collect();
    apply(&mut state, Message::Pods(Batch::Some(pods)));
    state
}

#[test]
fn gpus_have_columns_where_somebody_has_one() {
    use kubevitals::model::{Edit, Field};
    for view in [
        View::Pods,
        View::Containers,
        View::Workloads,
        View::Namespaces,
    ] {
        let mut state = with_gpus();
        act(&mut state, Action::Resize(200, 60));
        act(&mut state, Action::Show(view));
        act(&mut state, Action::SortBy(Field::Gpu));
        refresh(&mut state);
        let screen_text = text(&draw(&state, &colour(), 200, 60));
        let name = format!("gpus-{}", view.title().to_lowercase());
        insta::assert_snapshot!(name, screen_text);
        let without = text(&draw(
            &showing(view, SourceKind::Vitals),
            &colour(),
            200,
            60,
        ));
        assert!(!without.contains("GPU"), "{without}");
    }
    let mut state = with_gpus();
    act(&mut state, Action::Show(View::Pods));
    for (filter, expected) in [
        ("gpu>50", 1),
        ("gpu-mem%>80", 1),
        ("gpus>0", 3),
        ("gpu<50", 1),
    ] {
        act(&mut state, Action::ClearFilter);
        act(&mut state, Action::Filter);
        act(&mut state, Action::Edit(Edit::Insert(filter.to_owned())));
        refresh(&mut state);
        assert_eq!(state.screen().list.order.len(), expected, "{filter}");
    }
}
