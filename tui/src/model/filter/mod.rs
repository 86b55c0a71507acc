//! The filter line: which rows of a table are shown.
//!
//! ```text
//! web cpu>500m                words and conditions with blanks between them: all must hold; also `and`, `&`, `&&`
//! web, restarts>0             parts with commas between them: one must hold; also `or`, `|`, `||`
//! ns=shop,payments            a list of values, without blanks: one of them, or with `!=` none
//! !probe=passing !(a, b)      what must not hold, also `not`; parentheses where they are needed
//! name=web*                   `*` stands for anything
//! ~^web-\d+ node~(a|b)$       regular expressions, of any column or of one
//! mem%limit>80 restarts>0     numbers with their units
//! -l app=web,tier!=db         labels, as kubectl has them
//! "two words" name="a,b"      quoted where a blank or a sign belongs to the text
//! ```
//!
//! Blanks bind closer than commas. A word is found in any column of text, in any case. `=` compares whole texts, in any case. A row that has no number
//! for a condition does not fulfil it. An error says what is wrong and where, so that it can be shown under the line
//! while it is typed.

mod eval;
mod hints;
mod lexis;
mod manual;
mod parse;
mod pattern;
mod selection;
mod tree;
mod value;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use kubevitals_proto::time::Timestamp;

use crate::model::row::Row;
use crate::text::width;
pub use manual::{MANUAL, REMARK};
pub use selection::Selection;
pub use tree::{Comparison, Kind, Node, Operator};

/// How long a filter may be, in bytes. What is pasted may be anything.
pub const MAX_LENGTH: usize = 2_048;

/// A filter that was understood. The empty one lets everything through.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    root: Option<Node>,
}

/// Why a text is no filter, and which part of it is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// What is wrong, for the person who types.
    pub message: String,
    /// The bytes it is about; empty at the end for what is missing.
    pub span: Range<usize>,
}

impl FilterError {
    fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            span,
        }
    }

    /// In which cell of the line `text` it begins, and how many cells it takes: at least one.
    pub fn cells(&self, text: &str) -> Range<usize> {
        let before = text.get(..self.span.start).map_or(0, width);
        let part = text.get(self.span.clone()).map_or(0, width);
        before..before + part.max(1)
    }
}

impl Filter {
    /// Whether it lets everything through.
    pub const fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// What it is made of.
    pub const fn root(&self) -> Option<&Node> {
        self.root.as_ref()
    }

    /// Whether what it lets through may change with time alone.
    pub fn changes_with_time(&self) -> bool {
        self.root.as_ref().is_some_and(Node::changes_with_time)
    }

    /// Whether a row is shown; `now` is the time for which it is shown.
    pub fn matches(&self, row: &impl Row, now: Timestamp) -> bool {
        self.root.as_ref().is_none_or(|root| root.holds(row, now))
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let root = parse::parse(text)?;
        Ok(Self { root })
    }
}

impl fmt::Display for Filter {
    /// The shortest text that means the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            Some(root) => root.fmt(f),
            None => Ok(()),
        }
    }
}
