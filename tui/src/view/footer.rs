//! Draws the last row: the latest notice, or else the most useful keys. Help and quit are always there.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Segment, left_of, right_of, segments_width};
use super::theme::Ink;
use crate::input::{KeyMap, Target};
use crate::model::{Choice, Content, Link, Mode, Overlay, State, Then, Time, Topic, View, format};

/// Hints, the most useful first. The help has those that do not fit.
type Hints = &'static [Hint];

/// The id of a binding, and its words.
type Hint = (&'static str, &'static str);

/// The hints that stay at the right end.
const ALWAYS: Hints = &[("help", "help"), ("quit", "quit")];

/// The first hint while the displayed time is not now.
const BACK: Hints = &[("live", "return to now")];

/// The first hint for a new user.
const TOUR: Hints = &[("help", "new here? a tour")];

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, keys: &KeyMap) {
    let always = match state.mode() {
        Mode::Browse | Mode::Map => ALWAYS,
        Mode::Text => &[("text-help", "help"), ("text-close", "close")],
        // In these modes the keys have other actions.
        Mode::Filter | Mode::Pick | Mode::Help | Mode::Confirm => &[],
    };
    let needed: u16 = always.iter().map(|hint| hint_width(keys, hint)).sum();
    let taken = needed.min(area.width);
    let right = right_of(area, area.width - taken);
    hints(canvas, right, keys, always);
    let gap = if taken > 0 { GAP } else { 0 };
    let left = left_of(area, area.width.saturating_sub(taken + gap));
    match status(state) {
        Some((text, ink)) => canvas.message(left, &format!(" {text}"), "", ink),
        None => {
            let is_past =
                state.time != Time::Live && matches!(state.mode(), Mode::Browse | Mode::Map);
            let back: Hints = if is_past { BACK } else { &[] };
            let new: Hints = if state.is_new && state.mode() == Mode::Browse {
                TOUR
            } else {
                &[]
            };
            let rest = hints(canvas, right_of(left, 1), keys, new);
            let rest = hints(canvas, rest, keys, back);
            hints(canvas, rest, keys, &hints_for(state));
        }
    }
}

/// Returns the latest notice, or else the failure of the connection.
fn status(state: &State) -> Option<(String, Ink)> {
    if let Some(notice) = &state.notice {
        let ink = if notice.bad { Ink::Bad } else { Ink::Good };
        return Some((notice.text.clone(), ink));
    }
    let Link::Lost { why, again, .. } = &state.link else {
        return None;
    };
    if state.screen().view.is_of_several_clusters() {
        return None;
    }
    let wait = again.map(|again| format!(" in {}", format::age(state.now, again)));
    let wait = wait.unwrap_or_default();
    // The time of the retry comes first, because reasons are long.
    let text = format!("cannot reach the cluster, next retry{wait}: {why}");
    Some((text, Ink::Bad))
}

/// The hints of a table, the most useful first.
const TABLE_HINTS: Hints = &[
    ("clusters", "clusters"),
    ("enter", "open"),
    ("back", "back"),
    ("next-view", "next pane"),
    ("acknowledge", "acknowledge"),
    ("filter", "filter"),
    ("next-sort", "sort"),
    ("pause", "pause"),
    ("step-back", "go back in time"),
    ("namespace", "namespace"),
    ("columns", "columns"),
];

/// The hints of a page of logs.
const LOG_HINTS: Hints = &[
    ("text-search", "search"),
    ("text-follow", "follow"),
    ("text-wrap", "wrap"),
    ("text-times", "times"),
    ("text-json", "JSON"),
    ("text-previous-logs", "before the restart"),
    ("text-containers", "container"),
    ("text-copy", "copy"),
];

/// The hints of a page of YAML.
const YAML_HINTS: Hints = &[
    ("text-search", "search"),
    ("text-next", "next match"),
    ("text-wrap", "wrap"),
    ("text-unfold", "managedFields"),
    ("text-copy", "copy"),
    ("text-again", "read again"),
];

/// The hints of other text pages.
const DOCUMENT_HINTS: Hints = &[
    ("text-search", "search"),
    ("text-next", "next match"),
    ("text-wrap", "wrap"),
    ("text-copy", "copy"),
    ("text-again", "read again"),
];

/// Whether a hint of [`TABLE_HINTS`] applies to a view.
fn applies(id: &str, view: View, several: bool) -> bool {
    let of_one = !view.is_of_several_clusters();
    match id {
        "clusters" => several && of_one,
        "pause" | "step-back" | "namespace" | "columns" if !of_one => false,
        "back" | "next-sort" => view != View::Overview,
        "next-view" => view == View::Overview || !of_one,
        "acknowledge" => matches!(view, View::Overview | View::Incidents),
        _ => true,
    }
}

fn hints_for(state: &State) -> Vec<Hint> {
    let hints: Hints = match (state.mode(), state.screen().view) {
        (Mode::Filter, _) => &[("line-accept", "apply"), ("line-cancel", "discard")],
        (Mode::Pick, _) => pick_hints(state.overlay.as_ref()),
        (Mode::Text, _) => match state.text.as_ref().map(|page| &page.content) {
            Some(Content::Logs(_)) => LOG_HINTS,
            Some(Content::Document(page)) if page.what == Topic::Yaml => YAML_HINTS,
            _ => DOCUMENT_HINTS,
        },
        (Mode::Confirm, _) if let Some(Overlay::Drain(node)) = &state.overlay => {
            match state.drains.get(node) {
                Some(drain) if !drain.is_cancelled => &[
                    ("confirm-cancel", "cancel the drain"),
                    ("confirm-accept", "hide, the drain continues"),
                ],
                _ => &[("confirm-accept", "close")],
            }
        }
        (Mode::Confirm, _) => match &state.overlay {
            Some(Overlay::Dialog(dialog)) if dialog.is_command() => &[
                ("confirm-accept", "run"),
                ("confirm-copy", "copy the command"),
                ("confirm-cancel", "cancel"),
            ],
            _ => &[("confirm-accept", "confirm"), ("confirm-cancel", "cancel")],
        },
        (Mode::Help, _) => &[
            ("help-close", "close"),
            ("help-next", "next page"),
            ("help-page-down", "scroll"),
        ],
        (Mode::Map, _) => &[
            ("enter", "open"),
            ("map-group", "group"),
            ("map-zoom-in", "zoom in"),
            ("map-zoom-out", "zoom out"),
            ("map-size", "size"),
            ("filter", "dim others"),
            ("map-step-back", "go back in time"),
            ("back", "back"),
        ],
        (Mode::Browse, View::Pod) => &[
            ("back", "back"),
            ("down", "select container, scroll"),
            ("step-back", "go back in time"),
            ("shorter-span", "shorten span"),
        ],
        (Mode::Browse, view) => {
            let several = !state.live.members.is_empty();
            let hints = TABLE_HINTS
                .iter()
                .filter(|(id, _)| applies(id, view, several));
            return hints.copied().collect();
        }
    };
    hints.to_vec()
}

/// The hints of a list, or of a question that is answered by typing.
fn pick_hints(overlay: Option<&Overlay>) -> Hints {
    let choice = match overlay {
        Some(Overlay::Dialog(dialog)) => {
            return match dialog.then {
                Then::Store(_) => &[("list-accept", "store"), ("list-cancel", "cancel")],
                _ => &[("list-accept", "confirm"), ("list-cancel", "cancel")],
            };
        }
        Some(Overlay::Picker(picker)) => Some(picker.choice),
        _ => None,
    };
    match choice {
        Some(Choice::Commands) => &[
            ("list-accept", "run"),
            ("list-complete", "complete"),
            ("list-cancel", "close"),
        ],
        // Several columns or namespaces can be chosen.
        None | Some(Choice::Namespaces) => &[
            ("list-accept", "choose"),
            ("list-toggle", "toggle"),
            ("list-cancel", "close"),
        ],
        Some(Choice::Bookmarks | Choice::Filters) => &[
            ("list-accept", "choose"),
            ("list-remove", "remove"),
            ("list-cancel", "close"),
        ],
        Some(_) => &[("list-accept", "choose"), ("list-cancel", "close")],
    }
}

/// The blanks after a hint.
const GAP: u16 = 2;

fn segments(keys: &KeyMap, (id, word): &(&'static str, &str)) -> Option<[Segment; 2]> {
    let key = keys.key(id)?;
    Some([
        Segment::new(key.to_string(), Ink::Accent),
        Segment::muted(format!(" {word}")),
    ])
}

fn hint_width(keys: &KeyMap, hint: &(&'static str, &str)) -> u16 {
    segments(keys, hint).map_or(0, |segments| segments_width(&segments) + GAP)
}

/// Draws as many hints as fit; each responds to clicks. Returns the rest of the row.
fn hints(canvas: &mut Canvas<'_>, area: Rect, keys: &KeyMap, hints: &[Hint]) -> Rect {
    let mut rest = area;
    for hint in hints {
        let Some(segments) = segments(keys, hint) else {
            continue;
        };
        let width = segments_width(&segments);
        if width <= rest.width {
            canvas.segments(rest, &segments);
            canvas.hit(left_of(rest, width), Target::Hint(hint.0));
            rest = right_of(rest, width + GAP);
        }
    }
    rest
}
