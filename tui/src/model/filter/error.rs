//! Errors in filters.

use std::ops::Range;

use crate::text::width;

/// Why a text is not a filter, and which part of it is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// The error, for the user.
    pub message: String,
    /// The wrong bytes; empty at the end of the text if something is missing.
    pub span: Range<usize>,
}

impl FilterError {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            span,
        }
    }

    /// The cells of the line `text` that the span covers: at least one.
    pub fn cells(&self, text: &str) -> Range<usize> {
        let before = text.get(..self.span.start).map_or(0, width);
        let part = text.get(self.span.clone()).map_or(0, width);
        before..before + part.max(1)
    }
}
