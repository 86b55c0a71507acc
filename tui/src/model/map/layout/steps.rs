//! The steps of the cursor on the map.

use super::{Direction, Layout, Spot, Zoom};

impl Layout<'_> {
    /// The object next to another one; the same at the edge of the map.
    #[must_use]
    pub fn step(&self, from: Spot, direction: Direction) -> Spot {
        let next = match direction {
            Direction::Left | Direction::Right => self.beside(from, direction),
            Direction::Up => self.above(from),
            Direction::Down => self.below(from),
        };
        next.unwrap_or(from)
    }

    fn beside(&self, from: Spot, direction: Direction) -> Option<Spot> {
        let is_left = direction == Direction::Left;
        let (x, line) = self.position(from)?;
        if let Some(pod) = from.pod.filter(|_| self.zoom != Zoom::Summary) {
            let next = if is_left {
                pod.checked_sub(1)?
            } else {
                pod + 1
            };
            let group = self.group(from.group)?;
            let next = Some(next).filter(|next| group.pods.contains(next));
            let next = next.map(|next| Spot::of_pod(from.group, next));
            let on_line = next.filter(|next| self.position(*next).is_some_and(|at| at.1 == line));
            if on_line.is_some() {
                return on_line;
            }
        }
        let (row, column) = self.row_and_column(from.group);
        let column = if is_left {
            column.checked_sub(1)?
        } else {
            column + 1
        };
        let group = self.group_at(row, column)?;
        let place = self.place(group)?;
        // A cell at the edge towards the box from which the cursor comes.
        let x = if is_left { x.max(place.width) } else { 0 };
        Some(self.nearest_in(group, x, line - place.line))
    }

    fn above(&self, from: Spot) -> Option<Spot> {
        let (x, line) = self.position(from)?;
        let place = self.place(from.group)?;
        if from.pod.is_some() && self.zoom != Zoom::Summary {
            let head = self.head_of(self.group(from.group)?);
            let inside = line - place.line;
            return Some(match inside.checked_sub(1) {
                Some(above) if above >= head => self.nearest_in(from.group, x - place.x, above),
                _ => Spot::of_group(from.group),
            });
        }
        let (row, column) = self.row_and_column(from.group);
        let group = self.group_in_row(row.checked_sub(1)?, column)?;
        let place = self.place(group)?;
        Some(self.nearest_in(group, x.saturating_sub(place.x), place.height))
    }

    fn below(&self, from: Spot) -> Option<Spot> {
        let (x, line) = self.position(from)?;
        let place = self.place(from.group)?;
        let group = self.group(from.group)?;
        let head = self.head_of(group);
        let last = head.saturating_add(group.units.div_ceil(self.per_line(group)));
        let lines = match from.pod {
            _ if self.zoom == Zoom::Summary => 0..0,
            None => head..last,
            Some(_) => line - place.line + 1..last,
        };
        // A pod of several lines is left below its last line.
        let mut spots = lines.map(|line| self.nearest_in(from.group, x - place.x, line));
        if let Some(next) = spots.find(|spot| *spot != from) {
            return Some(next);
        }
        let (row, column) = self.row_and_column(from.group);
        self.group_in_row(row + 1, column).map(Spot::of_group)
    }
}
