//! The footer and the row of views: what they show at every width, and what a click does.

use kubevitals::input::{BINDINGS, Target, key_of};
use kubevitals::model::{Action, Message, SourceKind, State, View, act, apply};
use kubevitals_proto::time::Timestamp;

use crate::picture::{draw_with_places, text};
use crate::shop::NOW;
use crate::views::{VIEWS, colour, go_back, lose, pause, showing};

/// Returns the last row of a screen.
fn last_row(state: &State, columns: u16, rows: u16) -> String {
    let screen_text = text(&draw_with_places(state, &colour(), columns, rows).0);
    screen_text.lines().last().unwrap_or_default().to_owned()
}

/// The texts that can replace the hints.
type Instead = (&'static str, fn(&mut State));

const INSTEAD: [Instead; 6] = [
    ("hints", |_| {}),
    ("a message", |state| {
        state.say("wrote ./vitals-pods-20260708T143000Z.txt", false)
    }),
    ("a long message", |state| {
        state.say("cannot write ".repeat(40), true)
    }),
    ("a lost connection", lose),
    ("a pause", pause),
    ("the past", go_back),
];

#[test]
fn help_and_quit_stay_in_the_footer() {
    for view in VIEWS {
        for (what, becomes) in INSTEAD {
            let mut state = showing(view, SourceKind::Vitals);
            becomes(&mut state);
            for (columns, rows) in [
                (20, 12),
                (40, 12),
                (79, 24),
                (80, 24),
                (81, 24),
                (140, 40),
                (300, 60),
            ] {
                let row = last_row(&state, columns, rows);
                assert!(
                    row.ends_with("? help  q quit"),
                    "{what} of {view:?} at {columns}x{rows}: {row}"
                );
                let hidden = row.contains("\u{2026}");
                assert!(
                    !hidden || what.contains("message") || what.contains("lost"),
                    "{row}"
                );
            }
        }
    }
}

#[test]
fn each_hint_can_be_clicked_and_names_its_key() {
    let mut clicked = Vec::new();
    for view in VIEWS {
        for columns in [40, 80, 140, 200] {
            let state = showing(view, SourceKind::Vitals);
            let (buffer, hits) = draw_with_places(&state, &colour(), columns, 24);
            let screen_text = text(&buffer);
            let row: Vec<char> = screen_text.lines().last().unwrap().chars().collect();
            for column in 0..columns {
                let Some((area, Target::Hint(id))) = hits.at(column, 23) else {
                    continue;
                };
                let from = usize::from(area.x);
                let words: String = row[from..from + usize::from(area.width)].iter().collect();
                let binding = BINDINGS.iter().find(|binding| binding.id == id).unwrap();
                let key = words.split(' ').next().unwrap();
                assert!(binding.keys.contains(&key), "{words} does {id}");
                clicked.push(id);
            }
            let blank = row.iter().take_while(|c| **c == ' ').count();
            assert!(
                hits.at(u16::try_from(blank).unwrap(), 23).is_some(),
                "{screen_text}"
            );
        }
    }
    for id in ["help", "quit", "enter", "filter", "back", "pause"] {
        assert!(clicked.contains(&id), "{id}");
    }
}

#[test]
fn a_message_disappears_after_some_seconds() {
    for (say, text) in [
        (
            Action::Say("z is not bound; ? lists the keys".to_owned()),
            "z is not bound",
        ),
        (Action::Copy, "copied"),
        (
            Action::Say("wrote ./vitals-pods.csv".to_owned()),
            "wrote ./",
        ),
    ] {
        let mut state = showing(View::Pods, SourceKind::Vitals);
        act(&mut state, say);
        assert!(last_row(&state, 80, 24).contains(text));
        let seconds = (1..30).find(|second| {
            apply(
                &mut state,
                Message::Tick(Timestamp::from_secs(NOW + second)),
            );
            last_row(&state, 80, 24).contains("enter open")
        });
        let seconds = seconds.expect("the hints never come back");
        assert!((4..=10).contains(&seconds), "{text} stays for {seconds} s");
    }
}

#[test]
fn views_and_counts_do_not_overlap_at_any_width() {
    for view in View::SWITCHABLE {
        let state = showing(view, SourceKind::Vitals);
        let number = key_of(view);
        for columns in 30..160 {
            let (buffer, hits) = draw_with_places(&state, &colour(), columns, 24);
            let screen_text = text(&buffer);
            let (at, row) = (0..)
                .zip(screen_text.lines())
                .find(|(at, _)| matches!(hits.at(0, *at), Some((_, Target::View(_)))))
                .unwrap_or_else(|| panic!("{screen_text}"));
            let tabs: Vec<_> = (0..columns)
                .filter_map(|column| match hits.at(column, at) {
                    Some((area, Target::View(view))) if area.x == column => Some((area, view)),
                    _ => None,
                })
                .collect();
            assert_eq!(tabs.len(), View::SWITCHABLE.len(), "{columns}: {row}");
            for (area, tab) in &tabs {
                let chars = row.chars().skip(area.x.into());
                let text: String = chars.take(area.width.into()).collect();
                assert!(text.contains(key_of(*tab)), "{columns}: {row}");
                if *tab == view && columns >= 40 {
                    assert!(
                        text.trim().len() > 1,
                        "{columns}: {number} has no name in {row}"
                    );
                }
                let after = row.chars().nth(area.right().into()).unwrap_or(' ');
                assert_eq!(after, ' ', "{columns}: {row}");
            }
        }
    }
}
