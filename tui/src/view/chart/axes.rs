//! Draws what surrounds the data of a chart: numbers, times, the grid, lines with their labels, and marks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::marks::legend;
use super::{Chart, Layout, Line, Mark};
use crate::text::{cut, width};
use crate::view::theme::{Ink, Theme};

/// An empty cell.
const BLANK: &str = " ";

/// The number of columns between two vertical lines of the grid.
const GRID_PARTS: u16 = 4;

impl Chart<'_> {
    /// Writes that there are no data, which is not the same as zero.
    pub(super) fn nothing(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        let space = usize::from(plot.width);
        let text = cut("no data", space, theme.signs.ellipsis);
        let before = (space - width(&text)) / 2;
        let x = plot.x.saturating_add(u16::try_from(before).unwrap_or(0));
        let y = plot.y + plot.height / 2;
        buffer.set_stringn(x, y, &text, space, theme.style(Ink::Muted));
    }

    /// Writes the numbers on the left, with a sign beside the first one if it is not zero, and the times below.
    pub(super) fn axes(&self, layout: Layout, buffer: &mut Buffer, theme: &Theme) {
        let Layout { area, plot, scale } = layout;
        let style = theme.style(Ink::Muted);
        let has_data = !self.lines.is_empty() || self.points.iter().any(Option::is_some);
        if plot.x > area.x && has_data {
            let space = usize::from(plot.x - area.x - 1);
            for tick in scale.ticks(plot.height) {
                let row = plot.bottom().saturating_sub(tick.row);
                buffer.set_string(area.x, row, format!("{:>space$}", tick.label), style);
            }
            if scale.is_broken() {
                let (x, y) = (plot.x - 1, plot.bottom() - 1);
                buffer.set_string(x, y, theme.signs.broken, theme.style(Ink::Accent));
            }
        }
        if plot.bottom() < area.bottom() {
            self.times(plot, buffer, theme);
        }
    }

    /// Writes the times below: those of both edges, and the displayed time near its line, or else what the marks mean.
    /// If there is not enough space, only the displayed time.
    fn times(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        let [left, right] = self.edge_labels;
        let mut write = |from: u16, text: &str, ink: Ink| {
            let space = usize::from(plot.right().saturating_sub(from));
            buffer.set_stringn(from, plot.bottom(), text, space, theme.style(ink));
        };
        let end = |text: &str| plot.right().saturating_sub(wide(text)).max(plot.x);
        let beside = |text: &str| wide(text) + u16::from(!text.is_empty());
        let (first, last) = (
            plot.x + beside(left),
            plot.right().saturating_sub(beside(right)),
        );
        let Some(cursor) = &self.cursor else {
            write(plot.x, left, Ink::Muted);
            if beside(left) + wide(right) <= plot.width {
                write(end(right), right, Ink::Muted);
            }
            let legend = legend(self.marks, &theme.signs);
            let needed: u16 = legend.iter().map(|(text, _)| wide(text)).sum();
            if !legend.is_empty() && first + 1 + needed < last {
                let mut from = first + (last - first - needed) / 2;
                for (text, ink) in &legend {
                    write(from, text, *ink);
                    from += wide(text);
                }
            }
            return;
        };
        let label = wide(cursor.label);
        let middle = self.column(plot, cursor.step).saturating_sub(label / 2);
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

    /// Returns each line within the scale with its row.
    fn rows(&self, layout: Layout) -> impl Iterator<Item = (&Line<'_>, u16)> {
        let Layout { plot, scale, .. } = layout;
        let lines = self.lines.iter();
        let lines = lines.filter(move |line| scale.contains(line.value));
        lines.map(move |line| {
            let up = scale.height(line.value, plot.height.into()).max(1);
            let up = u16::try_from(up).unwrap_or(plot.height);
            (line, plot.bottom() - up)
        })
    }

    /// Draws requests and limits as dashed lines in cells without data.
    pub(super) fn levels(&self, layout: Layout, buffer: &mut Buffer, theme: &Theme) {
        let plot = layout.plot;
        for (line, row) in self.rows(layout) {
            for x in plot.left()..plot.right() {
                write_empty(buffer, (x, row), theme.signs.line, theme, line.ink);
            }
        }
    }

    /// Draws the grid into empty cells: points in the rows of the numbers, and where a quarter of the time ends.
    pub(super) fn grid(&self, layout: Layout, buffer: &mut Buffer, theme: &Theme) {
        let Layout { plot, scale, .. } = layout;
        let ticks = scale.ticks(plot.height);
        let quarters: Vec<u16> = (1..GRID_PARTS)
            // Where the rows of the grid have a point, too.
            .map(|part| plot.x + plot.width / GRID_PARTS * part / 2 * 2)
            .collect();
        // The lowest row has the data of small values.
        for tick in ticks.iter().skip(1) {
            let row = plot.bottom().saturating_sub(tick.row);
            let between = if theme.signs.braille { 2 } else { plot.width };
            let points = (plot.left()..plot.right()).step_by(between.max(1).into());
            let points = points.filter(|_| theme.signs.braille);
            for x in points.chain(quarters.iter().copied()) {
                write_empty(buffer, (x, row), theme.signs.grid, theme, Ink::Faint);
            }
        }
    }

    /// Draws the seam as a vertical line in cells without data.
    pub(super) fn seam(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        let Some(column) = self.seam.map(|step| self.column(plot, step)) else {
            return;
        };
        for row in plot.top()..plot.bottom() {
            write_empty(buffer, (column, row), theme.signs.seam, theme, Ink::Muted);
        }
    }

    /// Writes the labels of the lines, as far right as possible without covering data, a mark or another label. Returns
    /// whether every line has its label.
    pub(super) fn labels(&self, layout: Layout, buffer: &mut Buffer, theme: &Theme) -> bool {
        let plot = layout.plot;
        let mut labelled = 0;
        let rows: Vec<_> = self.rows(layout).collect();
        for (line, row) in rows {
            let label = cut(line.label, plot.width.into(), theme.signs.ellipsis);
            let wide = wide(&label);
            let marks = self.marks.iter().map(|mark| self.column(plot, mark.step));
            let marks = marks.filter(|_| row == plot.y);
            let cursor = self.cursor.map(|cursor| self.column(plot, cursor.step));
            let hidden: Vec<u16> = marks.chain(cursor).collect();
            let is_free = |x: u16| {
                let cell = buffer.cell((x, row));
                let free = [BLANK, theme.signs.line, theme.signs.grid];
                cell.is_some_and(|cell| free.contains(&cell.symbol())) && !hidden.contains(&x)
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
                    labelled += 1;
                }
                _ => {}
            }
        }
        labelled == self.lines.len()
    }

    /// Returns the middle column of a step.
    fn column(&self, plot: Rect, step: usize) -> u16 {
        let count = self.points.len().max(1);
        let at = (step.min(count - 1) * 2 + 1) * usize::from(plot.width) / (count * 2);
        plot.x.saturating_add(u16::try_from(at).unwrap_or(0))
    }

    /// Draws marks at the top edge, and the displayed time as a vertical line. A cell with data is only reversed.
    pub(super) fn cursors(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        if let Some(column) = self.cursor.map(|cursor| self.column(plot, cursor.step)) {
            let style = theme.style(Ink::Accent);
            for row in plot.top()..plot.bottom() {
                if let Some(cell) = buffer.cell_mut((column, row)) {
                    if [BLANK, theme.signs.line, theme.signs.grid].contains(&cell.symbol()) {
                        cell.set_symbol(theme.signs.cursor).set_style(style);
                    } else {
                        cell.set_style(style.add_modifier(Modifier::REVERSED));
                    }
                }
            }
        }
        for Mark { step, kind } in self.marks {
            if let Some(cell) = buffer.cell_mut((self.column(plot, *step), plot.y)) {
                cell.set_symbol(kind.sign(&theme.signs))
                    .set_style(theme.style(kind.ink()));
            }
        }
    }
}

/// Writes a sign into a cell if it is empty.
fn write_empty(buffer: &mut Buffer, at: (u16, u16), sign: &str, theme: &Theme, ink: Ink) {
    let cell = buffer.cell_mut(at);
    if let Some(cell) = cell.filter(|cell| cell.symbol() == BLANK) {
        cell.set_symbol(sign).set_style(theme.style(ink));
    }
}

fn wide(text: &str) -> u16 {
    u16::try_from(width(text)).unwrap_or(u16::MAX)
}
