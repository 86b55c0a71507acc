//! Golden screens of text pages, and of the windows that lead to them.

use kubevitals::model::log::{Level, LogBatch, LogLine, StreamState, plain_text};
use kubevitals::model::{
    Action, DirectRequest, Document, Edit, Effect, Message, SourceKind, State, TextAction, Topic,
    View, act, apply, describe,
};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::time::Timestamp;
use serde_json::json;

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

/// A description of a pod.
fn described() -> State {
    let mut state = showing(View::Pods, SourceKind::Vitals);
    act(&mut state, Action::First);
    let effects = act(&mut state, Action::Read(Topic::Describe));
    let Some(Effect::Direct(DirectRequest::Read(request))) = effects.first() else {
        panic!("{effects:?}");
    };
    let pod = json!({
        "metadata": {"namespace": "shop", "name": "web-1", "labels": {"app": "web"}, "creationTimestamp": Timestamp::from_secs(NOW - 7_200)},
        "spec": {"nodeName": "node-1", "containers": [{"name": "app", "image": "registry.example/shop/web:1.2.3", "resources": {"limits": {"memory": "256Mi"}}}]},
        "status": {"phase": "Running", "containerStatuses": [{
            "name": "app", "ready": false, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
        }]},
    });
    let parts = describe::Parts {
        object: &pod,
        kind: kubevitals::model::Kind::Pod,
        pods: Ok(Vec::new()),
        events: Ok(std::iter::once(
            json!({"type": "Warning", "reason": "BackOff", "message": "Back-off restarting failed container", "count": 12, "lastTimestamp": Timestamp::from_secs(NOW - 30)}),
        )
        .collect()),
        now: Timestamp::from_secs(NOW),
    };
    let document = Document {
        lines: describe::describe(&parts),
        ..Document::default()
    };
    apply(
        &mut state,
        Message::Document(request.id, Box::new(Ok(document))),
    );
    state
}

#[test]
fn text_pages_in_every_size() {
    for (name, state) in [("logs", logs(false)), ("describe", described())] {
        for (columns, rows) in SIZES {
            let mut state = state.clone();
            act(&mut state, Action::Resize(columns, rows));
            let drawn = draw(&state, &colour(), columns, rows);
            let screen = if columns == 80 {
                text_and_styles(&drawn)
            } else {
                text(&drawn)
            };
            insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), screen);
        }
    }
}

#[test]
fn text_pages_without_colour_and_without_unicode() {
    let state = logs(false);
    for (name, ascii) in [("no-colour", false), ("ascii", true)] {
        let theme = Theme::new(Depth::None, Ground::Dark, ascii);
        let mut state = state.clone();
        act(&mut state, Action::Resize(80, 24));
        insta::assert_snapshot!(format!("logs-{name}"), text(&draw(&state, &theme, 80, 24)));
    }
}

#[test]
fn states_of_a_page_of_logs() {
    let mut json = logs(false);
    act(&mut json, Action::Text(TextAction::Pretty));
    act(&mut json, Action::Text(TextAction::Times));
    act(&mut json, Action::Filter);
    act(&mut json, Action::Edit(Edit::Insert("error".to_owned())));
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
    let mut requested = showing(View::Pods, SourceKind::Vitals);
    act(&mut requested, Action::Logs(false));
    let mut menu = showing(View::Nodes, SourceKind::Vitals);
    act(&mut menu, Action::Menu);
    let mut shell = showing(View::Containers, SourceKind::Vitals);
    act(&mut shell, Action::First);
    act(&mut shell, Action::Shell);
    for (name, mut state) in [
        ("logs-json-search", json),
        ("logs-failed", failed),
        ("logs-requested", requested),
        ("menu-refused", menu),
        ("shell", shell),
    ] {
        act(&mut state, Action::Resize(80, 24));
        insta::assert_snapshot!(name, text(&draw(&state, &colour(), 80, 24)));
    }
}
