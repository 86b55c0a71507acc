//! The filter language: selects the rows of a table.
//!
//! ```text
//! web cpu>500m                words and conditions with blanks between them: all must match; also `and`, `&`, `&&`
//! web, restarts>0             parts with commas between them: one must match; also `or`, `|`, `||`
//! ns=shop,payments            a list of values, without blanks: one of them, or with `!=` none
//! !probe=passing !(a, b)      what must not match, also `not`; parentheses group
//! name=web*                   `*` stands for any characters
//! ~^web-\d+ node~(a|b)$       regular expressions, on any column or on one
//! mem%limit>80 restarts>0     numbers with their units
//! -l app=web,tier!=db         labels, as in kubectl
//! "two words" name="a,b"      quoted text may contain blanks and operators
//! ```
//!
//! Blanks bind closer than commas. A word is searched in all columns of text. `=` compares the whole text. Case is
//! ignored. A condition on a number does not match rows without that number. An error has a span, so that the view can
//! show it under the input.

mod error;
mod eval;
mod hints;
mod lexis;
mod manual;
mod narrow;
mod parse;
mod pattern;
mod selection;
mod tree;
mod value;

#[cfg(test)]
mod tests;

use std::str::FromStr;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use crate::model::field::Field;
use crate::model::row::Row;
pub use error::FilterError;
pub use manual::{REMARK, manual};
use pattern::Pattern;
pub use selection::Selection;
use tree::Node;
pub use tree::Operator;

/// Whether a name is like a pattern, in which `*` stands for any characters; without `*`, whether they are equal.
#[must_use]
pub fn is_like(pattern: &str, name: &str) -> bool {
    if pattern.contains('*') {
        Pattern::new(&hints::glob(pattern)).is_ok_and(|pattern| pattern.is_in(name))
    } else {
        pattern == name
    }
}

/// A parsed filter. The empty filter matches all rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    root: Option<Arc<Node>>,
}

impl Filter {
    /// Whether the filter matches all rows.
    pub const fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// Whether the result can change with time alone.
    pub fn changes_with_time(&self) -> bool {
        self.root.as_deref().is_some_and(Node::changes_with_time)
    }

    /// Whether the filter has a condition on a field.
    pub fn names(&self, field: Field) -> bool {
        self.root.as_deref().is_some_and(|root| root.names(field))
    }

    /// Whether the filter matches a row; `now` is the time on the screen.
    pub fn matches(&self, row: &impl Row, now: Timestamp) -> bool {
        self.root.as_ref().is_none_or(|root| root.holds(row, now))
    }

    /// Whether `wider` certainly matches every row that this filter matches. Most letters that a user types narrow the
    /// filter.
    pub fn narrows(&self, wider: &Self) -> bool {
        match (&self.root, &wider.root) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(root), Some(wider)) => root == wider || root.implies(wider),
        }
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let root = parse::parse(text)?;
        Ok(Self {
            root: root.map(Arc::new),
        })
    }
}
