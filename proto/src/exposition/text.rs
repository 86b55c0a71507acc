//! The reader of the two text formats.

use super::family::{Family, Kind};
use super::labels::{LineLabels, SampleLabels, Source};
use super::lines::{
    self, Scanner, announced, is_of_family, parse_openmetrics, parse_text, split_name, unescape,
};
use super::report::{Limits, Malformed, ReadError, Report};
use super::sample::{Sample, Visitor};
use memchr::memchr_iter;
use std::borrow::Cow;

/// Reads a page of OpenMetrics, or of the Prometheus text format.
pub(super) fn read<'a, V: Visitor>(
    body: &'a [u8],
    openmetrics: bool,
    limits: Limits,
    visitor: &mut V,
) -> Result<Report<'a>, ReadError> {
    let mut reader = Reader {
        body,
        openmetrics,
        limits,
        visitor,
        family: None,
        labels: LineLabels::default(),
        report: Report::default(),
    };
    reader.read()?;
    Ok(reader.report)
}

struct Reader<'a, 'v, V> {
    body: &'a [u8],
    openmetrics: bool,
    limits: Limits,
    visitor: &'v mut V,
    /// The family of the lines that are read now.
    family: Option<Current<'a>>,
    labels: LineLabels<'a>,
    report: Report<'a>,
}

/// A family whose lines are read.
struct Current<'a> {
    /// Its name as the page announces it, with its escapes.
    stem: &'a [u8],
    /// The same of a wanted family whose name needs no quotes, else empty.
    unquoted: &'a [u8],
    /// The name of [`Family::name`].
    name: Cow<'a, str>,
    kind: Kind,
    wanted: bool,
}

impl Current<'_> {
    fn family(&self) -> Family<'_> {
        Family {
            name: &self.name,
            kind: self.kind,
        }
    }
}

/// What is to be done with a line.
enum Taken {
    Yes,
    Malformed,
    Oversized,
}

impl<'a, V: Visitor> Reader<'a, '_, V> {
    fn read(&mut self) -> Result<(), ReadError> {
        let mut lines = Scanner::new(self.body);
        let mut ended = false;
        while let Some(raw) = lines.next_raw() {
            let cut = lines.is_cut();
            if !cut && self.skips(raw) {
                continue;
            }
            if ended {
                return Err(ReadError::AfterEof);
            }
            let text = raw.trim_ascii();
            if self.openmetrics && text == b"# EOF" {
                ended = true;
                self.family = None;
                continue;
            }
            match self.line(text, lines.rest, cut) {
                Taken::Yes => {}
                Taken::Oversized => self.report.oversized += 1,
                Taken::Malformed => self.malformed(raw),
            }
            if self.report.truncated {
                return Ok(());
            }
        }
        match self.openmetrics && !ended {
            true => Err(ReadError::NoEof),
            false => Ok(()),
        }
    }

    /// Whether a line belongs to the family that is skipped.
    #[inline]
    fn skips(&self, line: &[u8]) -> bool {
        self.family.as_ref().is_some_and(|family| {
            !family.wanted && is_of_family(line, family.stem, family.kind.suffixes())
        })
    }

    fn malformed(&mut self, line: &'a [u8]) {
        self.report.malformed += 1;
        let body = self.body;
        self.report.first_malformed.get_or_insert_with(|| {
            let at = line.as_ptr().addr() - body.as_ptr().addr();
            let before = body.get(..at).unwrap_or_default();
            Malformed {
                number: 1 + memchr_iter(b'\n', before).count(),
                text: line.trim_ascii(),
            }
        });
    }

    fn line(&mut self, text: &'a [u8], after: &'a [u8], cut: bool) -> Taken {
        if text.is_empty() {
            return match self.openmetrics {
                true => Taken::Malformed,
                false => Taken::Yes,
            };
        }
        if cut {
            self.report.cut = text != b"# EOF";
            return match self.report.cut {
                true => Taken::Malformed,
                false => Taken::Yes,
            };
        }
        match text.strip_prefix(b"#") {
            Some(comment) => self.comment(comment, after),
            None => self.sample(text).unwrap_or(Taken::Malformed),
        }
    }

    /// Takes a comment. Only `# TYPE` is of use.
    fn comment(&mut self, comment: &'a [u8], after: &'a [u8]) -> Taken {
        let word = comment.trim_ascii_start();
        let word = word.split(u8::is_ascii_whitespace).next();
        match word.unwrap_or_default() {
            b"TYPE" => {
                match announced(comment).and_then(|(name, kind)| self.announce(name, kind, after)) {
                    Some(()) => Taken::Yes,
                    None => Taken::Malformed,
                }
            }
            b"HELP" | b"UNIT" => Taken::Yes,
            _ if self.openmetrics => Taken::Malformed,
            _ => Taken::Yes,
        }
    }

    /// A `# TYPE` line: what follows are the samples of this family.
    fn announce(&mut self, stem: &'a [u8], kind: &[u8], after: &'a [u8]) -> Option<()> {
        // Its samples are of no kind if nothing valid announces them.
        self.family = None;
        std::str::from_utf8(stem).ok().filter(|it| !it.is_empty())?;
        let kind = Kind::named(kind.trim_ascii())?;
        let name = full_name(stem, kind, after).unwrap_or(stem);
        self.begin(stem, name, kind);
        Some(())
    }

    fn begin(&mut self, stem: &'a [u8], name: &'a [u8], kind: Kind) {
        let mut family = Current {
            stem,
            unquoted: &[],
            name: unescape(name),
            kind,
            wanted: false,
        };
        family.wanted =
            family.name.len() <= self.limits.label_bytes && self.visitor.wants(&family.family());
        if family.wanted && split_name(stem).is_some_and(|(_, rest)| rest.is_empty()) {
            family.unquoted = stem;
        }
        self.family = Some(family);
    }

    /// Parses a line as a sample, whose labels are then those of the reader.
    #[inline]
    fn parse(&mut self, line: &'a [u8]) -> Option<lines::Sample<'a>> {
        let text = std::str::from_utf8(line).ok()?;
        let known = self.family.as_ref().map_or(&[][..], |it| it.unquoted);
        self.labels.clear();
        let label = |name: &'a [u8], value: &'a [u8]| {
            self.labels.push(text, name, value, self.limits.labels);
        };
        match self.openmetrics {
            true => parse_openmetrics(line, known, label),
            false => parse_text(line, known, label),
        }
    }

    /// Takes a sample; `None` if the line is malformed.
    fn sample(&mut self, line: &'a [u8]) -> Option<Taken> {
        let sample = self.parse(line)?;
        let of_family = |family: &Current<'a>| suffix(family, sample.name);
        let suffix = match self.family.as_ref().and_then(of_family) {
            Some(suffix) => suffix,
            None => {
                self.begin(sample.name, sample.name, Kind::Unknown);
                &[]
            }
        };
        let family = self.family.as_ref().filter(|family| family.wanted);
        let Some(family) = family else {
            return Some(Taken::Yes);
        };
        if !self.labels.fit(self.limits) {
            return Some(Taken::Oversized);
        }
        let part = family
            .kind
            .part(suffix, |label| self.labels.number(label))?;
        (!self.labels.has_duplicate()).then_some(())?;
        if self.report.samples >= self.limits.samples as u64 {
            self.report.truncated = true;
            return Some(Taken::Yes);
        }
        self.report.samples += 1;
        let sample = Sample {
            part,
            labels: SampleLabels {
                source: Source::Text(self.labels.as_slice()),
                without: part.label(),
            },
            value: sample.value,
            timestamp_ms: sample.timestamp_ms,
        };
        self.visitor.sample(&family.family(), &sample);
        Some(Taken::Yes)
    }
}

/// What the name of a sample appends to that of a family; `None` if it is of another one.
#[inline]
fn suffix<'n>(family: &Current<'_>, name: &'n [u8]) -> Option<&'n [u8]> {
    let suffix = name.strip_prefix(family.stem)?;
    (suffix.is_empty() || family.kind.suffixes().contains(&suffix)).then_some(suffix)
}

/// The name of a family's samples, if it is longer than the announced one: that of a counter or an info in OpenMetrics.
/// `after` is what follows the `# TYPE` line.
fn full_name<'a>(stem: &[u8], kind: Kind, after: &'a [u8]) -> Option<&'a [u8]> {
    if kind.suffix().is_empty() || stem.ends_with(kind.suffix()) {
        return None;
    }
    let mut lines = Scanner::new(after);
    while let Some(line) = lines.next_raw() {
        let text = line.trim_ascii();
        if let Some(comment) = text.strip_prefix(b"#") {
            match announced(comment) {
                Some(_) => return None,
                None => continue,
            }
        }
        let name = lines::sample_name(text)?;
        match name.strip_prefix(stem)? {
            suffix if suffix == kind.suffix() => return Some(name),
            b"_created" => {}
            _ => return None,
        }
    }
    None
}
