//! [`AnyTable`]: a table of any kind of rows, for sorting, filters, drawing and export.

use std::borrow::Cow;

use kubevitals_proto::time::Timestamp;

use super::cell::Cell;
use super::column::{Column, Sort};
use super::field::Field;
use super::filter::Filter;
use super::name::Key;
use super::order::{in_table_order, select, sorted};
use super::row::{Context, Row, Value};
use super::scope::{Limits, Open};
use super::table::{Table, Version};

/// Selects and sorts the rows of a list.
#[derive(Debug, Clone, Copy)]
pub struct ListQuery<'a> {
    /// The limits of the view.
    pub limits: Limits<'a>,
    /// The filter that rows must pass.
    pub filter: &'a Filter,
    /// The order.
    pub sort: Sort,
}

/// A table of any kind of rows. Rows are addressed by their index.
pub trait AnyTable {
    /// The number of rows.
    fn len(&self) -> usize;

    /// Whether the table has no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The version of the table's content.
    fn version(&self) -> Version;

    /// The key of the row at an index.
    fn key_at(&self, at: u32) -> Option<Key>;

    /// The index of the row with this key.
    fn index_of(&self, key: &Key) -> Option<u32>;

    /// The columns that the table can have.
    fn columns(&self) -> Vec<Column>;

    /// All fields of the rows, columns in order.
    fn fields(&self) -> Vec<Field>;

    /// Fields that CSV and JSON exports add to this one.
    fn exported_with(&self, field: Field) -> &'static [Field];

    /// The value of a field of a row.
    fn value(&self, at: u32, field: Field) -> Option<Value<'_>>;

    /// The text of a field of a row.
    fn text(&self, at: u32, field: Field, now: Timestamp) -> Option<Cow<'_, str>> {
        self.value(at, field).map(|value| value.text(now))
    }

    /// The cell of a field's column in a row.
    fn cell(&self, at: u32, field: Field, context: &Context) -> Option<Cell>;

    /// The indexes of the selected rows, sorted. `among` has the indexes of all rows that can be selected, in any order;
    /// without it, every row can.
    fn order(&self, query: &ListQuery<'_>, among: Option<&[u32]>) -> Vec<u32>;

    /// The object of a row, as `kubectl get -o name` prints it.
    fn reference(&self, at: u32) -> Option<String>;

    /// What `enter` opens on a row.
    fn open(&self, at: u32) -> Option<Open>;
}

impl<R: Row> AnyTable for Table<R> {
    fn len(&self) -> usize {
        self.len()
    }

    fn version(&self) -> Version {
        self.version()
    }

    fn key_at(&self, at: u32) -> Option<Key> {
        Some(self.row(at)?.key())
    }

    fn index_of(&self, key: &Key) -> Option<u32> {
        self.index_of(key)
    }

    fn columns(&self) -> Vec<Column> {
        R::columns()
    }

    fn fields(&self) -> Vec<Field> {
        R::fields()
    }

    fn exported_with(&self, field: Field) -> &'static [Field] {
        R::entry(field).map_or(&[], |entry| entry.exported_with)
    }

    fn value(&self, at: u32, field: Field) -> Option<Value<'_>> {
        self.row(at)?.value(field)
    }

    fn cell(&self, at: u32, field: Field, context: &Context) -> Option<Cell> {
        self.row(at)?.cell(field, context)
    }

    fn order(&self, query: &ListQuery<'_>, among: Option<&[u32]>) -> Vec<u32> {
        let now = query.limits.now;
        let is_selected = |row: &R| row.is_in(&query.limits) && query.filter.matches(row, now);
        let selected = match among {
            Some(among) => select(self.rows(), in_table_order(among), is_selected),
            None => select(self.rows(), 0.., is_selected),
        };
        sorted(self.rows(), selected, query.sort, now)
    }

    fn reference(&self, at: u32) -> Option<String> {
        Some(self.row(at)?.reference())
    }

    fn open(&self, at: u32) -> Option<Open> {
        Some(self.row(at)?.open())
    }
}
