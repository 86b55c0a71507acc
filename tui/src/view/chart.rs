//! Draws a series over time as an area, with lines for request and limit.
//!
//! No line crosses a gap. If there are more steps than columns, a column shows the largest of its steps, so that no
//! peak is lost. Lines and labels use only cells without data.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::scale::Scale;
use super::sparkline::height;
use super::theme::{Ink, Theme};
use crate::model::Resource;
use crate::text::{cut, width};

/// A horizontal line in a chart: a request or a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// The level, in nanocores or bytes.
    pub value: u64,
    /// The label: `limit 512Mi`.
    pub label: &'a str,
    /// The ink.
    pub ink: Ink,
}

/// The displayed time inside a chart: a vertical line, with the time below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor<'a> {
    /// The step that contains the time.
    pub step: usize,
    /// The time as text.
    pub label: &'a str,
}

/// A chart of one series, for an area of any size.
#[derive(Debug, Clone)]
pub struct Chart<'a> {
    /// The resource of the series.
    pub resource: Resource,
    /// One value for each step, oldest first. `None` is a gap.
    pub points: &'a [Option<u64>],
    /// The largest sample in this time. Steps are means and may be lower. The scale includes it.
    pub peak: Option<u64>,
    /// Request and limit. The scale includes them.
    pub lines: &'a [Line<'a>],
    /// The steps with a restart.
    pub marks: &'a [usize],
    /// The step at which the samples of the source's memory begin, if those before it come from an engine.
    pub seam: Option<usize>,
    /// The displayed time, if it is not the end of the chart.
    pub cursor: Option<Cursor<'a>>,
    /// The labels below the left and the right edge.
    pub edge_labels: [&'a str; 2],
}

/// An empty cell.
const BLANK: &str = " ";

impl Chart<'_> {
    /// Returns the scale, which includes the data and the lines.
    pub fn scale(&self) -> Scale {
        let lines = self.lines.iter().map(|line| line.value);
        let data = self.points.iter().copied().flatten().chain(self.peak);
        Scale::of(self.resource, lines.chain(data).max().unwrap_or(0))
    }

    fn top(&self) -> u64 {
        self.scale().top()
    }

    /// Returns the area of the data: right of the numbers, above the times.
    pub(super) fn plot(&self, area: Rect) -> Option<Rect> {
        let below = u16::from(area.height >= 3);
        let gutter = self.scale().width(area.height - below);
        // A narrow chart has no numbers.
        let gutter = if area.width >= gutter.saturating_add(12) {
            gutter + 1
        } else {
            0
        };
        let plot = Rect {
            x: area.x + gutter,
            width: area.width - gutter,
            height: area.height - below,
            ..area
        };
        (!plot.is_empty()).then_some(plot)
    }

    /// Draws the chart. Returns whether every line has its label.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) -> bool {
        let area = area.intersection(buffer.area);
        let Some(plot) = self.plot(area) else {
            return self.lines.is_empty();
        };
        self.axes(area, plot, buffer, theme);
        if self.points.iter().all(Option::is_none) {
            self.nothing(plot, buffer, theme);
        }
        if theme.signs.braille {
            self.braille(plot, buffer, theme);
        } else {
            self.blocks(plot, buffer, theme);
        }
        self.levels(plot, buffer, theme);
        self.seam(plot, buffer, theme);
        let labelled = self.labels(plot, buffer, theme);
        self.cursors(plot, buffer, theme);
        labelled
    }

    /// Writes that there are no data, which is not the same as zero.
    fn nothing(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        let space = usize::from(plot.width);
        let text = cut("no data", space, theme.signs.ellipsis);
        let before = (space - width(&text)) / 2;
        let x = plot.x.saturating_add(u16::try_from(before).unwrap_or(0));
        let y = plot.y + plot.height / 2;
        buffer.set_stringn(x, y, &text, space, theme.style(Ink::Muted));
    }

    fn axes(&self, area: Rect, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        let style = theme.style(Ink::Muted);
        let has_data = !self.lines.is_empty() || self.points.iter().any(Option::is_some);
        if plot.x > area.x && has_data {
            let space = usize::from(plot.x - area.x - 1);
            for tick in self.scale().ticks(plot.height) {
                let row = plot.bottom().saturating_sub(tick.row);
                buffer.set_string(area.x, row, format!("{:>space$}", tick.label), style);
            }
        }
        if plot.bottom() < area.bottom() {
            self.times(plot, buffer, theme);
        }
    }

    /// Writes the times below: those of both edges, and the displayed time near its line. If there is not enough space,
    /// only the displayed time.
    fn times(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        let [left, right] = self.edge_labels;
        let mut write = |from: u16, text: &str, ink: Ink| {
            let space = usize::from(plot.right().saturating_sub(from));
            buffer.set_stringn(from, plot.bottom(), text, space, theme.style(ink));
        };
        let end = |text: &str| plot.right().saturating_sub(wide(text)).max(plot.x);
        let beside = |text: &str| wide(text) + u16::from(!text.is_empty());
        let Some(cursor) = &self.cursor else {
            write(plot.x, left, Ink::Muted);
            if beside(left) + wide(right) <= plot.width {
                write(end(right), right, Ink::Muted);
            }
            return;
        };
        let label = wide(cursor.label);
        let middle = self.column(plot, cursor.step).saturating_sub(label / 2);
        let (first, last) = (
            plot.x + beside(left),
            plot.right().saturating_sub(beside(right)),
        );
        if first + label <= last {
            write(plot.x, left, Ink::Muted);
            write(end(right), right, Ink::Muted);
            write(middle.clamp(first, last - label), cursor.label, Ink::Accent);
        } else {
            write(
                middle.clamp(plot.x, end(cursor.label)),
                cursor.label,
                Ink::Accent,
            );
        }
    }

    /// Spreads the points over `columns`. A column takes the largest of its points; a point may take several columns.
    fn spread(&self, columns: usize) -> Vec<Option<u64>> {
        let count = self.points.len();
        if count > columns {
            let at = |column: usize| column * count / columns;
            let largest = |column: usize| {
                let steps = self
                    .points
                    .get(at(column)..at(column + 1))
                    .unwrap_or_default();
                steps.iter().copied().flatten().max()
            };
            return (0..columns).map(largest).collect();
        }
        (0..columns)
            .map(|column| {
                self.points
                    .get(column * count / columns.max(1))
                    .copied()
                    .flatten()
            })
            .collect()
    }

    /// Draws the area in braille dots: two columns and four rows for each cell.
    fn braille(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        // The dots of the left and the right column of a cell, lowest first.
        const DOTS: [[u32; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];
        let (top, ink) = (self.top(), self.resource.into());
        let rows = usize::from(plot.height) * 4;
        let heights: Vec<usize> = self
            .spread(usize::from(plot.width) * 2)
            .iter()
            // A value of zero has one dot, which distinguishes it from a gap.
            .map(|value| value.map_or(0, |value| height(value, top, rows).max(1)))
            .collect();
        for (x, pair) in (plot.x..).zip(heights.chunks(2)) {
            for row in 0..plot.height {
                let floor = usize::from(row) * 4;
                let mut dots = 0;
                for (height, column) in pair.iter().zip(DOTS) {
                    for dot in column.iter().take(height.saturating_sub(floor)) {
                        dots |= dot;
                    }
                }
                if let (1.., Some(sign)) = (dots, char::from_u32(0x2800 + dots))
                    && let Some(cell) = buffer.cell_mut((x, plot.bottom() - 1 - row))
                {
                    cell.set_char(sign).set_style(theme.style(ink));
                }
            }
        }
    }

    /// Draws the area in ASCII: full cells, and a lower sign for a top cell that is less than half full.
    fn blocks(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        let (top, ink) = (self.top(), self.resource.into());
        let rows = usize::from(plot.height) * 2;
        for (x, value) in (plot.x..).zip(self.spread(usize::from(plot.width))) {
            let Some(value) = value else { continue };
            let height = height(value, top, rows).max(1);
            for row in 0..plot.height {
                let sign = match height.saturating_sub(usize::from(row) * 2) {
                    0 => continue,
                    1 => ".",
                    _ => "#",
                };
                if let Some(cell) = buffer.cell_mut((x, plot.bottom() - 1 - row)) {
                    cell.set_symbol(sign).set_style(theme.style(ink));
                }
            }
        }
    }

    /// Returns each line with its row.
    fn rows(&self, plot: Rect) -> impl Iterator<Item = (&Line<'_>, u16)> {
        let top = self.top();
        self.lines.iter().map(move |line| {
            let up = height(line.value, top, usize::from(plot.height)).max(1);
            let up = u16::try_from(up).unwrap_or(plot.height);
            (line, plot.bottom() - up)
        })
    }

    /// Draws requests and limits as dashed lines in cells without data.
    fn levels(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        for (line, row) in self.rows(plot) {
            for x in plot.left()..plot.right() {
                if let Some(cell) = buffer
                    .cell_mut((x, row))
                    .filter(|cell| cell.symbol() == BLANK)
                {
                    cell.set_symbol(theme.signs.line)
                        .set_style(theme.style(line.ink));
                }
            }
        }
    }

    /// Draws the seam as a vertical line in cells without data.
    fn seam(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        let Some(column) = self.seam.map(|step| self.column(plot, step)) else {
            return;
        };
        for row in plot.top()..plot.bottom() {
            let cell = buffer.cell_mut((column, row));
            if let Some(cell) = cell.filter(|cell| cell.symbol() == BLANK) {
                cell.set_symbol(theme.signs.seam)
                    .set_style(theme.style(Ink::Muted));
            }
        }
    }

    /// Writes the labels of the lines, as far right as possible without covering data, a restart or another label.
    /// Returns whether every line has its label.
    fn labels(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) -> bool {
        let mut all = true;
        for (line, row) in self.rows(plot) {
            let label = cut(line.label, plot.width.into(), theme.signs.ellipsis);
            let wide = wide(&label);
            let marks = self.marks.iter().map(|step| self.column(plot, *step));
            let marks = marks.filter(|_| row == plot.y);
            let cursor = self.cursor.map(|cursor| self.column(plot, cursor.step));
            let hidden: Vec<u16> = marks.chain(cursor).collect();
            let is_free = |x: u16| {
                let cell = buffer.cell((x, row));
                let dashes = |symbol: &str| symbol == BLANK || symbol == theme.signs.line;
                cell.is_some_and(|cell| dashes(cell.symbol())) && !hidden.contains(&x)
            };
            // At least one free cell stays on each side of a label.
            let fits = |from: &u16| {
                let beside =
                    from.saturating_sub(1).max(plot.x)..(from + wide + 1).min(plot.right());
                beside.into_iter().all(is_free)
            };
            let last = plot.right().saturating_sub(wide.saturating_add(1));
            match (plot.x..=last.max(plot.x)).rev().find(fits) {
                Some(from) if label.len() == line.label.len() => {
                    buffer.set_string(from, row, &label, theme.style(line.ink));
                }
                _ => all = false,
            }
        }
        all
    }

    /// Returns the middle column of a step.
    fn column(&self, plot: Rect, step: usize) -> u16 {
        let count = self.points.len().max(1);
        let at = (step.min(count - 1) * 2 + 1) * usize::from(plot.width) / (count * 2);
        plot.x.saturating_add(u16::try_from(at).unwrap_or(0))
    }

    /// Draws restarts at the top edge, and the displayed time as a vertical line. A cell with data is only reversed.
    fn cursors(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        if let Some(column) = self.cursor.map(|cursor| self.column(plot, cursor.step)) {
            let style = theme.style(Ink::Accent);
            for row in plot.top()..plot.bottom() {
                if let Some(cell) = buffer.cell_mut((column, row)) {
                    if [BLANK, theme.signs.line].contains(&cell.symbol()) {
                        cell.set_symbol(theme.signs.cursor).set_style(style);
                    } else {
                        cell.set_style(style.add_modifier(Modifier::REVERSED));
                    }
                }
            }
        }
        for step in self.marks {
            if let Some(cell) = buffer.cell_mut((self.column(plot, *step), plot.y)) {
                cell.set_symbol(theme.signs.restart)
                    .set_style(theme.style(Ink::Bad));
            }
        }
    }
}

fn wide(text: &str) -> u16 {
    u16::try_from(width(text)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
