//! Draws the reason why a view is empty, with the keys that help.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Segment, cells, row_of};
use super::theme::Ink;
use crate::text::{clean, width, wrap};

/// The reason why a view is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Empty {
    /// The reason, of any length.
    pub(super) why: String,
    /// Whether the reason is a failure.
    pub(super) bad: bool,
    /// The keys that help: the id of a binding, and its words.
    pub(super) press: Vec<(&'static str, &'static str)>,
}

impl Empty {
    /// A reason that is not a failure.
    pub(super) fn calm(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            bad: false,
            press: Vec::new(),
        }
    }

    /// Adds a key that helps.
    pub(super) fn press(mut self, id: &'static str, words: &'static str) -> Self {
        self.press.push((id, words));
        self
    }
}

/// The longest line of a reason, in cells. Longer lines are hard to read.
const LONGEST: u16 = 76;

/// Writes the reason and the keys into the middle of an area. The list of messages has the rest of a reason that does
/// not fit.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, empty: &Empty) {
    let space = usize::from(area.width.saturating_sub(2).min(LONGEST)).max(1);
    let ink = if empty.bad { Ink::Bad } else { Ink::Muted };
    let text: Vec<_> = empty.why.lines().map(clean).collect();
    let text = wrap(&text.join("\n"), space);
    let key = |(id, words): &(&'static str, &'static str)| {
        let key = canvas.keys.key(id)?;
        Some([
            Segment::new(key.to_string(), Ink::Accent),
            Segment::muted(format!(": {words}")),
        ])
    };
    let mut press: Vec<Vec<Segment>> = Vec::new();
    for hint in empty.press.iter().filter_map(key) {
        let wide = |segments: &[Segment]| usize::from(super::canvas::segments_width(segments));
        match press.last_mut() {
            Some(line) if wide(line) + 3 + wide(&hint) <= space => {
                line.push(Segment::plain("   "));
                line.extend(hint);
            }
            _ => press.push(hint.into()),
        }
    }
    let height = usize::from(area.height);
    let gap = usize::from(!press.is_empty() && text.len() + press.len() < height);
    let visible = text.len().min(height.saturating_sub(press.len()).max(1));
    let wide = text.iter().take(visible).map(|line| width(line));
    let wide = cells(wide.max().unwrap_or(0)).min(area.width);
    let left = area.width.saturating_sub(wide) / 2;
    let lines = visible + gap + press.len();
    let top = cells(height.saturating_sub(lines) / 2);
    let place = |at: u16, wide: u16, left: u16| Rect {
        x: area.x + left.min(area.width),
        width: wide.min(area.width.saturating_sub(left)),
        ..row_of(area, at)
    };
    for (at, line) in (top..area.height).zip(text.iter().take(visible)) {
        canvas.text(place(at, area.width, left), line, ink);
    }
    let below = top.saturating_add(cells(visible + gap));
    for (at, line) in (below..area.height).zip(&press) {
        let wide = super::canvas::segments_width(line);
        let left = area.width.saturating_sub(wide) / 2;
        canvas.segments(place(at, area.width, left), line);
    }
}
