//! The columns a table can have.

use super::field::{Field, Unit};

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Left, for text.
    Left,
    /// Right, for numbers.
    Right,
}

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Width {
    /// It is not shown narrower.
    pub least: u16,
    /// It is not shown wider.
    pub most: u16,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// What it shows; its name is the column's id.
    pub field: Field,
    /// Its heading.
    pub title: &'static str,
    /// How wide it is, the heading included.
    pub width: Width,
    /// Columns of a lower number are shown first when there is not room for all. Those of [`Column::ON_DEMAND`] are
    /// shown only when they are chosen.
    pub priority: u8,
    /// Where its cells stand.
    pub align: Align,
    /// Whether it is hidden, unless it is chosen, while nothing is known of what it shows.
    pub optional: bool,
}

impl Column {
    /// The priority of a column that is not shown unless it is chosen.
    pub const ON_DEMAND: u8 = u8::MAX;

    /// A column of text, cut when it must be.
    pub(super) const fn text(
        field: Field,
        title: &'static str,
        least: u16,
        most: u16,
        priority: u8,
    ) -> Self {
        Self {
            field,
            title,
            width: Width { least, most },
            priority,
            align: Align::Left,
            optional: false,
        }
    }

    /// A column of numbers, never cut.
    pub(super) const fn number(
        field: Field,
        title: &'static str,
        width: u16,
        priority: u8,
    ) -> Self {
        Self {
            field,
            title,
            width: Width {
                least: width,
                most: width,
            },
            priority,
            align: Align::Right,
            optional: false,
        }
    }

    /// A column of drawings over time.
    pub(super) const fn trend(field: Field, title: &'static str, priority: u8) -> Self {
        Self::text(field, title, 8, 30, priority)
    }

    /// Whether it says which object a row is of: it is shown at any width and cannot be turned off.
    #[must_use]
    pub const fn is_identity(&self) -> bool {
        self.priority == 0 && matches!(self.field, Field::Name | Field::Pod | Field::Container)
    }

    /// Whether it holds drawings over time.
    #[must_use]
    pub const fn is_trend(&self) -> bool {
        matches!(self.field, Field::CpuTrend | Field::MemoryTrend)
    }
}

/// By what a table is sorted. Ties stay in the order of the rows' keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub field: Field,
    /// Largest or last first. What is not known is last in both directions.
    pub descending: bool,
}

impl Sort {
    /// As one would want it first: numbers largest first, texts and ages from the beginning.
    #[must_use]
    pub const fn by(field: Field) -> Self {
        Self {
            field,
            descending: !matches!(field.unit(), Unit::Text | Unit::Seconds | Unit::Flag),
        }
    }

    /// The other way round.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self {
            field: self.field,
            descending: !self.descending,
        }
    }
}
