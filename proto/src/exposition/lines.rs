//! The Prometheus text exposition format, one line at a time, without copying.

use super::number;
use memchr::{memchr, memchr2, memchr3};
use std::borrow::Cow;

/// One sample: `name{labels} value timestamp`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample<'a> {
    /// The metric's name; of a quoted one (`{"metric.name"}`) the text between the quotes, with its escapes.
    pub name: &'a [u8],
    /// The text between the braces; empty without braces.
    pub labels: LabelSet<'a>,
    /// The value; it may be negative, infinite or not a number.
    pub value: f64,
    /// Milliseconds since the Unix epoch, if the line has a timestamp; may be negative.
    pub timestamp_ms: Option<i64>,
    /// The start of the labels in the line: after the name, or at the brace around a quoted name.
    labels_at: usize,
    /// The start of the value in the line.
    value_at: usize,
}

impl<'a> Sample<'a> {
    /// The line from its labels up to its value: `{labels} `.
    pub(crate) fn between(&self, line: &'a [u8]) -> &'a [u8] {
        line.get(self.labels_at..self.value_at).unwrap_or_default()
    }
}

/// The labels of a sample. They are well-formed; the iterators parse them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LabelSet<'a>(&'a [u8]);

/// A line that is neither blank nor a comment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line<'a> {
    /// The whole line, without its end and the blanks around it.
    pub text: &'a [u8],
    /// The sample; `None` for a malformed line.
    pub sample: Option<Sample<'a>>,
}

/// Walks the lines of a body. Lines end with `\n` or `\r\n`. A last line without an end is no sample, whatever it
/// looks like: the body was cut, perhaps within a number. The format demands that end, and kubelets write it.
#[derive(Debug, Clone)]
pub struct Scanner<'a> {
    pub(crate) rest: &'a [u8],
    /// A family whose lines are skipped without parsing.
    skipped: &'a [u8],
    /// Whether the last line of the body has no end.
    unended: bool,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of `body`.
    #[must_use]
    pub const fn new(body: &'a [u8]) -> Self {
        Self {
            rest: body,
            skipped: &[],
            unended: !matches!(body, [.., b'\n'] | []),
        }
    }

    /// The next line as it stands, without its end; `None` after the last one.
    #[inline]
    pub fn next_raw(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr(b'\n', self.rest);
        let (line, rest) = match end.and_then(|end| self.rest.split_at_checked(end)) {
            Some((line, end)) => (line, end.strip_prefix(b"\n").unwrap_or(end)),
            None => (self.rest, [].as_slice()),
        };
        self.rest = rest;
        Some(line)
    }

    /// Whether the line that was returned last has no end.
    pub(super) const fn is_cut(&self) -> bool {
        self.rest.is_empty() && self.unended
    }

    /// The next sample of a metric for which `selects` returns true, or the next malformed line.
    ///
    /// Lines of another family are skipped without parsing after its `# TYPE` or its first line. So errors in such
    /// lines are not found, except a last line without an end.
    pub fn next_of(&mut self, selects: impl Fn(&[u8]) -> bool) -> Option<Line<'a>> {
        loop {
            let raw = self.next_raw()?;
            let is_cut = self.is_cut();
            if !is_cut && is_of_family(raw, self.skipped, PARTS) {
                continue;
            }
            let text = raw.trim_ascii();
            if text.is_empty() || is_cut && text == b"# EOF" {
                continue;
            }
            if is_cut {
                return Some(Line { text, sample: None });
            }
            if let Some(comment) = text.strip_prefix(b"#") {
                if let Some((name, _)) = announced(comment).filter(|(name, _)| !selects(name)) {
                    self.skipped = name;
                }
                continue;
            }
            let sample = parse_sample(text);
            match sample {
                Some(sample) if !selects(sample.name) => self.skipped = sample.name,
                _ => return Some(Line { text, sample }),
            }
        }
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Line<'a>;

    /// The next line that is neither blank nor a comment.
    fn next(&mut self) -> Option<Line<'a>> {
        self.next_of(|_| true)
    }
}

/// The family that a comment announces, `# TYPE name type`, and what follows its name. `comment` is without the `#`.
pub(super) fn announced(comment: &[u8]) -> Option<(&[u8], &[u8])> {
    let words = comment
        .trim_ascii_start()
        .strip_prefix(b"TYPE ")?
        .trim_ascii_start();
    match words.strip_prefix(b"\"") {
        Some(quoted) => split_quoted(quoted),
        None => split_name(words),
    }
}

/// What the samples of a histogram or summary append to its name.
const PARTS: &[&[u8]] = &[b"_bucket", b"_sum", b"_count"];

/// Whether a line is a sample of the metric `family`, or of the parts of it that append one of `suffixes` to its name.
#[inline]
pub(super) fn is_of_family(line: &[u8], family: &[u8], suffixes: &[&[u8]]) -> bool {
    let Some(rest) = line.strip_prefix(family) else {
        return false;
    };
    if family.is_empty() {
        return false;
    }
    let ends = |rest: &[u8]| matches!(rest.first(), Some(b'{' | b' ' | b'\t'));
    match rest.first() {
        Some(b'_') => suffixes
            .iter()
            .any(|suffix| rest.strip_prefix(*suffix).is_some_and(ends)),
        _ => ends(rest),
    }
}

/// Reads one line, without its end, as a sample; `None` if it is not one.
///
/// Names of metrics and labels may be quoted, as Prometheus 3 writes those that are not of its older character set:
/// `{"metric.name","label.name"="value"} 1`.
#[must_use]
pub fn parse_sample(line: &[u8]) -> Option<Sample<'_>> {
    parse_text(line, &[], |_, _| {})
}

/// The same for a line that may begin with the metric's name `known`. `label` receives each label as it stands.
#[inline]
pub(super) fn parse_text<'a>(
    line: &'a [u8],
    known: &[u8],
    label: impl FnMut(&'a [u8], &'a [u8]),
) -> Option<Sample<'a>> {
    let (start, rest) = parse_start(line, known, label)?;
    let (value, timestamp) = value_and_time(rest)?;
    let timestamp_ms = match timestamp {
        Some(word) => {
            let (millis, rest) = number::leading_i64(word)?;
            rest.is_empty().then_some(Some(millis))?
        }
        None => None,
    };
    Some(start.sample(line, rest, value, timestamp_ms))
}

/// Reads one line of OpenMetrics, without its end: its time is in seconds, and an exemplar, which is not used, may
/// follow. `known` and `label` are those of [`parse_text`].
#[inline]
pub(super) fn parse_openmetrics<'a>(
    line: &'a [u8],
    known: &[u8],
    label: impl FnMut(&'a [u8], &'a [u8]),
) -> Option<Sample<'a>> {
    let (start, rest) = parse_start(line, known, label)?;
    let (numbers, exemplar) = match memchr(b'#', rest) {
        Some(at) => (rest.get(..at)?, rest.get(at + 1..)),
        None => (rest, None),
    };
    let (value, timestamp) = value_and_time(numbers)?;
    if let Some(exemplar) = exemplar {
        let (braces, rest) = split_braces(skip_blanks(exemplar).strip_prefix(b"{")?, |_, _| {})?;
        let (_, timestamp) = value_and_time(rest)?;
        timestamp.map_or(Some(0), millis_of_seconds)?;
        braces.metric.is_none().then_some(())?;
    }
    let timestamp_ms = match timestamp {
        Some(word) => Some(millis_of_seconds(word)?),
        None => None,
    };
    Some(start.sample(line, rest, value, timestamp_ms))
}

/// A time in seconds since the Unix epoch, with a fraction.
fn millis_of_seconds(word: &[u8]) -> Option<i64> {
    let millis = (number::parse_f64(word)? * 1e3).round();
    // Within these bounds every integer is exact.
    (millis.abs() < 9e15).then_some(millis as i64)
}

/// A line up to its value.
struct Start<'a> {
    name: &'a [u8],
    labels: LabelSet<'a>,
    labels_at: usize,
}

impl<'a> Start<'a> {
    /// The sample of a line that ends with `rest`, from its value on.
    const fn sample(
        self,
        line: &'a [u8],
        rest: &'a [u8],
        value: f64,
        timestamp_ms: Option<i64>,
    ) -> Sample<'a> {
        let Self {
            name,
            labels,
            labels_at,
        } = self;
        let value_at = line.len() - rest.len();
        Sample {
            name,
            labels,
            value,
            timestamp_ms,
            labels_at,
            value_at,
        }
    }
}

/// The name and the labels of a line, and what follows from its value on.
#[inline]
fn parse_start<'a>(
    line: &'a [u8],
    known: &[u8],
    label: impl FnMut(&'a [u8], &'a [u8]),
) -> Option<(Start<'a>, &'a [u8])> {
    let (name, after_name) = match line.first()? {
        b'{' => (None, line),
        _ => split_name_from(line, known).map(|(name, rest)| (Some(name), rest))?,
    };
    let blank = matches!(after_name.first(), Some(b' ' | b'\t'));
    let (Braces { labels, metric }, rest) = match skip_blanks(after_name).strip_prefix(b"{") {
        Some(rest) => split_braces(rest, label)?,
        // Without labels a blank must part the name from the value.
        None if blank => (Braces::default(), after_name),
        None => return None,
    };
    // Either before the braces or within them, and never both.
    let name = match (name, metric) {
        (Some(name), None) | (None, Some(name)) => name,
        (None, None) | (Some(_), Some(_)) => return None,
    };
    let start = Start {
        name,
        labels,
        labels_at: line.len() - after_name.len(),
    };
    Some((start, skip_blanks(rest)))
}

/// The name at the start of a line, which may be quoted.
pub(super) fn sample_name(line: &[u8]) -> Option<&[u8]> {
    let name = match line.strip_prefix(b"{") {
        Some(quoted) => split_quoted(skip_blanks(quoted).strip_prefix(b"\"")?),
        None => split_name(line),
    };
    name.map(|(name, _)| name)
}

/// The value, and the word after it.
#[inline]
fn value_and_time(text: &[u8]) -> Option<(f64, Option<&[u8]>)> {
    let (value, rest) = number::leading_f64(skip_blanks(text))?;
    let rest = skip_blanks(rest);
    if rest.is_empty() {
        return Some((value, None));
    }
    let end = rest.iter().position(|byte| is_blank(*byte));
    let (timestamp, rest) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
    skip_blanks(rest)
        .is_empty()
        .then_some((value, Some(timestamp)))
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[inline]
fn skip_blanks(mut text: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\t', rest)) = text.split_first() {
        text = rest;
    }
    text
}

/// A metric's or label's name, and what follows it.
#[inline]
pub(super) fn split_name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    split_name_from(text, &[])
}

/// The same where the name may begin with `known`, which is a name or empty.
#[inline]
fn split_name_from<'a>(text: &'a [u8], known: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let after = text.strip_prefix(known).unwrap_or(text);
    let more = after.iter().position(|byte| !is_name_byte(*byte));
    let end = text.len() - after.len() + more.unwrap_or(after.len());
    let (name, rest) = text.split_at_checked(end)?;
    let first = name.first()?;
    (!first.is_ascii_digit()).then_some((name, rest))
}

/// Whether each byte may be in a name.
#[expect(clippy::indexing_slicing, reason = "at compile time")]
const NAME_BYTES: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = 0;
    while byte < allowed.len() {
        let it = byte as u8;
        allowed[byte] = it.is_ascii_alphanumeric() || matches!(it, b'_' | b':');
        byte += 1;
    }
    allowed
};

#[inline]
fn is_name_byte(byte: u8) -> bool {
    NAME_BYTES.get(usize::from(byte)).is_some_and(|name| *name)
}

/// The content of the braces.
#[derive(Default)]
struct Braces<'a> {
    labels: LabelSet<'a>,
    /// The metric's name, if it is quoted among the labels.
    metric: Option<&'a [u8]>,
}

/// Splits after the closing brace. `text` starts after the opening one. `label` receives each label as it stands.
#[inline]
fn split_braces<'a>(
    text: &'a [u8],
    mut label: impl FnMut(&'a [u8], &'a [u8]),
) -> Option<(Braces<'a>, &'a [u8])> {
    let mut rest = skip_blanks(text);
    let mut metric = None;
    loop {
        if let Some(after) = rest.strip_prefix(b"}") {
            let labels = LabelSet(text.get(..text.len() - rest.len())?);
            return Some((Braces { labels, metric }, after));
        }
        let (item, after) = split_item(rest)?;
        match item {
            Item::Label(name, value) => label(name, value),
            Item::Metric(name) if metric.replace(name).is_some() => return None,
            Item::Metric(_) => {}
        }
        let after = skip_blanks(after);
        // A comma may follow the last label too.
        rest = match after.first()? {
            b',' => skip_blanks(after.strip_prefix(b",")?),
            b'}' => after,
            _ => return None,
        };
    }
}

/// The text between two commas within the braces.
enum Item<'a> {
    /// A label: its name, and its value as it stands between its quotes.
    Label(&'a [u8], &'a [u8]),
    /// The metric's quoted name.
    Metric(&'a [u8]),
}

/// One `name="value"`, `"name"="value"` or `"metric"`, and what follows.
#[inline]
fn split_item(text: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (name, rest) = match text.strip_prefix(b"\"") {
        None => split_name(text)?,
        Some(quoted) => {
            let (name, rest) = split_quoted(quoted)?;
            std::str::from_utf8(name)
                .ok()
                .filter(|name| !name.is_empty())?;
            if matches!(skip_blanks(rest).first(), Some(b',' | b'}')) {
                return Some((Item::Metric(name), rest));
            }
            (name, rest)
        }
    };
    let rest = skip_blanks(skip_blanks(rest).strip_prefix(b"=")?).strip_prefix(b"\"")?;
    let (value, rest) = split_quoted(rest)?;
    Some((Item::Label(name, value), rest))
}

/// The text up to a closing quote, as it stands, and what follows the quote.
fn split_quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut end = 0;
    loop {
        let at = end + memchr2(b'"', b'\\', text.get(end..)?)?;
        if text.get(at) == Some(&b'"') {
            let (value, after) = text.split_at_checked(at)?;
            return Some((value, after.strip_prefix(b"\"")?));
        }
        // What a backslash stands before does not end the value.
        end = at + 2;
    }
}

/// A label's value up to its closing quote, if nothing in it is escaped and it ends on its line, and what follows the
/// quote.
#[inline]
pub(crate) fn plain_value(text: &[u8]) -> Option<(&str, &[u8])> {
    let (name, rest) = text.split_at_checked(memchr3(b'"', b'\\', b'\n', text)?)?;
    let name = std::str::from_utf8(name).ok()?;
    Some((name, rest.strip_prefix(b"\"")?))
}

/// Iterator over names and values with their escapes.
#[derive(Debug, Clone)]
pub struct RawLabels<'a>(&'a [u8]);

impl<'a> Iterator for RawLabels<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (item, after) = split_item(skip_blanks(self.0))?;
            let after = skip_blanks(after);
            self.0 = after.strip_prefix(b",").unwrap_or(after);
            if let Item::Label(name, value) = item {
                return Some((name, value));
            }
        }
    }
}

impl<'a> LabelSet<'a> {
    /// Names and values with their escapes.
    #[must_use]
    pub const fn iter_raw(self) -> RawLabels<'a> {
        RawLabels(self.0)
    }

    /// Names and values without the escapes `\\`, `\"` and `\n`; bytes that are not UTF-8 are replaced.
    pub fn iter(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        self.iter_raw()
            .map(|(name, value)| (unescape(name), unescape(value)))
    }
}

/// A label's value without escapes; a backslash before anything else stands for itself.
#[must_use]
pub fn unescape(value: &[u8]) -> Cow<'_, str> {
    if !value.contains(&b'\\') {
        // Nearly all values are valid, which this finds out sooner.
        return match std::str::from_utf8(value) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(value),
        };
    }
    let mut plain = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match (byte, after.split_first()) {
            (b'\\', Some((b'n', after))) => (b'\n', after),
            (b'\\', Some((&escaped @ (b'\\' | b'"'), after))) => (escaped, after),
            _ => (byte, after),
        };
        plain.push(byte);
        rest = after;
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}
