//! The syntax tree of a filter, and its text.

use std::fmt;
use std::ops::Range;

use kubevitals_proto::needle::Needle;
use kubevitals_proto::selector::LabelSelector;

use super::lexis;
use super::pattern::Pattern;
use super::value::Number;
use crate::model::Field;

/// A part of a filter, and its bytes in the text.
#[derive(Debug, Clone)]
pub struct Node {
    /// The condition.
    pub kind: Kind,
    /// Its bytes in the text.
    pub span: Range<usize>,
}

/// A condition.
#[derive(Debug, Clone)]
pub enum Kind {
    /// All parts match: parts separated by blanks.
    All(Vec<Node>),
    /// One part matches: parts separated by commas.
    Any(Vec<Node>),
    /// The part does not match.
    Not(Box<Node>),
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
#[derive(Debug, Clone)]
pub enum Comparison {
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
    /// The number compares like this with another number.
    Number(Operator, Number),
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

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::All(parts) => joined(f, parts, " ", |kind| {
                matches!(kind, Kind::All(_) | Kind::Any(_))
            }),
            Kind::Any(parts) => joined(f, parts, ", ", |kind| matches!(kind, Kind::Any(_))),
            Kind::Not(part) => {
                f.write_str("!")?;
                guarded(f, part, matches!(part.kind, Kind::All(_) | Kind::Any(_)))
            }
            Kind::Word(word) => f.write_str(&quoted(word.word(), is_word(word.word()))),
            Kind::Matches(pattern) => write!(f, "~{}", expression(pattern)),
            Kind::Field(field, comparison) => write!(f, "{}{comparison}", field.name()),
            Kind::Labels(selector) => {
                let text = selector.to_string();
                write!(f, "-l {}", quoted(&text, is_bare_selector(&text)))
            }
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { equal, with } => {
                let sign = if *equal { "=" } else { "!=" };
                write!(
                    f,
                    "{sign}{}",
                    quoted(with.word(), is_bare_value(with.word()))
                )
            }
            Self::Matches { found, pattern } => {
                let sign = if *found { "~" } else { "!~" };
                write!(f, "{sign}{}", expression(pattern))
            }
            Self::Number(operator, number) => write!(f, "{}{}", operator.sign(), number.text),
        }
    }
}

/// Writes parts with a separator, in parentheses where the text would otherwise mean something else.
fn joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Node],
    separator: &str,
    looser: impl Fn(&Kind) -> bool,
) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(separator)?;
        }
        guarded(f, part, looser(&part.kind))?;
    }
    Ok(())
}

fn guarded(f: &mut fmt::Formatter<'_>, part: &Node, parentheses: bool) -> fmt::Result {
    if parentheses {
        write!(f, "({part})")
    } else {
        write!(f, "{part}")
    }
}

/// The text in quotes, unless it is bare.
fn quoted(text: &str, bare: bool) -> String {
    if bare {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

fn expression(pattern: &Pattern) -> String {
    let text = pattern.as_str();
    quoted(text, lexis::is_bare_pattern(text))
}

/// Whether a text is parsed as one word: without signs of the language, and unlike a condition or an expression.
fn is_word(text: &str) -> bool {
    is_bare_value(text)
        && !text.starts_with(['!', '~', '-'])
        && !text.contains(lexis::is_operator)
        && lexis::Keyword::at(text).is_none()
        && super::hints::misspelled(text, "").is_none()
}

/// Whether a text after an operator needs no quotes.
fn is_bare_value(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(lexis::is_quote)
        && !text.contains(lexis::ends_value)
        && !text.contains('*')
}

/// Whether a selector needs no quotes: it may contain commas, but no blanks.
fn is_bare_selector(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(lexis::is_quote)
        && !text.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')'))
}
