//! Cells of a table.

use std::borrow::Cow;

use super::tone::Tone;

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Text.
    Text {
        /// The text. The view cuts it to the column's width.
        text: String,
        /// Its severity.
        tone: Tone,
    },
    /// A bar.
    Gauge {
        /// The filled part, in thousandths.
        permille: u16,
        /// Its severity.
        tone: Tone,
    },
    /// The row's recent usage, drawn from [`super::Trends`] under the row's key.
    Trend {
        /// The resource.
        resource: Resource,
        /// The amount at the top of the drawing, in nanocores or bytes: the limit, or else the request; for a node its
        /// allocatable amount.
        full: Option<u64>,
    },
}

/// A resource that is drawn over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// CPU.
    Cpu,
    /// Memory.
    Memory,
}

impl Cell {
    /// A cell with text.
    #[must_use]
    pub fn new(text: Cow<'_, str>, tone: Tone) -> Self {
        Self::Text {
            text: text.into_owned(),
            tone,
        }
    }
}
