//! Where on the screen something can be clicked.

use kubevitals_proto::time::Timestamp;
use ratatui::layout::{Position, Rect};

use crate::model::{Field, Pane, View};

/// What a place on the screen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Rows of a pane, from the one that is shown so far below the first one.
    Rows(Pane, u16),
    /// The heading of a pane.
    Pane(Pane),
    /// The heading of a column.
    Heading(Field),
    /// The name of a view.
    View(View),
    /// A container of the pod whose page is shown, by its place.
    Container(usize),
    /// A chart over time.
    Time(Span),
    /// Choices of a list that lies over the view, from this one on, one in each row.
    Choices(usize),
    /// A hint of the last row: does what the binding of this id does.
    Hint(&'static str),
    /// What else lies over the view.
    Window,
}

/// What a chart over time is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The time at its left.
    pub since: Timestamp,
    /// The time at its right.
    pub until: Timestamp,
    /// Whether its right end is now, and goes on.
    pub live: bool,
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
}

impl Span {
    /// The time that a column of a chart in this area is of; what is beside it is its end. None if that is now.
    pub(super) fn at(self, area: Rect, column: u16) -> Option<Timestamp> {
        let steps = i64::from(area.width.saturating_sub(1)).max(1);
        let at = i64::from(column.saturating_sub(area.x)).min(steps);
        let is_now = self.live && at == steps;
        let nanos = self.until.since(self.since) / steps * at;
        (!is_now).then(|| self.since.plus_nanos(nanos))
    }
}
