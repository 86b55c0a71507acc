//! Rows of the dashboard's tables as records.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use kubevitals_proto::time::Timestamp;

use super::records::{Datum, Heading, Records};
use super::table::widest;
use super::totals::total;
use super::value::{TIME_COLUMN, datum, fields, name, time};
use crate::model::row::Value;
use crate::model::{AnyTable, Column, Field, format};

/// The text of a value that is unknown or empty, as in kubectl: each line has a word for each column.
const NONE: &str = "<none>";

/// The text in the row of totals that stands for a name. Names of objects have no capital letters.
const TOTAL: &str = "TOTAL";

/// How values are written in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Texts {
    /// As on the screen of the dashboard.
    #[default]
    Screen,
    /// As on the screen, and with a word for each unknown value.
    Words,
    /// As in `kubectl top`: CPU in millicores, memory in mebibytes.
    KubectlTop,
}

/// Rows of a table as of a time. Tables for people have the columns; programs get the fields that belong to them.
pub struct TableRecords<'a> {
    table: &'a dyn AnyTable,
    rows: &'a [u32],
    now: Timestamp,
    headings: Vec<Heading>,
    /// The field of each heading; `None` for the time of the row.
    fields: Vec<Option<Field>>,
    texts: Texts,
    /// The values of the row of totals.
    total: Option<Vec<Option<Value<'static>>>>,
}

impl<'a> TableRecords<'a> {
    /// Records of the rows with these indexes. Columns of sparklines are left out: the last point of a trend has a
    /// column of its own. Programs also get the time of each row, and the fields that belong to a column.
    #[must_use]
    pub fn new(
        columns: &[Column],
        table: &'a dyn AnyTable,
        rows: &'a [u32],
        now: Timestamp,
    ) -> Self {
        let columns: Vec<Column> = columns
            .iter()
            .filter(|column| !column.is_trend())
            .copied()
            .collect();
        let fields = fields(&columns, table);
        let of_data = std::iter::once(None).chain(fields.into_iter().map(Some));
        Self::of(&columns, of_data, table, rows, now)
    }

    /// Records of the rows with these indexes, with these columns and no others.
    #[must_use]
    pub fn exactly(
        columns: &[Column],
        table: &'a dyn AnyTable,
        rows: &'a [u32],
        now: Timestamp,
    ) -> Self {
        let of_data = columns.iter().map(|column| Some(column.field));
        Self::of(columns, of_data, table, rows, now)
    }

    fn of(
        columns: &[Column],
        of_data: impl Iterator<Item = Option<Field>>,
        table: &'a dyn AnyTable,
        rows: &'a [u32],
        now: Timestamp,
    ) -> Self {
        let for_people = columns.iter().map(|column| {
            let title: Cow<'static, str> = match column.title {
                "" => column.field.name().to_uppercase().into(),
                title => title.into(),
            };
            let heading = Heading {
                align: column.align,
                ..Heading::of_tables(title)
            };
            (heading, Some(column.field))
        });
        let for_programs = of_data.map(|field| {
            let name = field.map_or(TIME_COLUMN, name);
            (Heading::of_data(name), field)
        });
        let (headings, fields) = for_people.chain(for_programs).unzip();
        Self {
            table,
            rows,
            now,
            headings,
            fields,
            texts: Texts::default(),
            total: None,
        }
    }

    /// Writes values in tables like this.
    #[must_use]
    pub const fn with_texts(mut self, texts: Texts) -> Self {
        self.texts = texts;
        self
    }

    /// Adds the row of totals.
    #[must_use]
    pub fn with_total(mut self) -> Self {
        let values = self.fields.iter().map(|field| {
            let field = (*field)?;
            total(self.table, self.rows, field, self.now)
        });
        let mut values: Vec<_> = values.collect();
        // Tables and programs have a column for the name each.
        for of_data in [false, true] {
            let is_name = |heading: &Heading| heading.name.is_some() == of_data;
            let mut columns = self.headings.iter().zip(&self.fields);
            let name = columns.position(|(heading, field)| {
                is_name(heading) && matches!(field, Some(Field::Name | Field::Pod))
            });
            if let Some(value) = name.and_then(|at| values.get_mut(at)) {
                *value = Some(TOTAL.into());
            }
        }
        self.total = Some(values);
        self
    }

    /// Replaces the heading of a field in tables.
    pub fn rename(&mut self, field: Field, title: impl Into<Cow<'static, str>>) {
        let mut columns = self.headings.iter_mut().zip(&self.fields);
        let column = columns.find(|(_, of)| **of == Some(field));
        if let Some((heading, _)) = column
            && heading.title.is_some()
        {
            heading.title = Some(title.into());
        }
    }

    /// Sets the widths of the columns of tables, in their order.
    pub fn set_widths(&mut self, widths: &[usize]) {
        let columns = self.headings.iter_mut();
        let columns = columns.filter(|heading| heading.title.is_some());
        for (heading, width) in columns.zip(widths) {
            heading.width = Some(*width);
        }
    }

    fn field(&self, column: usize) -> Option<Field> {
        self.fields.get(column).copied().flatten()
    }

    fn value(&self, row: usize, column: usize) -> Option<Value<'_>> {
        match self.rows.get(row) {
            Some(at) => self.table.value(*at, self.field(column)?),
            None => self.total.as_ref()?.get(column)?.clone(),
        }
    }

    /// Makes the columns of tables as wide as their cells, and at least as wide as before.
    pub fn align_with(&mut self, widths: &mut Vec<usize>) {
        let columns = self.headings.iter().enumerate();
        let columns = columns.filter(|(_, heading)| heading.title.is_some());
        let own: Vec<usize> = columns
            .map(|(column, heading)| widest(self, column, heading, true))
            .collect();
        widths.resize(own.len(), 0);
        for (width, own) in widths.iter_mut().zip(own) {
            *width = own.max(*width);
        }
        self.set_widths(widths);
    }

    /// A hash of the values of a row, without those that change with time alone.
    #[must_use]
    pub fn fingerprint(&self, row: usize) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (column, field) in self.fields.iter().enumerate() {
            if field.is_some_and(|field| !field.changes_with_time()) {
                self.datum(row, column).hash(&mut hasher);
            }
        }
        hasher.finish()
    }
}

impl Records for TableRecords<'_> {
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
        let is_total = row >= self.rows.len();
        let text = self
            .value(row, column)
            .map_or("".into(), |value| self.texts.of(value, self.now));
        match self.texts {
            Texts::Screen => text,
            // A total that is no number of the rows is blank.
            _ if is_total => text,
            _ if text.is_empty() || text == format::UNKNOWN => NONE.into(),
            _ => text,
        }
    }

    fn datum(&self, row: usize, column: usize) -> Datum<'_> {
        let Some(field) = self.field(column) else {
            return time(self.now).into();
        };
        self.value(row, column)
            .map_or(Datum::Null, |value| datum(value, field, self.now))
    }

    fn reference(&self, row: usize) -> String {
        let reference = || self.table.reference(*self.rows.get(row)?);
        reference().unwrap_or_default()
    }
}

impl Texts {
    fn of(self, value: Value<'_>, now: Timestamp) -> Cow<'_, str> {
        const MEBIBYTE: u64 = 1 << 20;
        match (self, &value) {
            (Self::KubectlTop, Value::Cpu(cpu)) => cpu
                .get()
                .map(|cpu| format!("{}m", cpu.millicores_ceil()).into()),
            (Self::KubectlTop, Value::Memory(memory)) => memory
                .get()
                .map(|memory| format!("{}Mi", memory.0 / MEBIBYTE).into()),
            _ => None,
        }
        .unwrap_or_else(|| value.text(now))
    }
}
