//! The labels of a sample, from any of the formats.

use super::lines::unescape;
use super::number::parse_f64;
use super::report::Limits;
use crate::wire::protobuf::{Fields, Malformed};
use std::borrow::Cow;

/// The labels of a sample in the order of the page: valid UTF-8, each name once.
#[derive(Debug, Clone, Copy)]
pub struct SampleLabels<'a> {
    pub(super) source: Source<'a>,
    /// The label that is left out.
    pub(super) without: &'static str,
}

/// Where labels stand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    Text(&'a [TextLabel<'a>]),
    Metric(MetricLabels<'a>),
}

/// A label of the text formats, with its escapes.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextLabel<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

impl<'a> SampleLabels<'a> {
    /// Names and values, without escapes.
    pub fn iter(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        let mut source = self.source;
        let labels = std::iter::from_fn(move || match &mut source {
            Source::Text(labels) => {
                let label = labels.split_off_first()?;
                Some((plain(label.name), plain(label.value)))
            }
            Source::Metric(labels) => {
                let (name, value) = labels.next()?.ok()?;
                Some((Cow::Borrowed(name), Cow::Borrowed(value)))
            }
        });
        labels.filter(move |(name, _)| name != self.without)
    }

    /// The value of a label, if it is there.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
    }
}

/// A name or value without escapes.
#[inline]
fn plain(text: &str) -> Cow<'_, str> {
    match text.contains('\\') {
        true => unescape(text.as_bytes()),
        false => Cow::Borrowed(text),
    }
}

/// Whether one name is before another. Most programs write labels in order, and then no name can be there twice. Names
/// differ early, so that a comparison byte by byte is faster than one of many bytes at once.
#[inline]
pub(super) fn in_order(before: &str, name: &str) -> bool {
    before.bytes().lt(name.bytes())
}

/// The labels of the line that is read now.
#[derive(Default)]
pub(super) struct LineLabels<'a> {
    /// As many as a sample may have. The memory serves one line after another.
    list: Vec<TextLabel<'a>>,
    /// The number of labels on the line.
    count: usize,
    /// The most bytes of a name and its value together.
    longest: usize,
    /// The names are not in order or have escapes, so one may be there twice.
    unordered: bool,
}

impl<'a> LineLabels<'a> {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        (self.count, self.longest, self.unordered) = (0, 0, false);
    }

    /// Appends a label, whose bytes are parts of `line`, if there are not `most` already.
    #[inline]
    pub(super) fn push(&mut self, line: &'a str, name: &[u8], value: &[u8], most: usize) {
        self.count += 1;
        self.longest = self.longest.max(name.len() + value.len());
        let text = part(line, name).zip(part(line, value));
        if let Some((name, value)) = text.filter(|_| self.list.len() < most) {
            let before = self.list.last().map_or("", |label| label.name);
            self.unordered |= !in_order(before, name) || name.contains('\\');
            self.list.push(TextLabel { name, value });
        }
    }

    pub(super) const fn as_slice(&self) -> &[TextLabel<'a>] {
        self.list.as_slice()
    }

    /// Whether there are not too many labels and none is too long.
    pub(super) const fn fit(&self, limits: Limits) -> bool {
        self.count <= limits.labels && self.longest <= limits.label_bytes
    }

    /// Whether a name is there twice.
    pub(super) fn has_duplicate(&self) -> bool {
        let again = |(at, label): (usize, &TextLabel<'_>)| {
            let mut before = self.list.iter().take(at);
            before.any(|other| plain(other.name) == plain(label.name))
        };
        self.unordered && self.list.iter().enumerate().any(again)
    }

    /// The value of a label as a number.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        let label = self.list.iter().find(|label| label.name == name)?;
        parse_f64(label.value.as_bytes())
    }
}

/// The text of `bytes`, which are a part of `line`. It is not validated again.
#[inline]
fn part<'a>(line: &'a str, bytes: &[u8]) -> Option<&'a str> {
    let at = bytes.as_ptr().addr().checked_sub(line.as_ptr().addr())?;
    line.get(at..at + bytes.len())
}

/// Iterator over the labels of a message `Metric`.
#[derive(Debug, Clone, Copy)]
pub(super) struct MetricLabels<'a>(Fields<'a>);

impl<'a> MetricLabels<'a> {
    /// The labels of an encoded `Metric`.
    pub(super) const fn new(message: &'a [u8]) -> Self {
        Self(Fields::new(message))
    }
}

impl<'a> Iterator for MetricLabels<'a> {
    type Item = Result<(&'a str, &'a str), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.0.next()? {
                Ok((1, pair)) => return Some(pair.fields().and_then(label)),
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The message `LabelPair`.
fn label(pair: Fields<'_>) -> Result<(&str, &str), Malformed> {
    let (mut name, mut text) = ("", "");
    for field in pair {
        match field? {
            (1, value) => name = value.str()?,
            (2, value) => text = value.str()?,
            _ => {}
        }
    }
    match name {
        "" => Err(Malformed),
        _ => Ok((name, text)),
    }
}
