//! A table of rows of any kind: sorting, filters, drawing and export need no more than this.

use std::borrow::Cow;

use kubevitals_proto::time::Timestamp;

use super::cell::Cell;
use super::column::{Column, Sort};
use super::field::Field;
use super::filter::Filter;
use super::name::Key;
use super::order::order;
use super::row::{Context, Row, Value};
use super::scope::{Limits, Open};
use super::table::{Table, Version};

/// Which rows of a table a list has, and in which order.
#[derive(Debug, Clone, Copy)]
pub struct ListQuery<'a> {
    /// What the view is limited to.
    pub limits: Limits<'a>,
    /// The filter that the rows pass.
    pub filter: &'a Filter,
    /// By what they are sorted.
    pub sort: Sort,
}

/// A table of rows of any kind. A row is found by its place.
pub trait AnyTable {
    /// How many rows there are.
    fn len(&self) -> usize;

    /// Whether there is no row.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the table holds.
    fn version(&self) -> Version;

    /// The key of a row.
    fn key_at(&self, at: u32) -> Option<Key>;

    /// The place of the row of this key.
    fn place(&self, key: &Key) -> Option<u32>;

    /// The columns that the table can have.
    fn columns(&self) -> Vec<Column>;

    /// Fields that an export for programs has beside this one.
    fn exported_with(&self, field: Field) -> &'static [Field];

    /// The value of a field of a row.
    fn value(&self, at: u32, field: Field) -> Option<Value<'_>>;

    /// A field of a row as text.
    fn text(&self, at: u32, field: Field, now: Timestamp) -> Option<Cow<'_, str>> {
        self.value(at, field).map(|value| value.text(now))
    }

    /// What the column of a field shows of a row.
    fn cell(&self, at: u32, field: Field, context: &Context) -> Option<Cell>;

    /// The places of the rows that a list has, in its order.
    fn order(&self, query: &ListQuery<'_>) -> Vec<u32>;

    /// What Enter opens on a row.
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

    fn place(&self, key: &Key) -> Option<u32> {
        self.place(key)
    }

    fn columns(&self) -> Vec<Column> {
        R::columns()
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

    fn order(&self, query: &ListQuery<'_>) -> Vec<u32> {
        let now = query.limits.now;
        order(self.rows(), query.sort, now, |row| {
            row.is_in(&query.limits) && query.filter.matches(row, now)
        })
    }

    fn open(&self, at: u32) -> Option<Open> {
        Some(self.row(at)?.open())
    }
}
