//! Selectors of PromQL.

use std::fmt::{self, Write as _};
use std::str::FromStr;

/// The operators of matchers. The longer ones come first, because `=` begins some of them.
const OPERATORS: [&str; 4] = ["!=", "=~", "!~", "="];

/// A label matcher of `--history-matcher`: `cluster="prod"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    label: String,
    operator: &'static str,
    value: String,
}

impl FromStr for Matcher {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "write a label matcher of PromQL such as cluster=\"prod\"".to_owned();
        let text = text.trim();
        let end = text.find(['=', '!']).ok_or_else(expected)?;
        let (label, rest) = text.split_at_checked(end).ok_or_else(expected)?;
        let label = label.trim_end();
        let found = OPERATORS
            .into_iter()
            .find_map(|operator| Some((operator, rest.strip_prefix(operator)?)));
        let (operator, value) = found.filter(|_| is_label(label)).ok_or_else(expected)?;
        let value = unquoted(value.trim_start()).ok_or_else(expected)?;
        Ok(Self {
            label: label.to_owned(),
            operator,
            value,
        })
    }
}

/// Whether this is the name of a label.
fn is_label(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next();
    first.is_some_and(|it| it.is_ascii_alphabetic() || it == b'_')
        && bytes.all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

/// The content of a string in double quotes.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut value = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        value.push(match character {
            '\\' => match characters.next()? {
                'n' => '\n',
                't' => '\t',
                escaped @ ('\\' | '"') => escaped,
                _ => return None,
            },
            '"' => return None,
            other => other,
        });
    }
    Some(value)
}

/// A selector of one metric, or of several: `metric{label="value"}`. All values are escaped.
#[derive(Debug, Clone)]
pub struct Selector {
    metric: &'static str,
    matchers: String,
}

impl Selector {
    /// Selects all series of a metric that pass these matchers.
    pub(super) fn new(metric: &'static str, matchers: &[Matcher]) -> Self {
        let mut selector = Self {
            metric,
            matchers: String::new(),
        };
        for Matcher {
            label,
            operator,
            value,
        } in matchers
        {
            selector.add(label, operator, value);
        }
        selector
    }

    /// Selects only series whose label has this value.
    #[must_use]
    pub fn with(mut self, label: &str, value: &str) -> Self {
        self.add(label, "=", value);
        self
    }

    /// Leaves out series whose label has this value.
    #[must_use]
    pub fn without(mut self, label: &str, value: &str) -> Self {
        self.add(label, "!=", value);
        self
    }

    /// Selects series of all metrics whose names match a regular expression of ours.
    #[must_use]
    pub fn named(mut self, names: &str) -> Self {
        self.add("__name__", "=~", names);
        self
    }

    fn add(&mut self, label: &str, operator: &str, value: &str) {
        if !self.matchers.is_empty() {
            self.matchers.push(',');
        }
        self.matchers.push_str(label);
        self.matchers.push_str(operator);
        self.matchers.push('"');
        for character in value.chars() {
            match character {
                '\\' => self.matchers.push_str("\\\\"),
                '"' => self.matchers.push_str("\\\""),
                '\n' => self.matchers.push_str("\\n"),
                other => self.matchers.push(other),
            }
        }
        self.matchers.push('"');
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric)?;
        f.write_char('{')?;
        f.write_str(&self.matchers)?;
        f.write_char('}')
    }
}

/// An expression by these labels, with its name in the label `stat`: so that several are one query. Of several series
/// with these labels the largest value counts.
pub fn stat(name: &str, labels: &str, expression: &str) -> String {
    format!(r#"label_replace(max by ({labels}) ({expression}), "stat", "{name}", "", "")"#)
}
