//! Lists: the rows of a table on the screen, their order, and the selected row.

use kubevitals_proto::time::Timestamp;

use super::any_table::AnyTable;
use super::column::Sort;
use super::field::Field;
use super::filter::{Filter, FilterError};
use super::line::Line;
use super::name::{Key, Name};
use super::scope::Scope;
use super::table::Version;
use super::tone::Thresholds;

/// The rows of a table on the screen, their order, and the cursor.
#[derive(Debug, Clone)]
pub struct List {
    /// The order.
    pub sort: Sort,
    /// The text of the filter.
    pub line: Line,
    /// The active filter: the last text that could be parsed.
    pub filter: Filter,
    /// The error in the text of the filter.
    pub wrong: Option<FilterError>,
    /// The selected object. Without one, the first row is selected.
    pub selected: Option<Key>,
    /// The object that was selected before a filter hid it or the connection was lost. It is selected again when it
    /// returns, unless the user has moved the cursor.
    pub away: Option<Key>,
    /// Whether `away` is the object of a command or a bookmark, and has not been listed yet.
    pub(super) is_sought: bool,
    /// Columns that distinguish rows with the same name.
    pub distinguishing: Vec<Field>,
    /// The indexes of the listed rows, in order.
    pub order: Vec<u32>,
    /// The position of the cursor in `order`.
    pub cursor: usize,
    /// The position of the first row on the screen in `order`.
    pub top: usize,
    /// The number of rows in the first group, if there are two: current problems, then recent ones.
    pub first_group: Option<usize>,
    /// The inputs from which the order was made; none before the first.
    pub(super) basis: Option<Basis>,
}

/// All inputs of a list's order. While they are equal, the order is up to date.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Basis {
    /// The versions of the tables that the rows are in or made from.
    pub(super) rows: [Version; 3],
    pub(super) sort: Sort,
    pub(super) filter: Filter,
    pub(super) scope: Scope,
    pub(super) namespaces: Vec<Name>,
    pub(super) thresholds: Thresholds,
    /// The time, if the order depends on it.
    pub(super) now: Option<Timestamp>,
    /// The version of the acknowledgements, if the order depends on them.
    pub(super) acknowledgements: Option<u64>,
}

impl Basis {
    /// Whether the order that was made from `before` has all rows of this one: only the sort differs, or the filter is
    /// narrower.
    pub(super) fn lists_part_of(&self, before: &Self) -> bool {
        let same = Self {
            sort: before.sort,
            filter: before.filter.clone(),
            ..self.clone()
        };
        // A filter on the state of probes lists those that pass too.
        let names_probe = |basis: &Self| basis.filter.names(Field::Probe);
        same == *before
            && self.filter.narrows(&before.filter)
            && names_probe(self) == names_probe(before)
    }
}

impl List {
    /// An empty list.
    #[must_use]
    pub fn new(sort: Sort) -> Self {
        Self {
            sort,
            line: Line::default(),
            filter: Filter::default(),
            wrong: None,
            selected: None,
            away: None,
            is_sought: false,
            distinguishing: Vec::new(),
            order: Vec::new(),
            cursor: 0,
            top: 0,
            first_group: None,
            basis: None,
        }
    }

    /// Whether the list has a second group, which has a heading.
    #[must_use]
    pub fn has_second_group(&self) -> bool {
        self.first_group
            .is_some_and(|first| first < self.order.len())
    }

    /// Parses the filter. If it cannot be parsed, the last valid one stays active.
    pub fn read_filter(&mut self) {
        match self.line.text().parse() {
            Ok(filter) => {
                self.filter = filter;
                self.wrong = None;
            }
            Err(wrong) => self.wrong = Some(wrong),
        }
    }

    /// Replaces the order. The selection stays on its object and at its row of the screen. If the object is gone, the
    /// object that took its position is selected; if it is only hidden, it is selected again when it returns.
    pub fn reorder(&mut self, order: Vec<u32>, table: &dyn AnyTable, height: usize) {
        let above = self.cursor.saturating_sub(self.top);
        self.order = order;
        let shown_at = |key: &Key| {
            let place = table.index_of(key)?;
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
            if self.order.is_empty() || table.index_of(&lost).is_some() {
                self.away.get_or_insert(lost);
            }
            self.cursor = self.cursor.min(self.order.len().saturating_sub(1));
            self.selected = self.key_at_cursor(table);
        }
        self.settle(height);
    }

    /// Selects the first row, whichever object that is.
    pub fn select_first(&mut self) {
        self.selected = None;
        self.away = None;
    }

    /// Corrects the cursor and the scroll position for an unchanged order.
    pub fn settle(&mut self, height: usize) {
        if self.selected.is_none() {
            self.cursor = 0;
            self.top = 0;
        }
        self.scroll_to_cursor(height);
    }

    /// Moves the cursor to a position and selects that row.
    pub fn select(&mut self, at: usize, table: &dyn AnyTable, height: usize) {
        self.cursor = at.min(self.order.len().saturating_sub(1));
        self.away = None;
        self.selected = self.key_at_cursor(table);
        self.scroll_to_cursor(height);
    }

    /// The key of the row at the cursor.
    pub(super) fn key_at_cursor(&self, table: &dyn AnyTable) -> Option<Key> {
        table.key_at(*self.order.get(self.cursor)?)
    }

    /// Scrolls so that the cursor is on the screen, without blank rows below the last row.
    pub fn scroll_to_cursor(&mut self, height: usize) {
        let height = height.max(1);
        self.top = self
            .top
            .min(self.cursor)
            .max((self.cursor + 1).saturating_sub(height))
            .min(self.order.len().saturating_sub(height));
        // The cursor stays on the screen even below the last full page.
        self.top = self.top.max((self.cursor + 1).saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::action::Edit;
    use crate::model::row::NodeRow;
    use crate::model::table::Table;
    use crate::model::view::View;

    fn key(at: u32) -> Option<Key> {
        Some(Key::named(&Name::from(format!("{at}"))))
    }

    /// A table of nodes with these numbers as their names.
    fn nodes(numbers: &[u32]) -> Table<NodeRow> {
        let node = |at: &u32| NodeRow {
            name: Name::from(format!("{at}")),
            ..NodeRow::default()
        };
        Table::of(numbers.iter().map(node).collect())
    }

    const ALL: [u32; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

    fn list(order: &[u32]) -> List {
        let mut list = List::new(View::Pods.sort());
        reorder(&mut list, order);
        list
    }

    fn reorder(list: &mut List, order: &[u32]) {
        list.reorder(order.to_vec(), &nodes(&ALL), 3);
    }

    fn select(list: &mut List, at: usize) {
        list.select(at, &nodes(&ALL), 3);
    }

    /// Rows that are not in the order no longer exist.
    fn lose(list: &mut List, order: &[u32]) {
        let table = nodes(order);
        let at = |number: &u32| table.index_of(&key(*number)?);
        list.reorder(order.iter().filter_map(at).collect(), &table, 3);
    }

    #[test]
    fn the_selection_follows_its_object_and_stays_where_it_is_on_the_screen() {
        let mut list = list(&[0, 1, 2, 3, 4, 5, 6, 7]);
        select(&mut list, 4);
        assert_eq!((list.cursor, list.top), (4, 2));
        reorder(&mut list, &[7, 6, 5, 3, 2, 4, 1, 0]);
        assert_eq!((list.cursor, list.top), (5, 3));
        assert_eq!(list.selected, key(4));
    }

    #[test]
    fn the_row_after_a_removed_one_is_selected() {
        let mut list = list(&[0, 1, 2]);
        select(&mut list, 1);
        lose(&mut list, &[0, 2]);
        assert_eq!((list.cursor, list.selected.clone()), (1, key(2)));
        lose(&mut list, &[0]);
        assert_eq!((list.cursor, list.selected.clone()), (0, key(0)));
        lose(&mut list, &[]);
        assert_eq!((list.cursor, list.selected.clone()), (0, None));
    }

    #[test]
    fn a_hidden_row_is_selected_again_when_it_returns() {
        // The filter hides all rows, some rows, or rows in two steps.
        for hidden in [
            &[&[][..]][..],
            &[&[0, 2]],
            &[&[0, 2], &[0], &[]],
            &[&[], &[2]],
        ] {
            let mut list = list(&[0, 1, 2]);
            select(&mut list, 1);
            for order in hidden {
                reorder(&mut list, order);
                assert_ne!(list.selected, key(1), "{hidden:?}");
            }
            // The order changes in between.
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
        select(&mut list, 2);
        lose(&mut list, &[]);
        lose(&mut list, &[0, 1]);
        lose(&mut list, &[0, 1, 2]);
        assert_eq!((list.cursor, list.selected.clone()), (2, key(2)));
    }

    #[test]
    fn moving_the_cursor_drops_a_hidden_selection() {
        let mut list = list(&[0, 1, 2]);
        select(&mut list, 1);
        reorder(&mut list, &[0, 2]);
        select(&mut list, 0);
        reorder(&mut list, &[0, 1, 2]);
        assert_eq!((list.cursor, list.selected.clone()), (0, key(0)));
        select(&mut list, 1);
        reorder(&mut list, &[0, 2]);
        list.select_first();
        reorder(&mut list, &[0, 1, 2]);
        assert_eq!((list.cursor, list.selected.clone()), (0, None));
    }

    #[test]
    fn without_a_selection_the_cursor_stays_at_the_top() {
        let mut list = list(&[0, 1, 2]);
        reorder(&mut list, &[2, 1, 0]);
        assert_eq!((list.cursor, list.top, list.selected.clone()), (0, 0, None));
    }

    #[test]
    fn a_filter_that_cannot_be_understood_leaves_the_last_one() {
        let mut list = list(&[0]);
        for (more, is_wrong) in [("cpu>1m", false), (" cpu>", true)] {
            list.line.edit(&Edit::Insert(more.to_owned()));
            list.read_filter();
            assert_eq!(
                (list.filter.is_empty(), list.wrong.is_some()),
                (false, is_wrong)
            );
        }
    }
}
