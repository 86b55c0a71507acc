//! Converts keys and mouse events into [`Action`]s.
//!
//! [`BINDINGS`] is the only table of keys. Dispatch, the help, the tables in docs/dashboard.md and the configuration
//! use it.

mod bindings;
mod decoder;
mod hits;
mod key;
mod keymap;
mod mouse;

pub use bindings::{BINDINGS, Binding, Section, key_of};
pub use decoder::{Decoder, ESCAPE_PATIENCE};
pub use hits::{Hits, Span, Target};
pub use key::{Key, KeyError};
pub use keymap::{KeyMap, KeyMapError};
pub use mouse::Grip;

use std::time::Instant;

use crossterm::event::{Event, KeyEventKind};

use crate::model::{Action, Edit, Mode};
use crate::text::clean;

/// The longest pasted text in bytes; the rest is dropped. No filter needs more.
const LONGEST_PASTE: usize = 4_096;

/// Returns the actions for a terminal event that arrived at `now`, in this mode and on a screen with these `hits`. Most
/// events cause one action or none.
pub fn actions(
    event: &Event,
    mode: Mode,
    keys: &KeyMap,
    hits: &Hits,
    grip: &mut Grip,
    now: Instant,
) -> Vec<Action> {
    match event {
        Event::Key(event) if event.kind != KeyEventKind::Release => {
            let key = Key::from(event);
            let action = keys.action(mode, key);
            action
                .or_else(|| unbound(mode, key, keys))
                .into_iter()
                .collect()
        }
        Event::Mouse(event) => mouse::action(event, mode, hits, grip, now)
            .into_iter()
            .collect(),
        Event::Paste(text) => paste(text, mode),
        Event::Resize(columns, rows) => vec![Action::Resize(*columns, *rows)],
        _ => Vec::new(),
    }
}

/// Returns the notice for a key without a binding in this mode. `None` for a key without a name, such as Caps Lock.
fn unbound(mode: Mode, key: Key, keys: &KeyMap) -> Option<Action> {
    let name = key.to_string();
    if name.parse() != Ok(key) {
        return None;
    }
    let help = keys
        .key("help")
        .filter(|_| matches!(mode, Mode::Browse | Mode::Map));
    Some(Action::Say(match help {
        Some(help) => format!("{name} is not bound; {help} lists the keys"),
        None => format!("{name} is not bound here"),
    }))
}

/// Inserts pasted text into the open line. If no line is open, opens the filter first.
fn paste(text: &str, mode: Mode) -> Vec<Action> {
    let end = text.floor_char_boundary(LONGEST_PASTE);
    let text = clean(text.get(..end).unwrap_or_default().trim()).into_owned();
    let insert = Action::Edit(Edit::Insert(text));
    match mode {
        Mode::Filter | Mode::Pick => vec![insert],
        Mode::Browse | Mode::Map => vec![Action::Filter, insert],
        Mode::Help | Mode::Text | Mode::Confirm => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Field, Pane, View};
    use crossterm::event::{
        KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
    };
    use kubevitals_proto::time::Timestamp;
    use ratatui::layout::Rect;
    use std::time::Duration;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_secs(second)
    }

    fn hits() -> Hits {
        let mut hits = Hits::default();
        hits.add(Rect::new(0, 0, 10, 1), Target::View(View::Nodes));
        hits.add(
            Rect::new(0, 1, 101, 1),
            Target::Time(Span {
                since: second(0),
                until: second(1_000),
                live: true,
            }),
        );
        hits.add(Rect::new(4, 3, 5, 1), Target::Heading(Field::Cpu));
        hits.add(Rect::new(0, 4, 80, 20), Target::Rows(Pane::List, 0));
        hits
    }

    fn at(kind: MouseEventKind, column: u16, row: u16) -> Vec<Action> {
        with(&mut Grip::default(), kind, column, row)
    }

    fn pressed_at(grip: &mut Grip, event: &Event, now: Instant) -> Vec<Action> {
        actions(event, Mode::Browse, &KeyMap::default(), &hits(), grip, now)
    }

    /// The actions of an event with the default keys and no event before it.
    fn single(event: &Event, mode: Mode, hits: &Hits) -> Vec<Action> {
        let (keys, mut grip) = (KeyMap::default(), Grip::default());
        actions(event, mode, &keys, hits, &mut grip, Instant::now())
    }

    fn with(grip: &mut Grip, kind: MouseEventKind, column: u16, row: u16) -> Vec<Action> {
        pressed_at(grip, &mouse_event(kind, column, row), Instant::now())
    }

    fn mouse_event(kind: MouseEventKind, column: u16, row: u16) -> Event {
        Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })
    }

    #[test]
    fn a_click_triggers_its_target() {
        let click = MouseEventKind::Down(MouseButton::Left);
        for (column, row, action) in [
            (3, 0, Some(Action::Show(View::Nodes))),
            (50, 1, Some(Action::Seek(second(500)))),
            (100, 1, Some(Action::Live)),
            (3, 3, None),
            (7, 6, Some(Action::Select(Pane::List, 2))),
            (7, 40, None),
        ] {
            assert_eq!(
                at(click, column, row),
                Vec::from_iter(action),
                "{column}, {row}"
            );
        }
        assert_eq!(at(MouseEventKind::Down(MouseButton::Right), 7, 6), []);
    }

    #[test]
    fn a_heading_sorts_when_it_is_let_go_and_moves_when_it_is_dragged() {
        let left = MouseButton::Left;
        let (down, drag) = (MouseEventKind::Down(left), MouseEventKind::Drag(left));
        let up = MouseEventKind::Up(left);
        let (cpu, memory) = (Field::Cpu, Field::Memory);
        let to_memory = Action::MoveColumn(cpu, memory);
        // Events and the columns at which they are; MEM is at 12 to 19.
        for (events, expected) in [
            (&[(down, 5), (up, 6)][..], vec![Action::SortBy(cpu)]),
            (&[(down, 5), (drag, 6), (up, 4)], vec![Action::SortBy(cpu)]),
            (&[(down, 5), (up, 30)], vec![]),
            (&[(down, 5), (drag, 30), (up, 30)], vec![]),
            (
                &[(down, 5), (drag, 13), (drag, 13), (up, 13)],
                vec![to_memory.clone(), Action::KeepColumns],
            ),
            // The mouse turns, so the heading does not go further.
            (
                &[(down, 5), (drag, 14), (drag, 13), (up, 30)],
                vec![to_memory, Action::KeepColumns],
            ),
            (&[(down, 5), (MouseEventKind::Moved, 6), (up, 6)], vec![]),
        ] {
            let mut hits = hits();
            hits.add(Rect::new(12, 3, 8, 1), Target::Heading(memory));
            let mut grip = Grip::default();
            let done = events.iter().flat_map(|(kind, column)| {
                let event = mouse_event(*kind, *column, 3);
                let keys = KeyMap::default();
                actions(
                    &event,
                    Mode::Browse,
                    &keys,
                    &hits,
                    &mut grip,
                    Instant::now(),
                )
            });
            assert_eq!(done.collect::<Vec<_>>(), expected, "{events:?}");
        }
    }

    fn left_click(column: u16, row: u16) -> Event {
        mouse_event(MouseEventKind::Down(MouseButton::Left), column, row)
    }

    #[test]
    fn two_clicks_on_a_row_in_half_a_second_open_it() {
        let begin = Instant::now();
        // The second click: its delay, position and action.
        for (millis, column, row, action) in [
            (0, 7, 6, Action::Open(Pane::List, 2)),
            (499, 60, 6, Action::Open(Pane::List, 2)),
            (501, 7, 6, Action::Select(Pane::List, 2)),
            (100, 7, 7, Action::Select(Pane::List, 3)),
            (100, 3, 0, Action::Show(View::Nodes)),
        ] {
            let mut grip = Grip::default();
            let first = pressed_at(&mut grip, &left_click(7, 6), begin);
            assert_eq!(first, [Action::Select(Pane::List, 2)]);
            let later = begin + Duration::from_millis(millis);
            let second = pressed_at(&mut grip, &left_click(column, row), later);
            assert_eq!(
                second,
                std::slice::from_ref(&action),
                "{millis} ms later at {column}, {row}"
            );
            // A third click starts a new pair; so does a click on another target in between.
            let third = pressed_at(&mut grip, &left_click(7, 6), later);
            let opens = matches!(action, Action::Select(Pane::List, 2));
            let expected = if opens {
                Action::Open(Pane::List, 2)
            } else {
                Action::Select(Pane::List, 2)
            };
            assert_eq!(third, [expected], "{millis} ms later at {column}, {row}");
        }
    }

    #[test]
    fn a_click_on_a_hint_triggers_its_binding() {
        let mut hits = Hits::default();
        for (at, binding) in (0..).zip(BINDINGS.iter()) {
            hits.add(Rect::new(0, at, 9, 1), Target::Hint(binding.id));
        }
        for (at, binding) in (0..).zip(BINDINGS.iter()) {
            let done = single(&left_click(4, at), Mode::Browse, &hits);
            assert_eq!(
                done,
                std::slice::from_ref(&binding.action),
                "{}",
                binding.id
            );
        }
    }

    #[test]
    fn an_unbound_key_gives_a_notice() {
        use KeyCode::{CapsLock, Char, F};

        let usual = KeyMap::default();
        let changed = KeyMap::new(&[("help".to_owned(), vec!["f2"])]).unwrap();
        let without = KeyMap::new::<&str>(&[("help".to_owned(), vec![])]).unwrap();
        let (browse, filter) = (Mode::Browse, Mode::Filter);
        let none = KeyModifiers::NONE;
        let (shift, control) = (KeyModifiers::SHIFT, KeyModifiers::CONTROL);
        let by_default = " is not bound; ? lists the keys";
        let by_f2 = " is not bound; f2 lists the keys";
        let here = " is not bound here";
        for (keys, mode, code, modifiers, name, expected) in [
            (&usual, browse, Char('Z'), none, "Z", by_default),
            (&usual, browse, Char('@'), shift, "@", by_default),
            (&usual, browse, Char('d'), control, "ctrl-d", by_default),
            (&usual, browse, F(7), none, "f7", by_default),
            (&usual, browse, Char('ж'), none, "ж", by_default),
            (&changed, browse, Char('?'), none, "?", by_f2),
            (&without, browse, Char('Z'), none, "Z", here),
            (&usual, filter, Char('x'), control, "ctrl-x", here),
            // A key without a name gives no notice, nor does a control character.
            (&usual, browse, CapsLock, none, "", ""),
            (&usual, browse, Char('\u{7}'), none, "", ""),
        ] {
            let event = Event::Key(KeyEvent::new(code, modifiers));
            let mut grip = Grip::default();
            let done = actions(&event, mode, keys, &hits(), &mut grip, Instant::now());
            let notice = format!("{name}{expected}");
            let expected = (!notice.is_empty()).then_some(Action::Say(notice));
            assert_eq!(done, Vec::from_iter(expected), "{code:?} in {mode:?}");
        }
    }

    #[test]
    fn a_click_in_a_list_chooses_and_outside_closes() {
        let mut hits = Hits::default();
        hits.add(Rect::new(10, 4, 60, 16), Target::Window);
        hits.add(Rect::new(12, 6, 56, 12), Target::Choices(3));
        let click = |column, row| single(&left_click(column, row), Mode::Pick, &hits);
        assert_eq!(click(20, 8), [Action::Choose(5)]);
        assert_eq!(click(20, 5), []);
        assert_eq!(click(2, 8), [Action::Back]);
    }

    #[test]
    fn the_span_is_dragged_and_the_wheel_scrolls() {
        let left = MouseButton::Left;
        let drag = MouseEventKind::Drag(left);
        assert_eq!(at(drag, 25, 1), [], "no button is down");
        let mut grip = Grip::default();
        with(&mut grip, MouseEventKind::Down(left), 99, 1);
        let quarter = Action::Seek(second(250));
        for (column, row, to) in [
            (25, 1, quarter.clone()),
            (120, 1, Action::Live),
            (25, 9, quarter),
        ] {
            let dragged = with(&mut grip, drag, column, row);
            assert_eq!(dragged, [to], "{column}, {row}");
        }
        with(&mut grip, MouseEventKind::Up(left), 25, 9);
        assert_eq!(with(&mut grip, drag, 25, 1), [], "it was let go");
        assert_eq!(at(MouseEventKind::ScrollDown, 7, 6), [Action::Scroll(3)]);
        assert_eq!(at(MouseEventKind::ScrollUp, 7, 6), [Action::Scroll(-3)]);
    }

    #[test]
    fn the_mouse_over_a_chart_points_to_a_time_until_it_leaves() {
        let mut grip = Grip::default();
        let mut moved = |column, row| with(&mut grip, MouseEventKind::Moved, column, row);
        assert_eq!(moved(7, 6), []);
        assert_eq!(moved(50, 1), [Action::Point(Some(second(500)))]);
        assert_eq!(moved(50, 1), [], "it is at the same time");
        // The right end is now.
        assert_eq!(moved(100, 1), [Action::Point(Some(second(1_000)))]);
        assert_eq!(moved(7, 6), [Action::Point(None)]);
        assert_eq!(moved(8, 6), []);
    }

    #[test]
    fn a_paste_becomes_a_filter() {
        let pasted =
            |text: &str, mode| single(&Event::Paste(text.to_owned()), mode, &Hits::default());
        let text = " web\u{1b}[31m\nns=shop\n";
        let insert = Action::Edit(Edit::Insert("web[31m ns=shop".to_owned()));
        assert_eq!(pasted(text, Mode::Browse), [Action::Filter, insert.clone()]);
        assert_eq!(pasted(text, Mode::Filter), [insert]);
        let taken = pasted(&"日".repeat(100_000), Mode::Filter);
        assert!(
            matches!(&*taken, [Action::Edit(Edit::Insert(text))] if text.len() <= LONGEST_PASTE)
        );
    }

    #[test]
    fn the_release_of_a_key_does_nothing() {
        let mut event = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        let pressed = |event| single(&Event::Key(event), Mode::Browse, &hits());
        assert_eq!(pressed(event), [Action::Quit]);
        event.kind = KeyEventKind::Release;
        assert_eq!(pressed(event), []);
    }
}
