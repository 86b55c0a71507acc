//! Which areas of the screen respond to a click.

use kubevitals_proto::time::Timestamp;
use ratatui::layout::{Position, Rect};

use crate::model::{Field, Pane, View};

/// What a click on an area refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Rows of a pane. The number is the offset of the area's first row from the pane's first displayed row.
    Rows(Pane, u16),
    /// The map.
    Map,
    /// The heading of a pane.
    Pane(Pane),
    /// The heading of a column.
    Heading(Field),
    /// The name of a view.
    View(View),
    /// A container on the page of a pod, by its index.
    Container(usize),
    /// A chart over time.
    Time(Span),
    /// Entries of an open list, one in each row, from this index.
    Choices(usize),
    /// A hint in the footer: triggers the binding with this id.
    Hint(&'static str),
    /// The rest of an overlay.
    Window,
}

/// The time range of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The time at the left edge.
    pub since: Timestamp,
    /// The time at the right edge.
    pub until: Timestamp,
    /// Whether the right edge is now.
    pub live: bool,
}

/// The clickable areas of the last drawn screen. A later area covers earlier ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    areas: Vec<(Rect, Target)>,
}

impl Hits {
    /// Adds an area.
    pub fn add(&mut self, area: Rect, target: Target) {
        self.areas.push((area, target));
    }

    /// Removes all areas: an overlay covers the screen.
    pub fn clear(&mut self) {
        self.areas.clear();
    }

    /// Whether a target shows what the mouse points at: the map, or a chart.
    #[must_use]
    pub fn can_be_pointed_at(&self) -> bool {
        let mut areas = self.areas.iter();
        areas.any(|(_, target)| matches!(target, Target::Map | Target::Time(_)))
    }

    /// Returns the area of a target.
    pub(super) fn area(&self, target: Target) -> Option<Rect> {
        let found = self.areas.iter().find(|(_, other)| *other == target);
        found.map(|(area, _)| *area)
    }

    /// Returns the target at a column and row, and its area.
    pub fn at(&self, column: u16, row: u16) -> Option<(Rect, Target)> {
        let position = Position::new(column, row);
        let mut areas = self.areas.iter().rev();
        areas.find(|(area, _)| area.contains(position)).copied()
    }
}

impl Span {
    /// Returns the time at a column of a chart with this area. A column outside counts as the edge. `None` means now.
    pub(super) fn at(self, area: Rect, column: u16) -> Option<Timestamp> {
        let steps = i64::from(area.width.saturating_sub(1)).max(1);
        let at = i64::from(column.saturating_sub(area.x)).min(steps);
        let is_now = self.live && at == steps;
        let nanos = self.until.since(self.since) / steps * at;
        (!is_now).then(|| self.since.plus_nanos(nanos))
    }
}
