//! Records: rows of named values, which every output form can write.
//!
//! Tables show a text of each value to people. CSV, TSV, JSON and YAML contain the value itself.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::text::Align;

/// A column of records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heading {
    /// The name in CSV, TSV, JSON and YAML. `None` if only tables have the column.
    pub name: Option<Cow<'static, str>>,
    /// The heading in tables. `None` if only CSV, TSV, JSON and YAML have the column.
    pub title: Option<Cow<'static, str>>,
    /// The alignment in tables.
    pub align: Align,
    /// Whether only wide tables have the column.
    pub is_wide: bool,
    /// The width in tables: longer cells are cut. `None` for the width of the widest cell.
    pub width: Option<usize>,
}

impl Heading {
    /// A column of all forms.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, title: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: Some(name.into()),
            title: Some(title.into()),
            ..Self::default()
        }
    }

    /// A column of tables only.
    #[must_use]
    pub fn of_tables(title: impl Into<Cow<'static, str>>) -> Self {
        Self {
            title: Some(title.into()),
            ..Self::default()
        }
    }

    /// A column of CSV, TSV, JSON and YAML only.
    #[must_use]
    pub fn of_data(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }

    /// Aligns cells to the right, for numbers.
    #[must_use]
    pub const fn right(mut self) -> Self {
        self.align = Align::Right;
        self
    }

    /// Leaves the column out of tables that are not wide.
    #[must_use]
    pub const fn wide(mut self) -> Self {
        self.is_wide = true;
        self
    }
}

/// A value for programs.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum<'a> {
    /// Unknown, or none.
    Null,
    /// A text; times are RFC 3339 texts.
    Text(Cow<'a, str>),
    /// A whole number: a count, bytes, seconds.
    Integer(i64),
    /// A number with a fraction: cores, percent. Finite.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

impl Hash for Datum<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Null => {}
            Self::Text(text) => text.hash(state),
            Self::Integer(number) => number.hash(state),
            Self::Number(number) => number.to_bits().hash(state),
            Self::Flag(flag) => flag.hash(state),
        }
    }
}

impl Serialize for Datum<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
        }
    }
}

impl<'a> From<&'a str> for Datum<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> From<Cow<'a, str>> for Datum<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

impl From<String> for Datum<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Datum<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Datum<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Datum<'_> {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u64> for Datum<'_> {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Datum<'_> {
    /// JSON has no infinity: a number that is not finite is unknown.
    fn from(number: f64) -> Self {
        if number.is_finite() {
            Self::Number(number)
        } else {
            Self::Null
        }
    }
}

impl<'a, T: Into<Datum<'a>>> From<Option<T>> for Datum<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Rows of named values. Rows and columns are addressed by their index.
pub trait Records {
    /// The columns.
    fn headings(&self) -> &[Heading];

    /// The number of rows, without the row of totals.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is a row of totals. Its index is [`Records::len`].
    fn has_total(&self) -> bool {
        false
    }

    /// The text of a cell.
    fn text(&self, row: usize, column: usize) -> Cow<'_, str>;

    /// The value of a cell.
    fn datum(&self, row: usize, column: usize) -> Datum<'_>;

    /// The object of a row as kubectl names it: `pod/web-1`.
    fn reference(&self, row: usize) -> String;
}

/// The indexes of all rows, the totals last.
pub(super) fn all_rows(records: &dyn Records) -> std::ops::Range<usize> {
    0..records.len() + usize::from(records.has_total())
}

/// The rows as a list of objects, without the totals.
pub struct Items<'a>(pub &'a dyn Records);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = serializer.serialize_seq(Some(self.0.len()))?;
        for row in 0..self.0.len() {
            items.serialize_element(&Item(self.0, row))?;
        }
        items.end()
    }
}

/// A row as an object.
pub struct Item<'a>(pub &'a dyn Records, pub usize);

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(records, row) = *self;
        let mut members = serializer.serialize_map(None)?;
        for (column, heading) in records.headings().iter().enumerate() {
            if let Some(name) = &heading.name {
                members.serialize_entry(name, &records.datum(row, column))?;
            }
        }
        members.end()
    }
}

/// A cell of a [`RecordList`]: its text in tables, and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordCell {
    /// The text.
    pub text: String,
    /// The value.
    pub datum: Datum<'static>,
}

impl RecordCell {
    /// A cell.
    #[must_use]
    pub fn new(text: impl Into<String>, datum: impl Into<Datum<'static>>) -> Self {
        Self {
            text: text.into(),
            datum: datum.into(),
        }
    }

    /// A cell whose value is its text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::new(text.clone(), text)
    }
}

/// Records in memory.
#[derive(Debug, Clone, Default)]
pub struct RecordList {
    headings: Vec<Heading>,
    rows: Vec<(String, Vec<RecordCell>)>,
    total: Option<Vec<RecordCell>>,
}

impl RecordList {
    /// A list with these columns and no rows.
    #[must_use]
    pub const fn new(headings: Vec<Heading>) -> Self {
        Self {
            headings,
            rows: Vec::new(),
            total: None,
        }
    }

    /// Adds a row: the object as kubectl names it, and a cell for each column.
    pub fn push(&mut self, reference: impl Into<String>, cells: Vec<RecordCell>) {
        self.rows.push((reference.into(), cells));
    }

    /// Sets the row of totals.
    pub fn set_total(&mut self, cells: Vec<RecordCell>) {
        self.total = Some(cells);
    }

    fn cell(&self, row: usize, column: usize) -> Option<&RecordCell> {
        let cells = match self.rows.get(row) {
            Some((_, cells)) => Some(cells),
            None => self.total.as_ref(),
        };
        cells?.get(column)
    }
}

impl Records for RecordList {
    fn headings(&self) -> &[Heading] {
        &self.headings
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn has_total(&self) -> bool {
        self.total.is_some()
    }

    fn text(&self, row: usize, column: usize) -> Cow<'_, str> {
        self.cell(row, column)
            .map_or("".into(), |cell| cell.text.as_str().into())
    }

    fn datum(&self, row: usize, column: usize) -> Datum<'_> {
        self.cell(row, column)
            .map_or(Datum::Null, |cell| cell.datum.clone())
    }

    fn reference(&self, row: usize) -> String {
        self.rows
            .get(row)
            .map_or_else(String::new, |(reference, _)| reference.clone())
    }
}
