//! Where on the screen something can be clicked.

use ratatui::layout::{Position, Rect};

use crate::model::{Field, View};

/// What a place on the screen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Rows of the table, the first one shown at the top.
    Rows,
    /// The heading of a column.
    Heading(Field),
    /// The name of a view.
    View(View),
    /// The span, from its oldest time at the left to now at the right.
    Time,
    /// Choices of a list that lies over the view, from this one on, one in each row.
    Choices(usize),
    /// What else lies over the view.
    Window,
}

/// The places of a screen, as it was drawn last. What was added later lies over what was there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    places: Vec<(Rect, Target)>,
}

impl Hits {
    /// Adds a place.
    pub fn add(&mut self, area: Rect, target: Target) {
        self.places.push((area, target));
    }

    /// Forgets all places: something lies over the whole screen.
    pub fn clear(&mut self) {
        self.places.clear();
    }

    /// What is at this column and row, and its whole area.
    pub fn at(&self, column: u16, row: u16) -> Option<(Rect, Target)> {
        let position = Position::new(column, row);
        let mut places = self.places.iter().rev();
        places.find(|(area, _)| area.contains(position)).copied()
    }

    /// Where the span is.
    pub(super) fn time(&self) -> Option<Rect> {
        let mut places = self.places.iter().rev();
        places
            .find(|(_, target)| *target == Target::Time)
            .map(|(area, _)| *area)
    }
}

/// How far through an area a column is, in thousandths; its last column is the end.
pub(super) fn permille(area: Rect, column: u16) -> u16 {
    let steps = u32::from(area.width.saturating_sub(1)).max(1);
    let at = u32::from(column.saturating_sub(area.x)).min(steps);
    u16::try_from(at * 1_000 / steps).unwrap_or(1_000)
}
