//! Places of a text page, and rows of the screen.

use crate::model::tone::Tone;

/// What is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextPosition {
    /// The last rows. New lines move them up.
    End,
    /// From this row of the line with this number on.
    Line(u64, usize),
}

impl Default for TextPosition {
    fn default() -> Self {
        Self::Line(0, 0)
    }
}

/// A row of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The number of its line.
    pub number: u64,
    /// Its index among the rows of the line.
    pub at: usize,
    /// Its text, without what is in front of each line.
    pub text: String,
    /// Its tone.
    pub tone: Tone,
}
