//! The table of what can be shown of a kind of rows: one entry for each field.

use std::borrow::Cow;

use super::{Context, Value};
use crate::model::cell::Cell;
use crate::model::column::Column;
use crate::model::field::Field;
use crate::model::tone::Tone;

/// A field of rows of a kind: how its value is read, which column shows it, and who else uses it.
#[derive(Debug)]
pub struct Entry<R> {
    /// Which field.
    pub field: Field,
    /// The column that shows it; none if only filters and exports use it.
    pub column: Option<Column>,
    /// Fields that an export for programs has beside this one: the numbers of a fraction, when and why.
    pub exported_with: &'static [Field],
    value: fn(&R) -> Value<'_>,
    /// The text of the cell, where that is more than the value's.
    shown: Option<fn(&R) -> Cow<'_, str>>,
    /// The colour of the cell, where the value has none of its own.
    tone: Option<fn(&R, &Context) -> Tone>,
    is_searched: bool,
}

impl<R> Entry<R> {
    /// A field that no column shows.
    pub(super) const fn hidden(field: Field, value: fn(&R) -> Value<'_>) -> Self {
        Self {
            field,
            column: None,
            exported_with: &[],
            value,
            shown: None,
            tone: None,
            is_searched: false,
        }
    }

    const fn column(column: Column, value: fn(&R) -> Value<'_>) -> Self {
        let mut entry = Self::hidden(column.field, value);
        entry.column = Some(column);
        entry
    }

    /// A field with a column of text: its least and most cells, and its priority.
    pub(super) const fn text(
        field: Field,
        title: &'static str,
        (least, most): (u16, u16),
        priority: u8,
        value: fn(&R) -> Value<'_>,
    ) -> Self {
        Self::column(Column::text(field, title, least, most, priority), value)
    }

    /// A field with a column of numbers: its cells, and its priority.
    pub(super) const fn number(
        field: Field,
        title: &'static str,
        width: u16,
        priority: u8,
        value: fn(&R) -> Value<'_>,
    ) -> Self {
        Self::column(Column::number(field, title, width, priority), value)
    }

    /// A field with a column of drawings over time.
    pub(super) const fn trend(
        field: Field,
        title: &'static str,
        priority: u8,
        value: fn(&R) -> Value<'_>,
    ) -> Self {
        Self::column(Column::trend(field, title, priority), value)
    }

    /// A word of a filter is searched in this field too.
    pub(super) const fn searched(mut self) -> Self {
        self.is_searched = true;
        self
    }

    /// The column is hidden while nothing is known of what it shows.
    pub(super) const fn optional(mut self) -> Self {
        if let Some(column) = &mut self.column {
            column.optional = true;
        }
        self
    }

    /// With the colour that a row calls for.
    pub(super) const fn tone(mut self, tone: fn(&R, &Context) -> Tone) -> Self {
        self.tone = Some(tone);
        self
    }

    /// With more text in its cells than filters and exports read.
    pub(super) const fn shown(mut self, shown: fn(&R) -> Cow<'_, str>) -> Self {
        self.shown = Some(shown);
        self
    }

    /// With these fields beside it in an export for programs.
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
        let text = match self.shown {
            Some(shown) => shown(row),
            None => value.text(context.now),
        };
        Cell::new(text, tone(row, context))
    }
}

/// The place of each field in a table of entries.
pub type Places = [u8; Field::ALL.len()];

/// The place of a field that a table does not have.
const NONE: u8 = u8::MAX;

/// At most so many fields of a row are searched for a word.
const SEARCHED: usize = 16;

/// The places of the fields that are searched for a word, followed by places of none.
pub type Searched = [u8; SEARCHED];

/// The places of all fields. Computed by the compiler, which refuses a table that has a field twice.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler"
)]
pub(super) const fn places<R>(entries: &[Entry<R>]) -> Places {
    let mut places = [NONE; Field::ALL.len()];
    let mut at = 0;
    while at < entries.len() {
        let field = entries[at].field as usize;
        assert!(places[field] == NONE, "a field has two entries");
        places[field] = at as u8;
        at += 1;
    }
    places
}

/// The places of the fields that are searched for a word. Computed by the compiler.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler"
)]
pub(super) const fn searched<R>(entries: &[Entry<R>]) -> Searched {
    let mut places = [NONE; SEARCHED];
    let (mut at, mut count) = (0, 0);
    while at < entries.len() {
        if entries[at].is_searched {
            places[count] = at as u8;
            count += 1;
        }
        at += 1;
    }
    places
}
