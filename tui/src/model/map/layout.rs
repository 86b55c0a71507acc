//! The layout of the map: where boxes and cells are, and what is at a position. Nothing is stored for a cell, so the cost
//! depends on the number of boxes and on what is on the screen.

mod steps;

use std::ops::Range;

use super::group::{Group, GroupKind};
use super::groups::Groups;

/// How much of each group the map shows, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Zoom {
    /// A cell for each group.
    Summary,
    /// A small box for each group, with a cell for each pod.
    Small,
    /// A box with gauges for each group, with a wide cell for each pod.
    Large,
    /// A box with gauges for each group, with a line for each pod that has its name.
    Names,
}

impl Zoom {
    /// All zooms, the least first.
    pub const ALL: [Self; 4] = [Self::Summary, Self::Small, Self::Large, Self::Names];
}

/// An object on the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spot {
    /// The index of the group.
    pub group: usize,
    /// The index of the pod in [`Groups::cells`]; `None` for the group itself.
    pub pod: Option<usize>,
}

impl Spot {
    /// A group itself.
    #[must_use]
    pub const fn of_group(group: usize) -> Self {
        Self { group, pod: None }
    }

    /// A pod of a group.
    #[must_use]
    pub const fn of_pod(group: usize, pod: usize) -> Self {
        Self {
            group,
            pod: Some(pod),
        }
    }
}

/// A direction of the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the line above.
    Up,
    /// To the line below.
    Down,
    /// To the cell on the left.
    Left,
    /// To the cell on the right.
    Right,
}

/// A box and its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The index of the group.
    pub group: usize,
    /// The first column.
    pub x: u16,
    /// The first line, counted from the top of the map.
    pub line: u32,
    /// The number of columns.
    pub width: u16,
    /// The number of lines.
    pub height: u32,
}

/// Cells of one pod on one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The index of the pod in [`Groups::cells`].
    pub pod: usize,
    /// The first cell, counted from the left of the box's content.
    pub first: u32,
    /// The number of cells.
    pub count: u32,
    /// Whether the first cell of the run is the first one of the pod.
    pub begins: bool,
}

/// The layout of the map in an area.
#[derive(Debug, Clone)]
pub struct Layout<'a> {
    groups: &'a Groups,
    /// How much of each group is shown.
    pub zoom: Zoom,
    /// The number of columns of a cell.
    pub cell: u16,
    /// The number of boxes beside each other; in a summary, of cells.
    across: usize,
    /// The number of columns of a box.
    box_width: u16,
    /// The first line of each row of boxes, and the line after the last one.
    rows: Vec<u32>,
    /// Whether the groups of a summary do not fit, so that the worst are first.
    pub worst_first: bool,
}

/// The least number of columns of a box.
const fn least_width(zoom: Zoom) -> u16 {
    match zoom {
        Zoom::Summary => 1,
        Zoom::Small => 20,
        Zoom::Large => 28,
        Zoom::Names => 38,
    }
}

/// The numbers of columns of a cell of a summary, the widest first: with gauges, with a blank, alone.
const SUMMARY_CELLS: [u16; 3] = [4, 2, 1];

/// The number of lines about reasons in the box of unscheduled pods.
const REASON_LINES: u32 = 3;

/// The most pages of boxes before a summary is easier to read.
const MOST_PAGES: u32 = 4;

impl<'a> Layout<'a> {
    /// The layout in which most is visible: the largest that fits into `height` lines, or else small boxes if they take
    /// only some pages, or else a summary.
    #[must_use]
    pub fn fitting(groups: &'a Groups, width: u16, height: u16) -> Self {
        let lines = u32::from(height).max(1);
        for zoom in [Zoom::Names, Zoom::Large] {
            let layout = Self::new(groups, zoom, width, height);
            if layout.lines() <= lines {
                return layout;
            }
        }
        let small = Self::new(groups, Zoom::Small, width, height);
        if small.lines() <= lines.saturating_mul(MOST_PAGES) {
            return small;
        }
        Self::new(groups, Zoom::Summary, width, height)
    }

    /// The layout of this zoom.
    #[must_use]
    pub fn new(groups: &'a Groups, zoom: Zoom, width: u16, height: u16) -> Self {
        let mut layout = Self {
            groups,
            zoom,
            cell: 2,
            across: 1,
            box_width: width,
            rows: Vec::new(),
            worst_first: false,
        };
        if zoom == Zoom::Summary {
            layout.summarize(width, height);
            return layout;
        }
        let least = least_width(zoom);
        let count = groups.groups.len() - usize::from(groups.has_unscheduled());
        layout.across = usize::from(width / least).clamp(1, count.max(1));
        // Few boxes do not become wider than two thirds more than needed.
        let widest = if count < usize::from(width / least) {
            least + least * 2 / 3
        } else {
            width
        };
        layout.box_width = (width / u16::try_from(layout.across).unwrap_or(1)).min(widest);
        layout.cell = match zoom {
            Zoom::Summary | Zoom::Small => 1,
            Zoom::Large => 2,
            Zoom::Names => layout.box_width.saturating_sub(3).max(1),
        };
        layout.stack();
        layout
    }

    /// One cell for each group, as wide as all of them fit.
    fn summarize(&mut self, width: u16, height: u16) {
        let count = self.groups.groups.len();
        let fits = |cell: u16| {
            let across = usize::from(width / cell).max(1);
            (cell == 1 || cell <= width) && count.div_ceil(across) <= usize::from(height)
        };
        let fitting = SUMMARY_CELLS.into_iter().find(|cell| fits(*cell));
        self.cell = fitting.unwrap_or(1);
        self.worst_first = fitting.is_none();
        self.across = usize::from(width / self.cell).max(1);
        let lines = u32::try_from(count.div_ceil(self.across)).unwrap_or(u32::MAX);
        self.rows = (0..=lines).collect();
    }

    /// Puts the rows of boxes below each other. A row is as high as its highest box.
    fn stack(&mut self) {
        let mut rows = vec![0];
        let mut end = 0_u32;
        let mut at = 0;
        while at < self.groups.groups.len() {
            let next = (at + self.in_row(at)).min(self.groups.groups.len());
            let row = self.groups.groups.get(at..next).unwrap_or_default();
            let heights = row.iter().map(|group| self.height_of(group));
            end = end.saturating_add(heights.max().unwrap_or(0));
            rows.push(end);
            at = next;
        }
        self.rows = rows;
    }

    /// The number of boxes of the row that begins with a group.
    fn in_row(&self, group: usize) -> usize {
        if group == 0 && self.has_wide_row() {
            1
        } else {
            self.across
        }
    }

    /// Whether the first row has only the box of unscheduled pods.
    fn has_wide_row(&self) -> bool {
        self.zoom != Zoom::Summary && self.groups.has_unscheduled()
    }

    /// The number of lines of a box above its cells: the heading, and gauges or reasons.
    #[must_use]
    pub fn head_of(&self, group: &Group) -> u32 {
        let reasons = u32::try_from(self.groups.reasons.len()).unwrap_or(u32::MAX);
        match (self.zoom, group.kind) {
            (Zoom::Summary, _) => 0,
            (Zoom::Small, GroupKind::Unscheduled) => 1 + reasons.min(1),
            (Zoom::Large | Zoom::Names, GroupKind::Unscheduled) => 1 + reasons.min(REASON_LINES),
            (Zoom::Small, _) => 1,
            (Zoom::Large | Zoom::Names, _) => 3,
        }
    }

    /// The number of cells on a line of a box.
    fn per_line(&self, group: &Group) -> u32 {
        let inner = self
            .width_of(group)
            .saturating_sub(if self.cell == 1 { 4 } else { 3 });
        u32::from(inner / self.cell).max(1)
    }

    fn width_of(&self, group: &Group) -> u16 {
        if group.kind == GroupKind::Unscheduled {
            let across = u16::try_from(self.across).unwrap_or(1);
            self.box_width.saturating_mul(across)
        } else {
            self.box_width
        }
    }

    /// The number of lines of a box that only it needs.
    fn height_of(&self, group: &Group) -> u32 {
        let lines = group.units.div_ceil(self.per_line(group));
        self.head_of(group).saturating_add(lines).saturating_add(1)
    }

    /// The number of lines of the map.
    #[must_use]
    pub fn lines(&self) -> u32 {
        self.rows.last().copied().unwrap_or(0)
    }

    /// The row of boxes and the position in it of a group.
    fn row_and_column(&self, group: usize) -> (usize, usize) {
        let at = if self.worst_first {
            let order = &self.groups.worst_first;
            order.iter().position(|other| *other == group).unwrap_or(0)
        } else {
            group
        };
        let wide = usize::from(self.has_wide_row());
        match at.checked_sub(wide) {
            Some(at) => (at / self.across + wide, at % self.across),
            None => (0, 0),
        }
    }

    /// The group at a position of a row of boxes.
    fn group_at(&self, row: usize, column: usize) -> Option<usize> {
        let wide = usize::from(self.has_wide_row());
        let at = match row.checked_sub(wide) {
            _ if column >= self.across => return None,
            Some(row) => row * self.across + column + wide,
            None if column == 0 => 0,
            None => return None,
        };
        if self.worst_first {
            return self.groups.worst_first.get(at).copied();
        }
        (at < self.groups.groups.len()).then_some(at)
    }

    /// The group of a box.
    #[must_use]
    pub fn group(&self, at: usize) -> Option<&'a Group> {
        self.groups.groups.get(at)
    }

    /// The groups.
    #[must_use]
    pub const fn groups(&self) -> &'a Groups {
        self.groups
    }

    /// The box of a group; in a summary, its cell.
    #[must_use]
    pub fn place(&self, at: usize) -> Option<Place> {
        let (row, column) = self.row_and_column(at);
        self.place_in(row, column, at)
    }

    /// The box of a group at a position of a row of boxes.
    fn place_in(&self, row: usize, column: usize, at: usize) -> Option<Place> {
        let group = self.group(at)?;
        let line = self.rows.get(row).copied()?;
        let next = self.rows.get(row + 1).copied()?;
        let column = u16::try_from(column).unwrap_or(u16::MAX);
        let width = match self.zoom {
            Zoom::Summary => self.cell,
            _ => self.width_of(group),
        };
        Some(Place {
            group: at,
            x: column.saturating_mul(self.step_in(row)),
            line,
            width,
            height: next - line,
        })
    }

    /// The number of columns from a box of a row to the next one.
    fn step_in(&self, row: usize) -> u16 {
        match self.zoom {
            _ if row == 0 && self.has_wide_row() => u16::MAX,
            Zoom::Summary => self.cell,
            _ => self.box_width.max(1),
        }
    }

    /// The boxes that are on these lines, at least in part.
    pub fn places(&self, lines: Range<u32>) -> impl Iterator<Item = Place> + '_ {
        let first = self.row_at(lines.start);
        let rows = (first..).take_while(move |row| {
            let begin = self.rows.get(*row);
            row + 1 < self.rows.len() && begin.is_some_and(|begin| *begin < lines.end)
        });
        rows.flat_map(move |row| {
            let place = move |column| self.place_in(row, column, self.group_at(row, column)?);
            (0..self.across).filter_map(place)
        })
    }

    /// The row of boxes on a line; the last one for a line below all.
    fn row_at(&self, line: u32) -> usize {
        let after = self.rows.partition_point(|begin| *begin <= line);
        after
            .saturating_sub(1)
            .min(self.rows.len().saturating_sub(2))
    }

    /// The runs of cells on a line of a group's cells.
    pub fn runs(&self, at: usize, line: u32) -> impl Iterator<Item = Run> + use<'a> {
        let group = self.group(at);
        let per_line = group.map_or(1, |group| self.per_line(group));
        let begin = line.saturating_mul(per_line);
        let units = group.map_or(0, |group| group.units);
        let end = begin.saturating_add(per_line).min(units);
        let cells = group.map_or(&[][..], |group| self.groups.cells_of(group));
        let base = group.map_or(0, |group| group.pods.start);
        let first = cells.partition_point(|pod| pod.start <= begin).max(1) - 1;
        let pods = cells.iter().enumerate().skip(first);
        pods.take_while(move |(_, pod)| pod.start < end)
            .map(move |(index, pod)| {
                let next = cells.get(index + 1).map_or(units, |next| next.start);
                let from = pod.start.max(begin);
                Run {
                    pod: base + index,
                    first: from - begin,
                    count: next.min(end).saturating_sub(from),
                    begins: pod.start >= begin,
                }
            })
    }

    /// The column of a cell, counted from the left of its box.
    #[must_use]
    pub fn column_of(&self, cell: u32) -> u16 {
        // The border, and a blank before narrow cells. Wide cells have one of their own.
        let left = if self.cell == 1 { 2 } else { 1 };
        let cell = u16::try_from(cell).unwrap_or(u16::MAX);
        cell.saturating_mul(self.cell).saturating_add(left)
    }

    /// The column and the line of an object: of a pod, those of its first cell.
    #[must_use]
    pub fn position(&self, spot: Spot) -> Option<(u16, u32)> {
        let place = self.place(spot.group)?;
        let Some(pod) = spot.pod.filter(|_| self.zoom != Zoom::Summary) else {
            return Some((place.x, place.line));
        };
        let group = self.group(spot.group)?;
        let start = self.groups.cells.get(pod)?.start;
        let per_line = self.per_line(group);
        let line = place.line + self.head_of(group) + start / per_line;
        Some((place.x + self.column_of(start % per_line), line))
    }

    /// The object at a position. A border or a gauge belongs to its group.
    #[must_use]
    pub fn spot_at(&self, x: u16, line: u32) -> Option<Spot> {
        if line >= self.lines() {
            return None;
        }
        let row = self.row_at(line);
        let column = usize::from(x / self.step_in(row));
        let at = self.group_at(row, column)?;
        let place = self.place_in(row, column, at)?;
        if x >= place.x.saturating_add(place.width) {
            return None;
        }
        let pod = self.pod_at(at, x - place.x, line - place.line);
        Some(Spot { group: at, pod })
    }

    /// The pod at a position of a box.
    fn pod_at(&self, at: usize, x: u16, line: u32) -> Option<usize> {
        let group = self.group(at).filter(|_| self.zoom != Zoom::Summary)?;
        let line = line.checked_sub(self.head_of(group))?;
        let column = x.checked_sub(self.column_of(0))? / self.cell;
        self.pod_of(group, line, column.into())
    }

    /// The pod of a cell on a line of a group's cells.
    fn pod_of(&self, group: &Group, line: u32, column: u32) -> Option<usize> {
        let per_line = self.per_line(group);
        let unit = line.checked_mul(per_line)?.checked_add(column)?;
        if column >= per_line || unit >= group.units {
            return None;
        }
        let cells = self.groups.cells_of(group);
        let after = cells.partition_point(|pod| pod.start <= unit);
        Some(group.pods.start + after.checked_sub(1)?)
    }

    /// The object of a group nearest to a position in its box.
    fn nearest_in(&self, at: usize, x: u16, line: u32) -> Spot {
        let heading = Spot::of_group(at);
        let Some(group) = self.group(at).filter(|_| self.zoom != Zoom::Summary) else {
            return heading;
        };
        let (Some(line), Some(last)) = (
            line.checked_sub(self.head_of(group)),
            group.units.checked_sub(1),
        ) else {
            return heading;
        };
        let per_line = self.per_line(group);
        let line = line.min(last / per_line);
        let column = u32::from(x.saturating_sub(self.column_of(0)) / self.cell);
        let column = column.min(per_line - 1);
        let column = column.min(last - line * per_line);
        let pod = self.pod_of(group, line, column);
        pod.map_or(heading, |pod| Spot::of_pod(at, pod))
    }

    /// The object nearest to a position; `None` if the map is empty.
    #[must_use]
    pub fn nearest(&self, x: u16, line: u32) -> Option<Spot> {
        let row = self.row_at(line.min(self.lines().saturating_sub(1)));
        let column = usize::from(x / self.step_in(row)).min(self.across - 1);
        let group = self.group_in_row(row, column)?;
        let place = self.place(group)?;
        Some(self.nearest_in(
            group,
            x.saturating_sub(place.x),
            line.saturating_sub(place.line),
        ))
    }

    /// The group at a position of a row of boxes, or the last one of the row before it.
    fn group_in_row(&self, row: usize, column: usize) -> Option<usize> {
        (0..=column).rev().find_map(|at| self.group_at(row, at))
    }
}

#[cfg(test)]
mod tests;
