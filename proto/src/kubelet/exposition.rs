//! The Prometheus text exposition format, one line at a time, without copying.

use super::number;
use memchr::memchr;
use std::borrow::Cow;

/// One sample: `name{labels} value timestamp`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample<'a> {
    /// The metric's name.
    pub name: &'a [u8],
    /// What stood between the braces; empty without braces.
    pub labels: LabelSet<'a>,
    /// The value; it may be infinite or not a number.
    pub value: f64,
    /// Milliseconds since the Unix epoch, if the line carried them.
    pub timestamp_ms: Option<i64>,
}

/// The labels of a sample, checked to be well-formed, read when asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LabelSet<'a>(&'a [u8]);

/// A line that is not of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a line of the Prometheus text format")]
pub struct BadLine<'a>(pub &'a [u8]);

/// Walks the lines of a body. Lines end with `\n` or `\r\n`; the last one needs no end.
#[derive(Debug, Clone)]
pub struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of `body`.
    #[must_use]
    pub const fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    /// What has not been scanned yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next line without its end, or `None` after the last one.
    #[inline]
    pub fn next_line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) =
            match memchr(b'\n', self.rest).and_then(|end| self.rest.split_at_checked(end)) {
                Some((line, end)) => (line, end.split_first().map_or(end, |(_, rest)| rest)),
                None => (self.rest, [].as_slice()),
            };
        self.rest = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Result<Sample<'a>, BadLine<'a>>;

    /// The next sample or bad line; comments and blank lines are passed over.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.next_line()?;
            let line = line.trim_ascii();
            if !line.is_empty() && line.first() != Some(&b'#') {
                return Some(parse_sample(line).ok_or(BadLine(line)));
            }
        }
    }
}

/// Reads one line as a sample; `None` if it is not one.
#[must_use]
pub fn parse_sample(line: &[u8]) -> Option<Sample<'_>> {
    let line = line.trim_ascii();
    let (name, rest) = split_name(line)?;
    let (labels, rest) = match rest.trim_ascii_start().strip_prefix(b"{") {
        Some(rest) => split_labels(rest)?,
        None => (LabelSet::default(), rest),
    };
    // Without labels a blank must part the name from the value.
    if labels.0.is_empty() && !matches!(rest.first(), Some(b' ' | b'\t')) && !line.contains(&b'}') {
        return None;
    }
    let mut words = rest
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .filter(|word| !word.is_empty());
    let value = words.next()?;
    let value = match number::leading_f64(value) {
        Some((value, [])) => value,
        _ => number::parse_f64(value)?,
    };
    let timestamp_ms = match words.next() {
        Some(word) => Some(
            number::leading_i64(word)
                .filter(|(_, rest)| rest.is_empty())?
                .0,
        ),
        None => None,
    };
    match words.next() {
        Some(_) => None,
        None => Some(Sample {
            name,
            labels,
            value,
            timestamp_ms,
        }),
    }
}

/// A metric's name, and what follows it.
fn split_name(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line
        .iter()
        .position(|byte| !is_name_byte(*byte))
        .unwrap_or(line.len());
    let (name, rest) = line.split_at_checked(end)?;
    let first = name.first()?;
    (!first.is_ascii_digit()).then_some((name, rest))
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':')
}

/// The labels up to the closing brace, and what follows it. `text` begins after the opening one.
fn split_labels(text: &[u8]) -> Option<(LabelSet<'_>, &[u8])> {
    let mut rest = text;
    loop {
        rest = rest.trim_ascii_start();
        if let Some(after) = rest.strip_prefix(b"}") {
            let labels = text.get(..text.len() - rest.len())?;
            return Some((LabelSet(labels), after));
        }
        let (_, _, after) = split_label(rest)?;
        rest = after.trim_ascii_start();
        rest = match rest.split_first()? {
            (b',', after) => after,
            (b'}', _) => rest,
            _ => return None,
        };
    }
}

/// One `name="value"`: the name, the value as it stands between its quotes, and what follows.
fn split_label(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = split_name(text)?;
    let rest = rest
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start()
        .strip_prefix(b"\"")?;
    let mut end = 0;
    loop {
        let tail = rest.get(end..)?;
        let at = memchr::memchr2(b'"', b'\\', tail)?;
        match tail.get(at)? {
            b'"' => {
                end += at;
                break;
            }
            _ => end += at + 2,
        }
    }
    let (value, rest) = rest.split_at_checked(end)?;
    Some((name, value, rest.strip_prefix(b"\"")?))
}

impl<'a> LabelSet<'a> {
    /// Names and values as they stand, escapes and all.
    pub fn iter_raw(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (name, value, after) = split_label(rest.trim_ascii_start())?;
            let after = after.trim_ascii_start();
            rest = after.strip_prefix(b",").unwrap_or(after);
            Some((name, value))
        })
    }

    /// Names and values with `\\`, `\"` and `\n` undone; bytes that are not UTF-8 are replaced.
    pub fn iter(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        self.iter_raw()
            .map(|(name, value)| (String::from_utf8_lossy(name), unescape(value)))
    }
}

/// A label's value with its escapes undone.
#[must_use]
pub fn unescape(value: &[u8]) -> Cow<'_, str> {
    if memchr(b'\\', value).is_none() {
        return String::from_utf8_lossy(value);
    }
    let mut plain = Vec::with_capacity(value.len());
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.clone().next()) {
            (b'\\', Some(escaped @ (b'\\' | b'"' | b'n'))) => {
                plain.push(if escaped == b'n' { b'\n' } else { escaped });
                bytes.next();
            }
            _ => plain.push(byte),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}
