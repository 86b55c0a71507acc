//! Draws the page of a pod: its charts, and below them containers, probes, incidents, conditions and events.

mod charts;
mod conditions_events;
mod containers;
mod incidents;
mod own_metrics;
mod probes;
mod resize;
mod text;

use ratatui::layout::Rect;

use super::canvas::{
    Canvas, Line, Segment, below, cells, first_rows, paragraph, row_of, segments_width,
};
use super::theme::Ink;
use crate::input::Target;
use crate::model::row::PodRow;
use crate::model::{Detail, Key, Row as _, State, format};
pub(super) use incidents::{is_of as is_incident_of, lines_of as incident_lines};
use text::{heading, last_restart};

/// Draws the page. Returns its scroll offset.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) -> u16 {
    let Some(key) = state.screen().pod() else {
        return 0;
    };
    let row = state.world().pods.get(key).cloned();
    let detail = state.screen().detail.as_deref();
    canvas.rule(row_of(area, 0), &format!("{}/{}", key.namespace, key.name));
    let body = below(area, 1);
    let Some(pod) = row else {
        let text = match (&state.frozen, detail) {
            (Some(_), _) => "This pod did not exist at this time",
            (None, Some(_)) => "This pod no longer exists: go back in time to see it",
            (None, None) => {
                "This pod does not exist now: if it existed earlier, go back in time to see it"
            }
        };
        canvas.text(row_of(body, 0), &format!(" {text}"), Ink::Muted);
        let text = incidents::lines(state, key, body.width);
        canvas.lines(below(body, 2), &text);
        return 0;
    };
    let chart_rows = match body.height {
        0..12 => 0,
        12..20 => 6,
        20..34 => 8,
        _ => 12,
    };
    let head = head(state, &pod, body.width);
    let head_rows = u16::try_from(head.len()).unwrap_or(0).min(body.height);
    canvas.lines(body, &head);
    let body = below(body, head_rows);
    let selected = state.screen().container.as_ref().and_then(|name| {
        let mut containers = pod.containers.iter().enumerate();
        containers.find(|(_, container)| container.name == *name)
    });
    let container = selected.map(|(_, container)| container);
    charts::draw(canvas, first_rows(body, chart_rows), state, &pod, container);
    let body = below(body, chart_rows);
    let has_charts = chart_rows > 0 && body.width >= LEAST_WIDTH;
    let Page {
        lines: text,
        containers,
        charts,
    } = page(state, key, &pod, detail, (body.width, has_charts));
    let most = cells(text.len()).saturating_sub(body.height);
    let mut scroll = state.screen().scroll;
    let line_of = |at: usize| containers.get(at).map(|line| cells(*line));
    let selected = selected.and_then(|(at, _)| line_of(at));
    if let Some(line) = selected.filter(|_| state.screen().follows) {
        // The heading stays visible above the first container.
        let first = line_of(0) == Some(line);
        let below = (line + 1).saturating_sub(body.height);
        scroll = scroll.clamp(below, line.saturating_sub(u16::from(first)).max(below));
    }
    let scroll = scroll.min(most);
    canvas.lines(body, text.get(scroll.into()..).unwrap_or_default());
    own_metrics::draw_charts(canvas, body, state, key, (&charts, scroll));
    let on_screen = |line: u16| {
        let row = line.checked_sub(scroll).filter(|row| *row < body.height)?;
        Some(row_of(body, row))
    };
    for (at, line) in containers.iter().enumerate() {
        if let Some(row) = on_screen(cells(*line)) {
            canvas.hit(row, Target::Container(at));
        }
    }
    if let Some(row) = selected.and_then(on_screen) {
        canvas.patch(row, Ink::Selected);
        canvas.text(row, canvas.theme.signs.pointer, Ink::Accent);
    }
    scroll
}

/// Returns the status, node and owner of the pod.
fn head(state: &State, pod: &PodRow, width: u16) -> Vec<Line> {
    let now = state.status_time();
    let dim = |text: &str| Segment::muted(text);
    let mut line = vec![
        Segment::plain(" "),
        Segment::new(&*pod.status, pod.tone().into()),
        dim("  ready "),
        Segment::plain(format!("{}/{}", pod.ready_containers, pod.total_containers)),
        dim("  restarts "),
        Segment::plain(pod.restarts.count.to_string()),
        dim(&restarts_since(state, pod)),
        dim("  age "),
        Segment::plain(
            pod.created()
                .map_or(format::UNKNOWN.to_owned(), |made| format::age(made, now)),
        ),
    ];
    let mut second = vec![Segment::plain(" ")];
    for (word, text) in [
        ("node ", pod.node.to_string()),
        (
            "owner ",
            pod.workload
                .as_ref()
                .map(|workload| format!("{} {}", workload.kind, workload.name))
                .unwrap_or_default(),
        ),
        (
            "gpu ",
            pod.gpus
                .as_deref()
                .and_then(|gpus| gpus.all.text())
                .unwrap_or_default(),
        ),
    ] {
        if !text.is_empty() {
            second.push(dim(word));
            second.push(Segment::plain(format!("{text}  ")));
        }
    }
    let mut lines = Vec::new();
    if let Some(last) = pod.restarts.last.as_deref() {
        let last = [
            dim("  last "),
            Segment::new(last_restart(last, now), Ink::Warn),
        ];
        // The reason of the last restart gets a row of its own before it is cut.
        if segments_width(&line) + segments_width(&last) <= width {
            line.extend(last);
        } else {
            lines.push(std::mem::take(&mut line));
            let [_, why] = last;
            line = vec![dim(" last "), why];
        }
    }
    lines.push(line);
    lines.push(second);
    if let Some(resize) = pod.resize.as_deref() {
        lines.extend(resize::lines(resize, pod, width));
    }
    if now != state.shown_time() {
        let text = format!(
            " usage at {}; status, restarts, probes and events at {}",
            state.clock(state.shown_time()),
            state.clock(now)
        );
        lines.push(vec![Segment::new(text, Ink::Warn)]);
    }
    lines.extend(message(pod, width).into_iter().take(MESSAGE_LINES));
    lines
}

/// The lines of a message above the charts. The full message is at the end of the page.
const MESSAGE_LINES: usize = 2;

/// Returns the message of the pod's status, or the reason why it has no usage.
fn message(pod: &PodRow, width: u16) -> Vec<Line> {
    let absent = pod.absent.as_deref().map(|why| {
        let mut letters = why.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        let why: String = first.into_iter().chain(letters).collect();
        format!("usage: {why}")
    });
    let Some(message) = pod.message.as_deref().or(absent.as_deref()) else {
        return Vec::new();
    };
    paragraph(message, width, 1, Ink::Warn).collect()
}

/// A narrower terminal has no charts of the pod's own metrics.
const LEAST_WIDTH: u16 = 60;

/// Everything below the charts of usage.
pub(super) struct Page {
    pub(super) lines: Vec<Line>,
    /// The lines of the containers.
    containers: Vec<usize>,
    /// The charts of the pod's own metrics.
    charts: Vec<own_metrics::Place>,
}

/// Returns everything below the charts of usage.
pub(super) fn page(
    state: &State,
    key: &Key,
    pod: &PodRow,
    detail: Option<&Detail>,
    (width, has_charts): (u16, bool),
) -> Page {
    let mut lines = Vec::new();
    let containers = containers::lines(&mut lines, pod, state, width);
    let charts = own_metrics::lines(&mut lines, state, width, has_charts);
    if let Some(detail) = detail {
        probes::lines(&mut lines, &detail.pod.probes, state, width);
    }
    lines.extend(incidents::lines(state, key, width));
    if let Some(detail) = detail {
        conditions_events::conditions(&mut lines, detail, state, width);
        conditions_events::events(&mut lines, detail, state, width);
    } else if let Some(why) = &state.screen().no_detail {
        let text = format!("probes, conditions and events: {}", why.text);
        lines.extend(paragraph(&text, width, 1, Ink::Warn));
    } else {
        lines.push(vec![Segment::muted(
            " Loading probes, conditions and events",
        )]);
    }
    let message = message(pod, width);
    if message.len() > MESSAGE_LINES {
        lines.push(heading("MESSAGE"));
        lines.extend(message);
    }
    Page {
        lines,
        containers,
        charts,
    }
}

/// For a displayed time in the past, returns the current number of restarts.
fn restarts_since(state: &State, pod: &PodRow) -> String {
    let live = state
        .frozen
        .as_ref()
        .and_then(|_| state.live.pods.get(&pod.key()));
    match live.map(|live| live.restarts.count) {
        Some(now) if now != pod.restarts.count => format!(" ({now} now)"),
        _ => String::new(),
    }
}
