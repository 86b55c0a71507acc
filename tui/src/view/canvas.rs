//! The canvas of the views: a buffer, the theme, and the areas that respond to clicks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::theme::{Ink, Theme};
use crate::input::{Hits, KeyMap, Target};
use crate::text::{Align, clean, cut, fit, width, wrap};

/// The cells that the beginning of a message keeps before its end is left out.
const SHORTEST_TEXT: usize = 16;

/// The canvas of the views.
#[derive(Debug)]
pub(super) struct Canvas<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) theme: &'a Theme,
    pub(super) hits: &'a mut Hits,
    /// The keys that hints name.
    pub(super) keys: &'a KeyMap,
}

/// A part of a line with one ink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) text: String,
    pub(super) ink: Ink,
}

impl Segment {
    pub(super) fn new(text: impl Into<String>, ink: Ink) -> Self {
        Self {
            text: text.into(),
            ink,
        }
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Ink::Plain)
    }

    pub(super) fn muted(text: impl Into<String>) -> Self {
        Self::new(text, Ink::Muted)
    }

    pub(super) fn width(&self) -> u16 {
        cells(width(&self.text))
    }
}

/// A line of text.
pub(super) type Line = Vec<Segment>;

/// Breaks a text into lines of `width` cells, each behind a number of blanks and before one.
pub(super) fn paragraph(
    text: &str,
    width: u16,
    indent: u16,
    ink: Ink,
) -> impl Iterator<Item = Line> {
    let space = width.saturating_sub(indent + 1).max(1);
    let blanks = " ".repeat(indent.into());
    let lines = wrap(text, space.into()).into_iter();
    lines.map(move |line| vec![Segment::new(format!("{blanks}{line}"), ink)])
}

/// Returns the width of segments in cells.
pub(super) fn segments_width(segments: &[Segment]) -> u16 {
    segments
        .iter()
        .map(Segment::width)
        .fold(0, u16::saturating_add)
}

/// Converts a number of cells to the terminal's type.
pub(super) fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

impl Canvas<'_> {
    /// Writes text into a row, cut if it does not fit. Returns its width.
    pub(super) fn text(&mut self, area: Rect, text: &str, ink: Ink) -> u16 {
        let area = area.intersection(self.buffer.area);
        if area.is_empty() {
            return 0;
        }
        let space = usize::from(area.width);
        let text = clean(text);
        let text = cut(&text, space, self.theme.signs.ellipsis);
        let style = self.theme.style(ink);
        let (end, _) = self.buffer.set_stringn(area.x, area.y, &text, space, style);
        end.saturating_sub(area.x)
    }

    /// Writes `text` and `tail` into a row. If they do not fit, writes the beginning of the text, the tail if it leaves
    /// space for [`SHORTEST_TEXT`], and the key that opens the list of messages.
    pub(super) fn message(&mut self, area: Rect, text: &str, tail: &str, ink: Ink) {
        let text = clean(text);
        let fits = width(&text) + width(tail) <= usize::from(area.width);
        let key = self.keys.key("messages").filter(|_| !fits);
        let Some(key) = key else {
            self.text(area, &format!("{text}{tail}"), ink);
            return;
        };
        let hint = [
            Segment::new(format!(" {key}"), Ink::Accent),
            Segment::muted(": all "),
        ];
        let used = self.segments_right(area, &hint);
        self.hit(right_of(area, area.width - used), Target::Hint("messages"));
        let space = left_of(area, area.width - used);
        let text_space = usize::from(space.width).saturating_sub(width(tail));
        let (tail, text_space) = match text_space {
            0..SHORTEST_TEXT => ("", space.width.into()),
            _ => (tail, text_space),
        };
        let text = cut(&text, text_space, self.theme.signs.ellipsis);
        self.text(space, &format!("{text}{tail}"), ink);
    }

    /// Writes text into a row and fills the rest of the row.
    pub(super) fn fitted(&mut self, area: Rect, text: &str, align: Align, ink: Ink) {
        let text = clean(text);
        let text = fit(
            &text,
            usize::from(area.width),
            align,
            self.theme.signs.ellipsis,
        );
        self.text(area, &text, ink);
    }

    /// Writes segments one after the other. Returns their width.
    pub(super) fn segments(&mut self, area: Rect, segments: &[Segment]) -> u16 {
        let mut used = 0;
        for segment in segments {
            used += self.text(right_of(area, used), &segment.text, segment.ink);
        }
        used
    }

    /// Writes lines below each other, as many as fit.
    pub(super) fn lines(&mut self, area: Rect, lines: &[Line]) {
        for (at, line) in (0..area.height).zip(lines) {
            self.segments(row_of(area, at), line);
        }
    }

    /// Writes segments at the right end of a row. Returns their width.
    pub(super) fn segments_right(&mut self, area: Rect, segments: &[Segment]) -> u16 {
        let needed = segments_width(segments).min(area.width);
        self.segments(right_of(area, area.width - needed), segments)
    }

    /// Changes the style of an area, not its text.
    pub(super) fn patch(&mut self, area: Rect, ink: Ink) {
        let area = area.intersection(self.buffer.area);
        self.buffer.set_style(area, self.theme.style(ink));
    }

    /// Marks the row under the cursor, by its style and by a sign in its first cell.
    pub(super) fn cursor(&mut self, row: Rect) {
        self.patch(row, Ink::Selected);
        let first = left_of(row, 1);
        self.text(first, self.theme.signs.pointer, Ink::Accent);
        self.patch(first, Ink::Selected);
    }

    /// Writes segments at the right end of a row that already has text. They do not take its colours.
    pub(super) fn segments_over(&mut self, area: Rect, segments: &[Segment]) {
        let width = segments_width(segments).min(area.width);
        self.clear(right_of(area, area.width - width));
        self.segments_right(area, segments);
    }

    /// Removes text and style.
    pub(super) fn clear(&mut self, area: Rect) {
        for position in area.intersection(self.buffer.area).positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
            }
        }
    }

    /// Fills an area with a sign of one cell.
    pub(super) fn fill(&mut self, area: Rect, sign: &str, ink: Ink) {
        let style = self.theme.style(ink);
        for position in area.intersection(self.buffer.area).positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.set_symbol(sign).set_style(style);
            }
        }
    }

    /// Makes an area respond to clicks.
    pub(super) fn hit(&mut self, area: Rect, target: Target) {
        self.hits.add(area, target);
    }

    /// Draws a horizontal rule with a heading in it.
    pub(super) fn rule(&mut self, area: Rect, heading: &str) {
        let rule = self.theme.signs.rule;
        let heading = if heading.is_empty() {
            String::new()
        } else {
            format!("{rule} {heading} ")
        };
        let used = self.text(area, &heading, Ink::Heading);
        let rest = rule.repeat(usize::from(area.width.saturating_sub(used)));
        self.text(right_of(area, used), &rest, Ink::Faint);
    }

    /// Draws a gauge in one row; `part` is the filled part, from 0 to 1.
    pub(super) fn gauge(&mut self, area: Rect, part: f64, ink: Ink) {
        let [full, empty] = self.theme.signs.gauge;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the part is between 0 and 1, and a float is clamped when it is cast"
        )]
        let filled = (part.clamp(0.0, 1.0) * f64::from(area.width)).round() as u16;
        self.text(area, &full.repeat(usize::from(filled)), ink);
        let rest = right_of(area, filled);
        self.text(rest, &empty.repeat(usize::from(rest.width)), Ink::Faint);
    }
}

/// Returns the first cells of a row.
pub(super) fn left_of(area: Rect, width: u16) -> Rect {
    Rect {
        width: area.width.min(width),
        ..area
    }
}

/// Returns the rest of a row after `used` cells.
pub(super) fn right_of(area: Rect, used: u16) -> Rect {
    let used = used.min(area.width);
    Rect {
        x: area.x + used,
        width: area.width - used,
        ..area
    }
}

/// Returns the row `at` of an area, counted from the top. It is empty if the area has fewer rows.
pub(super) fn row_of(area: Rect, at: u16) -> Rect {
    let inside = at < area.height;
    Rect {
        y: area.y + if inside { at } else { 0 },
        height: u16::from(inside),
        ..area
    }
}

/// Returns the rest of an area below its first rows.
pub(super) fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    }
}

/// Returns the first rows of an area.
pub(super) fn first_rows(area: Rect, rows: u16) -> Rect {
    Rect {
        height: area.height.min(rows),
        ..area
    }
}

/// Returns an area in the middle of another, at most of this size.
pub(super) fn centered(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}
