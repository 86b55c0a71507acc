//! The rules for a label's key and value, with the error messages of Kubernetes.

use super::{Operator, SelectorError};
use crate::text::quote;

const NAME: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const SUBDOMAIN: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const MAX_NAME: usize = 63;
const MAX_SUBDOMAIN: usize = 253;

/// Checks a label's key: a name, with a DNS subdomain and a slash before it if it likes.
pub(super) fn key(key: &str) -> Result<(), SelectorError> {
    let errors = key_errors(key);
    if errors.is_empty() {
        return Ok(());
    }
    Err(SelectorError(format!(
        "<nil>: Invalid value: {}: {}",
        quote(key),
        errors.join("; ")
    )))
}

fn key_errors(key: &str) -> Vec<String> {
    let must = format!(
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character \
         (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{NAME}')"
    );
    let mut errors = Vec::new();
    let name = match key.split_once('/') {
        None => key,
        Some((_, name)) if name.contains('/') => {
            return vec![format!(
                "a valid label key {must} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
        Some((prefix, name)) => {
            if prefix.is_empty() {
                errors.push("prefix part must be non-empty".into());
            } else {
                errors.extend(subdomain_errors(prefix));
            }
            name
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".into());
    } else if name.len() > MAX_NAME {
        errors.push(format!("name part must be no more than {MAX_NAME} bytes"));
    }
    if !is_name(name) {
        errors.push(format!("name part {must}"));
    }
    errors
}

fn subdomain_errors(prefix: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if prefix.len() > MAX_SUBDOMAIN {
        errors.push(format!(
            "prefix part must be no more than {MAX_SUBDOMAIN} bytes"
        ));
    }
    if !prefix.split('.').all(is_dns_label) {
        errors.push(format!(
            "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
             and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
             '{SUBDOMAIN}')"
        ));
    }
    errors
}

/// Checks the values a label is compared with.
pub(super) fn values(
    key: &str,
    operator: Operator,
    values: &[String],
) -> Result<(), SelectorError> {
    let mut errors = Vec::new();
    if matches!(operator, Operator::GreaterThan | Operator::LessThan) {
        for (at, value) in values
            .iter()
            .enumerate()
            .filter(|(_, value)| value.parse::<i64>().is_err())
        {
            errors.push(format!(
                "values[{at}]: Invalid value: {}: for 'Gt', 'Lt' operators, the value must be an integer",
                quote(value)
            ));
        }
    }
    for (at, value) in values.iter().enumerate() {
        let wrong = value_errors(value);
        if !wrong.is_empty() {
            errors.push(format!(
                "values[{at}][{key}]: Invalid value: {}: {}",
                quote(value),
                wrong.join("; ")
            ));
        }
    }
    match errors.as_slice() {
        [] => Ok(()),
        [one] => Err(SelectorError(one.clone())),
        errors => Err(SelectorError(format!("[{}]", errors.join(", ")))),
    }
}

fn value_errors(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > MAX_NAME {
        errors.push(format!("must be no more than {MAX_NAME} bytes"));
    }
    if !value.is_empty() && !is_name(value) {
        errors.push(format!(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start \
             and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation \
             is '({NAME})?')"
        ));
    }
    errors
}

/// Alphanumeric at both ends, with `-`, `_` and `.` allowed between.
fn is_name(name: &str) -> bool {
    let is_alphanumeric = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    is_alphanumeric(name.chars().next())
        && is_alphanumeric(name.chars().next_back())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn is_dns_label(label: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = label.as_bytes();
    bytes.first().is_some_and(|byte| alphanumeric(*byte))
        && bytes.last().is_some_and(|byte| alphanumeric(*byte))
        && bytes
            .iter()
            .all(|byte| alphanumeric(*byte) || *byte == b'-')
}
