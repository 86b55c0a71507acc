//! Draws the verdict: whether all is well; if not, what, since when, and how much of it.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Segment, right_of, segments_width};
use super::headings;
use super::theme::{Ink, mark};
use crate::input::Target;
use crate::model::problems::{Verdict, verdict};
use crate::model::{Pane, Part, State, Time, Tone, format};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let world = state.world();
    let found = verdict(world.problems.rows().iter().map(|row| &**row));
    let (sign, text, ink) = judged(canvas, state, &found);
    let sign = if sign.is_empty() {
        String::new()
    } else {
        format!("{sign} ")
    };
    let words = |since: &str| [Segment::new(format!(" {sign}{text}{since}"), ink)];
    // The short form, or none, if there is little space.
    let forms = [since(state, &found, true), since(state, &found, false)];
    let fits = |form: &&String| segments_width(&words(form)) < area.width;
    let form = forms.iter().find(fits).map_or("", String::as_str);
    let used = canvas.segments(area, &words(form));
    canvas.hit(area, Target::Pane(Pane::List));
    // Of what does not fit, the amount is left out first.
    let rest = right_of(area, used + 2);
    let affected = affected(state, &found);
    let fitting = affected
        .iter()
        .find(|text| segments_width(&[Segment::plain(text.as_str())]) < rest.width);
    if let Some(text) = fitting {
        canvas.segments_right(rest, &[Segment::plain(format!("{text} "))]);
    }
}

/// Returns the sign, the words and the ink.
fn judged(canvas: &Canvas<'_>, state: &State, found: &Verdict) -> (&'static str, String, Ink) {
    let tick = canvas.theme.signs.tick;
    if !state.has_answered(Part::Pods) {
        return ("", "Waiting for pods".to_owned(), Ink::Muted);
    }
    if world_is_empty(state) {
        return ("", "No pods".to_owned(), Ink::Muted);
    }
    if found.critical == 0 && found.warnings == 0 {
        if let Some(counted) = headings::counted_problems(state) {
            return (mark(Tone::Warn), counted, Ink::Warn);
        }
        if state.is_stale() {
            let text = "Nothing was wrong when the data was sent";
            return (mark(Tone::Warn), text.to_owned(), Ink::Warn);
        }
        return (tick, well(state), Ink::Good);
    }
    let mut parts = Vec::new();
    if found.critical > 0 {
        parts.push(format!("{} critical", found.critical));
    }
    if found.warnings > 0 {
        parts.push(format::count(found.warnings, "warning"));
    }
    let tone = if found.critical > 0 {
        Tone::Bad
    } else {
        Tone::Warn
    };
    (mark(tone), parts.join(", "), tone.into())
}

/// Whether there is nothing that could be well.
fn world_is_empty(state: &State) -> bool {
    let world = state.world();
    world.pods.is_empty() && world.cluster.pods() == 0 && world.problems.is_empty()
}

/// Returns since when the most urgent problems are there, in a long and a short form.
fn since(state: &State, found: &Verdict, long: bool) -> String {
    let Some(since) = found.since else {
        return String::new();
    };
    let age = format::age(since, state.shown_time());
    match long {
        true => format!(": since {} ({age})", state.clock(since)),
        false => format!(": for {age}"),
    }
}

/// Returns the words for a cluster without problems.
fn well(state: &State) -> String {
    let list = &state.screen().list;
    if !list.filter.is_empty() {
        return "No problem matches the filter".to_owned();
    }
    let is = if matches!(state.time, Time::Past { .. }) {
        "was"
    } else {
        "is"
    };
    let place = match state.namespaces.as_slice() {
        [] => String::new(),
        [only] => format!(" in namespace {only}"),
        several => format!(" in these {} namespaces", several.len()),
    };
    let acknowledged = match state.screen().panes.acknowledged {
        0 => String::new(),
        count => format!(", {count} acknowledged"),
    };
    format!("All {is} well{place}{acknowledged}")
}

/// Returns how much is affected, in forms from long to short.
fn affected(state: &State, found: &Verdict) -> Vec<String> {
    let cluster = &state.world().cluster;
    let (pods, nodes) = (cluster.pods(), cluster.nodes);
    if pods == 0 || !state.namespaces.is_empty() {
        return Vec::new();
    }
    let of = |affected: u64, all: u32, one: &str| {
        let all_of = format::count(all, one);
        match affected.min(u64::from(all)) {
            0 => all_of,
            affected => format!("{affected} of {all_of}"),
        }
    };
    let is_well = found.critical == 0 && found.warnings == 0;
    let pods_text = of(found.pods, pods, "pod");
    let affected_nodes = u64::try_from(found.nodes).unwrap_or(u64::MAX);
    let nodes_text = of(affected_nodes, nodes, "node");
    match (found.pods > 0 || is_well, affected_nodes > 0 || is_well) {
        (true, true) => vec![format!("{pods_text}, {nodes_text}"), pods_text],
        (true, false) => vec![pods_text],
        (false, true) => vec![nodes_text],
        (false, false) => Vec::new(),
    }
}
