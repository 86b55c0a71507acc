//! A list: which rows of a table are on the screen, in which order, and which of them is selected.

use kubevitals_proto::time::Timestamp;

use super::column::Sort;
use super::field::Field;
use super::filter::{Filter, FilterError};
use super::line::Line;
use super::name::{Key, Name};
use super::scope::Scope;
use super::table::Version;
use super::tone::Thresholds;

/// A list: what of a table is shown, in which order, and where one is in it.
#[derive(Debug, Clone)]
pub struct List {
    /// By what it is sorted.
    pub sort: Sort,
    /// The filter as it is written.
    pub line: Line,
    /// The filter that holds: the last one written that could be understood.
    pub filter: Filter,
    /// What is wrong with what is written.
    pub wrong: Option<FilterError>,
    /// What was selected. Without, it is whatever comes first.
    pub selected: Option<Key>,
    /// What was selected before a filter hid it, or before the rows were lost with the connection: when it is shown
    /// again it is selected again, unless a person has moved since.
    pub away: Option<Key>,
    /// Columns without which rows of one name look alike.
    pub distinguishing: Vec<Field>,
    /// The places of the rows that are shown, in the order they are shown in.
    pub order: Vec<u32>,
    /// Which of them the cursor is on.
    pub cursor: usize,
    /// Which of them is the first on the screen.
    pub top: usize,
    /// How many of the rows are in the first group, where there are two: what is wrong now, and what only was.
    pub first_group: Option<usize>,
    /// What the order was made of; nothing when it has to be made anew.
    pub(super) basis: Option<Basis>,
}

/// All that the order of a list depends on, but for its filter: as long as it is the same the order is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Basis {
    pub(super) rows: Version,
    pub(super) sort: Sort,
    pub(super) scope: Scope,
    pub(super) namespaces: Vec<Name>,
    pub(super) thresholds: Thresholds,
    /// The time, where the order changes with time alone.
    pub(super) now: Option<Timestamp>,
    /// What has been acknowledged, where the order depends on it.
    pub(super) acknowledgements: Option<u64>,
}

impl List {
    const fn empty(sort: Sort, line: Line, filter: Filter) -> Self {
        Self {
            sort,
            line,
            filter,
            wrong: None,
            selected: None,
            away: None,
            distinguishing: Vec::new(),
            order: Vec::new(),
            cursor: 0,
            top: 0,
            first_group: None,
            basis: None,
        }
    }

    /// A list of nothing yet.
    #[must_use]
    pub fn new(sort: Sort) -> Self {
        Self::empty(sort, Line::default(), Filter::default())
    }

    /// Whether some of the rows are in a second group, which has a heading.
    #[must_use]
    pub fn has_second_group(&self) -> bool {
        self.first_group
            .is_some_and(|first| first < self.order.len())
    }

    /// Understands the filter as it is written. While it cannot be understood the last one holds.
    pub fn read_filter(&mut self) {
        match self.line.text().parse() {
            Ok(filter) => {
                self.filter = filter;
                self.wrong = None;
                self.basis = None;
            }
            Err(wrong) => self.wrong = Some(wrong),
        }
    }

    /// Takes a new order over. The selection stays on its object, and that stays where it is on the screen. If it is no
    /// longer shown, what came to its place is selected; if it is only hidden, it is selected again when it comes back.
    /// `place_of` is where an object is among all rows.
    pub fn reorder(
        &mut self,
        order: Vec<u32>,
        place_of: impl Fn(&Key) -> Option<u32>,
        key_at: impl Fn(u32) -> Option<Key>,
        height: usize,
    ) {
        let above = self.cursor.saturating_sub(self.top);
        self.order = order;
        let shown_at = |key: &Key| {
            let place = place_of(key)?;
            self.order.iter().position(|at| *at == place)
        };
        let back = self.away.as_ref().and_then(&shown_at);
        let found = back.or_else(|| self.selected.as_ref().and_then(&shown_at));
        if back.is_some() {
            self.selected = self.away.take();
        }
        if let Some(at) = found {
            self.cursor = at;
            self.top = at.saturating_sub(above);
        } else if let Some(lost) = self.selected.take() {
            if self.order.is_empty() || place_of(&lost).is_some() {
                self.away.get_or_insert(lost);
            }
            self.cursor = self.cursor.min(self.order.len().saturating_sub(1));
            self.selected = self.order.get(self.cursor).and_then(|at| key_at(*at));
        }
        self.settle(height);
    }

    /// Selects whatever comes first.
    pub fn select_first(&mut self) {
        self.selected = None;
        self.away = None;
    }

    /// Puts the cursor where it has to be in an order that has not changed.
    pub fn settle(&mut self, height: usize) {
        if self.selected.is_none() {
            self.cursor = 0;
            self.top = 0;
        }
        self.keep_in_sight(height);
    }

    /// Puts the cursor on a row, and selects that.
    pub fn select(&mut self, at: usize, key_at: impl Fn(u32) -> Option<Key>, height: usize) {
        self.cursor = at.min(self.order.len().saturating_sub(1));
        self.away = None;
        self.selected = self.order.get(self.cursor).and_then(|at| key_at(*at));
        self.keep_in_sight(height);
    }

    /// Scrolls so far that the cursor is on the screen, and no blank rows are below the last one without need.
    pub fn keep_in_sight(&mut self, height: usize) {
        let height = height.max(1);
        self.top = self
            .top
            .min(self.cursor)
            .max((self.cursor + 1).saturating_sub(height))
            .min(self.order.len().saturating_sub(height));
        // A cursor past the last whole screen is on it all the same.
        self.top = self.top.max((self.cursor + 1).saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::view::View;

    fn key(at: u32) -> Option<Key> {
        Some(Key::named(&Name::from(format!("{at}"))))
    }

    fn list(order: &[u32]) -> List {
        let mut list = List::new(View::Pods.sort());
        reorder(&mut list, order);
        list
    }

    fn reorder(list: &mut List, order: &[u32]) {
        let place_of = |key: &Key| key.name.parse().ok();
        list.reorder(order.to_vec(), place_of, key, 3);
    }

    /// What is not in the order does not exist any more.
    fn lose(list: &mut List, order: &[u32]) {
        let place_of = |key: &Key| key.name.parse().ok().filter(|at| order.contains(at));
        list.reorder(order.to_vec(), place_of, key, 3);
    }

    #[test]
    fn the_selection_follows_its_object_and_stays_where_it_is_on_the_screen() {
        let mut list = list(&[0, 1, 2, 3, 4, 5, 6, 7]);
        list.select(4, key, 3);
        assert_eq!((list.cursor, list.top), (4, 2));
        reorder(&mut list, &[7, 6, 5, 3, 2, 4, 1, 0]);
        assert_eq!((list.cursor, list.top), (5, 3));
        assert_eq!(list.selected, key(4));
    }

    #[test]
    fn what_comes_to_the_place_of_what_is_gone_is_selected() {
        let mut list = list(&[0, 1, 2]);
        list.select(1, key, 3);
        lose(&mut list, &[0, 2]);
        assert_eq!((list.cursor, list.selected.clone()), (1, key(2)));
        lose(&mut list, &[0]);
        assert_eq!((list.cursor, list.selected.clone()), (0, key(0)));
        lose(&mut list, &[]);
        assert_eq!((list.cursor, list.selected.clone()), (0, None));
    }

    #[test]
    fn what_was_hidden_is_selected_again_when_it_comes_back() {
        // Hidden by a filter: by all of it, by a part, in two steps.
        for hidden in [
            &[&[][..]][..],
            &[&[0, 2]],
            &[&[0, 2], &[0], &[]],
            &[&[], &[2]],
        ] {
            let mut list = list(&[0, 1, 2]);
            list.select(1, key, 3);
            for order in hidden {
                reorder(&mut list, order);
                assert_ne!(list.selected, key(1), "{hidden:?}");
            }
            // Sorted otherwise meanwhile.
            reorder(&mut list, &[2, 0, 1]);
            assert_eq!(
                (list.cursor, list.selected.clone()),
                (2, key(1)),
                "{hidden:?}"
            );
        }
    }

    #[test]
    fn rows_that_come_back_with_the_connection_find_the_selection() {
        let mut list = list(&[0, 1, 2]);
        list.select(2, key, 3);
        lose(&mut list, &[]);
        lose(&mut list, &[0, 1]);
        lose(&mut list, &[0, 1, 2]);
        assert_eq!((list.cursor, list.selected.clone()), (2, key(2)));
    }

    #[test]
    fn who_moves_while_something_is_hidden_stays_there() {
        let mut list = list(&[0, 1, 2]);
        list.select(1, key, 3);
        reorder(&mut list, &[0, 2]);
        list.select(0, key, 3);
        reorder(&mut list, &[0, 1, 2]);
        assert_eq!((list.cursor, list.selected.clone()), (0, key(0)));
        list.select(1, key, 3);
        reorder(&mut list, &[0, 2]);
        list.select_first();
        reorder(&mut list, &[0, 1, 2]);
        assert_eq!((list.cursor, list.selected.clone()), (0, None));
    }

    #[test]
    fn who_has_selected_nothing_stays_at_the_top() {
        let mut list = list(&[0, 1, 2]);
        reorder(&mut list, &[2, 1, 0]);
        assert_eq!((list.cursor, list.top, list.selected.clone()), (0, 0, None));
    }

    #[test]
    fn a_filter_that_cannot_be_understood_leaves_the_last_one() {
        let mut list = list(&[0]);
        list.line = Line::of("cpu>1m");
        list.read_filter();
        assert!(!list.filter.is_empty() && list.wrong.is_none());
        list.line = Line::of("cpu>");
        list.read_filter();
        assert!(!list.filter.is_empty() && list.wrong.is_some());
    }
}
