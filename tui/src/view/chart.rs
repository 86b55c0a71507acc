//! A series over time as an area, with the lines of request and limit.
//!
//! A gap stays a gap: no line is drawn across it. Where there are more steps than room, the largest of those that
//! share a place is drawn, so that no peak is lost.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

use super::sparkline::height;
use super::text::{cut, width};
use super::theme::{Ink, Theme};

/// A level that a chart shows as a horizontal line: a request, a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// Where.
    pub value: u64,
    /// What it says: `limit 512Mi`.
    pub label: &'a str,
    /// How it looks.
    pub ink: Ink,
}

/// A chart of one series. What it is drawn from is borrowed; it draws itself anywhere, however small.
#[derive(Debug, Clone)]
pub struct Chart<'a> {
    /// One for each step, oldest first; nothing in a gap.
    pub points: &'a [Option<u64>],
    /// The largest value measured in this time, as the text beside the chart says: steps are means, and may be below
    /// it. The scale reaches up to it.
    pub peak: Option<u64>,
    /// Request and limit.
    pub lines: &'a [Line<'a>],
    /// Steps in which the container was restarted.
    pub marks: &'a [usize],
    /// The step that is shown elsewhere on the screen, if that is not the last.
    pub moment: Option<usize>,
    /// Written at the left and the right under the chart.
    pub ends: [&'a str; 2],
    /// How a value is written.
    pub format: fn(u64) -> String,
    /// How the area looks.
    pub ink: Ink,
}

/// A cell that is all area.
const FULL: &str = "⣿";

/// How many times the data a line may be above them before it is left out of the scale, so that data far below their
/// limit can still be read.
const FAR: u64 = 4;

impl Chart<'_> {
    /// The value at the upper edge.
    fn top(&self) -> u64 {
        let data = self.points.iter().copied().flatten().chain(self.peak);
        let data = data.max().unwrap_or(0);
        let near = data.saturating_mul(FAR);
        let lines = self.lines.iter().map(|line| line.value);
        lines
            .filter(|value| data == 0 || *value <= near)
            .chain([data])
            .max()
            .unwrap_or(0)
            .max(1)
    }

    /// Where the area is, between the numbers at the left and the times below.
    pub(super) fn plot(&self, area: Rect) -> Option<Rect> {
        let gutter = u16::try_from(width(&(self.format)(self.top()))).unwrap_or(u16::MAX);
        // Numbers give way before the chart does.
        let gutter = if area.width >= gutter.saturating_add(12) {
            gutter + 1
        } else {
            0
        };
        let below = u16::from(area.height >= 3);
        let plot = Rect {
            x: area.x + gutter,
            width: area.width - gutter,
            height: area.height - below,
            ..area
        };
        (!plot.is_empty()).then_some(plot)
    }

    /// Draws it.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buffer.area);
        let Some(plot) = self.plot(area) else { return };
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
        self.moments(plot, buffer, theme);
        self.labels(plot, buffer, theme);
    }

    /// Says that there is nothing to draw, which is not the same as zero.
    fn nothing(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        let room = usize::from(plot.width);
        let text = cut("nothing was measured", room, theme.signs.ellipsis);
        let before = (room - width(&text)) / 2;
        let x = plot.x.saturating_add(u16::try_from(before).unwrap_or(0));
        let y = plot.y + plot.height / 2;
        buffer.set_stringn(x, y, &text, room, theme.style(Ink::Muted));
    }

    fn axes(&self, area: Rect, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        let style = theme.style(Ink::Muted);
        let known = !self.lines.is_empty() || self.points.iter().any(Option::is_some);
        if plot.x > area.x && known {
            let room = usize::from(plot.x - area.x - 1);
            let mut number = |row: u16, value: u64| {
                let text = (self.format)(value);
                buffer.set_string(area.x, row, format!("{text:>room$}"), style);
            };
            let bottom = plot.bottom() - 1;
            if plot.height > 1 {
                number(bottom, 0);
            }
            if plot.height > 4 {
                number(plot.y + plot.height / 2, self.middle(plot));
            }
            number(plot.y, self.top());
        }
        if plot.bottom() < area.bottom() {
            let [left, right] = self.ends;
            let room = usize::from(plot.width);
            let row = plot.bottom();
            buffer.set_stringn(plot.x, row, left, room, style);
            if let Some(free) = room.checked_sub(width(left) + width(right) + 1) {
                let at = plot
                    .x
                    .saturating_add(u16::try_from(width(left) + free + 1).unwrap_or(0));
                buffer.set_stringn(at, row, right, room, style);
            }
        }
    }

    /// The value at the upper edge of the middle row.
    fn middle(&self, plot: Rect) -> u64 {
        let rows = u64::from(plot.height);
        let above = rows - u64::from(plot.height / 2);
        (u128::from(self.top()) * u128::from(above) / u128::from(rows))
            .try_into()
            .unwrap_or(0)
    }

    /// The points spread over `places`, each the largest of those it stands for; fewer points are drawn wider.
    fn spread(&self, places: usize) -> Vec<Option<u64>> {
        let count = self.points.len();
        if count > places {
            let at = |place: usize| place * count / places;
            let largest = |place: usize| {
                let steps = self
                    .points
                    .get(at(place)..at(place + 1))
                    .unwrap_or_default();
                steps.iter().copied().flatten().max()
            };
            return (0..places).map(largest).collect();
        }
        (0..places)
            .map(|place| {
                self.points
                    .get(place * count / places.max(1))
                    .copied()
                    .flatten()
            })
            .collect()
    }

    /// An area of braille dots, two columns and four rows a cell.
    fn braille(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        // Dots of the left and the right column of a cell, lowest first.
        const DOTS: [[u32; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];
        let top = self.top();
        let rows = usize::from(plot.height) * 4;
        let heights: Vec<usize> = self
            .spread(usize::from(plot.width) * 2)
            .iter()
            // What is there has at least one dot, also at zero, so that it is no gap.
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
                    cell.set_char(sign).set_style(theme.style(self.ink));
                }
            }
        }
    }

    /// An area of ASCII: full cells, and a lower sign where the top one is less than half full.
    fn blocks(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        let top = self.top();
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
                    cell.set_symbol(sign).set_style(theme.style(self.ink));
                }
            }
        }
    }

    /// The row of each line, and whether it is within the scale: one far above the data has a row at the upper edge.
    fn rows(&self, plot: Rect) -> impl Iterator<Item = (&Line<'_>, u16, bool)> {
        let top = self.top();
        let mut above = plot.y;
        self.lines.iter().filter_map(move |line| {
            let within = line.value <= top;
            let row = if within {
                let up = height(line.value, top, usize::from(plot.height)).max(1);
                plot.bottom() - u16::try_from(up).unwrap_or(plot.height)
            } else {
                above += 1;
                above - 1
            };
            (row < plot.bottom()).then_some((line, row, within))
        })
    }

    /// Requests and limits, dashed.
    fn levels(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        for (line, row, within) in self.rows(plot) {
            let width = if within { plot.width } else { 0 };
            for x in plot.x..plot.x + width {
                if let Some(cell) = buffer.cell_mut((x, row)) {
                    let mut style = theme.style(line.ink);
                    // The area goes on behind the line.
                    if let (FULL, Some(area)) = (cell.symbol(), cell.style().fg) {
                        style = style.bg(area);
                    }
                    cell.set_symbol(theme.signs.line).set_style(style);
                }
            }
        }
    }

    /// What the lines are, as far to the right as nothing is hidden by it: no restart, and no area if that can be.
    fn labels(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        // Request and limit may be the same.
        let mut written: Vec<(u16, Range<u16>)> = Vec::new();
        let top = self.top();
        let quarters = usize::from(plot.height) * 4;
        let areas: Vec<usize> = self
            .spread(usize::from(plot.width))
            .iter()
            .map(|value| value.map_or(0, |value| height(value, top, quarters)))
            .collect();
        for (line, row, within) in self.rows(plot) {
            let arrow = if within { "" } else { theme.signs.rising };
            let label = format!("{} {arrow}", line.label);
            let room = usize::from(plot.width).saturating_sub(1);
            let label = cut(label.trim_end(), room, theme.signs.ellipsis);
            let wide = u16::try_from(width(&label)).unwrap_or(u16::MAX);
            let overlaps = |from: u16| {
                let taken = from..from.saturating_add(wide);
                let mut others = written.iter().filter(|(other, _)| *other == row);
                others.any(|(_, other)| other.start <= taken.end && taken.start <= other.end)
            };
            let hides = |from: &u16| {
                let taken = *from..from.saturating_add(wide);
                let marked = self.marks.iter().map(|step| self.column(plot, *step));
                let marked = marked.filter(|_| row == plot.y);
                let moment = self.moment.map(|step| self.column(plot, step));
                marked.chain(moment).any(|column| taken.contains(&column))
            };
            let last = plot
                .right()
                .saturating_sub(wide.saturating_add(1))
                .max(plot.x);
            let free = |from: &u16| !overlaps(*from);
            let places = || (plot.x..=last).rev().filter(free);
            let clear = |from: &u16| {
                let columns = usize::from(from - plot.x)..usize::from(from - plot.x + wide);
                let areas = areas.get(columns).unwrap_or_default();
                let below = usize::from(plot.bottom() - 1 - row);
                areas.iter().all(|height| *height <= below * 4)
            };
            let unhidden = || places().filter(|from| !hides(from));
            let best = unhidden().find(clear).or(unhidden().next());
            let Some(from) = best.or(places().next()) else {
                continue;
            };
            written.push((row, from..from.saturating_add(wide)));
            let style = theme.style(line.ink).bg(Color::Reset);
            buffer.set_stringn(from, row, &label, room, style);
        }
    }

    /// The column of a step: of those that it takes, the middle one.
    fn column(&self, plot: Rect, step: usize) -> u16 {
        let count = self.points.len().max(1);
        let at = (step.min(count - 1) * 2 + 1) * usize::from(plot.width) / (count * 2);
        plot.x.saturating_add(u16::try_from(at).unwrap_or(0))
    }

    /// Restarts at the upper edge, and the moment that is shown from top to bottom.
    fn moments(&self, plot: Rect, buffer: &mut Buffer, theme: &Theme) {
        if let Some(column) = self.moment.map(|step| self.column(plot, step)) {
            for row in plot.top()..plot.bottom() {
                if let Some(cell) = buffer.cell_mut((column, row)) {
                    cell.set_symbol(theme.signs.moment)
                        .set_style(theme.style(Ink::Accent));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::theme::{Depth, Ground};
    use proptest::prelude::*;

    fn drawn(chart: &Chart<'_>, columns: u16, rows: u16, ascii: bool) -> String {
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        chart.render(
            area,
            &mut buffer,
            &Theme::new(Depth::None, Ground::Dark, ascii),
        );
        let rows = buffer.content.chunks(usize::from(columns.max(1)));
        rows.map(|row| {
            let row: String = row.iter().map(|cell| cell.symbol()).collect();
            format!("{}\n", row.trim_end())
        })
        .collect()
    }

    #[test]
    fn the_scale_reaches_up_to_the_peak() {
        let points = [Some(400), Some(507), Some(450)];
        for (peak, top) in [(None, 507), (Some(539), 539), (Some(300), 507)] {
            let chart = Chart {
                peak,
                ..memory(&points)
            };
            assert_eq!(chart.top(), top);
            let shown = drawn(&chart, 40, 6, true);
            assert!(shown.contains(&format!("{top}Mi")), "{shown}");
        }
    }

    fn memory(points: &[Option<u64>]) -> Chart<'_> {
        Chart {
            points,
            peak: None,
            lines: &[],
            marks: &[],
            moment: None,
            ends: ["-1h", "now"],
            format: |value| format!("{value}Mi"),
            ink: Ink::Memory,
        }
    }

    #[test]
    fn a_chart_shows_request_limit_restart_and_gap() {
        let mut points: Vec<Option<u64>> = (0..40).map(|step| Some(20 + step * 6)).collect();
        points[10..14].fill(None);
        points[30..].fill(Some(30));
        let lines = [
            Line {
                value: 256,
                label: "limit 256Mi",
                ink: Ink::Limit,
            },
            Line {
                value: 64,
                label: "request 64Mi",
                ink: Ink::Request,
            },
        ];
        let chart = Chart {
            lines: &lines,
            marks: &[30],
            moment: Some(34),
            ..memory(&points)
        };
        insta::assert_snapshot!(drawn(&chart, 48, 9, false));
        insta::assert_snapshot!(drawn(&chart, 48, 9, true));
        insta::assert_snapshot!(drawn(&chart, 16, 4, false));
    }

    #[test]
    fn a_limit_far_above_is_named_and_does_not_flatten_the_data() {
        let points = [Some(10), Some(12), Some(11)];
        let lines = [Line {
            value: 4_000,
            label: "limit 4Gi",
            ink: Ink::Limit,
        }];
        let chart = Chart {
            lines: &lines,
            ..memory(&points)
        };
        assert_eq!(chart.top(), 12);
        assert!(drawn(&chart, 40, 5, false).contains("limit 4Gi ▲"));
    }

    #[test]
    fn a_request_that_is_the_limit_is_named_beside_it() {
        let points = [Some(10), Some(20)];
        let (request, limit) = ("request 24Mi", "limit 24Mi");
        let lines = [(request, Ink::Request), (limit, Ink::Limit)];
        let lines = lines.map(|(label, ink)| Line {
            value: 24,
            label,
            ink,
        });
        let chart = Chart {
            lines: &lines,
            ..memory(&points)
        };
        let (wide, narrow) = (drawn(&chart, 40, 5, false), drawn(&chart, 24, 5, false));
        assert!(wide.contains(request) && wide.contains(limit), "{wide}");
        // Where there is no room for both, one is whole.
        assert!(
            narrow.contains(request) && !narrow.contains("limit"),
            "{narrow}"
        );
    }

    #[test]
    fn where_nothing_was_measured_that_is_said_and_no_number() {
        let points = [None; 10];
        let shown = drawn(&memory(&points), 40, 5, false);
        assert!(shown.contains("nothing was measured"), "{shown}");
        assert!(!shown.contains("Mi"), "{shown}");
        assert!(!drawn(&memory(&[Some(0)]), 40, 5, false).contains("nothing"));
    }

    proptest! {
        #[test]
        fn it_draws_into_any_room(
            values in prop::collection::vec(prop::option::of(any::<u64>()), 0..200),
            level: u64, mark in 0_usize..300, columns in 0_u16..60, rows in 0_u16..12, ascii: bool,
        ) {
            let lines = [
                Line { value: level, label: "limit 日本", ink: Ink::Limit },
                Line { value: u64::MAX, label: "request", ink: Ink::Request },
            ];
            let chart = Chart { lines: &lines, marks: &[mark], moment: Some(mark), ..memory(&values) };
            drawn(&chart, columns, rows, ascii);
        }
    }
}
