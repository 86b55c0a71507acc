//! Golden screens of text pages, and of the windows that lead to them.

use kubevitals::model::log::{Level, LogBatch, LogLine, StreamState, plain_text};
use kubevitals::model::{
    Action, ChangeAction, DirectRequest, Document, DrainProgress, Edit, Effect, Message,
    SourceKind, State, TextAction, TextLine, Topic, View, act, apply, describe, refresh,
};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use crate::picture::{draw, text, text_and_styles};
use crate::shop::NOW;
use crate::views::{SIZES, colour, showing};

/// Lines of a log, one of each kind.
const LINES: [(&str, u16); 9] = [
    (
        "I1121 05:00:00.000000       1 server.go:42] listening on :8080",
        0,
    ),
    (r#"{"level":"info","msg":"GET /cart 200","ms":12}"#, 1),
    (
        "W1121 05:00:02.000000       1 query.go:7] slow query: 900 ms for SELECT * FROM orders WHERE id = 42 AND state = 'open'",
        0,
    ),
    ("level=debug msg=\"cache: hit ratio 0.93\"", 1),
    (
        "\u{1b}[31mERROR\u{1b}[0m cannot connect to postgres:\tconnection refused\u{1b}]0;owned\u{7}",
        0,
    ),
    ("日本語のログ", 1),
    (
        "panic: runtime error: invalid memory address or nil pointer dereference",
        0,
    ),
    ("goroutine 1 [running]:", 0),
    ("main.main()", 0),
];

/// A page of the logs of a pod with two containers.
fn logs(previous: bool) -> State {
    let mut state = showing(View::Pods, SourceKind::Vitals);
    act(&mut state, Action::First);
    let effects = act(&mut state, Action::Logs(previous));
    let id = effects.iter().find_map(|effect| match effect {
        Effect::Direct(DirectRequest::Logs(Some(request))) => Some(request.id),
        _ => None,
    });
    let now = state.now.as_secs();
    let line = |(at, (text, stream)): (i64, &(&str, u16))| {
        let text = plain_text(text.as_bytes());
        LogLine {
            time: Some(Timestamp::from_secs(now - 60 + at)),
            stream: *stream,
            level: Level::of(&text),
            text: text.into(),
            is_cut: false,
        }
    };
    let batch = LogBatch {
        id: id.unwrap(),
        lines: (0..).zip(&LINES).map(line).collect(),
        dropped: 1_234,
        cut_bytes: 1 << 20,
        states: vec![(0, StreamState::Live), (1, StreamState::Live)],
    };
    apply(&mut state, Message::Logs(Box::new(batch)));
    state
}

/// A page about a pod.
fn page(topic: Topic, document: Result<Document, String>) -> State {
    let mut state = showing(View::Pods, SourceKind::Vitals);
    act(&mut state, Action::First);
    let effects = act(&mut state, Action::Read(topic));
    let Some(Effect::Direct(DirectRequest::Read(request))) = effects.first() else {
        panic!("{effects:?}");
    };
    apply(
        &mut state,
        Message::Document(request.id, Box::new(document)),
    );
    state
}

fn of_lines(lines: Vec<TextLine>) -> Result<Document, String> {
    Ok(Document {
        lines,
        ..Document::default()
    })
}

fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": "shop", "name": "web-1", "labels": {"app": "web"}, "creationTimestamp": Timestamp::from_secs(NOW - 7_200),
            "managedFields": [{"manager": "kubelet", "operation": "Update", "fieldsV1": {"f:status": {}}}]},
        "spec": {"nodeName": "node-1", "containers": [{"name": "app", "image": "registry.example/shop/web:1.2.3", "resources": {"limits": {"memory": "256Mi"}}}]},
        "status": {"phase": "Running", "containerStatuses": [{
            "name": "app", "ready": false, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
        }]},
    })
}

fn events() -> Vec<Value> {
    let event = |kind: &str, reason: &str, message: &str, count: u32, ago: i64| {
        json!({
            "type": kind, "reason": reason, "message": message, "count": count,
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1"},
            "lastTimestamp": Timestamp::from_secs(NOW - ago),
        })
    };
    vec![
        event(
            "Normal",
            "Scheduled",
            "Successfully assigned shop/web-1 to node-1",
            1,
            7_200,
        ),
        event(
            "Warning",
            "Unhealthy",
            "Liveness probe failed: Get \"http://10.1.2.3:8080/healthz\": context deadline exceeded",
            31,
            95,
        ),
        event(
            "Warning",
            "BackOff",
            "Back-off restarting failed container",
            12,
            30,
        ),
    ]
}

/// A description of a pod.
fn described() -> State {
    let pod = pod();
    let parts = describe::Parts {
        object: &pod,
        kind: kubevitals::model::Kind::Pod,
        pods: Ok(Vec::new()),
        events: Ok(events().into_iter().collect()),
        now: Timestamp::from_secs(NOW),
    };
    page(Topic::Describe, of_lines(describe::describe(&parts)))
}

/// Compares the screen in every size, and without colours and Unicode.
fn shows(name: &str, state: &State) {
    for (columns, rows) in SIZES {
        let drawn = draw(state, &colour(), columns, rows);
        let screen = if columns == 80 {
            text_and_styles(&drawn)
        } else {
            text(&drawn)
        };
        insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), screen);
    }
    for (look, ascii) in [("no-colour", false), ("ascii", true)] {
        let theme = Theme::new(Depth::None, Ground::Dark, ascii);
        let screen = text(&draw(state, &theme, 80, 24));
        insta::assert_snapshot!(format!("{name}-{look}"), screen);
    }
}

#[test]
fn logs_in_every_state() {
    shows("logs", &logs(false));
    let mut json = logs(false);
    act(&mut json, Action::Text(TextAction::Pretty));
    act(&mut json, Action::Text(TextAction::Times));
    act(&mut json, Action::Filter);
    act(&mut json, Action::Edit(Edit::Insert("error".to_owned())));
    shows("logs-json-search", &json);
    let mut failed = logs(true);
    let batch = LogBatch {
        id: failed.text.as_ref().unwrap().id,
        states: vec![(
            0,
            StreamState::Failed {
                why: "previous terminated container \"app\" in pod \"web-1\" not found".to_owned(),
                retry_at: None,
            },
        )],
        ..LogBatch::default()
    };
    apply(&mut failed, Message::Logs(Box::new(batch)));
    shows("logs-failed", &failed);
    let mut requested = showing(View::Pods, SourceKind::Vitals);
    act(&mut requested, Action::Logs(false));
    shows("logs-requested", &requested);
    let mut past = showing(View::Pods, SourceKind::Metrics);
    act(&mut past, Action::First);
    act(&mut past, Action::Step(-4));
    refresh(&mut past);
    act(&mut past, Action::Logs(false));
    shows("logs-past", &past);
}

#[test]
fn documents_in_every_state() {
    shows("describe", &described());
    let refused = "forbidden: User \"jane\" cannot get pods in namespace shop".to_owned();
    shows("describe-failed", &page(Topic::Describe, Err(refused)));
    shows("yaml", &page(Topic::Yaml, describe::yaml(pod())));
    let now = Timestamp::from_secs(NOW);
    let lines = describe::events(&events().into_iter().collect(), now, true);
    shows("events", &page(Topic::Events, of_lines(lines)));
    let none = of_lines(vec![TextLine::plain("No events")]);
    shows("events-empty", &page(Topic::Events, none));
}

#[test]
fn windows_that_lead_to_an_action() {
    let mut menu = showing(View::Nodes, SourceKind::Vitals);
    act(&mut menu, Action::Menu);
    shows("menu-refused", &menu);
    let mut shell = showing(View::Containers, SourceKind::Vitals);
    act(&mut shell, Action::First);
    act(&mut shell, Action::Shell);
    shows("shell", &shell);
    let mut delete = showing(View::Pods, SourceKind::Vitals);
    delete.settings.allow_actions = true;
    act(&mut delete, Action::First);
    act(&mut delete, Action::Change(ChangeAction::Delete));
    shows("delete", &delete);
    let mut drain = showing(View::Nodes, SourceKind::Vitals);
    drain.settings.allow_actions = true;
    act(&mut drain, Action::First);
    act(&mut drain, Action::Change(ChangeAction::Drain));
    shows("drain", &drain);
    let node = drain.current().unwrap().name;
    act(&mut drain, Action::Back);
    let progress = DrainProgress {
        evicted: 3,
        total: Some(12),
        waits_for: Some("shop/web-1: the budget needs 2 healthy pods and has 2".to_owned()),
    };
    apply(&mut drain, Message::Draining(node, progress));
    shows("drain-progress", &drain);
    act(&mut drain, Action::Back);
    shows("drain-cancelled", &drain);
}
