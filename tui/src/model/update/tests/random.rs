//! Random messages and actions: nothing panics, and invariants hold.

use std::collections::BTreeSet;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Cause, Certainty, Incident, Involved};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::{act, apply, refresh};
use crate::input::{BINDINGS, KeyMap};
use crate::model::row::{
    Container, ContainerState, IncidentRow, LastRestart, NodeRow, Phase, PodRow, Restarts, Workload,
};
use crate::model::{
    Action, Amounts, Batch, Change, Edit, Fault, FaultKind, Field, Key, Limits, Link, ListQuery,
    MapAction, Message, Mode, Name, Outcome, Pane, Part, Past, Progress, Row, SourceKind, State,
    Time, View,
};
use crate::view::theme::Theme;

/// A reproducible random generator: xorshift.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most.max(1)
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        let at = usize::try_from(self.below(all.len() as u64)).unwrap();
        all[at].clone()
    }
}

fn name(chance: &mut Chance, what: &str, most: u64) -> Name {
    Name::from(format!("{what}-{}", chance.below(most)))
}

fn amounts(chance: &mut Chance) -> Amounts {
    if chance.below(4) == 0 {
        return Amounts::default();
    }
    Amounts {
        cpu: Nanocores(chance.below(5) * 100_000_000).into(),
        memory: Bytes(chance.below(1 << 31)).into(),
    }
}

pub(super) fn pod(chance: &mut Chance, now: Timestamp) -> PodRow {
    let count = chance.below(4);
    let containers = (0..count)
        .map(|at| Container {
            name: Name::from(format!("c{at}")),
            state: ContainerState::Running,
            ready: chance.below(2) == 0,
            usage: amounts(chance),
            requests: amounts(chance),
            limits: amounts(chance),
            ..Container::default()
        })
        .collect();
    let last = (chance.below(3) == 0).then(|| {
        Box::new(LastRestart {
            reason: Name::from("Error"),
            exit_code: 1,
            finished: Some(
                now.plus_nanos(-1_000_000_000 * i64::try_from(chance.below(4_000)).unwrap()),
            ),
            cause: Cause::Exited,
            certainty: Certainty::Direct,
            ..LastRestart::default()
        })
    });
    PodRow {
        namespace: name(chance, "ns", 3),
        name: name(chance, "pod", 40),
        node: name(chance, "node", 4),
        status: Name::from(chance.of(&[
            "Running",
            "CrashLoopBackOff",
            "Pending",
            "日本語のとても長い状態",
        ])),
        phase: chance.of(&Phase::ALL),
        ready: chance.below(2) == 0,
        workload: (chance.below(3) > 0)
            .then(|| Workload::new("Deployment", name(chance, "web", 5))),
        created_seconds: u32::try_from(now.as_secs()).unwrap()
            - u32::try_from(chance.below(1_000)).unwrap(),
        usage_seconds: u32::try_from(now.as_secs()).unwrap(),
        usage: amounts(chance),
        requests: amounts(chance),
        limits: amounts(chance),
        restarts: Restarts {
            count: u32::try_from(chance.below(5)).unwrap(),
            recent: 0,
            last,
        },
        containers,
        ..PodRow::default()
    }
}

fn node(chance: &mut Chance) -> NodeRow {
    NodeRow {
        name: name(chance, "node", 4),
        status: Name::from("Ready"),
        ready: chance.below(5) > 0,
        usage: amounts(chance),
        allocatable: amounts(chance),
        ..NodeRow::default()
    }
}

fn incident(chance: &mut Chance, now: Timestamp) -> IncidentRow {
    let mut incident = Incident {
        began: now,
        last_seen: now,
        involved: Involved {
            kind: chance.of(&["Pod", "Node"]).to_owned(),
            namespace: name(chance, "ns", 3).to_string(),
            name: name(chance, "pod", 40).to_string(),
            ..Involved::default()
        },
        ended: (chance.below(2) == 0).then_some(now),
        ..Incident::default()
    };
    incident.metadata.name = name(chance, "incident", 9).to_string();
    incident.metadata.namespace = incident.involved.namespace.clone();
    IncidentRow::new(incident)
}

fn outcome(chance: &mut Chance, now: Timestamp) -> Outcome {
    match chance.below(3) {
        0 => Outcome::Succeeded,
        1 => Outcome::Loading(Progress {
            done: 1,
            total: None,
        }),
        _ => Outcome::Failed {
            why: Fault {
                kind: FaultKind::Forbidden,
                text: "forbidden".to_owned(),
            },
            retry_at: Some(now),
        },
    }
}

fn message(chance: &mut Chance, state: &State) -> Message {
    let now = state.now;
    match chance.below(13) {
        0 => {
            Message::Tick(now.plus_nanos(i64::try_from(chance.below(40)).unwrap() * 1_000_000_000))
        }
        1 => Message::Source(
            chance.of(&[SourceKind::Vitals, SourceKind::Metrics, SourceKind::None]),
            "why".to_owned(),
        ),
        2 => Message::Link(chance.of(&[
            Link::Connecting,
            Link::Up,
            Link::Lost {
                since: now,
                why: "refused".to_owned(),
                again: None,
            },
        ])),
        3 => {
            let part = chance.of(&[Part::Pods, Part::OtherPods, Part::Cluster, Part::Usage]);
            Message::Part(part, outcome(chance, now))
        }
        4 => {
            let count = chance.below(60);
            Message::Pods(Batch::All((0..count).map(|_| pod(chance, now)).collect()))
        }
        5 | 6 => {
            let count = chance.below(100);
            let changes = (0..count).map(|_| {
                let row = pod(chance, now);
                if chance.below(3) == 0 {
                    Change::Gone(row.key())
                } else {
                    Change::Put(row)
                }
            });
            Message::Pods(Batch::Some(changes.collect()))
        }
        7 => Message::Nodes(Batch::All((0..3).map(|_| node(chance)).collect())),
        8 => Message::Incidents(Batch::All((0..5).map(|_| incident(chance, now)).collect())),
        9 => match state.time {
            Time::Past { at, .. } => Message::Past(Box::new(Past {
                at,
                pods: (0..chance.below(20)).map(|_| pod(chance, now)).collect(),
                ..Past::default()
            })),
            _ => Message::NoPast(now, "gone".to_owned()),
        },
        10 => {
            let key = Key::new(&name(chance, "ns", 3), &name(chance, "pod", 40));
            Message::Detail(key, Box::default())
        }
        _ => Message::Namespaces(vec![Name::from("ns-0"), Name::from("ns-9")]),
    }
}

fn action(chance: &mut Chance) -> Action {
    match chance.below(8) {
        0 => Action::Edit(Edit::Insert(
            chance
                .of(&[
                    "p",
                    "cpu>100m ",
                    "ns=ns-1",
                    "(",
                    "!",
                    "~[",
                    "日",
                    "-l ",
                    "web,",
                ])
                .to_owned(),
        )),
        1 => Action::Resize(
            u16::try_from(chance.below(220)).unwrap(),
            u16::try_from(chance.below(70)).unwrap(),
        ),
        2 => Action::SortBy(chance.of(Field::ALL)),
        3 if chance.below(2) == 0 => Action::Choose(usize::try_from(chance.below(40)).unwrap()),
        3 => {
            let row = u16::try_from(chance.below(60)).unwrap();
            let pane = chance.of(&[
                Pane::List,
                Pane::Forecasts,
                Pane::Changes,
                Pane::Nodes,
                Pane::Pods,
            ]);
            let column = u16::try_from(chance.below(220)).unwrap();
            match chance.below(8) {
                0 => Action::Show(View::Map),
                3 => Action::Map(MapAction::Select(column, row)),
                4 => Action::Map(MapAction::Open(column, row)),
                5 => Action::Map(MapAction::Point(column, row)),
                6 => Action::Open(pane, row),
                1 => Action::Focus(pane),
                _ => Action::Select(pane, row),
            }
        }
        4 => Action::Seek(Timestamp::from_secs(
            1_783_517_000 + i64::try_from(chance.below(5_000)).unwrap(),
        )),
        _ => {
            let at = usize::try_from(chance.below(BINDINGS.len() as u64)).unwrap();
            BINDINGS[at].action.clone()
        }
    }
}

/// Checks the invariants of the list.
fn list_holds(state: &State) {
    let screen = state.screen();
    let table = state.world().table(screen.view);
    let list = &screen.list;
    let now = state.shown_time();
    let places: BTreeSet<u32> = list.order.iter().copied().collect();
    assert_eq!(places.len(), list.order.len(), "a row is shown twice");
    let query = ListQuery {
        limits: Limits {
            scope: &screen.scope,
            namespaces: &state.namespaces,
            now,
            names_probe: false,
        },
        filter: &list.filter,
        sort: list.sort,
    };
    let passed: BTreeSet<u32> = table.order(&query, None).into_iter().collect();
    let of_overview = screen.view == View::Overview;
    assert!(
        of_overview || places == passed,
        "a row is shown that the filter does not let through"
    );
    let field = list.sort.field;
    // Open incidents come before others.
    let groups = screen.view == View::Incidents && field == Field::LastSeen;
    if screen.view != View::Overview && field.is_number() && !groups {
        let numbers: Vec<Option<f64>> = list
            .order
            .iter()
            .map(|at| table.value(*at, field).and_then(|value| value.number(now)))
            .collect();
        for pair in numbers.windows(2) {
            match (pair[0], pair[1]) {
                (Some(a), Some(b)) if list.sort.descending => assert!(a >= b, "{a} before {b}"),
                (Some(a), Some(b)) => assert!(a <= b, "{a} before {b}"),
                (None, Some(_)) => panic!("an unknown value is before a known one"),
                _ => {}
            }
        }
    }
}

fn holds(state: &State) {
    assert!(!state.stack.is_empty());
    let screen = state.screen();
    let list = &screen.list;
    assert!(
        list.cursor < list.order.len().max(1),
        "the cursor is beside the list"
    );
    assert!(list.top <= list.cursor, "the cursor is above the screen");
    assert!(
        list.cursor < list.top + state.list_height().max(1),
        "the cursor is below the screen"
    );
    assert!(
        state.panes().contains(&screen.panes.focus),
        "the cursor is in a pane that is not shown"
    );
    let (_, focused) = screen.focused();
    assert!(
        focused.cursor < focused.order.len().max(1),
        "the cursor is beside its pane"
    );
    if let Some(selected) = &focused.selected {
        assert_eq!(
            state.current().as_ref(),
            Some(selected),
            "the selected object is not at the cursor"
        );
    }
    list_holds(state);
    map_holds(state);
}

/// Checks the cursor of the map, and that each pod has cells.
fn map_holds(state: &State) {
    if !state.shows_map() {
        assert!(state.map.groups.is_none(), "the groups stay in memory");
        return;
    }
    let groups = state.map.groups.as_deref().unwrap();
    let in_namespaces = |pod: &&std::sync::Arc<PodRow>| {
        state.namespaces.is_empty() || state.namespaces.contains(&pod.namespace)
    };
    let pods = state.world().pods.rows().iter().filter(in_namespaces);
    let rows: BTreeSet<u32> = groups.cells.iter().map(|pod| pod.row).collect();
    assert_eq!(
        (rows.len(), groups.cells.len()),
        (pods.clone().count(), pods.count())
    );
    if state.screen().view != View::Map {
        return;
    }
    let (width, height) = state.map_area();
    let layout = state.map.layout(width, height).unwrap();
    assert_eq!(state.map.cursor.is_none(), groups.groups.is_empty());
    let Some(cursor) = state.map.cursor else {
        return;
    };
    let group = &groups.groups[cursor.group];
    assert!(cursor.pod.is_none_or(|pod| group.pods.contains(&pod)));
    let (_, line) = layout.position(cursor).unwrap();
    let end = state.map.top + u32::from(height.max(1));
    assert!(
        (state.map.top..end).contains(&line),
        "the cursor is off the screen"
    );
}

fn draw(state: &State) {
    let area = Rect::new(0, 0, state.size.width, state.size.height);
    let mut buffer = Buffer::empty(area);
    let _ = crate::view::draw(state, &Theme::default(), &KeyMap::default(), &mut buffer);
}

/// Checks that Esc alone leads from anywhere to the first screen, live and without a filter. What is open above the
/// screens takes at most three presses (a question, a text and its search), each screen two (its filter, and back), and
/// the time one.
fn esc_leads_back(state: &State) {
    let mut state = state.clone();
    let most = 4 + 2 * state.stack.len();
    let is_back = |state: &State| {
        matches!(state.mode(), Mode::Browse | Mode::Map)
            && state.stack.len() == 1
            && state.screen().list.line.text().is_empty()
            && state.time == Time::Live
    };
    for _ in 0..most {
        if is_back(&state) {
            return;
        }
        act(&mut state, Action::Back);
    }
    assert!(
        is_back(&state),
        "after {most} presses: mode {:?}, view {:?}, {} screens, filter {:?}, {:?}",
        state.mode(),
        state.screen().view,
        state.stack.len(),
        state.screen().list.line.text(),
        state.time
    );
}

#[test]
fn invariants_hold_for_random_messages_and_actions() {
    for seed in 1..=40_u64 {
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut state = State {
            now: Timestamp::from_secs(1_783_521_000),
            ..State::default()
        };
        for step in 0..250 {
            if chance.below(2) == 0 {
                let message = message(&mut chance, &state);
                apply(&mut state, message);
                refresh(&mut state);
            } else {
                let action = action(&mut chance);
                act(&mut state, action);
            }
            holds(&state);
            if step % 5 == 0 {
                draw(&state);
                esc_leads_back(&state);
            }
        }
    }
}
