//! The labels of a sample, from any of the formats.

use super::lines::{LabelSet, RawLabels, unescape};
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
    Text(LabelSet<'a>),
    Metric(MetricLabels<'a>),
}

/// Iterator over the labels of a sample.
#[derive(Debug, Clone)]
enum Iter<'a> {
    Text(RawLabels<'a>),
    Metric(MetricLabels<'a>),
}

impl<'a> SampleLabels<'a> {
    /// Names and values, without escapes.
    pub fn iter(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        let mut labels = match self.source {
            Source::Text(labels) => Iter::Text(labels.iter_raw()),
            Source::Metric(labels) => Iter::Metric(labels),
        };
        let labels = std::iter::from_fn(move || match &mut labels {
            Iter::Text(labels) => {
                let (name, value) = labels.next()?;
                Some((unescape(name), unescape(value)))
            }
            Iter::Metric(labels) => {
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
