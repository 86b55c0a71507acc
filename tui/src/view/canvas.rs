//! What views draw with: a buffer, the theme's inks and signs, and the places that can be clicked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::theme::{Ink, Theme};
use crate::input::{Hits, KeyMap, Target};
use crate::text::{Align, clean, cut, fit, width};

/// What views draw with.
#[derive(Debug)]
pub(super) struct Canvas<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) theme: &'a Theme,
    pub(super) hits: &'a mut Hits,
    /// Which keys to name.
    pub(super) keys: &'a KeyMap,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) ink: Ink,
}

impl Piece {
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

/// How many cells some pieces take.
pub(super) fn pieces_width(pieces: &[Piece]) -> u16 {
    pieces.iter().map(Piece::width).fold(0, u16::saturating_add)
}

/// A count of cells as the terminal has them.
pub(super) fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

impl Canvas<'_> {
    /// Writes text into a row, cut where it does not fit; how many cells it took.
    pub(super) fn text(&mut self, area: Rect, text: &str, ink: Ink) -> u16 {
        self.styled(area, text, self.theme.style(ink))
    }

    /// Writes text and what follows it into a row; where they do not fit, the beginning of the text, what follows, and
    /// the key that shows all of it.
    pub(super) fn message(&mut self, area: Rect, text: &str, tail: &str, ink: Ink) {
        let text = clean(text);
        let fits = width(&text) + width(tail) <= usize::from(area.width);
        let key = self.keys.key("messages").filter(|_| !fits);
        let Some(key) = key else {
            self.text(area, &format!("{text}{tail}"), ink);
            return;
        };
        let hint = [
            Piece::new(format!(" {key}"), Ink::Accent),
            Piece::muted(": all "),
        ];
        let used = self.pieces_right(area, &hint);
        self.hit(right_of(area, area.width - used), Target::Hint("messages"));
        let room = Rect {
            width: area.width - used,
            ..area
        };
        let text_room = usize::from(room.width).saturating_sub(width(tail));
        let text = cut(&text, text_room, self.theme.signs.ellipsis);
        self.text(room, &format!("{text}{tail}"), ink);
    }

    fn styled(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        let area = area.intersection(self.buffer.area);
        if area.is_empty() {
            return 0;
        }
        let text = clean(text);
        let text = cut(&text, usize::from(area.width), self.theme.signs.ellipsis);
        let (end, _) =
            self.buffer
                .set_stringn(area.x, area.y, &text, usize::from(area.width), style);
        end.saturating_sub(area.x)
    }

    /// Writes text into the whole width of a row.
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

    /// Writes pieces one after the other; how many cells they took.
    pub(super) fn pieces(&mut self, area: Rect, pieces: &[Piece]) -> u16 {
        let mut used = 0;
        for piece in pieces {
            used += self.text(right_of(area, used), &piece.text, piece.ink);
        }
        used
    }

    /// Writes pieces at the right end of a row; how many cells they took.
    pub(super) fn pieces_right(&mut self, area: Rect, pieces: &[Piece]) -> u16 {
        let wanted = pieces_width(pieces).min(area.width);
        self.pieces(right_of(area, area.width - wanted), pieces)
    }

    /// Gives an area another look, whatever is written in it.
    pub(super) fn patch(&mut self, area: Rect, ink: Ink) {
        let area = area.intersection(self.buffer.area);
        self.buffer.set_style(area, self.theme.style(ink));
    }

    /// Marks the row that the cursor is on: by its look, and by a sign in its first cell.
    pub(super) fn cursor(&mut self, row: Rect) {
        self.patch(row, Ink::Selected);
        let first = Rect {
            width: 1.min(row.width),
            ..row
        };
        self.text(first, self.theme.signs.pointer, Ink::Accent);
        self.patch(first, Ink::Selected);
    }

    /// Blanks an area.
    pub(super) fn blank(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for position in area.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
            }
        }
    }

    /// Makes a place that can be clicked.
    pub(super) fn hit(&mut self, area: Rect, target: Target) {
        self.hits.add(area, target);
    }

    /// A horizontal rule with a heading in it.
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

    /// A gauge of a part, in one row.
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

/// What is left of a row to the right of so many cells.
pub(super) fn right_of(area: Rect, used: u16) -> Rect {
    let used = used.min(area.width);
    Rect {
        x: area.x + used,
        width: area.width - used,
        ..area
    }
}

/// A row of an area, counted from above; empty if the area is not so high.
pub(super) fn row_of(area: Rect, at: u16) -> Rect {
    let inside = at < area.height;
    Rect {
        y: area.y + if inside { at } else { 0 },
        height: u16::from(inside),
        ..area
    }
}

/// What is left of an area below so many rows.
pub(super) fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    }
}

/// The first rows of an area.
pub(super) fn first_rows(area: Rect, rows: u16) -> Rect {
    Rect {
        height: area.height.min(rows),
        ..area
    }
}
