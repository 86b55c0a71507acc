//! The overview in use: its verdict, problems, panes and acknowledgements.

use kubevitals::input::{Grip, Hits, KeyMap, actions};
use kubevitals::model::row::{ClusterRow, Container, LastRestart, NodeRow, PodRow, Workload};
use kubevitals::model::{
    Action, Amounts, Batch, Change, Effect, Message, Outcome, Pane, Part, Past, Scope, SourceKind,
    SourceRequest, State, Time, View, act, apply, refresh,
};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Cause, Certainty};
use ratatui::crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use std::time::{Duration, Instant};

use crate::picture::{draw, draw_with_places, text, text_and_styles};
use crate::shop::NOW;
use crate::views::{colour, showing};

const SIZES: [(u16, u16); 3] = [(80, 24), (140, 40), (40, 12)];

fn pod(name: &str) -> PodRow {
    let mut pod = PodRow {
        namespace: "shop".into(),
        name: name.into(),
        status: "Running".into(),
        ready: true,
        phase: kubevitals::model::row::Phase::Running,
        ..PodRow::default()
    };
    pod.usage.cpu = Nanocores(100_000_000).into();
    pod.usage.memory = Bytes(100 << 20).into();
    pod
}

/// A recovered pod that was killed `ago` seconds ago.
fn restarted(name: &str, ago: i64) -> PodRow {
    let mut pod = pod(name);
    pod.restarts.count = 1;
    pod.restarts.recent = 1;
    pod.restarts.last = Some(Box::new(LastRestart {
        reason: "OOMKilled".into(),
        exit_code: 137,
        finished: Some(Timestamp::from_secs(NOW - ago)),
        started: None,
        cause: Cause::OomKilled,
        certainty: Certainty::Direct,
    }));
    pod
}

fn failing(name: &str) -> PodRow {
    let mut pod = pod(name);
    pod.probes.failing = 1;
    pod
}

fn node(name: &str, ready: bool, measured: i64) -> NodeRow {
    let amounts = |cpu: u64| Amounts {
        cpu: Nanocores(cpu).into(),
        memory: Bytes(cpu).into(),
    };
    NodeRow {
        name: name.into(),
        status: if ready { "Ready" } else { "NotReady" }.into(),
        ready,
        usage: if measured > 0 {
            amounts(1_000)
        } else {
            Amounts::default()
        },
        allocatable: amounts(10_000),
        usage_seconds: u32::try_from(measured).unwrap(),
        ..NodeRow::default()
    }
}

/// A cluster of these pods without other problems.
fn cluster_of(pods: Vec<PodRow>) -> State {
    let mut state = showing(View::Overview, SourceKind::Vitals);
    let cluster = ClusterRow {
        nodes: 2,
        nodes_ready: 2,
        nodes_reporting: 2,
        phases: [u32::try_from(pods.len()).unwrap(), 0, 0, 0, 0],
        incidents_open: Some(0),
        usage_time: Some(Timestamp::from_secs(NOW)),
        ..ClusterRow::default()
    };
    let nodes = vec![node("node-a", true, NOW), node("node-b", true, NOW)];
    for message in [
        Message::Pods(Batch::All(pods)),
        Message::Nodes(Batch::All(nodes)),
        Message::Incidents(Batch::All(Vec::new())),
        Message::Cluster(cluster),
    ] {
        apply(&mut state, message);
    }
    refresh(&mut state);
    state
}

fn change(state: &mut State, pod: PodRow) {
    apply(state, Message::Pods(Batch::Some(vec![Change::Put(pod)])));
    refresh(state);
}

/// A user at a terminal of this size.
struct Person {
    state: State,
    size: (u16, u16),
    grip: Grip,
    now: Instant,
}

impl Person {
    fn at(state: State, size: (u16, u16)) -> Self {
        let mut person = Self {
            state,
            size,
            grip: Grip::default(),
            now: Instant::now(),
        };
        act(&mut person.state, Action::Resize(size.0, size.1));
        person
    }

    fn screen(&self) -> String {
        text(&draw(&self.state, &colour(), self.size.0, self.size.1))
    }

    fn hits(&self) -> Hits {
        draw_with_places(&self.state, &colour(), self.size.0, self.size.1).1
    }

    fn event(&mut self, event: &Event) {
        let (hits, keys) = (self.hits(), KeyMap::default());
        let mode = self.state.mode();
        for action in actions(event, mode, &keys, &hits, &mut self.grip, self.now) {
            act(&mut self.state, action);
        }
    }

    fn press(&mut self, key: KeyCode) {
        self.event(&Event::Key(KeyEvent::new(key, KeyModifiers::NONE)));
    }

    fn type_key(&mut self, key: char) {
        self.press(KeyCode::Char(key));
    }

    /// Clicks on the first occurrence of a text.
    fn click(&mut self, part: &str) {
        self.click_below("", part);
    }

    /// Clicks on the first occurrence of a text below another text.
    fn click_below(&mut self, above: &str, part: &str) {
        let screen_text = self.screen();
        let skipped = screen_text
            .lines()
            .position(|row| row.contains(above))
            .unwrap();
        let mut rows = (0..).zip(screen_text.lines()).skip(skipped);
        let found = rows.find(|(_, row)| row.contains(part));
        let (row, line) = found.unwrap_or_else(|| panic!("{part} is not on\n{screen_text}"));
        let before = line.split(part).next().unwrap().chars().count();
        self.event(&Event::Mouse(MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: u16::try_from(before).unwrap(),
            row,
            modifiers: KeyModifiers::NONE,
        }));
    }

    fn double_click(&mut self, part: &str) {
        self.click(part);
        self.now += Duration::from_millis(200);
        self.click(part);
    }

    fn pane(&self) -> (View, Pane) {
        (self.state.screen().view, self.state.screen().panes.focus)
    }

    /// Returns the text of the row after the sign of the cursor.
    fn pointed(&self) -> String {
        let screen_text = self.screen();
        let row = screen_text.lines().find_map(|line| line.split_once('▌'));
        row.map_or(String::new(), |(_, after)| after.trim().to_owned())
    }
}

fn shop(size: (u16, u16)) -> Person {
    Person::at(showing(View::Overview, SourceKind::Vitals), size)
}

#[test]
fn tab_goes_through_the_panes_and_then_to_the_next_view() {
    for size in [(40, 24), (80, 24), (140, 40), (200, 60)] {
        let mut person = shop(size);
        let panes = person.state.panes();
        assert_eq!(panes[0], Pane::List);
        let has_map = person.screen().contains("─ Map ─");
        assert_eq!(has_map, size.0 >= 150, "{}", person.screen());
        for pane in &panes {
            assert_eq!(person.pane(), (View::Overview, *pane), "{size:?}");
            assert!(!person.pointed().is_empty(), "{}", person.screen());
            person.press(KeyCode::Tab);
        }
        assert_eq!(person.pane(), (View::Nodes, Pane::List));
        // And back in the same way.
        for pane in panes.iter().rev() {
            person.press(KeyCode::BackTab);
            assert_eq!(person.pane(), (View::Overview, *pane), "{size:?}");
        }
        person.press(KeyCode::BackTab);
        assert_eq!(person.pane(), (View::Probes, Pane::List));
        person.press(KeyCode::Tab);
        assert_eq!(
            person.pane(),
            (View::Overview, Pane::List),
            "forwards it begins with the list"
        );
    }
    // Without panes, Tab opens the next view.
    let mut person = shop((40, 12));
    person.press(KeyCode::Tab);
    assert_eq!(person.pane(), (View::Nodes, Pane::List));
}

#[test]
fn arrows_go_on_into_the_pane_above_and_below() {
    let mut person = shop((80, 40));
    let first = person.pointed();
    let mut panes = Vec::new();
    for _ in 0..60 {
        panes.push(person.pane().1);
        person.press(KeyCode::Down);
    }
    panes.dedup();
    assert_eq!(panes, person.state.panes());
    for _ in 0..60 {
        person.press(KeyCode::Up);
    }
    assert_eq!((person.pane().1, person.pointed()), (Pane::List, first));
    // The wheel and the page keys stay in the pane.
    for action in [Action::Scroll(99), Action::Page(9)] {
        act(&mut person.state, action);
        assert_eq!(person.pane().1, Pane::List);
    }
}

#[test]
fn a_click_selects_in_its_pane_and_two_open_what_they_are_on() {
    for size in [(80, 24), (140, 40)] {
        let mut person = shop(size);
        person.click("node-0000");
        assert_eq!(person.pane().1, Pane::Nodes);
        assert!(person.pointed().starts_with("node-0000"));
        person.click("Problems (");
        assert_eq!(person.pane().1, Pane::List);
        person.click("cannot pull");
        assert!(
            person.pointed().contains("cannot pull"),
            "{}",
            person.screen()
        );

        person.now += Duration::from_secs(5);
        person.double_click("node-0000");
        let screen = person.state.screen();
        assert_eq!(screen.view, View::Pods);
        assert_eq!(screen.scope, Scope::Node("node-0000".into()));
        person.press(KeyCode::Esc);
        assert_eq!(person.pane(), (View::Overview, Pane::Nodes));

        // A problem of several pods opens these.
        person.now += Duration::from_secs(5);
        person.double_click("cannot pull");
        let screen = person.state.screen();
        assert_eq!((screen.view, screen.list.order.len()), (View::Pods, 3));
        assert_eq!(person.state.time, Time::Live);
    }
}

#[test]
fn enter_opens_what_the_cursor_is_on_in_each_pane() {
    let mut busy = pod("busy");
    busy.usage.cpu = Nanocores(900_000_000).into();
    let mut person = Person::at(cluster_of(vec![pod("idle"), busy]), (80, 24));
    person.press(KeyCode::Tab);
    assert_eq!(person.pane().1, Pane::Nodes);
    person.press(KeyCode::Down);
    person.press(KeyCode::Enter);
    assert_eq!(person.state.screen().scope, Scope::Node("node-b".into()));
    person.press(KeyCode::Esc);
    person.press(KeyCode::Tab);
    assert_eq!(person.pane().1, Pane::Pods);
    assert!(
        person.pointed().starts_with("shop/busy"),
        "{}",
        person.screen()
    );
    person.press(KeyCode::Enter);
    let key = person.state.screen().pod().unwrap();
    assert_eq!(&*key.name, "busy");
}

/// A crashing pod of the workload `web`.
fn crashing(name: &str) -> PodRow {
    let mut pod = restarted(name, 30);
    pod.status = "CrashLoopBackOff".into();
    pod.ready = false;
    pod.workload = Some(Workload::new("Deployment", "web"));
    pod
}

#[test]
fn a_problem_of_several_pods_opens_these_pods_and_is_acknowledged_with_them() {
    let mut well = crashing("web-c");
    well.status = "Running".into();
    well.ready = true;
    well.restarts = Default::default();
    let state = cluster_of(vec![
        crashing("web-a"),
        crashing("web-b"),
        well,
        pod("other"),
    ]);
    let mut person = Person::at(state, (100, 24));
    let screen_text = person.screen();
    assert!(
        screen_text.contains("deploy/web") && screen_text.contains("2 of 3 pods crash (OOMKilled)"),
        "{screen_text}"
    );
    assert!(screen_text.contains("!! 1 critical"), "{screen_text}");
    assert!(screen_text.contains("2 of 4 pods"), "{screen_text}");
    person.press(KeyCode::Enter);
    assert_eq!(person.state.screen().view, View::Pods);
    assert_eq!(
        person.state.screen().list.order.len(),
        2,
        "{}",
        person.screen()
    );
    assert!(
        person.screen().contains("deploy/web"),
        "{}",
        person.screen()
    );
    person.press(KeyCode::Esc);
    person.type_key('a');
    assert!(
        person.screen().contains("All is well, 2 acknowledged"),
        "{}",
        person.screen()
    );
    // A third pod is another problem; the second one that crashes again comes back.
    change(&mut person.state, crashing("web-c"));
    assert!(person.screen().contains("web-c"), "{}", person.screen());
    let mut again = crashing("web-a");
    again.restarts.count += 1;
    change(&mut person.state, again);
    assert!(
        person.screen().contains("2 of 3 pods crash"),
        "{}",
        person.screen()
    );
}

#[test]
fn the_pane_with_the_cursor_is_marked_without_colour_too() {
    let plain = kubevitals::view::theme::Theme::new(
        kubevitals::view::theme::Depth::None,
        kubevitals::view::theme::Ground::Dark,
        true,
    );
    let mut person = shop((80, 24));
    for heading in ["Problems (", "Busiest nodes", "Busiest pods"] {
        let (buffer, _) = draw_with_places(&person.state, &plain, 80, 24);
        let screen_text = text(&buffer);
        let row = screen_text
            .lines()
            .position(|line| line.contains(heading))
            .unwrap();
        let line = screen_text.lines().nth(row).unwrap();
        let column = line.split(heading).next().unwrap().chars().count();
        for (other, marked) in [
            (column, true),
            (79 - column.min(1), heading.contains("Latest")),
        ] {
            let cell = &buffer[(u16::try_from(other).unwrap(), u16::try_from(row).unwrap())];
            let reversed = cell
                .style()
                .add_modifier
                .contains(ratatui::style::Modifier::REVERSED);
            assert!(!marked || reversed || other > 70, "{heading} is not marked");
        }
        assert_eq!(
            screen_text.matches('>').count(),
            1,
            "one row has the cursor:\n{screen_text}"
        );
        person.press(KeyCode::Tab);
    }
}

#[test]
fn recent_problems_are_listed_apart_from_current_ones() {
    let pods = vec![
        restarted("old-well", 1_200),
        failing("probe-fails"),
        restarted("new-well", 60),
        pod("well"),
    ];
    for size in SIZES {
        let mut person = Person::at(cluster_of(pods.clone()), size);
        let screen_text = person.screen();
        let place = |part: &str| {
            let found = screen_text.find(part);
            found.unwrap_or_else(|| panic!("{part} in\n{screen_text}"))
        };
        assert!(
            place("fails its probe") < place("Starting or ended (2)"),
            "{screen_text}"
        );
        assert!(
            place("Starting or ended (2)") < place("new-well"),
            "{screen_text}"
        );
        assert!(place("new-well") < place("old-well"), "{screen_text}");
        // The cursor crosses the heading between the groups, by key and by mouse.
        person.press(KeyCode::Down);
        assert!(person.pointed().contains("new-well"), "{}", person.screen());
        person.click_below("Starting or ended", "old-well");
        assert!(person.pointed().contains("old-well"), "{}", person.screen());
        person.click("fails its probe");
        assert!(
            person.pointed().contains("fails its probe"),
            "{}",
            person.screen()
        );
    }
}

#[test]
fn a_list_of_both_groups_is_scrolled_to_its_last_row() {
    let mut pods: Vec<PodRow> = (0..9).map(|at| failing(&format!("fails-{at}"))).collect();
    pods.extend((0..30).map(|at| restarted(&format!("well-{at:02}"), 100 + at)));
    for size in SIZES {
        let mut person = Person::at(cluster_of(pods.clone()), size);
        for step in 0..38 {
            assert!(
                !person.pointed().is_empty(),
                "step {step}:\n{}",
                person.screen()
            );
            person.press(KeyCode::Down);
        }
        assert!(person.pointed().contains("well-29"), "{}", person.screen());
        for step in 0..38 {
            person.press(KeyCode::Up);
            assert!(
                !person.pointed().is_empty(),
                "step {step}:\n{}",
                person.screen()
            );
        }
        assert!(person.pointed().contains("fails-0"), "{}", person.screen());
    }
}

#[test]
fn an_acknowledged_pod_comes_back_when_it_happens_again() {
    type Again = (&'static str, bool, fn(&mut PodRow));
    let agains: [Again; 5] = [
        ("other usage", false, |pod| {
            pod.usage.cpu = Nanocores(1).into()
        }),
        ("one more restart", true, |pod| pod.restarts.count = 2),
        ("a later end", true, |pod| {
            pod.restarts.last.as_mut().unwrap().finished = Some(Timestamp::from_secs(NOW - 5));
        }),
        ("a probe that fails", true, |pod| pod.probes.failing = 1),
        ("a crash", true, |pod| {
            pod.status = "CrashLoopBackOff".into()
        }),
    ];
    for (what, comes_back, again) in agains {
        let mut person = Person::at(cluster_of(vec![restarted("web", 600)]), (80, 24));
        assert!(
            person.screen().contains("Starting or ended (1)"),
            "{}",
            person.screen()
        );
        person.type_key('a');
        let screen_text = person.screen();
        assert!(
            screen_text.contains("All is well, 1 acknowledged"),
            "{screen_text}"
        );
        assert!(
            screen_text.contains("acknowledged until it happens again: web"),
            "{screen_text}"
        );
        let mut pod = restarted("web", 600);
        again(&mut pod);
        change(&mut person.state, pod);
        let is_back = person.state.screen().list.order == [0];
        assert_eq!(is_back, comes_back, "{what}:\n{}", person.screen());
    }
}

#[test]
fn an_acknowledged_incident_goes_last_and_comes_back_when_it_happens_again() {
    let mut person = shop((80, 24));
    let incident = person.state.world().incidents.rows()[0].clone();
    let first = |person: &Person| {
        let screen_text = person.screen();
        let row = screen_text
            .lines()
            .find(|row| row.starts_with('▌'))
            .unwrap();
        row.to_owned()
    };
    person.click("ledger");
    let latest = person.pointed();
    person.type_key('a');
    assert_ne!(person.pointed(), latest, "it is gone from the problems");
    // In view 8 it is after the other open incidents and before the ended ones.
    person.type_key('8');
    for _ in 0..9 {
        if first(&person).contains("ledger") {
            break;
        }
        person.press(KeyCode::Down);
    }
    let row = first(&person);
    assert!(
        row.contains("open") && row.contains("ledger"),
        "{}",
        person.screen()
    );
    assert!(
        person.screen().contains("acknowledged"),
        "{}",
        person.screen()
    );

    for change_of in [
        |incident: &mut kubevitals_proto::vitals::Incident| incident.count += 1,
        |incident: &mut kubevitals_proto::vitals::Incident| {
            incident.last_seen = incident.last_seen.plus_nanos(2_000_000_000);
        },
    ] {
        let mut person = shop((140, 40));
        person.state.acknowledgements.toggle_incident(&incident);
        assert!(person.state.acknowledgements.has_incident(&incident));
        let mut again = (*incident).clone();
        change_of(&mut again.incident);
        let changes = Batch::Some(vec![Change::Put(again.clone())]);
        apply(&mut person.state, Message::Incidents(changes));
        assert!(!person.state.acknowledgements.has_incident(&again));
    }
}

#[test]
fn open_incidents_come_first() {
    let mut state = showing(View::Incidents, SourceKind::Vitals);
    // The ended incident was seen after all open ones.
    let rows = state.world().incidents.rows();
    let over = rows.iter().find(|row| !row.is_open()).unwrap();
    let mut later = (**over).clone();
    let seen = Timestamp::from_secs(NOW - 1);
    later.incident.last_seen = seen;
    later.incident.ended = Some(seen);
    later.incident.last_ended.as_mut().unwrap().finished = Some(seen);
    apply(
        &mut state,
        Message::Incidents(Batch::Some(vec![Change::Put(later)])),
    );
    act(&mut state, Action::Show(View::Incidents));
    refresh(&mut state);
    let list = &state.screen().list;
    let open: Vec<bool> = list
        .order
        .iter()
        .map(|at| state.world().incidents.rows()[usize::try_from(*at).unwrap()].is_open())
        .collect();
    assert!(open.is_sorted_by(|a, b| a >= b) && open[0], "{open:?}");
    assert!(!open[open.len() - 1]);
}

#[test]
fn the_verdict_agrees_with_the_counts_of_the_header() {
    type Wrong = (&'static str, fn(&mut ClusterRow), &'static str);
    let wrongs: [Wrong; 5] = [
        ("nothing", |_| {}, "All is well"),
        (
            "a probe",
            |row| row.probes_failing = 1,
            "Not well: 1 failing probe",
        ),
        (
            "a node",
            |row| row.nodes_ready = 1,
            "Not well: 1 node not ready",
        ),
        (
            "incidents",
            |row| row.incidents_open = Some(2),
            "Not well: 2 open incidents",
        ),
        (
            "all of it",
            |row| {
                row.probes_failing = 2;
                row.nodes_ready = 0;
                row.incidents_open = Some(1);
            },
            "Not well: 2 failing probes, 2 nodes not ready, 1 open incident",
        ),
    ];
    for (what, wrong, words) in wrongs {
        for size in [(80, 24), (140, 40), (40, 12)] {
            // The header and the pods arrive one after the other, or the header counts more pods than the source sends.
            let mut state = cluster_of(vec![pod("web")]);
            let mut cluster = state.world().cluster.clone();
            wrong(&mut cluster);
            apply(&mut state, Message::Cluster(cluster));
            let screen_text = Person::at(state, size).screen();
            let space = usize::from(size.0) - 6;
            let words: String = words.chars().take(space).collect();
            assert!(
                screen_text.contains(&words),
                "{what} at {size:?}:\n{screen_text}"
            );
        }
    }
    // With a chosen namespace, the text names the namespace.
    let mut state = cluster_of(vec![failing("web")]);
    state.namespaces = vec!["payments".into()];
    let screen_text = Person::at(state, (80, 24)).screen();
    assert!(
        screen_text.contains("All is well in namespace payments"),
        "{screen_text}"
    );
}

#[test]
fn nodes_that_do_not_report_are_problems() {
    type Lost = (&'static str, fn() -> Vec<NodeRow>, &'static str);
    let losts: [Lost; 4] = [
        ("all report", || vec![node("a", true, NOW)], "All is well"),
        (
            "not ready",
            || vec![node("a", false, NOW), node("b", true, NOW)],
            "!! 1 critical",
        ),
        (
            "silent",
            || vec![node("a", true, 0), node("b", true, NOW)],
            "! 1 warning",
        ),
        (
            "silent for long",
            || vec![node("a", true, NOW - 600), node("b", true, NOW)],
            "! 1 warning",
        ),
    ];
    for (what, nodes, words) in losts {
        for size in SIZES {
            let mut state = cluster_of(vec![pod("web")]);
            apply(&mut state, Message::Nodes(Batch::All(nodes())));
            let mut person = Person::at(state, size);
            let screen_text = person.screen();
            assert!(
                screen_text.contains(words),
                "{what} at {size:?}:\n{screen_text}"
            );
            if words != "All is well" {
                person.press(KeyCode::Enter);
                assert_eq!(person.state.screen().scope, Scope::Node("a".into()));
            }
        }
    }
}

#[test]
fn the_panes_with_the_cursor() {
    let mut person = shop((80, 24));
    person.press(KeyCode::Tab);
    let drawn = draw(&person.state, &colour(), 80, 24);
    insta::assert_snapshot!("overview-in-nodes-80x24", text_and_styles(&drawn));
    let pods = vec![
        restarted("old-well", 1_200),
        failing("probe-fails"),
        restarted("new-well", 60),
    ];
    for (columns, rows) in SIZES {
        let drawn = draw(&cluster_of(pods.clone()), &colour(), columns, rows);
        insta::assert_snapshot!(format!("overview-recently-{columns}x{rows}"), text(&drawn));
    }
}

/// A pod of the workload `web` with this revision.
fn of_revision(name: &str, revision: &str, created: i64) -> PodRow {
    let mut pod = pod(name);
    pod.workload = Some(Workload::new("Deployment", "web"));
    pod.labels = [("pod-template-hash", revision)].into_iter().collect();
    pod.created_seconds = u32::try_from(NOW - created).unwrap();
    pod.uid = u64::try_from(created).unwrap();
    pod.images = "web shop/web:1.4\n".into();
    pod
}

/// A cluster in which a rollout went wrong, a pod leaks memory, and a node came.
fn changing(source: SourceKind) -> State {
    let mut state = cluster_of(
        (0..3)
            .map(|at| of_revision(&format!("web-old-{at}"), "a", 90_000))
            .collect(),
    );
    apply(&mut state, Message::Source(source, String::new()));
    for part in [Part::Pods, Part::Nodes, Part::Incidents] {
        apply(&mut state, Message::Part(part, Outcome::Succeeded));
    }
    let earlier = NOW - 900;
    let past = Past {
        at: Timestamp::from_secs(earlier),
        pods: state
            .world()
            .pods
            .rows()
            .iter()
            .map(|pod| PodRow::clone(pod))
            .collect(),
        nodes: vec![node("node-a", true, earlier), node("node-b", true, earlier)],
        ..Past::default()
    };
    // The first request was made when the overview opened.
    let effects = apply(&mut state, Message::Tick(Timestamp::from_secs(NOW + 61)));
    for effect in effects {
        if let Effect::Request(SourceRequest::Before(at, _)) = effect {
            apply(&mut state, Message::Before(Box::new(Past { at, ..past })));
            break;
        }
    }
    let mut pods: Vec<PodRow> = (0..2)
        .map(|at| of_revision(&format!("web-old-{at}"), "a", 90_000))
        .collect();
    for at in 0..2 {
        pods.push(PodRow {
            workload: Some(Workload::new("Deployment", "web")),
            labels: [("pod-template-hash", "b")].into_iter().collect(),
            created_seconds: u32::try_from(NOW - 400).unwrap(),
            images: "web shop/web:1.5\n".into(),
            ..crashing(&format!("web-new-{at}"))
        });
    }
    let mut leak = pod("leak");
    leak.limits.memory = Bytes(200 << 20).into();
    leak.usage.memory = Bytes(140 << 20).into();
    leak.containers = Box::new([Container {
        name: "leak".into(),
        usage: leak.usage,
        limits: leak.limits,
        ..Container::default()
    }]);
    let readings = (0..60).map(|at| {
        let mut usage = leak.usage;
        usage.memory = Bytes((80 + at) << 20).into();
        let ago = 15 * (59 - i64::try_from(at).unwrap());
        (Timestamp::from_secs(NOW - ago), usage)
    });
    let trends = vec![(
        kubevitals::model::Key::new(&"shop".into(), &"leak".into()),
        readings.collect(),
    )];
    pods.push(leak);
    let mut new = node("node-c", true, NOW);
    new.created_seconds = u32::try_from(NOW - 60).unwrap();
    let nodes = vec![node("node-a", true, NOW), node("node-b", true, NOW), new];
    for message in [
        Message::Pods(Batch::All(pods)),
        Message::Nodes(Batch::All(nodes)),
        Message::Trends(trends),
        Message::Tick(Timestamp::from_secs(NOW + 75)),
    ] {
        apply(&mut state, message);
    }
    refresh(&mut state);
    state
}

#[test]
fn what_is_full_soon_and_what_has_changed_are_listed_and_open_their_objects() {
    let mut person = Person::at(changing(SourceKind::Vitals), (100, 40));
    let screen_text = person.screen();
    for part in [
        "rollout: 2 of 2 new pods crash (OOMKilled)",
        "leak memory limit reached",
        "image shop/web:1.4 → 1.5 (2 of 4 pods)",
        "node-c     new node",
        "new pod",
        "Changed since",
    ] {
        assert!(screen_text.contains(part), "{part} in\n{screen_text}");
    }
    person.double_click("memory limit");
    assert_eq!(&*person.state.screen().pod().unwrap().name, "leak");
    person.press(KeyCode::Esc);
    person.now += Duration::from_secs(5);
    person.double_click("image shop/web");
    let web = Workload::new("Deployment", "web");
    assert_eq!(
        person.state.screen().scope,
        Scope::Workload("shop".into(), web)
    );
    for (columns, rows) in [(40, 24), (80, 24), (120, 40), (200, 60)] {
        let drawn = draw(&changing(SourceKind::Vitals), &colour(), columns, rows);
        insta::assert_snapshot!(format!("overview-changing-{columns}x{rows}"), text(&drawn));
    }
    let theme = Theme::new(Depth::None, Ground::Dark, true);
    let drawn = text(&draw(&changing(SourceKind::Vitals), &theme, 120, 40));
    assert!(drawn.contains("shop/web:1.4 -> 1.5 (2 of"), "{drawn}");
}

#[test]
fn a_source_without_history_is_compared_with_what_the_dashboard_saw() {
    let mut state = cluster_of(vec![crashing("web-a")]);
    apply(
        &mut state,
        Message::Source(SourceKind::Metrics, String::new()),
    );
    for part in [Part::Pods, Part::Nodes] {
        apply(&mut state, Message::Part(part, Outcome::Succeeded));
    }
    for (after, restarts) in [(60, 1), (120, 9)] {
        let mut pod = crashing("web-a");
        pod.restarts.count = restarts;
        change(&mut state, pod);
        let now = Timestamp::from_secs(NOW + after);
        let effects = apply(&mut state, Message::Tick(now));
        let asks = |effect: &Effect| matches!(effect, Effect::Request(SourceRequest::Before(..)));
        assert!(!effects.iter().any(asks), "{effects:?}");
        refresh(&mut state);
    }
    let screen_text = Person::at(state, (100, 40)).screen();
    for part in ["Changed since 14:31:00Z (60s)", "8 restarts"] {
        assert!(screen_text.contains(part), "{part} in\n{screen_text}");
    }
}

#[test]
fn an_earlier_state_that_cannot_be_sent_is_not_requested_again_at_once() {
    let mut state = cluster_of(vec![pod("web")]);
    apply(&mut state, Message::Part(Part::Pods, Outcome::Succeeded));
    let mut asked = Vec::new();
    for after in 0..150 {
        for effect in apply(&mut state, Message::Tick(Timestamp::from_secs(NOW + after))) {
            if let Effect::Request(SourceRequest::Before(at, _)) = effect {
                apply(&mut state, Message::NoBefore(at));
                asked.push(after);
            }
        }
    }
    assert!(asked.len() <= 3, "{asked:?}");
    // Nothing is requested while the overview is not on the screen.
    act(&mut state, Action::Show(View::Nodes));
    for after in 150..400 {
        let effects = apply(&mut state, Message::Tick(Timestamp::from_secs(NOW + after)));
        let asks = |effect: &Effect| matches!(effect, Effect::Request(SourceRequest::Before(..)));
        assert!(!effects.iter().any(asks));
    }
}

#[test]
fn no_half_of_the_overview_is_empty() {
    let many: Vec<PodRow> = (0..80).map(|at| pod(&format!("web-{at:02}"))).collect();
    let mut some = many.clone();
    some[3] = crashing("web-03");
    let shop = || showing(View::Overview, SourceKind::Vitals);
    let states: [(&str, State); 4] = [
        ("well", cluster_of(many)),
        ("one problem", cluster_of(some)),
        ("the shop", shop()),
        ("what changes", changing(SourceKind::Vitals)),
    ];
    for (what, state) in states {
        for columns in [40, 63, 64, 80, 120, 149, 150, 200] {
            for rows in [12, 18, 24, 32, 40] {
                let person = Person::at(state.clone(), (columns, rows));
                let drawn = person.screen();
                let empty = drawn.lines().filter(|line| line.trim().is_empty()).count();
                let has_pods = person.state.world().pods.len() > 40;
                let most = if has_pods { rows / 6 } else { rows / 2 };
                assert!(
                    empty <= usize::from(most),
                    "{what} at {columns}x{rows}: {empty}\n{drawn}"
                );
            }
        }
    }
}
