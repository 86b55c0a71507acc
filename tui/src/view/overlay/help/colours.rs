//! The help page about colours and signs.

use super::table::Line;
use crate::model::{State, Tone, format};
use crate::text::{width, wrap};
use crate::view::canvas::Segment;
use crate::view::theme::{Ink, Theme, mark};

/// Returns the lines of the page.
pub(super) fn lines(state: &State, theme: &Theme, space: usize) -> Vec<Line> {
    let signs = &theme.signs;
    let thresholds = state.settings.thresholds;
    let [warn, bad] = [thresholds.warn, thresholds.bad].map(format::percent);
    let rows = [
        ("passing", Ink::Good, "healthy".to_owned()),
        (
            "75%",
            Ink::Warn,
            format!("close to a limit (from {warn}), waiting, stale, or recently restarted"),
        ),
        (
            "95%",
            Ink::Bad,
            format!("over a limit's second threshold (from {bad}), failing, killed, lost"),
        ),
        (
            "2m ago",
            Ink::Muted,
            "units, ages, ended incidents".to_owned(),
        ),
        ("enter", Ink::Accent, "keys, names, selections".to_owned()),
        ("CPU", Ink::Cpu, "CPU in charts".to_owned()),
        ("MEM", Ink::Memory, "memory in charts".to_owned()),
        ("request", Ink::Request, "the request, in charts".to_owned()),
        ("limit", Ink::Limit, "the limit, in charts".to_owned()),
    ];
    let marks = [Tone::Warn, Tone::Bad].map(mark);
    let plain = [
        (
            marks.join(" "),
            "the two thresholds, in a terminal without colours".to_owned(),
        ),
        (signs.pointer.to_owned(), "the selected row".to_owned()),
        (
            format!("{} {}", signs.rising, signs.falling),
            "sorted by this column: smallest first, largest first".to_owned(),
        ),
        (
            signs.restart.to_owned(),
            "in a chart: a restart of a container".to_owned(),
        ),
        (
            signs.ellipsis.to_owned(),
            "shortened text: a wider terminal shows more, y copies the full name".to_owned(),
        ),
        (format::UNKNOWN.to_owned(), "unknown, or not set".to_owned()),
        (
            "?".to_owned(),
            "after a cause: likely, not certain".to_owned(),
        ),
        (
            "*".to_owned(),
            "after a status: a resize is not complete".to_owned(),
        ),
    ];
    let mut lines = Vec::new();
    for (sample, ink, meaning) in rows {
        line(&mut lines, sample, ink, &meaning, space);
    }
    lines.push(Vec::new());
    for (sample, meaning) in plain {
        line(&mut lines, &sample, Ink::Plain, &meaning, space);
    }
    lines
}

fn line(lines: &mut Vec<Line>, sample: &str, ink: Ink, meaning: &str, space: usize) {
    const SAMPLE: usize = 10;
    let texts = wrap(meaning, space.saturating_sub(SAMPLE).max(1));
    for (at, text) in texts.into_iter().enumerate() {
        let sample = if at == 0 { sample } else { "" };
        let blanks = " ".repeat(SAMPLE.saturating_sub(width(sample)));
        lines.push(vec![
            Segment::new(sample, ink),
            Segment::plain(format!("{blanks}{text}")),
        ]);
    }
}
