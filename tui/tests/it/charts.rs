//! Charts of a pod and its containers, now and around a time in the past.

use kubevitals::input::KeyMap;
use kubevitals::model::row::{IncidentRow, PodRow};
use kubevitals::model::{
    Action, Amounts, Batch, Key, Memory, Message, Names, PodReading, Reading, Readings, SourceKind,
    State, Subject, Time, View, act, apply, refresh,
};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{
    Cause, ContainerState, ContainerVitals, History, Incident, IncidentKind, Involved, Mark, Meta,
    PodVitals, Point, Role, Series, Span, Usage,
};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::picture::{draw, text};

const NOW: i64 = 1_783_521_000;
const STEP: i64 = 15;
const SPAN: i64 = 900;
const MI: u64 = 1 << 20;
const MILLI: u64 = 1_000_000;

/// The seconds between two OOM kills of the exporter.
const KILLED_EVERY: i64 = 300;

/// A container: its name, role, requests and limits (millicores, mebibytes), and what it uses at a time.
struct Kind {
    name: &'static str,
    role: Role,
    requests: Option<(u64, u64)>,
    limits: Option<(u64, u64)>,
    uses: fn(i64) -> Option<(u64, u64)>,
}

const CONTAINERS: [Kind; 5] = [
    Kind {
        name: "setup",
        role: Role::Init,
        requests: None,
        limits: None,
        uses: |_| None,
    },
    Kind {
        name: "web",
        role: Role::App,
        requests: Some((250, 512)),
        limits: Some((500, 1_472)),
        uses: |time| Some((140 + u64::try_from(time % 7).unwrap() * 10, 600)),
    },
    Kind {
        name: "exporter",
        role: Role::App,
        requests: Some((10, 32)),
        limits: Some((50, 64)),
        uses: |time| {
            let since = u64::try_from(time.rem_euclid(KILLED_EVERY)).unwrap();
            Some((5, 20 + since * 44 / 300))
        },
    },
    Kind {
        name: "proxy",
        role: Role::Sidecar,
        requests: Some((100, 64)),
        limits: None,
        uses: |_| Some((30, 40)),
    },
    Kind {
        name: "agent",
        role: Role::App,
        requests: None,
        limits: None,
        uses: |_| Some((3, 11)),
    },
];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

fn key() -> Key {
    Key::new(&"shop".into(), &"exports-0".into())
}

type Of = kubevitals_proto::vitals::Amounts;

fn amounts(amounts: Option<(u64, u64)>) -> Of {
    let Some((cpu, memory)) = amounts else {
        return Of::default();
    };
    Of {
        cpu: Some(Nanocores(cpu * MILLI).into()),
        memory: Some(Bytes(memory * MI).into()),
        ..Of::default()
    }
}

fn usage(used: Option<(u64, u64)>) -> Option<Usage> {
    let (cpu, memory) = used?;
    Some(Usage {
        cpu: Nanocores(cpu * MILLI).into(),
        memory: Bytes(memory * MI).into(),
        timestamp: Some(at(NOW - 4)),
        window: Some(GoDuration::from_secs(STEP)),
        ..Usage::default()
    })
}

fn sum(of: impl Iterator<Item = Option<(u64, u64)>>) -> Option<(u64, u64)> {
    of.flatten()
        .reduce(|sum, more| (sum.0 + more.0, sum.1 + more.1))
}

fn pod() -> PodVitals {
    let containers = CONTAINERS.iter().map(|kind| ContainerVitals {
        name: kind.name.to_owned(),
        role: kind.role,
        state: ContainerState {
            state: if kind.role == Role::Init {
                "Terminated"
            } else {
                "Running"
            }
            .to_owned(),
            reason: if kind.role == Role::Init {
                "Completed"
            } else {
                ""
            }
            .to_owned(),
            since: Some(at(NOW - 7_000)),
            ..ContainerState::default()
        },
        ready: true,
        started: true,
        usage: usage((kind.uses)(NOW)),
        requests: amounts(kind.requests),
        limits: amounts(kind.limits),
        ..ContainerVitals::default()
    });
    PodVitals {
        metadata: Meta {
            name: "exports-0".to_owned(),
            namespace: "shop".to_owned(),
            uid: "00000000-0000-4000-8000-000000000001".to_owned(),
            creation_timestamp: Some(at(NOW - 8_000)),
            ..Meta::default()
        },
        phase: "Running".to_owned(),
        status: "Running".to_owned(),
        ready: true,
        ready_containers: 4,
        total_containers: 4,
        node_name: "node-1".to_owned(),
        usage: usage(sum(CONTAINERS.iter().map(|kind| (kind.uses)(NOW)))),
        requests: amounts(sum(CONTAINERS.iter().map(|kind| kind.requests))),
        limits: amounts(sum(CONTAINERS.iter().map(|kind| kind.limits))),
        containers: containers.collect(),
        ..PodVitals::default()
    }
}

/// Returns the history of a time range, as the server does.
fn history(since: Timestamp, until: Timestamp) -> History {
    let (since, until) = (since.as_secs(), until.as_secs());
    let times: Vec<i64> = (since + STEP..=until)
        .step_by(usize::try_from(STEP).unwrap())
        .collect();
    let series = |uses: &dyn Fn(i64) -> Option<(u64, u64)>| Series {
        points: times
            .iter()
            .map(|time| {
                uses(*time).map(|(cpu, memory)| Point {
                    cpu: cpu * MILLI,
                    memory: memory * MI,
                    swap: None,
                })
            })
            .collect(),
        ..Series::default()
    };
    let with_usage = CONTAINERS.iter().filter(|kind| (kind.uses)(NOW).is_some());
    let killed = times.iter().filter(|time| *time % KILLED_EVERY == 0);
    History {
        span: Span {
            since: at(since),
            until: at(until),
            step: GoDuration::from_secs(STEP),
        },
        total: series(&|time| sum(CONTAINERS.iter().map(|kind| (kind.uses)(time)))),
        containers: with_usage
            .map(|kind| Series {
                name: kind.name.to_owned(),
                ..series(&kind.uses)
            })
            .collect(),
        marks: killed
            .map(|time| Mark {
                time: at(*time),
                container: "exporter".to_owned(),
                cause: Cause::OomKilled,
                text: "OOMKilled, exit 137".to_owned(),
            })
            .collect(),
        ..History::default()
    }
}

/// Answers the requests of the charts.
fn tell_history(state: &mut State) {
    let (since, until) = state.shown_span();
    for subject in [Subject::Pod(key()), Subject::Cluster] {
        let history = Box::new(history(since, until));
        apply(state, Message::History(subject, history));
    }
}

/// The pods, with a history of each.
fn pods(source: SourceKind) -> State {
    let mut state = State::default();
    apply(&mut state, Message::Source(source, String::new()));
    apply(&mut state, Message::Tick(at(NOW)));
    let rows = vec![PodRow::from_vitals(&pod(), &Names::default())];
    apply(&mut state, Message::Pods(Batch::All(rows)));
    act(&mut state, Action::Resize(140, 40));
    act(&mut state, Action::Show(View::Pods));
    state
}

/// Opens the page of the pod.
fn page() -> State {
    let mut state = pods(SourceKind::Vitals);
    act(&mut state, Action::Enter);
    tell_history(&mut state);
    refresh(&mut state);
    state
}

fn screen(state: &State, columns: u16, rows: u16) -> String {
    let theme = Theme::new(Depth::Sixteen, Ground::Dark, false);
    text(&draw(state, &theme, columns, rows))
}

fn selected(state: &State) -> Option<&str> {
    state.screen().container.as_deref()
}

#[test]
fn a_container_has_charts_of_its_own_in_every_size() {
    let mut state = page();
    for (what, moves) in [("whole", 0), ("exporter", 3)] {
        for _ in 0..moves {
            act(&mut state, Action::Move(1));
        }
        for (columns, rows) in [(40, 12), (80, 24), (140, 40), (200, 60)] {
            insta::assert_snapshot!(
                format!("pod-{what}-{columns}x{rows}"),
                screen(&state, columns, rows)
            );
        }
    }
}

#[test]
fn each_container_is_charted_against_its_own_limit_or_request() {
    let mut state = page();
    state.screen_mut().container = Some("exporter".into());
    for (columns, rows) in [(80, 24), (100, 30), (140, 40), (200, 60)] {
        let page = screen(&state, columns, rows);
        assert!(page.contains("limit 64Mi"), "{columns}x{rows}\n{page}");
    }
    state.screen_mut().container = None;
    let marks = |page: &str| page.matches('▼').count();
    let whole = screen(&state, 140, 40);
    assert!(
        whole.contains("limit 1.5Gi") && whole.contains("640Mi≈"),
        "{whole}"
    );
    for (name, has, restarts) in [
        ("setup", &["CPU setup -", "no data"][..], 0),
        (
            "web",
            &["CPU web ", "limit 500m", "500m ", "limit 1.4Gi", " 2Gi"],
            0,
        ),
        (
            "exporter",
            &[
                "CPU exporter 5m",
                "limit 50m",
                "64Mi ",
                "limit 64Mi",
                "request 32Mi",
            ],
            // Three in each chart, and its legend.
            8,
        ),
        (
            "proxy",
            &["CPU proxy 30m", "request 100m", "100m ", "request 64Mi"],
            0,
        ),
        (
            "agent",
            &["CPU agent 3m", "4m ", "MEM agent 11Mi", "12Mi "],
            0,
        ),
    ] {
        act(&mut state, Action::Move(1));
        assert_eq!(selected(&state), Some(name));
        let page = screen(&state, 140, 40);
        for part in has {
            assert!(page.contains(part), "{name}: {part}\n{page}");
        }
        assert_eq!(marks(&page), restarts, "{name}\n{page}");
    }
    // Below the last container the page scrolls; back up the page comes first, then the containers.
    act(&mut state, Action::Move(1));
    assert_eq!(
        (selected(&state), state.screen().scroll),
        (Some("agent"), 1)
    );
    act(&mut state, Action::Move(-1));
    assert_eq!(
        (selected(&state), state.screen().scroll),
        (Some("agent"), 0)
    );
    for _ in 0..9 {
        act(&mut state, Action::Move(-1));
    }
    assert_eq!((selected(&state), screen(&state, 140, 40)), (None, whole));
}

#[test]
fn a_click_selects_a_container_and_a_second_one_the_whole_pod() {
    let mut state = page();
    let area = Rect::new(0, 0, 140, 40);
    let mut buffer = Buffer::empty(area);
    let drawn = kubevitals::view::draw(&state, &Theme::default(), &KeyMap::default(), &mut buffer);
    let rows: Vec<String> = text(&buffer).lines().map(str::to_owned).collect();
    for (at, kind) in CONTAINERS.iter().enumerate() {
        let row = rows
            .iter()
            .position(|row| row.starts_with(&format!(" {} ", kind.name)))
            .unwrap();
        let (_, target) = drawn.hits.at(20, u16::try_from(row).unwrap()).unwrap();
        assert_eq!(target, kubevitals::input::Target::Container(at));
        act(&mut state, Action::Container(at));
        assert_eq!(selected(&state), Some(kind.name));
    }
    act(&mut state, Action::Container(CONTAINERS.len() - 1));
    assert_eq!(selected(&state), None);
    act(&mut state, Action::Container(99));
    assert_eq!(selected(&state), None);
}

#[test]
fn a_container_is_selected_where_one_comes_from_it() {
    let mut state = pods(SourceKind::Vitals);
    act(&mut state, Action::Show(View::Containers));
    refresh(&mut state);
    act(&mut state, Action::Last);
    act(&mut state, Action::Enter);
    assert_eq!(state.screen().view, View::Pod);
    assert!(selected(&state).is_some());
    // On a small screen the page is scrolled to it.
    act(&mut state, Action::First);
    for _ in 0..5 {
        act(&mut state, Action::Move(1));
    }
    let page = screen(&state, 80, 16);
    assert!(page.contains("▌agent"), "{page}");

    let incident = |container: &str| {
        IncidentRow::new(Incident {
            metadata: Meta {
                name: format!("incident-{container}"),
                namespace: "shop".to_owned(),
                ..Meta::default()
            },
            reason: IncidentKind::Restart,
            involved: Involved {
                kind: "Pod".to_owned(),
                namespace: "shop".to_owned(),
                name: "exports-0".to_owned(),
                container: container.to_owned(),
                ..Involved::default()
            },
            began: at(NOW - 500),
            last_seen: at(NOW - 300),
            ..Incident::default()
        })
    };
    for container in ["exporter", "web", ""] {
        let mut state = pods(SourceKind::Vitals);
        let rows = vec![incident(container)];
        apply(&mut state, Message::Incidents(Batch::All(rows)));
        act(&mut state, Action::Show(View::Incidents));
        refresh(&mut state);
        act(&mut state, Action::Enter);
        let expected = Some(container).filter(|name| !name.is_empty());
        assert_eq!(selected(&state), expected);
    }
}

#[test]
fn with_any_metrics_server_the_dashboard_stores_the_history_of_containers() {
    let mut state = pods(SourceKind::Metrics);
    for step in (0..SPAN / STEP).rev() {
        let time = NOW - step * STEP;
        apply(&mut state, Message::Tick(at(time)));
        let reading = |kind: &Kind| {
            let (cpu, memory) = (kind.uses)(time)?;
            Some(Reading {
                name: kind.name.into(),
                at: at(time),
                usage: Amounts {
                    cpu: Nanocores(cpu * MILLI).into(),
                    memory: Bytes(memory * MI).into(),
                },
                swap: Memory::NONE,
            })
        };
        let pods = vec![PodReading {
            namespace: "shop".into(),
            name: "exports-0".into(),
            at: at(time),
            containers: CONTAINERS.iter().filter_map(reading).collect(),
        }];
        let readings = Readings {
            pods: Some(pods),
            ..Readings::default()
        };
        apply(&mut state, Message::Usage(readings));
    }
    refresh(&mut state);
    act(&mut state, Action::Enter);
    for name in ["setup", "web", "exporter", "proxy", "agent"] {
        act(&mut state, Action::Move(1));
        assert_eq!(selected(&state), Some(name));
        let page = screen(&state, 140, 40);
        let has_data = page
            .lines()
            .skip(9)
            .take(9)
            .any(|row| row.contains(|c| ('\u{2801}'..='\u{28ff}').contains(&c)));
        assert_eq!(has_data, name != "setup", "{name}\n{page}");
    }
    // The usage of each at that time is there too.
    act(&mut state, Action::Step(-20));
    let then = state.world().pods.get(&key()).unwrap();
    let exporter = &then.containers[2];
    assert_eq!(&*exporter.name, "exporter");
    assert!(exporter.usage.memory.is_known(), "{exporter:?}");
}

#[test]
fn live_charts_end_now_in_the_header_and_on_the_page() {
    let state = page();
    let screen_text = screen(&state, 140, 40);
    let axes: Vec<&str> = screen_text
        .lines()
        .filter(|row| row.contains("-15m"))
        .collect();
    assert_eq!(axes.len(), 2, "{screen_text}");
    for row in axes {
        assert_eq!(row.matches("now").count(), 2, "{screen_text}");
    }
}

#[test]
fn charts_stay_around_the_displayed_time() {
    let mut state = page();
    let live = state.shown_span();
    let second = |state: &State| state.shown_time().as_secs() - NOW;
    // The way back in time, the time, and the end of the charts, in seconds before now.
    type Way = (&'static str, fn(&mut State), i64, i64);
    let ways: [Way; 5] = [
        ("a step", |state| drop(act(state, Action::Step(-1))), -15, 0),
        (
            "ten more",
            |state| drop(act(state, Action::Step(-10))),
            -165,
            0,
        ),
        (
            "to a place in the chart",
            |state| drop(act(state, Action::Seek(at(NOW - 880)))),
            -880,
            0,
        ),
        (
            "a step out of it",
            |state| drop(act(state, Action::Step(-10))),
            -1_030,
            -730,
        ),
        (
            "back in it",
            |state| drop(act(state, Action::Step(2))),
            -1_000,
            -730,
        ),
    ];
    let mut cluster = state.live.cluster.clone();
    cluster.oldest = Some(at(NOW - 3_600));
    cluster.usage_time = Some(at(NOW));
    apply(&mut state, Message::Cluster(cluster));
    for (way, go, shown_at, end) in ways {
        go(&mut state);
        assert_eq!(second(&state), shown_at, "{way}");
        assert_eq!(state.shown_span().1.as_secs() - NOW, end, "{way}");
        tell_history(&mut state);
        let screen_text = screen(&state, 140, 40);
        let clock = state.shown_time().to_rfc3339_seconds();
        let marks = |row: &&str| row.contains(&clock[11..20]) && row.contains(" +");
        let below: Vec<&str> = screen_text.lines().filter(marks).collect();
        // Both charts of the header and both of the page mark the time, with the data after it.
        assert_eq!(below.len(), 2, "{way}\n{screen_text}");
        for row in &below {
            assert_eq!(
                row.matches(&clock[11..20]).count(),
                2,
                "{way}\n{screen_text}"
            );
            assert!(!row.contains("now"), "{way}\n{screen_text}");
        }
    }
    insta::assert_snapshot!("pod-past-140x40", screen(&state, 140, 40));
    insta::assert_snapshot!("pod-past-80x24", screen(&state, 80, 24));
    act(&mut state, Action::Live);
    assert_eq!((state.time, state.shown_span()), (Time::Live, live));
    tell_history(&mut state);
    let back = screen(&state, 140, 40);
    assert!(back.contains("now") && !back.contains(" +"), "{back}");
}

#[test]
fn a_new_span_leaves_the_displayed_time_in_the_charts() {
    let mut state = page();
    let mut cluster = state.live.cluster.clone();
    cluster.oldest = Some(at(NOW - 3_600));
    apply(&mut state, Message::Cluster(cluster));
    for (back, spans) in [(1_500, -1), (600, -1), (30, -1), (1_500, 2), (3_000, 1)] {
        let mut state = state.clone();
        act(&mut state, Action::Seek(at(NOW - back)));
        act(&mut state, Action::Span(spans));
        let (since, until) = state.shown_span();
        let (time, span) = (state.shown_time(), i64::from(state.span_seconds()));
        assert!(
            since < time && time <= until && until <= state.now,
            "{back} {spans}"
        );
        assert_eq!(until.as_secs() - since.as_secs(), span);
    }
}
