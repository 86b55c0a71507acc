//! What a table shows in one place.

use std::borrow::Cow;

use super::tone::Tone;

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Text.
    Text {
        /// What it says. It is cut to the column's width by whoever draws it.
        text: String,
        /// How grave that is.
        tone: Tone,
    },
    /// The row's recent CPU or memory, drawn from [`super::Trends`] under the row's key.
    Trend {
        /// Which.
        resource: Resource,
        /// The amount that it is drawn against, in nanocores or bytes: the limit, else the request; of a node what it
        /// has for pods.
        full: Option<u64>,
    },
}

/// What is drawn over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// CPU.
    Cpu,
    /// Memory.
    Memory,
}

impl Cell {
    /// Text in a tone.
    #[must_use]
    pub fn new(text: Cow<'_, str>, tone: Tone) -> Self {
        Self::Text {
            text: text.into_owned(),
            tone,
        }
    }
}
