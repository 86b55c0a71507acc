//! The syntax tree of a filter.

use kubevitals_proto::needle::Needle;
use kubevitals_proto::selector::LabelSelector;

use super::pattern::Pattern;
use crate::model::Field;

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// All parts match: parts separated by blanks.
    All(Vec<Self>),
    /// One part matches: parts separated by commas.
    Any(Vec<Self>),
    /// The part does not match.
    Not(Box<Self>),
    /// A column of text contains the word.
    Word(Needle),
    /// A column of text matches the expression.
    Matches(Pattern),
    /// The field matches the comparison.
    Field(Field, Comparison),
    /// The labels match the selector.
    Labels(LabelSelector),
}

/// A comparison of a field's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Comparison {
    /// The text equals `with`, or does not.
    Text {
        /// `=` or `!=`.
        equal: bool,
        /// The text.
        with: Needle,
    },
    /// The text matches the expression, or does not.
    Matches {
        /// `~` or `!~`.
        found: bool,
        /// The expression.
        pattern: Pattern,
    },
    /// The number, in the unit of the field, compares like this with another number.
    Number(Operator, f64),
}

/// A comparison of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Operator {
    /// The sign of the operator.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    /// Whether the comparison is true.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
        }
    }
}
