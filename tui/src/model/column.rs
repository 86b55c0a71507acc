//! The columns a table can have.

use super::field::{Field, Unit};
use crate::text::Align;

/// The width of a column in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Width {
    /// The smallest width.
    pub least: u16,
    /// The largest width.
    pub most: u16,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The field that the column shows. Its name is the column's id.
    pub field: Field,
    /// The heading.
    pub title: &'static str,
    /// The width, including the heading.
    pub width: Width,
    /// If there is not enough space for all columns, those with lower numbers are shown. [`Column::ON_DEMAND`] columns
    /// are shown only if they are chosen.
    pub priority: u8,
    /// The alignment of cells.
    pub align: Align,
    /// Whether the column is hidden, unless it is chosen, while no row has a value for it.
    pub optional: bool,
}

impl Column {
    /// The priority of a column that is only shown if it is chosen.
    pub const ON_DEMAND: u8 = u8::MAX;

    /// The column of a field that has none by itself. Its heading follows from the name of the field.
    #[must_use]
    pub const fn of_field(field: Field) -> Self {
        Self {
            field,
            title: "",
            width: Width { least: 6, most: 30 },
            priority: Self::ON_DEMAND,
            align: match field.unit() {
                Unit::Text => Align::Left,
                _ => Align::Right,
            },
            optional: false,
        }
    }

    /// Whether the column identifies the object of a row. It is shown at any width and cannot be turned off.
    #[must_use]
    pub const fn is_identity(&self) -> bool {
        self.priority == 0 && matches!(self.field, Field::Name | Field::Pod | Field::Container)
    }

    /// Whether the column shows sparklines.
    #[must_use]
    pub const fn is_trend(&self) -> bool {
        matches!(self.field, Field::CpuTrend | Field::MemoryTrend)
    }
}

/// The order of a table. Equal rows are in the order of their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The field.
    pub field: Field,
    /// Largest or last first. Unknown values are last in both directions.
    pub descending: bool,
}

impl Sort {
    /// The natural order: numbers descending, texts and ages ascending.
    #[must_use]
    pub const fn by(field: Field) -> Self {
        Self {
            field,
            descending: !matches!(field.unit(), Unit::Text | Unit::Seconds | Unit::Flag),
        }
    }

    /// The reverse order.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self {
            field: self.field,
            descending: !self.descending,
        }
    }
}
