//! The texts on the screen: complete reasons, times, help, and plain words.

use jiff::tz::TimeZone;
use kubevitals::input::KeyMap;
use kubevitals::model::row::ClusterRow;
use kubevitals::model::{
    Action, Batch, Fault, FaultKind, Link, Message, Outcome, Page, Part, SourceKind, State, Time,
    View, Zone, act, apply, refresh,
};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

use crate::picture::{draw, text};
use crate::shop::NOW;
use crate::views::{OOM_KILLED, VIEWS, colour, open_pod, opened, shop};

/// The sizes in which every text must be readable.
const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (140, 40)];

/// A very long reason.
const LONG: &str = "Unable to connect to the server: x509: certificate signed by unknown authority (possibly because of \"crypto/rsa: verification error\" while trying to verify candidate authority certificate \"kubernetes\"): the file is /home/jane/.kube/ca.crt";

fn screen(state: &mut State, (columns, rows): (u16, u16)) -> String {
    act(state, Action::Resize(columns, rows));
    refresh(state);
    text(&draw(state, &colour(), columns, rows))
}

/// Returns the words of a text, without line breaks and frames.
fn words(text: &str) -> String {
    let plain = |c: char| {
        if "│┌┐└┘─".contains(c) {
            ' '
        } else {
            c
        }
    };
    let text: String = text.chars().map(plain).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns a page as a user reads it: scrolled from the beginning to the end, each line once.
fn read(state: &mut State, size: (u16, u16)) -> String {
    let mut seen: Vec<String> = Vec::new();
    for scroll in 0..2_000 {
        let drawn = screen(state, size);
        // The text between both sides of the box.
        let between = |line: &str| {
            let mut parts = line.rsplitn(3, '│');
            let (_, inside, _) = (parts.next()?, parts.next()?, parts.next()?);
            Some(inside.to_owned())
        };
        let rows = drawn.lines().skip_while(|line| !line.contains('┌'));
        let rows = rows.take_while(|line| !line.contains('└'));
        let inside: Vec<String> = rows.filter_map(between).collect();
        let names = if size.1 < 20 { 1 } else { 2 };
        let body = inside.get(names..).unwrap_or_default();
        if scroll == 0 {
            seen.extend(body.iter().cloned());
        } else if let Some(last) = body.last() {
            seen.push(last.clone());
        }
        let before = match &state.overlay {
            Some(kubevitals::model::Overlay::Help(_, scroll)) => *scroll,
            _ => panic!("no page is open"),
        };
        act(state, Action::Move(1));
        let theme = colour();
        let mut buffer =
            ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, size.0, size.1));
        let drawn = kubevitals::view::draw(state, &theme, &KeyMap::default(), &mut buffer);
        state.scrolled(drawn.scrolled.unwrap_or_default());
        if drawn.scrolled == Some(before) {
            return words(&seen.join("\n"));
        }
    }
    panic!("the page has no end");
}

fn lost(why: &str) -> Message {
    Message::Link(Link::Lost {
        since: Timestamp::from_secs(NOW - 40),
        why: why.to_owned(),
        again: Some(Timestamp::from_secs(NOW + 8)),
    })
}

fn fail(state: &mut State, part: Part, why: &str) {
    let why = Fault {
        kind: FaultKind::Forbidden,
        text: why.to_owned(),
    };
    let retry_at = Some(Timestamp::from_secs(NOW + 12));
    apply(
        state,
        Message::Part(part, Outcome::Failed { why, retry_at }),
    );
}

#[test]
fn an_empty_view_has_its_reason_and_keys() {
    for view in [View::Overview, View::Pods, View::Nodes, View::Incidents] {
        for why in [LONG, "connection refused", "no such host: k8s.example"] {
            for size in SIZES {
                let mut state = State::default();
                state.now = Timestamp::from_secs(NOW);
                state.session.context = "production".to_owned();
                act(&mut state, Action::Show(view));
                apply(&mut state, lost(why));
                let drawn = screen(&mut state, size);
                if size.0 >= 80 || why.len() < 60 {
                    assert!(words(&drawn).contains(&words(why)), "{view:?}:\n{drawn}");
                }
                assert!(
                    drawn.contains("x: choose another context"),
                    "{view:?}:\n{drawn}"
                );
                if (view, why) == (View::Overview, LONG) {
                    insta::assert_snapshot!(format!("unreachable-{}x{}", size.0, size.1), drawn);
                }
            }
        }
    }
}

#[test]
fn an_empty_list_names_its_reason() {
    let mut state = opened(View::Pods, shop(SourceKind::Metrics));
    for (view, namespace, filter, expected) in [
        (
            View::Pods,
            None,
            "nosuchpod",
            "No pods match the filter backspace: remove the filter",
        ),
        (
            View::Workloads,
            None,
            "cpu>900.0",
            "No workloads match the filter",
        ),
        (
            View::Pods,
            Some("empty"),
            "",
            "No pods in namespace empty n: choose another namespace",
        ),
        (
            View::Incidents,
            None,
            "",
            "Incidents need vitals-server in the cluster",
        ),
    ] {
        state.namespaces = namespace.into_iter().map(Into::into).collect();
        act(&mut state, Action::Show(view));
        act(&mut state, Action::ClearFilter);
        if !filter.is_empty() {
            act(&mut state, Action::Filter);
            act(
                &mut state,
                Action::Edit(kubevitals::model::Edit::Insert(filter.to_owned())),
            );
            act(&mut state, Action::Enter);
        }
        let drawn = screen(&mut state, (120, 40));
        assert!(words(&drawn).contains(expected), "{expected}:\n{drawn}");
    }
}

#[test]
fn the_list_of_messages_is_complete() {
    let refused = "forbidden: User \"system:serviceaccount:shop:jane\" cannot list resource \"horizontalpodautoscalers\" in API group \"autoscaling\" at the cluster scope: RBAC: clusterrole.rbac.authorization.k8s.io \"viewer\" not found";
    for size in SIZES {
        let mut state = opened(View::Pods, shop(SourceKind::Vitals));
        fail(&mut state, Part::Hpas, refused);
        apply(&mut state, lost(LONG));
        apply(&mut state, lost(LONG));
        apply(&mut state, Message::Tick(Timestamp::from_secs(NOW + 60)));
        apply(&mut state, Message::Link(Link::Up));
        apply(&mut state, Message::Part(Part::Hpas, Outcome::Succeeded));
        state.say(
            "error: line one of a long message\nand line two of it, which is the reason",
            true,
        );
        let cut = screen(&mut state, size);
        if size.0 < 80 {
            let last = cut.lines().last().unwrap();
            assert!(last.contains("m: all"), "{last}");
        }
        act(&mut state, Action::Messages);
        let page = read(&mut state, size);
        for expected in [
            refused,
            LONG,
            "the cluster answers again, after 100s",
            "HPAs: available again",
            "line one of a long message and line two of it, which is the reason",
            "14:31:00Z",
        ] {
            // A word longer than the line is broken.
            let page = page.replace(' ', "");
            let expected = expected.split_whitespace().collect::<String>();
            assert!(page.contains(&expected), "{expected} in\n{page}");
        }
        assert_eq!(
            page.matches("certificate signed by").count(),
            1,
            "once: {page}"
        );
    }
}

#[test]
fn current_problems_are_listed_above_the_messages() {
    let mut state = opened(View::Pods, shop(SourceKind::Metrics));
    for (part, why) in [
        (
            Part::Usage,
            "the server is currently unable to handle the request",
        ),
        (Part::Hpas, LONG),
        (Part::Nodes, "nodes is forbidden"),
    ] {
        fail(&mut state, part, why);
    }
    act(&mut state, Action::Messages);
    for size in SIZES {
        let page = read(&mut state, size);
        let now = page.split("Earlier messages").next().unwrap();
        assert!(
            now.contains("Current problems") && now.contains(&words(LONG)),
            "{page}"
        );
        assert!(
            now.contains("usage: the server is currently unable"),
            "{page}"
        );
    }
    insta::assert_snapshot!("messages-80x24", screen(&mut state, (80, 24)));
}

#[test]
fn help_is_in_columns_and_every_page_can_be_read_in_any_size() {
    let mut whole: Vec<Vec<Vec<String>>> = Vec::new();
    for size in SIZES {
        let mut state = opened(View::Pods, shop(SourceKind::Vitals));
        act(&mut state, Action::Help);
        let mut pages = Vec::new();
        for page in Page::ALL {
            let drawn = screen(&mut state, size);
            for corner in ["┌", "┐", "└", "┘"] {
                assert_eq!(drawn.matches(corner).count(), 1, "{drawn}");
            }
            assert!(drawn.contains(page.title()), "{drawn}");
            if page != Page::Messages {
                let name = format!("help-{}-{}x{}", page.title().to_lowercase(), size.0, size.1);
                insta::assert_snapshot!(name, drawn);
            }
            let read = read(&mut state, size);
            assert!(!read.contains('…') || page == Page::Colours, "cut: {read}");
            let mut words: Vec<String> = read.split_whitespace().map(str::to_owned).collect();
            words.sort();
            pages.push(words);
            act(&mut state, Action::NextView(1));
        }
        let drawn = screen(&mut state, size);
        assert!(drawn.contains("Keys"), "the first page follows the last");
        whole.push(pages);
    }
    let [small, middle, large] = &whole[..] else {
        panic!("three sizes");
    };
    for (at, page) in Page::ALL
        .iter()
        .enumerate()
        .filter(|(_, page)| **page != Page::Messages)
    {
        assert_eq!(small[at], middle[at], "{page:?}");
        assert_eq!(middle[at], large[at], "{page:?}");
    }
}

#[test]
fn the_title_names_a_past_time_and_end_returns_to_now() {
    for view in VIEWS {
        for size in SIZES {
            let mut state = opened(view, shop(SourceKind::Metrics));
            let at = state.now.plus_nanos(-94_000_000_000);
            act(&mut state, Action::Seek(at));
            let drawn = screen(&mut state, size);
            let title = drawn.lines().next().unwrap();
            assert!(title.starts_with(" PAST 14:28:26Z"), "{title}");
            assert!(title.contains("end: return to now"), "{title}");
            if size.0 >= 80 {
                assert!(title.contains("94s ago"), "{title}");
                assert!(
                    drawn.lines().last().unwrap().contains("end return to now"),
                    "{drawn}"
                );
            }
            act(&mut state, Action::Live);
            assert_eq!(state.time, Time::Live, "{view:?}");
            assert!(
                screen(&mut state, size)
                    .lines()
                    .next()
                    .unwrap()
                    .contains("LIVE")
            );
        }
    }
}

#[test]
fn keys_that_were_changed_are_named_as_they_are() {
    let changes = [("live".to_owned(), vec!["ctrl-e"])];
    let keys = KeyMap::new(&changes).unwrap();
    let mut state = opened(View::Pods, shop(SourceKind::Metrics));
    act(&mut state, Action::Step(-4));
    let area = ratatui::layout::Rect::new(0, 0, 120, 40);
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    kubevitals::view::draw(&state, &colour(), &keys, &mut buffer);
    assert!(text(&buffer).contains("ctrl-e: return to now"));
}

#[test]
fn the_page_of_a_pod_labels_its_parts_with_their_time() {
    for source in [SourceKind::Vitals, SourceKind::Metrics] {
        let mut state = shop(source);
        act(&mut state, Action::Resize(120, 60));
        open_pod(&mut state, OOM_KILLED);
        let live = screen(&mut state, (120, 60));
        assert!(!live.contains("CONDITIONS  at "), "{live}");
        act(&mut state, Action::Pause);
        let past = screen(&mut state, (120, 60));
        for part in [
            "PROBES  at 14:30:00Z",
            "CONDITIONS  at 14:30:00Z",
            "EVENTS  at 14:30:00Z",
        ] {
            assert!(past.contains(part), "{part}:\n{past}");
        }
    }
}

#[test]
fn restarts_of_the_past_stand_beside_those_of_now() {
    let mut state = shop(SourceKind::Metrics);
    act(&mut state, Action::Resize(120, 60));
    open_pod(&mut state, OOM_KILLED);
    act(&mut state, Action::Pause);
    let key = crate::shop::Shop::key(OOM_KILLED);
    let then = state.world().pods.get(&key).unwrap().restarts.count;
    let mut row = kubevitals::model::row::PodRow::clone(state.world().pods.get(&key).unwrap());
    assert!(!screen(&mut state, (120, 60)).contains(" now)"));
    row.restarts.count = then + 2;
    let put = kubevitals::model::Change::Put(row);
    apply(&mut state, Message::Pods(Batch::Some(vec![put])));
    let drawn = screen(&mut state, (120, 60));
    let expected = format!("restarts {then} ({} now)", then + 2);
    assert!(drawn.contains(&expected), "{expected}:\n{drawn}");
}

#[test]
fn the_title_names_a_single_namespace_and_its_counts() {
    let mut state = opened(View::Pods, shop(SourceKind::Vitals));
    let all = state.world().pods.len();
    for namespaces in [vec!["shop"], vec!["shop", "payments"]] {
        state.namespaces = namespaces.iter().map(|name| (*name).into()).collect();
        for size in [(80, 24), (140, 40)] {
            let drawn = screen(&mut state, size);
            let title = drawn.lines().next().unwrap();
            assert!(
                title.contains(&format!("ns {}", namespaces.join(","))),
                "{title}"
            );
            let listed = state.screen().list.order.len();
            assert!(drawn.contains(&format!("{listed} of {all}")), "{drawn}");
        }
    }
    // The source lists one namespace only.
    state.namespaces = Vec::new();
    state.session.namespace = Some("shop".into());
    assert!(
        screen(&mut state, (140, 40))
            .lines()
            .next()
            .unwrap()
            .contains("ns shop")
    );
}

#[test]
fn times_are_in_the_selected_zone_and_the_title_names_it() {
    let zone = |posix| Zone::new(TimeZone::posix(posix).unwrap(), true);
    for (zone, time, name) in [
        (zone("CET-1CEST,M3.5.0,M10.5.0/3"), "16:28:26", "CEST"),
        (zone("<+0530>-5:30"), "19:58:26", "UTC+0530"),
        (zone("PST8PDT,M3.2.0,M11.1.0"), "07:28:26", "PDT"),
    ] {
        let mut state = opened(View::Incidents, shop(SourceKind::Vitals));
        assert!(
            screen(&mut state, (140, 40))
                .lines()
                .next()
                .unwrap()
                .contains("UTC")
        );
        state.settings.zone = zone;
        let drawn = screen(&mut state, (140, 40));
        let utc = |line: &str| {
            let words = line
                .split_whitespace()
                .map(|word| word.trim_end_matches([',', ')']));
            words
                .into_iter()
                .any(|word| word.len() == 9 && word.ends_with('Z') && word.contains(':'))
        };
        assert!(!drawn.lines().any(utc), "{drawn}");
        assert!(drawn.lines().next().unwrap().contains(name), "{drawn}");
        let at = state.now.plus_nanos(-94_000_000_000);
        act(&mut state, Action::Seek(at));
        let drawn = screen(&mut state, (140, 40));
        assert!(
            drawn.starts_with(&format!(" PAST {time} {name}")),
            "{drawn}"
        );
        act(&mut state, Action::TimeZone);
        assert!(screen(&mut state, (140, 40)).starts_with(" PAST 14:28:26Z"));
        assert!(state.notice.is_some());
    }
}

#[test]
fn used_and_allocatable_have_one_unit_and_all_charts_end_now() {
    for (used, there, expected) in [
        (7_494, 63_300, "7.4/63.3"),
        (735, 40_000, "0.74/40"),
        (735, 4_000, "735m/4000m"),
        (12_500, 400_000, "12.5/400"),
    ] {
        let mut state = opened(View::Overview, shop(SourceKind::Vitals));
        let mut cluster = ClusterRow::clone(&state.world().cluster);
        cluster.usage.cpu = Nanocores(used * 1_000_000).into();
        cluster.allocatable.cpu = Nanocores(there * 1_000_000).into();
        cluster.allocatable.memory = Bytes(1 << 40).into();
        cluster.reporting = cluster.allocatable;
        apply(&mut state, Message::Cluster(cluster));
        let drawn = screen(&mut state, (140, 40));
        assert!(words(&drawn).contains(expected), "{expected}:\n{drawn}");
        if there >= 10_000 {
            assert!(drawn.contains("cores"), "{drawn}");
        }
    }
    let mut state = opened(View::Pod, shop(SourceKind::Vitals));
    let drawn = screen(&mut state, (140, 40));
    assert_eq!(drawn.matches(" now").count(), 4, "{drawn}");
}

/// Phrases that are not plain English.
const BANNED: [&str; 19] = [
    "are told",
    "told by",
    "told yet",
    "been told",
    "remembered",
    "and go on",
    "column before",
    "the other way round",
    "take away",
    "what was written",
    "here are those",
    "nothing is called so",
    "asking for",
    "asking the server",
    "WANTS",
    "NOW ",
    ", max ",
    "into what is",
    "draw everything anew",
];

#[test]
fn every_screen_is_in_plain_words() {
    let mut screens: Vec<String> = Vec::new();
    for source in [SourceKind::Vitals, SourceKind::Metrics, SourceKind::None] {
        for view in VIEWS {
            let mut state = opened(view, shop(source));
            screens.push(screen(&mut state, (200, 60)));
            act(&mut state, Action::Step(-8));
            screens.push(screen(&mut state, (200, 60)));
            act(&mut state, Action::Live);
            apply(&mut state, Message::Pods(Batch::All(Vec::new())));
            apply(&mut state, Message::Incidents(Batch::All(Vec::new())));
            screens.push(screen(&mut state, (200, 60)));
            let mut state = State::default();
            act(&mut state, Action::Show(view));
            screens.push(screen(&mut state, (200, 60)));
            apply(
                &mut state,
                Message::Source(source, "it is there".to_owned()),
            );
            apply(&mut state, Message::Link(Link::Up));
            screens.push(screen(&mut state, (200, 60)));
            for action in [
                Action::Help,
                Action::Columns,
                Action::Namespaces,
                Action::Contexts,
            ] {
                act(&mut state, action);
                screens.push(screen(&mut state, (200, 100)));
                act(&mut state, Action::Back);
            }
        }
    }
    let mut found: Vec<(&str, &str)> = Vec::new();
    for phrase in BANNED {
        let lines = screens.iter().flat_map(|screen| screen.lines());
        found.extend(
            lines
                .filter(|line| line.contains(phrase))
                .map(|line| (phrase, line)),
        );
    }
    found.dedup();
    assert!(found.is_empty(), "{found:#?}");
}
