//! Field selectors: `metadata.name=web,metadata.namespace!=kube-system`.

use super::SelectorError;
use std::str::FromStr;

/// The condition on a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldOperator {
    /// `=` or `==`.
    Equals,
    /// `!=`.
    NotEquals,
}

/// Conditions on an object's fields, all of which must hold; the empty one selects everything.
///
/// The server of the objects checks that the fields exist.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FieldSelector {
    terms: Vec<(String, FieldOperator, String)>,
}

impl FieldSelector {
    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Field, operator and value of each condition, sorted by their text.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, FieldOperator, &str)> {
        self.terms
            .iter()
            .map(|(field, operator, value)| (field.as_str(), *operator, value.as_str()))
    }

    /// Whether every condition holds for the value of each field (`None`: the object has no such field, which counts as
    /// empty).
    pub fn matches<'a>(&self, value_of: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.iter().all(|(field, operator, value)| {
            (value_of(field).unwrap_or_default() == value) == (operator == FieldOperator::Equals)
        })
    }
}

impl FromStr for FieldSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let mut parts = split_terms(text);
        parts.sort_unstable();
        let mut terms = Vec::with_capacity(parts.len());
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            let (field, operator, value) = split_term(part).ok_or_else(|| {
                SelectorError(format!(
                    "invalid selector: '{text}'; can't understand '{part}'"
                ))
            })?;
            let value = unescape(value)?;
            // A term without field and value is no condition.
            if !(field.is_empty() && value.is_empty()) {
                terms.push((field.to_owned(), operator, value));
            }
        }
        Ok(Self { terms })
    }
}

/// Splits at commas that no backslash stands before.
fn split_terms(text: &str) -> Vec<&str> {
    let mut escaped = false;
    text.split(|c| {
        let comma = !escaped && c == ',';
        escaped = !escaped && c == '\\';
        comma
    })
    .collect()
}

/// The field up to the first operator, the operator, and the value as it stands.
fn split_term(term: &str) -> Option<(&str, FieldOperator, &str)> {
    let bytes = term.as_bytes();
    let at = (0..bytes.len()).find(|&at| {
        let rest = bytes.get(at..).unwrap_or_default();
        rest.starts_with(b"!=") || rest.starts_with(b"=")
    })?;
    let (field, rest) = term.split_at_checked(at)?;
    if let Some(value) = rest.strip_prefix("!=") {
        return Some((field, FieldOperator::NotEquals, value));
    }
    let value = rest.strip_prefix("==").or_else(|| rest.strip_prefix('='))?;
    Some((field, FieldOperator::Equals, value))
}

/// Undoes `\\`, `\,` and `\=`; neither of the three may stand alone.
fn unescape(value: &str) -> Result<String, SelectorError> {
    let mut plain = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped @ ('\\' | ',' | '=')) => plain.push(escaped),
                other => {
                    let sequence: String = other.into_iter().collect();
                    return Err(SelectorError(format!(
                        "invalid field selector: invalid escape sequence: \\{sequence}"
                    )));
                }
            },
            // Go prints the character's number.
            ',' | '=' => {
                return Err(SelectorError(format!(
                    "invalid field selector: unescaped character in value: {}",
                    u32::from(c)
                )));
            }
            c => plain.push(c),
        }
    }
    Ok(plain)
}
