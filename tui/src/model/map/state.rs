//! What the map shows, and its cursor.

use std::sync::Arc;

use super::by::MapBy;
use super::group::{Group, GroupKind};
use super::groups::{Basis, Groups};
use super::layout::{Layout, Spot, Zoom};
use super::size::MapSize;
use crate::model::name::Key;
use crate::model::row::{PodRow, Row as _};
use crate::model::table::Table;

/// The object that is selected on the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapObject {
    /// A group.
    Group(GroupKind, Key),
    /// A pod.
    Pod(Key),
}

/// What the map shows, and its cursor. It stays as long as the dashboard runs.
#[derive(Debug, Clone, Default)]
pub struct MapState {
    /// By what pods are grouped.
    pub by: MapBy,
    /// The size of pods.
    pub size: MapSize,
    /// The zoom that the user chose; without it, as much is shown as fits.
    pub zoom: Option<Zoom>,
    /// The first line on the screen.
    pub top: u32,
    /// Whether the map scrolls so that the whole box of the cursor is on the screen.
    pub(in crate::model) follows: bool,
    /// The position of the cursor. `None` if the map is empty.
    pub cursor: Option<Spot>,
    /// The object under the mouse.
    pub pointed: Option<MapObject>,
    /// The groups, while the map is on the screen.
    pub groups: Option<Arc<Groups>>,
    /// Which rows of the table of pods match the filter; `None` without a filter.
    pub matching: Option<Vec<bool>>,
    /// The selected object. Without one, the cursor is on the first group.
    pub(in crate::model) selected: Option<MapObject>,
    /// The object that was selected before it disappeared. It is selected again when it returns, unless the user has
    /// moved the cursor.
    pub(in crate::model) away: Option<MapObject>,
    /// The inputs of the groups.
    pub(in crate::model) basis: Option<Basis>,
}

impl MapState {
    /// The layout in an area of this size. `None` while the map is not on the screen.
    #[must_use]
    pub fn layout(&self, width: u16, height: u16) -> Option<Layout<'_>> {
        let groups = self.groups.as_deref()?;
        Some(match self.zoom {
            Some(zoom) => Layout::new(groups, zoom, width, height),
            None => Layout::fitting(groups, width, height),
        })
    }

    /// The position of an object.
    #[must_use]
    pub fn find(&self, object: &MapObject, pods: &Table<PodRow>) -> Option<Spot> {
        let groups = self.groups.as_deref()?;
        match object {
            MapObject::Group(kind, key) => {
                let has = |group: &Group| group.kind == *kind && group.key == *key;
                groups.groups.iter().position(has).map(Spot::of_group)
            }
            MapObject::Pod(key) => {
                let row = pods.index_of(key)?;
                let at = groups.cells.iter().position(|pod| pod.row == row)?;
                Some(Spot::of_pod(groups.group_of(at)?, at))
            }
        }
    }

    /// The object at a position.
    #[must_use]
    pub fn object(&self, spot: Spot, pods: &Table<PodRow>) -> Option<MapObject> {
        let groups = self.groups.as_deref()?;
        match spot.pod {
            Some(pod) => {
                let row = groups.cells.get(pod)?.row;
                Some(MapObject::Pod(pods.row(row)?.key()))
            }
            None => {
                let group = groups.groups.get(spot.group)?;
                Some(MapObject::Group(group.kind, group.key.clone()))
            }
        }
    }

    /// Moves the cursor to a position and selects what is there.
    pub(in crate::model) fn select(&mut self, spot: Spot, pods: &Table<PodRow>) {
        self.away = None;
        self.pointed = None;
        self.cursor = Some(spot);
        self.selected = self.object(spot, pods);
    }

    /// Places the cursor on the selected object. If that is gone, selects what took its place; it is selected again when
    /// it returns.
    pub(in crate::model) fn place_cursor(
        &mut self,
        pods: &Table<PodRow>,
        (width, height): (u16, u16),
    ) {
        if self.selected.is_none() && self.away.is_none() {
            let layout = self.layout(width, height);
            self.cursor = layout.and_then(|layout| layout.nearest(0, 0));
            return;
        }
        let find = |object: &Option<MapObject>| self.find(object.as_ref()?, pods);
        let back = find(&self.away);
        let found = back.or_else(|| find(&self.selected));
        if back.is_some() {
            self.selected = self.away.take();
        }
        if found.is_some() {
            self.cursor = found;
            return;
        }
        self.cursor = self.substitute();
        if let Some(lost) = self.selected.take() {
            self.away.get_or_insert(lost);
            self.selected = self.cursor.and_then(|spot| self.object(spot, pods));
        }
    }

    /// The position that replaces one at which the selected object no longer is.
    fn substitute(&self) -> Option<Spot> {
        let groups = self.groups.as_deref()?;
        let last = groups.groups.len().checked_sub(1)?;
        let Some(before) = self.cursor else {
            return Some(Spot::of_group(0));
        };
        let at = before.group.min(last);
        let pods = groups.groups.get(at).map(|group| group.pods.clone())?;
        let pod = before.pod.filter(|_| !pods.is_empty());
        Some(Spot {
            group: at,
            pod: pod.map(|pod| pod.clamp(pods.start, pods.end.saturating_sub(1))),
        })
    }

    /// Scrolls so that the cursor is on the screen, without blank lines below the last one.
    pub(in crate::model) fn scroll_to_cursor(&mut self, width: u16, height: u16) {
        let height_in_lines = u32::from(height).max(1);
        let Some(layout) = self.layout(width, height) else {
            return;
        };
        let most = layout.lines().saturating_sub(height_in_lines);
        let (first, last) = self.cursor.map_or((0, 0), |cursor| {
            let line = layout.position(cursor).map_or(0, |(_, line)| line);
            let place = layout.place(cursor.group);
            // The heading of the box stays visible if there is space for it, and so does the border below its last pod.
            let head = place.map_or(line, |place| place.line);
            let end = place.map_or(line, |place| place.line + place.height - 1);
            let near = |other: u32| self.follows && other.abs_diff(line) < height_in_lines / 2;
            let first = if near(head) { head } else { line };
            let last = if near(end) { end } else { line };
            (first, last)
        });
        let lowest = (last + 1).saturating_sub(height_in_lines);
        self.top = self.top.min(first).max(lowest).min(most.max(lowest));
    }
}
