//! The overview in use: its panes, unhealthy pods and acknowledgements.

use kubevitals::input::{Grip, Hits, KeyMap, actions};
use kubevitals::model::row::{ClusterRow, LastRestart, NodeRow, PodRow};
use kubevitals::model::{
    Action, Amounts, Batch, Change, Message, Pane, Scope, SourceKind, State, Time, View, act,
    apply, refresh,
};
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
    for size in [(80, 24), (140, 40), (200, 60)] {
        let mut person = shop(size);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push((person.pane(), person.pointed()));
            person.press(KeyCode::Tab);
        }
        let panes: Vec<_> = seen.iter().map(|(pane, _)| *pane).collect();
        let overview = |pane| (View::Overview, pane);
        assert_eq!(
            panes,
            [
                overview(Pane::List),
                overview(Pane::Nodes),
                overview(Pane::Incidents),
                (View::Nodes, Pane::List)
            ]
        );
        assert!(seen[0].1.contains("reconcile"), "{seen:?}");
        assert!(seen[1].1.starts_with("node-0002"), "{seen:?}");
        assert!(seen[2].1.contains("liveness probe"), "{seen:?}");
        // And back in the same way.
        act(&mut person.state, Action::Show(View::Nodes));
        for pane in [Pane::Incidents, Pane::Nodes, Pane::List] {
            person.press(KeyCode::BackTab);
            assert_eq!(person.pane(), overview(pane), "{size:?}");
        }
        person.press(KeyCode::BackTab);
        assert_eq!(person.pane(), (View::Incidents, Pane::List));
        person.press(KeyCode::Tab);
        assert_eq!(
            person.pane(),
            overview(Pane::List),
            "forwards it begins with the list"
        );
    }
    // Without panes, Tab opens the next view.
    let mut person = shop((40, 12));
    person.press(KeyCode::Tab);
    assert_eq!(person.pane(), (View::Nodes, Pane::List));
}

#[test]
fn where_it_is_narrow_the_pane_with_the_cursor_has_the_whole_width() {
    for columns in [40, 50, 63] {
        let mut person = shop((columns, 24));
        assert!(person.screen().contains("ledger-"), "{}", person.screen());
        person.press(KeyCode::Tab);
        assert!(
            person.pointed().starts_with("node-0002"),
            "{}",
            person.screen()
        );
        assert!(!person.screen().contains("Recent incidents"));
        person.press(KeyCode::Tab);
        assert!(person.pointed().contains("ledger-"), "{}", person.screen());
        person.press(KeyCode::Up);
        assert!(
            person.pointed().starts_with("node-0000"),
            "{}",
            person.screen()
        );
    }
}

#[test]
fn arrows_go_on_into_the_pane_above_and_below() {
    let mut person = shop((80, 24));
    let mut up = Vec::new();
    for _ in 0..8 {
        person.press(KeyCode::Up);
        up.push((person.pane().1, person.pointed()));
    }
    let panes: Vec<_> = up.iter().map(|(pane, _)| *pane).collect();
    let (incidents, nodes) = (Pane::Incidents, Pane::Nodes);
    assert_eq!(
        panes,
        [
            incidents, incidents, incidents, incidents, nodes, nodes, nodes, nodes
        ]
    );
    assert_ne!(up[0].1, up[1].1);
    assert!(
        up[7].1.starts_with("node-0002"),
        "it stays at the first: {up:?}"
    );
    for _ in 0..7 {
        person.press(KeyCode::Down);
    }
    assert_eq!(person.pane().1, Pane::List);
    assert!(person.pointed().contains("reconcile"));
    // The wheel and the page keys stay in the pane.
    for action in [Action::Scroll(-3), Action::Page(-1)] {
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
        person.click("Recent incidents");
        assert_eq!(person.pane().1, Pane::Incidents);
        person.click("image");
        assert!(person.pointed().contains("image"), "{}", person.screen());
        person.click("Unhealthy pods");
        assert_eq!(person.pane().1, Pane::List);

        person.now += Duration::from_secs(5);
        person.double_click("node-0000");
        let screen = person.state.screen();
        assert_eq!(screen.view, View::Pods);
        assert_eq!(screen.scope, Scope::Node("node-0000".into()));
        person.press(KeyCode::Esc);
        assert_eq!(person.pane(), (View::Overview, Pane::Nodes));

        person.now += Duration::from_secs(5);
        person.double_click("OOMKilled");
        assert_eq!(person.state.screen().view, View::Pod);
        assert!(matches!(person.state.time, Time::Past { .. }));
        person.press(KeyCode::Esc);
        assert_eq!(person.state.time, Time::Live);

        person.now += Duration::from_secs(5);
        person.double_click("ImagePull");
        assert_eq!(person.state.screen().view, View::Pod);
        assert_eq!(person.state.time, Time::Live);
    }
}

#[test]
fn enter_opens_what_the_cursor_is_on_in_each_pane() {
    let mut person = shop((80, 24));
    person.press(KeyCode::Tab);
    person.press(KeyCode::Down);
    person.press(KeyCode::Enter);
    assert_eq!(person.state.screen().scope, Scope::Node("node-0001".into()));
    person.press(KeyCode::Esc);
    person.press(KeyCode::Tab);
    for _ in 0..3 {
        person.press(KeyCode::Down);
    }
    person.press(KeyCode::Enter);
    // The last kill, as in view 8.
    let at = Timestamp::from_secs(NOW - 190);
    assert_eq!(person.state.screen().view, View::Pod);
    assert!(matches!(person.state.time, Time::Past { at: screen_text, .. } if screen_text == at));
    person.press(KeyCode::Esc);
    assert_eq!(person.pane(), (View::Overview, Pane::Incidents));
    assert_eq!(person.state.time, Time::Live);

    // Without incidents the pane has the busiest pods.
    let mut busy = pod("busy");
    busy.usage.cpu = Nanocores(900_000_000).into();
    let mut person = Person::at(cluster_of(vec![pod("idle"), busy]), (80, 24));
    person.press(KeyCode::Tab);
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

#[test]
fn the_pane_with_the_cursor_is_marked_without_colour_too() {
    let plain = kubevitals::view::theme::Theme::new(
        kubevitals::view::theme::Depth::None,
        kubevitals::view::theme::Ground::Dark,
        true,
    );
    let mut person = shop((80, 24));
    for heading in ["Unhealthy pods (", "Busiest nodes", "Recent incidents"] {
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
            // The busiest pods are above.
            let from = screen_text
                .find("Unhealthy pods")
                .or(screen_text.find("NAME"))
                .unwrap();
            let found = screen_text[from..].find(part).map(|at| from + at);
            found.unwrap_or_else(|| panic!("{part} in\n{screen_text}"))
        };
        assert!(
            place("probe-fails") < place("Recovered pods (2)"),
            "{screen_text}"
        );
        assert!(
            place("Recovered pods (2)") < place("new-well"),
            "{screen_text}"
        );
        assert!(place("new-well") < place("old-well"), "{screen_text}");
        // The cursor crosses the heading between the groups, by key and by mouse.
        person.press(KeyCode::Down);
        assert!(person.pointed().contains("new-well"), "{}", person.screen());
        person.click_below("Recovered pods", "old-well");
        assert!(person.pointed().contains("old-well"), "{}", person.screen());
        person.click_below("NAME", "probe-fails");
        assert!(
            person.pointed().contains("probe-fails"),
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
            person.screen().contains("Recovered pods (1)"),
            "{}",
            person.screen()
        );
        person.type_key('a');
        let screen_text = person.screen();
        assert!(
            screen_text.contains("No unhealthy pods, 1 acknowledged"),
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
    person.press(KeyCode::Tab);
    person.press(KeyCode::Tab);
    let latest = person.pointed();
    person.type_key('a');
    assert_ne!(person.pointed(), latest, "it is gone from the latest");
    // In view 8 it is after the other open incidents and before the ended ones.
    person.type_key('8');
    person.press(KeyCode::Char('G'));
    person.press(KeyCode::Up);
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
    for view in [View::Incidents, View::Overview] {
        act(&mut state, Action::Show(view));
        refresh(&mut state);
        let screen = state.screen();
        let list = match view {
            View::Overview => &screen.panes.incidents,
            _ => &screen.list,
        };
        let open: Vec<bool> = list
            .order
            .iter()
            .map(|at| state.world().incidents.rows()[usize::try_from(*at).unwrap()].is_open())
            .collect();
        assert!(
            open.is_sorted_by(|a, b| a >= b) && open[0],
            "{view:?}: {open:?}"
        );
        assert!(view == View::Overview || !open[open.len() - 1]);
    }
}

#[test]
fn the_heading_agrees_with_the_counts_of_the_header() {
    type Wrong = (&'static str, fn(&mut ClusterRow), &'static str);
    let wrongs: [Wrong; 5] = [
        ("nothing", |_| {}, "No unhealthy pods"),
        (
            "a probe",
            |row| row.probes_failing = 1,
            "Unhealthy: 1 failing probe",
        ),
        (
            "a node",
            |row| row.nodes_ready = 1,
            "Unhealthy: 1 node not ready",
        ),
        (
            "incidents",
            |row| row.incidents_open = Some(2),
            "Unhealthy: 2 open incidents",
        ),
        (
            "all of it",
            |row| {
                row.probes_failing = 2;
                row.nodes_ready = 0;
                row.incidents_open = Some(1);
            },
            "Unhealthy: 2 failing probes, 2 nodes not ready, 1 open incident",
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
        screen_text.contains("No unhealthy pods in namespace payments"),
        "{screen_text}"
    );
}

#[test]
fn nodes_that_do_not_report_are_named() {
    type Lost = (&'static str, fn() -> Vec<NodeRow>, &'static str);
    let losts: [Lost; 5] = [
        ("all report", || vec![node("a", true, NOW)], ""),
        (
            "not ready",
            || vec![node("a", false, NOW), node("b", true, NOW)],
            "node not ready: a",
        ),
        (
            "silent",
            || vec![node("a", true, 0), node("b", true, NOW)],
            "node without usage: a",
        ),
        (
            "silent for long",
            || vec![node("a", true, NOW - 600), node("b", true, NOW)],
            "node without usage: a",
        ),
        (
            "many",
            || {
                let many = (0..9).map(|at| node(&format!("n{at}"), false, 0));
                many.chain([node("b", true, NOW)]).collect()
            },
            "nodes not ready: n0, n1, n2, n3 and 5",
        ),
    ];
    for (what, nodes, words) in losts {
        for size in SIZES {
            let mut state = cluster_of(vec![failing("web")]);
            apply(&mut state, Message::Nodes(Batch::All(nodes())));
            let mut person = Person::at(state, size);
            let screen_text = person.screen();
            if words.is_empty() {
                assert!(
                    !screen_text.contains("node not") && !screen_text.contains("without"),
                    "{screen_text}"
                );
                continue;
            }
            assert!(
                screen_text.contains(words),
                "{what} at {size:?}:\n{screen_text}"
            );
            person.click(words);
            assert_eq!(person.state.screen().view, View::Nodes);
        }
    }
}

#[test]
fn the_panes_with_the_cursor() {
    let mut person = shop((80, 24));
    person.press(KeyCode::Tab);
    let drawn = draw(&person.state, &colour(), 80, 24);
    insta::assert_snapshot!("overview-in-nodes-80x24", text_and_styles(&drawn));
    person.press(KeyCode::Tab);
    let drawn = draw(&person.state, &colour(), 140, 40);
    insta::assert_snapshot!("overview-in-incidents-140x40", text(&drawn));
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
