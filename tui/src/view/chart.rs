//! Draws series over time, with lines for request and limit.
//!
//! A series is an area if the scale begins at zero, else a line ([`super::scale`]). No line crosses a gap. If a column has
//! several steps, the line is their median, and a fainter band reaches from the least to the largest, so that no peak is
//! lost. The grid, lines and labels use only cells without data.

mod axes;
mod marks;
mod raster;
mod series;

use std::ops::RangeInclusive;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::scale::{Measure, Scale};
use super::theme::{Depth, Ink, Theme};
pub use marks::{Mark, MarkKind};
use raster::{Layer, Raster};

/// A horizontal line in a chart: a request or a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// The level, in the unit of the chart's measure.
    pub value: u64,
    /// The label: `limit 512Mi`.
    pub label: &'a str,
    /// The ink.
    pub ink: Ink,
}

/// A time inside a chart: a vertical line, with the time below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor<'a> {
    /// The step that contains the time.
    pub step: usize,
    /// The time as text.
    pub label: &'a str,
}

/// Another series in a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series<'a> {
    /// One value for each step of the chart.
    pub points: &'a [Option<u64>],
    /// The ink.
    pub ink: Ink,
}

/// A chart, for an area of any size.
#[derive(Debug, Clone)]
pub struct Chart<'a> {
    /// What the values measure.
    pub measure: Measure,
    /// The ink of the series.
    pub ink: Ink,
    /// One value for each step, oldest first. `None` is a gap.
    pub points: &'a [Option<u64>],
    /// A second series, laid over the first.
    pub over: Option<Series<'a>>,
    /// The parts of the series, which are drawn on top of each other, the first one lowest. Empty for an undivided
    /// series.
    pub parts: &'a [Series<'a>],
    /// The largest sample in this time. Steps are means and may be lower. The scale includes it.
    pub peak: Option<u64>,
    /// Request and limit.
    pub lines: &'a [Line<'a>],
    /// What happened.
    pub marks: &'a [Mark],
    /// The step at which the samples of the source's memory begin, if those before it come from an engine.
    pub seam: Option<usize>,
    /// The displayed time, if it is not the end of the chart.
    pub cursor: Option<Cursor<'a>>,
    /// The labels below the left and the right edge.
    pub edge_labels: [&'a str; 2],
}

/// Where a chart is drawn.
#[derive(Debug, Clone, Copy)]
struct Layout {
    /// The whole area.
    area: Rect,
    /// The area of the data.
    plot: Rect,
    scale: Scale,
}

/// The cells that a chart needs beside its numbers. A narrower chart has no numbers.
const LEAST_PLOT: u16 = 12;

/// Without colours every fourth pair of columns of a second series is left out, so that it differs from the first.
const DASH: usize = 4;

impl<'a> Chart<'a> {
    /// Creates a chart of a series, with nothing else.
    #[must_use]
    pub const fn new(measure: Measure, ink: Ink, points: &'a [Option<u64>]) -> Self {
        Self {
            measure,
            ink,
            points,
            over: None,
            parts: &[],
            peak: None,
            lines: &[],
            marks: &[],
            seam: None,
            cursor: None,
            edge_labels: ["", ""],
        }
    }
}

impl Chart<'_> {
    /// Returns the scale and the areas of a chart that is drawn into `area`. `None` without space.
    fn layout(&self, area: Rect) -> Option<Layout> {
        let below = u16::from(area.height >= 3);
        let rows = area.height - below;
        let over = self.over.iter().flat_map(|over| over.points);
        let data = self.points.iter().chain(over).copied().flatten();
        let data = data.chain(self.peak);
        let lines: Vec<u64> = self.lines.iter().map(|line| line.value).collect();
        let fit = |may_break| Scale::fit(self.measure, data.clone(), &lines, may_break);
        let has_numbers = |scale: Scale| area.width >= scale.width(rows).saturating_add(LEAST_PLOT);
        let mut scale = fit(self.parts.is_empty());
        // Without numbers nobody could see that the chart does not begin at zero.
        if scale.is_broken() && !has_numbers(scale) {
            scale = fit(false);
        }
        let gutter = if has_numbers(scale) {
            scale.width(rows) + 1
        } else {
            0
        };
        let plot = Rect {
            x: area.x + gutter,
            width: area.width - gutter,
            height: rows,
            ..area
        };
        (!plot.is_empty()).then_some(Layout { area, plot, scale })
    }

    /// Returns the area of the data: right of the numbers, above the times.
    pub(super) fn plot(&self, area: Rect) -> Option<Rect> {
        self.layout(area).map(|layout| layout.plot)
    }

    /// Draws the chart. Returns whether every line has its label.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) -> bool {
        let area = area.intersection(buffer.area);
        let Some(layout) = self.layout(area) else {
            return self.lines.is_empty();
        };
        let Layout { plot, scale, .. } = layout;
        self.axes(layout, buffer, theme);
        if self.points.iter().all(Option::is_none) {
            self.nothing(plot, buffer, theme);
        }
        let mut raster = Raster::new(plot, theme);
        if self.parts.is_empty() {
            self.series(&mut raster, scale);
        } else {
            self.stack(&mut raster, scale, theme);
            if theme.signs.braille {
                let (points, ink) = (self.points, Ink::Plain);
                line(&mut raster, scale, &Series { points, ink }, |_| true);
            }
        }
        if let Some(over) = &self.over {
            // Without colours a second series is dashed.
            let is_drawn = |at: usize| theme.depth != Depth::None || at / 2 % DASH != DASH - 1;
            line(&mut raster, scale, over, is_drawn);
        }
        raster.draw(buffer, theme);
        self.levels(layout, buffer, theme);
        self.seam(plot, buffer, theme);
        self.grid(layout, buffer, theme);
        let labelled = self.labels(layout, buffer, theme);
        self.cursors(plot, buffer, theme);
        labelled
    }

    /// Draws the series: an area if the scale begins at zero and nothing is laid over it, else a line.
    fn series(&self, raster: &mut Raster, scale: Scale) {
        let is_area = !scale.is_broken() && self.over.is_none();
        let ink = self.ink;
        let mut before = None;
        for (at, column) in series::columns(self.points, raster.columns())
            .into_iter()
            .enumerate()
        {
            let Some(column) = column else {
                before = None;
                continue;
            };
            let [low, value, high] =
                [column.low, column.value, column.high].map(|value| dot(scale, value, raster));
            let band = if is_area {
                value + 1..=high
            } else {
                low..=high
            };
            // Every second dot is enough to tell the band from the line, without colours too.
            for row in band.filter(|row| (row + at) % 2 == 0 && *row != value) {
                raster.set(at, row, Layer::Band, ink);
            }
            if is_area {
                raster.fill(at, 0..=value, Layer::Area, ink);
                raster.set(at, value, Layer::Crest, ink);
            } else {
                raster.fill(at, joined(before, value), Layer::Line, ink);
            }
            before = Some(value);
        }
    }

    /// Draws the parts on top of each other.
    fn stack(&self, raster: &mut Raster, scale: Scale, theme: &Theme) {
        let columns = raster.columns();
        let mut sums = vec![0_u64; columns];
        for (layer, part) in (0_u8..).zip(self.parts) {
            let folded = series::columns(part.points, columns);
            for ((at, column), sum) in folded.into_iter().enumerate().zip(&mut sums) {
                let Some(column) = column.filter(|column| column.value > 0) else {
                    continue;
                };
                let from = scale.height(*sum, raster.rows());
                *sum = sum.saturating_add(column.value);
                let to = scale.height(*sum, raster.rows());
                for row in (from..to).filter(|row| has_dot(layer, at, *row, theme)) {
                    raster.set(at, row, Layer::Part(layer), part.ink);
                }
            }
        }
    }
}

/// Returns the row of dots of a value, counted from 0 at the bottom. A value of zero has a dot, which distinguishes it
/// from a gap.
fn dot(scale: Scale, value: u64, raster: &Raster) -> usize {
    scale.height(value, raster.rows()).max(1) - 1
}

/// Returns the rows of dots of a column of a line, so that it is joined to the column before.
fn joined(before: Option<usize>, value: usize) -> RangeInclusive<usize> {
    match before {
        Some(before) if before < value => before + 1..=value,
        Some(before) if before > value => value..=before - 1,
        _ => value..=value,
    }
}

/// Draws a second series as a line, in the columns that `is_drawn` returns.
fn line(raster: &mut Raster, scale: Scale, series: &Series<'_>, is_drawn: impl Fn(usize) -> bool) {
    let mut before = None;
    let columns = series::columns(series.points, raster.columns());
    for (at, column) in columns.into_iter().enumerate() {
        let value = column.map(|column| dot(scale, column.value, raster));
        if let Some(value) = value.filter(|_| is_drawn(at)) {
            raster.fill(at, joined(before, value), Layer::Over, series.ink);
        }
        before = value;
    }
}

/// Whether a part of a stack has this dot: without colours, parts differ by their patterns.
const fn has_dot(part: u8, column: usize, row: usize, theme: &Theme) -> bool {
    if !matches!(theme.depth, Depth::None) || !theme.signs.braille {
        return true;
    }
    match part % 4 {
        0 => true,
        1 => (column + row).is_multiple_of(2),
        2 => column.is_multiple_of(2),
        _ => column.is_multiple_of(2) && row.is_multiple_of(2),
    }
}

/// Returns a cell of a part of a stack, for its legend.
pub fn part_sample(part: u8, theme: &Theme) -> String {
    let mut raster = Raster::new(Rect::new(0, 0, 1, 1), theme);
    for (column, row) in
        (0..raster.columns()).flat_map(|column| (0..4).map(move |row| (column, row)))
    {
        if has_dot(part, column, row, theme) {
            raster.set(column, row, Layer::Part(part), Ink::Plain);
        }
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
    raster.draw(&mut buffer, theme);
    buffer
        .content
        .first()
        .map_or_else(String::new, |cell| cell.symbol().to_owned())
}

#[cfg(test)]
mod tests;
