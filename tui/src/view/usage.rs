//! Draws the usage of an object over time: a chart of CPU and one of memory, or both in one chart.

use ratatui::layout::Rect;

use kubevitals_proto::time::Timestamp;

use super::amounts::{amount, name};
use super::canvas::{Canvas, Line, Segment, below, cells, left_of, row_of, segments_width};
use super::chart::{self, Chart, Mark, MarkKind, Series, part_sample};
use super::scale::{Measure, PERCENT};
use super::theme::Ink;
use super::trends::{self, Steps};
use crate::model::{Key, LaidOver, Resource, State, Subject, format};
use crate::text::{self, cut};

/// What charts show of an object.
#[derive(Debug)]
pub(super) struct Usage {
    /// The object.
    pub(super) subject: Subject,
    /// The key under which the dashboard stores the history of the object.
    pub(super) own_key: Key,
    /// CPU and memory.
    pub(super) charts: [UsageChart; 2],
    /// What happened, and when.
    pub(super) marks: Vec<(Timestamp, MarkKind)>,
}

/// The chart of one resource.
#[derive(Debug)]
pub(super) struct UsageChart {
    /// The resource.
    pub(super) resource: Resource,
    /// The usage.
    pub(super) steps: Steps,
    /// The largest sample.
    pub(super) peak: Option<u64>,
    /// The usage that is written in the heading: now, or where the mouse points.
    pub(super) used: Option<u64>,
    /// What CPU and memory are a part of, and its word.
    pub(super) whole: Option<(u64, &'static str)>,
    /// The heading.
    pub(super) heading: Vec<Segment>,
    /// The rest of the heading, as far as there is space.
    pub(super) more: Vec<Segment>,
    /// Request, limit and the like.
    pub(super) lines: Vec<Level>,
    /// The parts of the usage, which are drawn on top of each other.
    pub(super) parts: Vec<Part>,
}

/// A level in a chart.
#[derive(Debug)]
pub(super) struct Level {
    /// The level.
    pub(super) value: u64,
    /// The label.
    pub(super) label: String,
    /// The ink.
    pub(super) ink: Ink,
    /// Whether the heading has the label, if the chart has no space for it.
    pub(super) is_in_heading: bool,
}

/// A part of the usage.
#[derive(Debug)]
pub(super) struct Part {
    /// The name.
    pub(super) name: String,
    /// The usage.
    pub(super) steps: Steps,
}

/// The inks of parts. The last one is that of all further parts.
const PART_INKS: [Ink; 6] = [
    Ink::Cpu,
    Ink::Memory,
    Ink::Request,
    Ink::Accent,
    Ink::Good,
    Ink::Muted,
];

/// The rows of a chart with its heading up to which there is no space for a legend, so that parts are not drawn.
const LEGEND_ROWS: u16 = 5;

/// The largest number of parts, of which the legend of a wide chart has place; the others are summed.
const MAX_PARTS: usize = PART_INKS.len() - 1;

/// The same for a narrower chart.
const MAX_PARTS_NARROW: usize = 3;

/// The width of a wide chart.
const WIDE: u16 = 80;

/// The cells of a part in the legend from which it has its value.
const WITH_VALUE: u16 = 18;

/// The parts with the largest usage, and the sum of the others, for a chart of this width. `parts` are in any order, each
/// with its present usage.
pub(super) fn largest(mut parts: Vec<(Option<u64>, Part)>, width: u16) -> Vec<Part> {
    let most = if width < WIDE {
        MAX_PARTS_NARROW
    } else {
        MAX_PARTS
    };
    parts.sort_by(|(a, first), (b, second)| b.cmp(a).then_with(|| first.name.cmp(&second.name)));
    // One part more needs no sum.
    let kept = if parts.len() > most + 1 {
        most
    } else {
        parts.len()
    };
    let others = parts.split_off(kept);
    let mut all: Vec<Part> = parts.into_iter().map(|(_, part)| part).collect();
    if !others.is_empty() {
        let name = format!("{} others", others.len());
        let mut steps: Steps = Vec::new();
        for (_, part) in others {
            steps.resize(steps.len().max(part.steps.len()), None);
            for (sum, step) in steps.iter_mut().zip(part.steps) {
                *sum = match (*sum, step) {
                    (Some(sum), Some(step)) => Some(sum.saturating_add(step)),
                    (sum, step) => sum.or(step),
                };
            }
        }
        all.push(Part { name, steps });
    }
    all
}

/// Draws the charts of an object: beside each other, or one with both resources.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, usage: &Usage) {
    if state.laid_over == LaidOver::Shares {
        shares(canvas, area, state, usage);
        return;
    }
    for (at, chart) in (0..).zip(&usage.charts) {
        let half = area.width / 2;
        let part = Rect {
            x: area.x + half * at,
            width: half.saturating_sub(1),
            ..area
        };
        single(canvas, part, state, usage, chart);
    }
}

fn marks(state: &State, usage: &Usage, steps: usize) -> Vec<Mark> {
    let marks = usage.marks.iter();
    let mut marks: Vec<Mark> = marks
        .filter_map(|(time, kind)| {
            let step = trends::step_of(state, *time, steps)?;
            Some(Mark { step, kind: *kind })
        })
        .collect();
    // Of the marks in one column the restart is drawn.
    marks.sort_by_key(|mark| mark.kind);
    marks
}

/// Draws the chart of one resource below its heading.
fn single(canvas: &mut Canvas<'_>, area: Rect, state: &State, usage: &Usage, chart: &UsageChart) {
    let resource = chart.resource;
    let steps = chart.steps.len();
    let earlier = (state.laid_over == LaidOver::Earlier).then(|| {
        let count = u16::try_from(steps).unwrap_or(u16::MAX).max(area.width);
        trends::earlier(state, &usage.own_key, resource, count)
    });
    let over = earlier.as_ref().map(|points| Series {
        points,
        ink: Ink::Request,
    });
    // Without a legend nobody could tell the parts.
    let has_legend = !chart.parts.is_empty() && area.height > LEGEND_ROWS;
    let parts: Vec<Series<'_>> = (0..)
        .zip(chart.parts.iter().filter(|_| has_legend))
        .map(|(at, part)| Series {
            points: &part.steps,
            ink: part_ink(at),
        })
        .collect();
    let lines: Vec<chart::Line<'_>> = chart
        .lines
        .iter()
        .map(|line| chart::Line {
            value: line.value,
            label: &line.label,
            ink: line.ink,
        })
        .collect();
    let marks = marks(state, usage, steps);
    let drawn = Chart {
        peak: chart.peak,
        lines: &lines,
        marks: &marks,
        over,
        parts: &parts,
        ..Chart::new(resource.into(), resource.into(), &chart.steps)
    };
    let plot = below(area, if has_legend { 2 } else { 1 });
    let labelled = trends::draw_chart(canvas, plot, state, drawn, &usage.subject);
    if has_legend {
        let legend = parts_legend(canvas, state, chart, area.width);
        canvas.segments(row_of(area, 1), &legend);
    }
    let earlier = earlier.map(|earlier| earlier_text(state, chart, &earlier));
    let bounds = chart.lines.iter().filter(|line| line.is_in_heading);
    let bounds: Vec<Segment> = bounds
        .map(|line| Segment::new(format!("  {}", line.label), line.ink))
        .collect();
    // The heading has first what the chart has no label for.
    let [first, second] = if labelled {
        [chart.more.clone(), bounds]
    } else {
        [bounds, chart.more.clone()]
    };
    let more = earlier.into_iter().chain(first).chain(second);
    let heading = fitting(chart.heading.clone(), more, area.width);
    canvas.segments(row_of(area, 0), &heading);
}

/// Adds those segments to a line that fit.
fn fitting(mut line: Line, more: impl IntoIterator<Item = Segment>, space: u16) -> Line {
    for segment in more {
        if segments_width(&line) + segment.width() <= space {
            line.push(segment);
        }
    }
    line
}

fn part_ink(at: usize) -> Ink {
    PART_INKS.get(at).copied().unwrap_or(Ink::Muted)
}

/// Returns the sign and the name of each part, and its usage if there is space. The parts share the width.
fn parts_legend(canvas: &Canvas<'_>, state: &State, chart: &UsageChart, width: u16) -> Line {
    let largest = chart.used.or(chart.peak).unwrap_or(0);
    let each = width / cells(chart.parts.len()).max(1);
    let parts = (0..).zip(&chart.parts);
    parts
        .map(|(at, part)| {
            let sign = part_sample(at, canvas.theme);
            let value = match each {
                WITH_VALUE.. => written(chart.resource, shown_value(state, &part.steps), largest),
                _ => String::new(),
            };
            let space = usize::from(each).saturating_sub(text::width(&value) + 4);
            let name = cut(&part.name, space, canvas.theme.signs.ellipsis);
            let text = format!(" {sign} {} ", format!("{name} {value}").trim_end());
            Segment::new(text, part_ink(usize::from(at)))
        })
        .collect()
}

/// Returns the value of a series where the mouse points, or else at the displayed time.
fn shown_value(state: &State, points: &[Option<u64>]) -> Option<u64> {
    let pointed = trends::value_at(state, points);
    let shown = || {
        let until = trends::step_of(state, state.shown_time(), points.len())?;
        let until = points.get(..=until)?;
        until.iter().rev().copied().flatten().next()
    };
    pointed.unwrap_or_else(shown)
}

fn written(resource: Resource, value: Option<u64>, largest: u64) -> String {
    value.map_or(format::UNKNOWN.to_owned(), |value| {
        amount(resource, value, largest)
    })
}

/// Returns what the series a span earlier is, and its value.
fn earlier_text(state: &State, chart: &UsageChart, earlier: &[Option<u64>]) -> Segment {
    let span = format::duration(state.span_seconds().into());
    let value = match shown_value(state, earlier) {
        None => "not stored".to_owned(),
        value => written(
            chart.resource,
            value,
            chart.used.or(chart.peak).unwrap_or(0),
        ),
    };
    Segment::new(format!("  {span} earlier {value}"), Ink::Request)
}

/// Draws CPU and memory in one chart, each as a part of its limit or capacity.
fn shares(canvas: &mut Canvas<'_>, area: Rect, state: &State, usage: &Usage) {
    let part_of = |value: u64, whole: u64| {
        let part = u128::from(value) * 100 * u128::from(PERCENT) / u128::from(whole.max(1));
        u64::try_from(part).unwrap_or(u64::MAX)
    };
    let mut heading = Vec::new();
    let mut series = Vec::new();
    for chart in &usage.charts {
        let ink = Ink::from(chart.resource);
        let name = name(chart.resource);
        let Some((whole, word)) = chart.whole.filter(|(whole, _)| *whole > 0) else {
            heading.push(Segment::muted(format!(" {name} without limit or request ")));
            continue;
        };
        let steps = chart.steps.iter();
        let points: Steps = steps.map(|step| Some(part_of((*step)?, whole))).collect();
        let used = chart.used.map_or(format::UNKNOWN.to_owned(), |used| {
            let percent = part_of(used, whole) / PERCENT;
            format!("{percent}%")
        });
        heading.push(Segment::new(format!(" {name} "), Ink::Heading));
        heading.push(Segment::new(format!("{used} of {word} "), ink));
        series.push((points, ink));
    }
    canvas.segments(left_of(row_of(area, 0), area.width), &heading);
    let lines = [chart::Line {
        value: 100 * PERCENT,
        label: "100%",
        ink: Ink::Limit,
    }];
    let mut series = series.iter();
    let (points, ink) = series
        .next()
        .map_or((&[][..], Ink::Muted), |(points, ink)| {
            (points.as_slice(), *ink)
        });
    let marks = marks(state, usage, points.len());
    let chart = Chart {
        lines: &lines,
        marks: &marks,
        over: series
            .next()
            .map(|(points, ink)| Series { points, ink: *ink }),
        ..Chart::new(Measure::Share, ink, points)
    };
    trends::draw_chart(canvas, below(area, 1), state, chart, &usage.subject);
}
