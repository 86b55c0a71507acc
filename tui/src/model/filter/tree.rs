//! What a filter is made of, and its text.

use std::fmt;
use std::ops::Range;

use kubevitals_proto::needle::Needle;
use kubevitals_proto::selector::LabelSelector;

use super::lexis;
use super::pattern::Pattern;
use super::value::Number;
use crate::model::Field;

/// A part of a filter, and which bytes of the text it was read from.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it asks.
    pub kind: Kind,
    /// Where it stands.
    pub span: Range<usize>,
}

/// What a part of a filter asks.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Whether all hold: parts by blanks.
    All(Vec<Node>),
    /// Whether one holds: parts by commas.
    Any(Vec<Node>),
    /// Whether it does not hold.
    Not(Box<Node>),
    /// Whether a word is in a column of text.
    Word(Needle),
    /// Whether a regular expression is found in a column of text.
    Matches(Pattern),
    /// Whether a field compares so.
    Field(Field, Comparison),
    /// Whether the labels are so.
    Labels(LabelSelector),
}

/// What a field is compared with.
#[derive(Debug, Clone)]
pub enum Comparison {
    /// Whether the text is this one, or is not.
    Text {
        /// `=` or `!=`.
        equal: bool,
        /// With what.
        with: Needle,
    },
    /// Whether the expression is found in it, or is not.
    Matches {
        /// `~` or `!~`.
        found: bool,
        /// The expression.
        pattern: Pattern,
    },
    /// How the number is to this one.
    Number(Operator, Number),
}

/// How two numbers are compared.
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
    /// Its sign.
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

    /// Whether two numbers are so.
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

/// Parts with a separator, in parentheses where they would be read otherwise without.
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

/// In quotes, unless it is understood without.
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

/// Whether a text is read as one word. Words that begin with a sign of the language are not, nor what looks like a
/// field with a condition or like an expression.
fn is_word(text: &str) -> bool {
    is_bare_value(text)
        && !text.starts_with(['!', '~', '-'])
        && !text.contains(lexis::is_operator)
        && lexis::Keyword::at(text).is_none()
        && super::hints::misspelled(text, "").is_none()
}

/// Whether a text behind an operator is read as it stands.
fn is_bare_value(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(lexis::is_quote)
        && !text.contains(lexis::ends_value)
        && !text.contains('*')
}

/// Whether a selector is read as it stands: it may have commas, but no blanks.
fn is_bare_selector(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(lexis::is_quote)
        && !text.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')'))
}
