//! Draws a text page: logs, a description, YAML or events.

use std::hash::{DefaultHasher, Hash, Hasher};

use ratatui::layout::Rect;

use super::canvas::{Canvas, Segment, below, cells, first_rows, left_of, right_of, row_of};
use super::theme::{Ink, mark};
use super::{footer, title};
use crate::input::KeyMap;
use crate::model::log::StreamState;
use crate::model::{
    Content, LogPage, State, TextPage, TextPosition, TextRow, Tone, Topic, format, found_in,
};
use crate::text::{head, width, wrap};

/// The inks of the names of containers.
const INKS: [Ink; 6] = [
    Ink::Accent,
    Ink::Memory,
    Ink::Good,
    Ink::Cpu,
    Ink::Limit,
    Ink::Request,
];

/// Draws the whole screen. Returns the position of the cursor while the search is edited.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    state: &State,
    page: &TextPage,
    keys: &KeyMap,
) -> Option<(u16, u16)> {
    let mut rest = canvas.buffer.area;
    let mut take = |rows: u16| {
        let area = first_rows(rest, rows);
        rest = below(rest, rows);
        area
    };
    let (columns, rows) = state.text_size();
    let title_area = take(1);
    let heading_area = take(1);
    let failure_area = take(u16::from(page.failure().is_some()));
    let body = take(cells(rows));
    let has_search = page.is_searching || !page.search.text().is_empty();
    let search_area = take(u16::from(has_search));
    let footer_area = take(1);
    title::draw(canvas, title_area, state, false);
    heading(canvas, heading_area, state, page);
    match (emptiness(page), page.failure()) {
        // Nothing else is on the page, so there is space for the whole reason.
        (Some(_), Some(why)) => {
            let text = format!("{why}{}", retry(state, page));
            empty(canvas, body, &text, Ink::Warn);
        }
        (Some(text), None) => empty(canvas, body, text, Ink::Muted),
        (None, failure) => {
            if let Some(why) = failure {
                let (why, retry) = (format!(" {why}"), retry(state, page));
                canvas.message(failure_area, &why, &retry, Ink::Warn);
            }
            for (at, row) in (0..body.height).zip(page.visible(columns, rows)) {
                draw_row(canvas, row_of(body, at), state, page, &row);
            }
        }
    }
    footer::draw(canvas, footer_area, state, keys);
    search(canvas, search_area, page)
}

/// The heading: what it is, and of which object; at the right end, how it is shown.
fn heading(canvas: &mut Canvas<'_>, area: Rect, state: &State, page: &TextPage) {
    let text = match &page.content {
        Content::Logs(logs) => log_heading(state, logs),
        Content::Document(page) => {
            let object = page
                .object
                .as_ref()
                .map_or("all objects".to_owned(), |object| object.text());
            format!("{}: {object}", page.what.title())
        }
    };
    canvas.rule(area, &text);
    let mut facts = Vec::new();
    if let Some(logs) = page.logs() {
        facts.push(format::count(logs.count(), "line"));
        if logs.dropped() > 0 {
            facts.push(format!("{} older dropped", logs.dropped()));
        }
        if logs.cut_bytes > 0 {
            facts.push(format!(
                "{} cut",
                format::bytes(kubevitals_proto::units::Bytes(logs.cut_bytes))
            ));
        }
        if logs.is_live() {
            let has_ended = logs.states.iter().all(|state| *state == StreamState::Ended);
            facts.push(
                match (has_ended, page.place) {
                    (true, _) => "ended",
                    (false, TextPosition::End) => "following",
                    (false, TextPosition::Line(..)) => "not following",
                }
                .to_owned(),
            );
        }
    }
    if page.wraps {
        facts.push("wrap".to_owned());
    } else if page.shift > 0 {
        facts.push(format!("from column {}", page.shift + 1));
    }
    let used = cells(width(&text)) + 4;
    while !facts.is_empty() {
        let text = format!(" {} ", facts.join(", "));
        if cells(width(&text)) + used < area.width {
            canvas.segments_right(area, &[Segment::muted(text)]);
            return;
        }
        facts.pop();
    }
}

fn log_heading(state: &State, logs: &LogPage) -> String {
    let mut text = format!("Logs: {}", logs.object.text());
    match (&logs.container, logs.request.targets.as_slice()) {
        (Some(container), _) => text.push_str(&format!(" {container}")),
        (None, [target]) => text.push_str(&format!(" {}", target.container)),
        (None, targets) => text.push_str(&format!(", {} containers", targets.len())),
    }
    if logs.left_out > 0 {
        text.push_str(&format!(
            " of {}",
            logs.left_out + logs.request.targets.len()
        ));
    }
    if logs.request.previous {
        text.push_str(", before the last restart");
    }
    if let Some(since) = logs.request.since {
        text.push_str(&format!(", from {}", state.clock(since)));
    }
    text
}

/// When a log is requested again.
fn retry(state: &State, page: &TextPage) -> String {
    let retry = page
        .logs()
        .and_then(LogPage::failure)
        .and_then(|(.., retry_at)| retry_at);
    retry
        .map(|at| format!("; next request in {}", format::age(state.now, at)))
        .unwrap_or_default()
}

/// What is shown on an empty page that nothing has failed for.
fn emptiness(page: &TextPage) -> Option<&'static str> {
    match &page.content {
        Content::Logs(logs) if logs.ring.is_empty() => Some(if !logs.has_answered() {
            "Requesting the log"
        } else if logs
            .states
            .iter()
            .all(|state| *state == StreamState::Complete)
        {
            "The log is empty"
        } else {
            "No lines yet"
        }),
        Content::Document(page) if page.document.is_none() => Some("Requesting the object"),
        _ => None,
    }
}

fn empty(canvas: &mut Canvas<'_>, body: Rect, text: &str, ink: Ink) {
    let lines = wrap(text, usize::from(body.width.saturating_sub(2)));
    for (at, line) in (body.height / 3..body.height).zip(&lines) {
        let blanks = body.width.saturating_sub(cells(width(line))) / 2;
        canvas.text(right_of(row_of(body, at), blanks), line, ink);
    }
}

fn draw_row(canvas: &mut Canvas<'_>, area: Rect, state: &State, page: &TextPage, row: &TextRow) {
    let prefix = cells(page.prefix(area.width.into()));
    if row.at == 0
        && let Some(logs) = page.logs()
    {
        draw_prefix(canvas, left_of(area, prefix), state, logs, row);
    }
    let area = right_of(area, prefix);
    let hidden = if page.wraps {
        0
    } else {
        head(&row.text, page.shift).len()
    };
    let text = row.text.get(hidden..).unwrap_or_default();
    let ink = row.tone.into();
    let key = if hidden == 0 && is_key(page) && row.tone == Tone::Plain {
        key_of(text)
    } else {
        0
    };
    let (key, rest) = text.split_at_checked(key).unwrap_or(("", text));
    let used = canvas.text(area, key, Ink::Accent);
    canvas.text(right_of(area, used), rest, ink);
    for (start, end) in found_in(text, page.search.text()) {
        let before = text.get(..start).map_or(0, width);
        let found = text.get(start..end).map_or(0, width);
        canvas.patch(
            left_of(right_of(area, cells(before)), cells(found)),
            Ink::Selected,
        );
    }
}

/// The mark of the level, the time and the container of a line.
fn draw_prefix(canvas: &mut Canvas<'_>, area: Rect, state: &State, logs: &LogPage, row: &TextRow) {
    let Some(line) = logs.ring.get(row.number) else {
        return;
    };
    canvas.text(area, mark(row.tone), row.tone.into());
    let mut rest = right_of(area, 3);
    if logs.times {
        if let Some(time) = line.time {
            canvas.text(left_of(rest, 9), &state.clock(time), Ink::Muted);
        }
        rest = right_of(rest, 10);
    }
    let cells_of_label = rest.width.saturating_sub(3);
    let Some(target) = logs
        .request
        .targets
        .get(usize::from(line.stream))
        .filter(|_| cells_of_label > 0)
    else {
        return;
    };
    let mut hasher = DefaultHasher::new();
    target.hash(&mut hasher);
    let at = usize::try_from(hasher.finish() % 6).unwrap_or(0);
    let ink = INKS.get(at).copied().unwrap_or(Ink::Accent);
    let label = logs.label(line.stream, cells_of_label.into());
    canvas.segments(
        rest,
        &[Segment::new(format!("{} {label}", sign(line.stream)), ink)],
    );
}

/// The sign of a stream: a letter.
fn sign(stream: u16) -> char {
    let letter = u8::try_from(stream % 52).unwrap_or(0);
    char::from(if letter < 26 {
        b'A' + letter
    } else {
        b'a' + letter - 26
    })
}

/// Whether the lines of a page start with keys.
const fn is_key(page: &TextPage) -> bool {
    matches!(&page.content, Content::Document(page) if !matches!(page.what, Topic::Events))
}

/// The length of a line's key with its colon, in bytes.
fn key_of(text: &str) -> usize {
    let Some((key, rest)) = text.split_once(':') else {
        return 0;
    };
    let is_key = key
        .chars()
        .all(|c| c.is_alphanumeric() || " -_./()".contains(c))
        && width(key) < 60;
    if is_key && (rest.is_empty() || rest.starts_with(' ')) {
        key.len() + 1
    } else {
        0
    }
}

/// Draws the search. Returns the position of the cursor while it is edited.
fn search(canvas: &mut Canvas<'_>, area: Rect, page: &TextPage) -> Option<(u16, u16)> {
    if area.is_empty() {
        return None;
    }
    let used = canvas.text(area, " / ", Ink::Accent);
    let area = right_of(area, used);
    let (before, after) = page.search.halves();
    let written = canvas.text(area, before, Ink::Plain);
    canvas.text(right_of(area, written), after, Ink::Plain);
    let column = area.x + written.min(area.width.saturating_sub(1));
    page.is_searching.then_some((column, area.y))
}
