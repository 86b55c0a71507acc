//! Entries of [`Row::FIELDS`](super::Row::FIELDS): one for each field of a kind of row.

use std::borrow::Cow;

use super::context::Context;
use super::value::Value;
use crate::model::cell::Cell;
use crate::model::column::{Column, Width};
use crate::model::field::Field;
use crate::model::tone::Tone;
use crate::text::Align;

/// A field of a kind of row: its value, its column, and how filters and exports use it.
#[derive(Debug)]
pub struct Entry<R> {
    /// The field.
    pub field: Field,
    /// The column; `None` if only filters and exports use the field.
    pub column: Option<Column>,
    /// Fields that CSV and JSON exports add to this one: the numbers of a fraction, time and cause.
    pub exported_with: &'static [Field],
    value: fn(&R) -> Value<'_>,
    /// The text of the cell, if it differs from the value's.
    cell_text: Option<fn(&R) -> Cow<'_, str>>,
    /// The severity of the cell, if the value does not determine it.
    tone: Option<fn(&R, &Context) -> Tone>,
    is_searched: bool,
}

impl<R> Entry<R> {
    /// A field without a column.
    pub(super) const fn hidden(field: Field, value: fn(&R) -> Value<'_>) -> Self {
        Self {
            field,
            column: None,
            exported_with: &[],
            value,
            cell_text: None,
            tone: None,
            is_searched: false,
        }
    }

    const fn column(
        field: Field,
        title: &'static str,
        (least, most): (u16, u16),
        priority: u8,
        align: Align,
        value: fn(&R) -> Value<'_>,
    ) -> Self {
        let mut entry = Self::hidden(field, value);
        entry.column = Some(Column {
            field,
            title,
            width: Width { least, most },
            priority,
            align,
            optional: false,
        });
        entry
    }

    /// A field with a column of text, which may be cut: its smallest and largest width, and its priority.
    pub(super) const fn text(
        field: Field,
        title: &'static str,
        width: (u16, u16),
        priority: u8,
        value: fn(&R) -> Value<'_>,
    ) -> Self {
        Self::column(field, title, width, priority, Align::Left, value)
    }

    /// A field with a column of numbers, which are never cut: its width, and its priority.
    pub(super) const fn number(
        field: Field,
        title: &'static str,
        width: u16,
        priority: u8,
        value: fn(&R) -> Value<'_>,
    ) -> Self {
        Self::column(field, title, (width, width), priority, Align::Right, value)
    }

    /// A field with a column of sparklines.
    pub(super) const fn trend(
        field: Field,
        title: &'static str,
        priority: u8,
        value: fn(&R) -> Value<'_>,
    ) -> Self {
        Self::text(field, title, (8, 30), priority, value)
    }

    /// Words of a filter are searched in this field too.
    pub(super) const fn searched(mut self) -> Self {
        self.is_searched = true;
        self
    }

    /// The column is hidden while no row has a value for it.
    pub(super) const fn optional(mut self) -> Self {
        if let Some(column) = &mut self.column {
            column.optional = true;
        }
        self
    }

    /// Sets the severity of cells.
    pub(super) const fn tone(mut self, tone: fn(&R, &Context) -> Tone) -> Self {
        self.tone = Some(tone);
        self
    }

    /// Sets the text of cells. Filters and exports still use the value.
    pub(super) const fn with_text(mut self, text: fn(&R) -> Cow<'_, str>) -> Self {
        self.cell_text = Some(text);
        self
    }

    /// Adds fields to CSV and JSON exports.
    pub(super) const fn exported_with(mut self, fields: &'static [Field]) -> Self {
        self.exported_with = fields;
        self
    }

    /// The value of the field in a row.
    pub fn value<'a>(&self, row: &'a R) -> Value<'a> {
        (self.value)(row)
    }

    /// The cell of the field's column in a row.
    pub fn cell(&self, row: &R, context: &Context) -> Cell {
        let value = self.value(row);
        let Some(tone) = self.tone else {
            return value.cell(context);
        };
        let text = match self.cell_text {
            Some(text) => text(row),
            None => value.text(context.now),
        };
        Cell::new(text, tone(row, context))
    }
}

/// The index of each field in a table of entries.
pub type FieldIndexes = [u8; Field::ALL.len()];

/// The index of a field that the table does not have.
const NONE: u8 = u8::MAX;

/// The largest number of fields that are searched for a word.
const SEARCHED: usize = 16;

/// The indexes of the fields that are searched for a word, padded with `NONE`.
pub type Searched = [u8; SEARCHED];

/// The indexes of all fields, computed at compile time. A field with two entries is a compile error.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler"
)]
pub(super) const fn indexes<R>(entries: &[Entry<R>]) -> FieldIndexes {
    let mut indexes = [NONE; Field::ALL.len()];
    let mut at = 0;
    while at < entries.len() {
        let field = entries[at].field as usize;
        assert!(indexes[field] == NONE, "a field has two entries");
        indexes[field] = at as u8;
        at += 1;
    }
    indexes
}

/// The indexes of the fields that are searched for a word, computed at compile time.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler"
)]
pub(super) const fn searched<R>(entries: &[Entry<R>]) -> Searched {
    let mut indexes = [NONE; SEARCHED];
    let (mut at, mut count) = (0, 0);
    while at < entries.len() {
        if entries[at].is_searched {
            indexes[count] = at as u8;
            count += 1;
        }
        at += 1;
    }
    indexes
}
