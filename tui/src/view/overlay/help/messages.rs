//! The page of messages: the current problems, then the last messages in full, the newest first.

use crate::model::{Link, State, format};
use crate::text::{clean, width, wrap};
use crate::view::canvas::{Line, Segment};
use crate::view::theme::Ink;

/// From this width on, a message is beside its time, else below it.
const BESIDE: usize = 70;

/// Returns the lines of the page.
pub(super) fn lines(state: &State, space: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut wrong: Vec<String> = Vec::new();
    if let Link::Lost { since, why, .. } = &state.link {
        let age = format::age(*since, state.now);
        wrong.push(format!("cannot reach the cluster for {age}: {why}"));
    }
    let failing = state.parts.iter();
    let failing = failing.filter_map(|(part, it)| Some((part, it.failure()?)));
    wrong.extend(failing.map(|(part, (why, _))| format!("{part}: {}", why.text)));
    if !wrong.is_empty() {
        lines.push(vec![Segment::new("Current problems", Ink::Heading)]);
        for text in wrong {
            paragraph(&mut lines, &text, Ink::Warn, "  ", space);
        }
        lines.push(Vec::new());
        lines.push(vec![Segment::new("Earlier messages", Ink::Heading)]);
    }
    let before = lines.len();
    for entry in state.messages.newest_first() {
        let age = format!("{} ago", format::age(entry.last, state.now));
        let mut head = format!("{} {age:>9}  ", state.clock(entry.last));
        if entry.count > 1 {
            let first = state.clock(entry.first);
            head.push_str(&format!("{} times since {first}  ", entry.count));
        }
        let ink = if entry.bad { Ink::Bad } else { Ink::Plain };
        if space < BESIDE || entry.count > 1 {
            lines.push(vec![Segment::muted(head.trim_end())]);
            paragraph(&mut lines, &entry.text, ink, "  ", space);
            continue;
        }
        let indent = " ".repeat(width(&head));
        let from = lines.len();
        paragraph(&mut lines, &entry.text, ink, &indent, space);
        if let Some(segment) = lines.get_mut(from).and_then(|line| line.first_mut()) {
            *segment = Segment::muted(head);
        }
    }
    if lines.len() == before {
        lines.push(vec![Segment::muted("No messages yet")]);
    }
    lines
}

/// Adds an indented text.
fn paragraph(lines: &mut Vec<Line>, text: &str, ink: Ink, indent: &str, space: usize) {
    // Line feeds stay: some errors are lists.
    let space = space.saturating_sub(width(indent)).max(1);
    let text: Vec<_> = text.lines().map(clean).collect();
    for line in wrap(&text.join("\n"), space) {
        lines.push(vec![Segment::plain(indent), Segment::new(line, ink)]);
    }
}
