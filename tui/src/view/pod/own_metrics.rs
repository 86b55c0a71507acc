//! Lists the metrics that a pod exposes itself, with their charts; or says why there are none.

use kubevitals_proto::vitals::{OwnMetric, OwnMetrics, OwnScrape, Span};
use kubevitals_proto::words::decimal;
use ratatui::layout::Rect;

use super::text::heading_at;
use crate::model::{Key, State, Subject, Time, format};
use crate::view::canvas::{Canvas, Line, Segment, cells, paragraph};
use crate::view::chart::Chart;
use crate::view::scale::{Measure, NUMBER};
use crate::view::theme::Ink;
use crate::view::trends;

/// The rows of a chart.
pub(super) const CHART_ROWS: u16 = 5;

/// The most series of a metric that are listed.
const SERIES: usize = 4;

/// The reason of a server that reads no metrics of pods.
const DISABLED: &str = "Disabled";

/// A chart on the page: the line at which it begins, and the index of its metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    metric: usize,
}

/// Adds the section. Returns the places of the charts, for which it adds blank lines.
pub(super) fn lines(
    lines: &mut Vec<Line>,
    state: &State,
    width: u16,
    has_charts: bool,
) -> Vec<Place> {
    let found = match &state.screen().own_metrics {
        None => return Vec::new(),
        Some(Err(why)) => {
            let text = format!("exposed metrics: {}", why.text);
            lines.extend(paragraph(&text, width, 1, Ink::Warn));
            return Vec::new();
        }
        Some(Ok(found)) => found,
    };
    // Without the feature there is no section.
    if found
        .absent
        .as_ref()
        .is_some_and(|it| it.reason == DISABLED)
    {
        return Vec::new();
    }
    lines.push(heading_at("EXPOSED METRICS", state));
    // The last scrape and the series are those of now.
    let is_live = matches!(state.time, Time::Live);
    if let Some(scrape) = found.scrape.as_ref().filter(|_| is_live) {
        lines.extend(scrape_lines(scrape, state, width));
    }
    if let Some(absent) = &found.absent {
        lines.extend(paragraph(&absent.message, width, 3, Ink::Muted));
    }
    let mut places = Vec::new();
    for (at, metric) in found.metrics.iter().enumerate() {
        lines.push(head(metric, found, state));
        if !metric.absent.is_empty() {
            lines.extend(paragraph(&metric.absent, width, 5, Ink::Warn));
        }
        if is_live {
            lines.extend(series(metric));
        }
        if has_charts && is_current(found.span.as_ref(), state) && !metric.points.is_empty() {
            places.push(Place {
                line: lines.len(),
                metric: at,
            });
            lines.extend((0..CHART_ROWS).map(|_| Line::new()));
        }
    }
    if found.omitted > 0 {
        let text = format!("   and {}", format::count(found.omitted, "more metric"));
        lines.push(vec![Segment::muted(text)]);
    }
    places
}

/// What selects the pod, and the last scrape, or its error.
fn scrape_lines(scrape: &OwnScrape, state: &State, width: u16) -> Vec<Line> {
    let OwnScrape {
        by,
        url,
        timestamp,
        samples,
        error,
        ..
    } = scrape;
    let when = timestamp.map(|at| format!("{} ago", format::age(at, state.now)));
    let when = when.map_or("not yet scraped".to_owned(), |when| {
        format!(
            "scraped {when}, {} stored",
            format::count(*samples, "sample")
        )
    });
    let text = format!("{when}, by {by}: {url}");
    let mut lines: Vec<Line> = paragraph(&text, width, 3, Ink::Muted).collect();
    if !error.is_empty() {
        let text = format!("the last scrape failed: {error}");
        lines.extend(paragraph(&text, width, 3, Ink::Bad));
    }
    lines
}

/// The name and the value at the displayed time.
fn head(metric: &OwnMetric, found: &OwnMetrics, state: &State) -> Line {
    let value = match state.time {
        Time::Live => metric.value,
        _ if is_current(found.span.as_ref(), state) => {
            let at = trends::step_of(state, state.shown_time(), metric.points.len());
            let point = at.and_then(|at| metric.points.get(at).copied());
            point.flatten()
        }
        _ => None,
    };
    let text = value.map_or(format::UNKNOWN.to_owned(), decimal);
    let mut line = vec![
        Segment::plain(format!("   {}  ", metric.name)),
        Segment::new(text, Ink::Accent),
    ];
    if let Some(window) = metric.window {
        line.push(Segment::muted(format!("  over {window}")));
    }
    line
}

/// The series, if there are several.
fn series(metric: &OwnMetric) -> Vec<Line> {
    let labels = |labels: &kubevitals_proto::labels::Labels| {
        let labels = labels.iter().map(|(key, value)| format!("{key}={value}"));
        labels.collect::<Vec<_>>().join(",")
    };
    let shown = metric.series.iter().take(SERIES);
    let mut lines: Vec<Line> = shown
        .map(|it| {
            let text = format!("     {}  {}", decimal(it.value), labels(&it.labels));
            vec![Segment::muted(text)]
        })
        .collect();
    let more = metric.series.len().saturating_sub(SERIES);
    if more > 0 {
        lines.push(vec![Segment::muted(format!("     and {more} more series"))]);
    }
    lines
}

/// Whether the points are of the displayed span. After a change of the span, the next response has them.
fn is_current(span: Option<&Span>, state: &State) -> bool {
    let (since, until) = state.shown_span();
    span.is_some_and(|span| {
        let allowed = (span.step.0).max(30_000_000_000);
        let near = |at: i64| at.saturating_abs() <= allowed;
        near(span.since.since(since)) && near(span.until.since(until))
    })
}

/// Draws the charts that are on the screen as a whole.
pub(super) fn draw_charts(
    canvas: &mut Canvas<'_>,
    body: Rect,
    state: &State,
    key: &Key,
    (places, scroll): (&[Place], u16),
) {
    let Some(Ok(found)) = &state.screen().own_metrics else {
        return;
    };
    for place in places {
        let row = cells(place.line).checked_sub(scroll);
        let row = row.filter(|row| row.saturating_add(CHART_ROWS) <= body.height);
        let (Some(row), Some(metric)) = (row, found.metrics.get(place.metric)) else {
            continue;
        };
        let indent = body.width.min(5);
        let area = Rect {
            x: body.x + indent,
            y: body.y + row,
            width: body.width - indent,
            height: CHART_ROWS,
        };
        let points: Vec<Option<u64>> = metric.points.iter().map(|it| it.map(scaled)).collect();
        let chart = Chart::new(Measure::Number, Ink::Accent, &points);
        trends::draw_chart(canvas, area, state, chart, &Subject::Pod(key.clone()));
    }
}

/// The value in the unit of the scale. A value below zero is drawn as zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "saturates"
)]
fn scaled(value: f64) -> u64 {
    (value * NUMBER as f64) as u64
}
