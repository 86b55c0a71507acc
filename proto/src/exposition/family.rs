//! Families, their kinds, and the parts that their samples are.

use std::borrow::Cow;

/// The kind of a family, as its `# TYPE` line or its message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A count that only grows, and restarts at zero.
    Counter,
    /// A value that rises and falls.
    Gauge,
    /// Counts of observations in buckets, which only grow.
    Histogram,
    /// Counts of present values in buckets, which rise and fall.
    GaugeHistogram,
    /// Quantiles that the program computes itself.
    Summary,
    /// Labels with the value 1.
    Info,
    /// One series with 0 or 1 for each state.
    StateSet,
    /// Nobody says, or `untyped`.
    Unknown,
}

impl Kind {
    /// The kind of that name in a `# TYPE` line.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"counter" => Self::Counter,
            b"gauge" => Self::Gauge,
            b"histogram" => Self::Histogram,
            b"gaugehistogram" => Self::GaugeHistogram,
            b"summary" => Self::Summary,
            b"info" => Self::Info,
            b"stateset" => Self::StateSet,
            b"unknown" | b"untyped" => Self::Unknown,
            _ => return None,
        })
    }

    /// What the names of a family's samples append to its name.
    pub(super) const fn suffixes(self) -> &'static [&'static [u8]] {
        match self {
            Self::Counter => &[b"_total", b"_created"],
            Self::Info => &[b"_info"],
            Self::Summary => &[b"_sum", b"_count", b"_created"],
            Self::Histogram => &[b"_bucket", b"_sum", b"_count", b"_created"],
            Self::GaugeHistogram => &[b"_bucket", b"_gsum", b"_gcount"],
            Self::Gauge | Self::StateSet | Self::Unknown => &[],
        }
    }

    /// The suffix that belongs to the name of the family: see [`Family::name`].
    pub(super) const fn suffix(self) -> &'static [u8] {
        match self {
            Self::Counter => b"_total",
            Self::Info => b"_info",
            _ => b"",
        }
    }

    /// The part that a sample is whose name appends `suffix` to that of the `# TYPE` line; `None` if a family of this
    /// kind has no such sample. `bound` is the value of a label.
    pub(super) fn part(self, suffix: &[u8], bound: impl Fn(&str) -> Option<f64>) -> Option<Part> {
        Some(match (self, suffix) {
            (Self::Histogram | Self::GaugeHistogram, b"") => return None,
            (Self::Summary, b"") => Part::Quantile(bound(QUANTILE)?),
            (_, b"") | (Self::Counter, b"_total") | (Self::Info, b"_info") => Part::Value,
            (Self::Histogram | Self::GaugeHistogram, b"_bucket") => Part::Bucket(bound(LE)?),
            (Self::Histogram | Self::Summary, b"_sum") | (Self::GaugeHistogram, b"_gsum") => {
                Part::Sum
            }
            (Self::Histogram | Self::Summary, b"_count") | (Self::GaugeHistogram, b"_gcount") => {
                Part::Count
            }
            (Self::Histogram | Self::Summary | Self::Counter, b"_created") => Part::Created,
            _ => return None,
        })
    }
}

/// The label with the upper bound of a bucket.
const LE: &str = "le";

/// The label with the quantile of a summary.
const QUANTILE: &str = "quantile";

/// A family: the series that one name and one type describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family<'a> {
    /// The name under which its samples are queried, without the suffix of a [`Part`]. OpenMetrics announces the counter
    /// `requests_total` as `requests`: its name is `requests_total` here too, as in the other formats, and that of an
    /// info `build_info`.
    pub name: &'a str,
    /// Its kind. [`Kind::Unknown`] where a sample stands apart from the `# TYPE` line of its family.
    pub kind: Kind,
}

impl Family<'_> {
    /// The whole name of a sample of this family.
    #[must_use]
    pub fn sample_name(&self, part: Part) -> Cow<'_, str> {
        let gauge = self.kind == Kind::GaugeHistogram;
        let suffix = match part {
            Part::Value | Part::Quantile(_) => return Cow::Borrowed(self.name),
            Part::Bucket(_) => "_bucket",
            Part::Sum if gauge => "_gsum",
            Part::Sum => "_sum",
            Part::Count if gauge => "_gcount",
            Part::Count => "_count",
            Part::Created => "_created",
        };
        let stem = self.name.strip_suffix("_total");
        let stem = stem.filter(|_| self.kind == Kind::Counter);
        Cow::Owned(format!("{}{suffix}", stem.unwrap_or(self.name)))
    }
}

/// What a sample says of its family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part {
    /// The value itself.
    Value,
    /// The number of observations up to this bound, which may be infinite (`_bucket`).
    Bucket(f64),
    /// The value at this quantile, of a summary.
    Quantile(f64),
    /// The sum of the observations (`_sum`, `_gsum`).
    Sum,
    /// The number of the observations (`_count`, `_gcount`).
    Count,
    /// The time at which counting began, in seconds since the Unix epoch (`_created`).
    Created,
}

impl Part {
    /// The label whose value is within the part; empty without one.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Bucket(_) => LE,
            Self::Quantile(_) => QUANTILE,
            _ => "",
        }
    }
}
