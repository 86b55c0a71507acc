//! The help page about colours and signs.

use crate::model::map::Mark;
use crate::model::{State, Tone, format};
use crate::text::{width, wrap};
use crate::view::canvas::{Line, Segment};
use crate::view::map;
use crate::view::theme::{Ink, Theme, mark};

/// Returns the lines of the page.
pub(super) fn lines(state: &State, theme: &Theme, space: usize) -> Vec<Line> {
    let signs = &theme.signs;
    let thresholds = state.settings.thresholds;
    let [warn, bad] = [thresholds.warn, thresholds.bad].map(format::percent);
    let near = format!("close to a limit (from {warn}), waiting, stale, or recently restarted");
    let over = format!("over a limit's second threshold (from {bad}), failing, killed, lost");
    let marks = [Tone::Warn, Tone::Bad].map(mark).join(" ");
    let arrows = format!("{} {}", signs.rising, signs.falling);
    let cut = "shortened text: a wider terminal shows more, y copies the full name";
    let mut lines = Vec::new();
    for (sample, ink, meaning) in [
        ("passing", Ink::Good, "healthy"),
        ("75%", Ink::Warn, &*near),
        ("95%", Ink::Bad, &*over),
        ("2m ago", Ink::Muted, "units, ages, ended incidents"),
        ("enter", Ink::Accent, "keys, names, selections"),
        ("CPU", Ink::Cpu, "CPU in charts"),
        ("MEM", Ink::Memory, "memory in charts"),
        ("request", Ink::Request, "the request, in charts"),
        ("limit", Ink::Limit, "the limit, in charts"),
    ] {
        line(&mut lines, sample, ink, meaning, space);
    }
    lines.push(Vec::new());
    for (sample, meaning) in [
        (&*marks, "the two thresholds, in a terminal without colours"),
        (signs.pointer, "the selected row"),
        (
            &*arrows,
            "sorted by this column: smallest first, largest first",
        ),
        (signs.restart, "in a chart: a restart of a container"),
        (
            signs.rollout,
            "in a chart: the first pod of a new version of the workload",
        ),
        (signs.replicas, "in a chart: other desired replicas"),
        (
            signs.broken,
            "beside a chart: it does not begin at zero, but at this number",
        ),
        (signs.ellipsis, cut),
        (format::UNKNOWN, "unknown, or not set"),
        ("?", "after a cause: likely, not certain"),
        ("*", "after a status: a resize is not complete"),
    ] {
        line(&mut lines, sample, Ink::Plain, meaning, space);
    }
    lines.push(Vec::new());
    lines.push(vec![Segment::new("On the map", Ink::Heading)]);
    for mark in Mark::ALL {
        let words = map::words(mark, thresholds);
        line(
            &mut lines,
            map::sign(mark, theme),
            map::ink(mark),
            &words,
            space,
        );
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
