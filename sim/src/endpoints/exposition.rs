//! Families of metrics, in no format yet.

use std::borrow::Cow;

/// What kind of metrics a family has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    /// As TYPE lines have it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A family.
#[derive(Clone, Debug)]
pub(super) struct Family {
    /// The name, of a counter with `_total`.
    pub(super) name: Cow<'static, str>,
    pub(super) help: &'static str,
    pub(super) kind: Kind,
    pub(super) series: Vec<Series>,
}

/// A series.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) value: Value,
    /// Its timestamp in milliseconds, if it has one.
    pub(super) at: Option<i64>,
}

/// The value of a series.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Number(f64),
    Histogram(Histogram),
}

/// A histogram, classic and native in one.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    pub(super) count: u64,
    pub(super) sum: f64,
    /// Upper bounds without `+Inf`, and how many observations are at most that.
    pub(super) classic: Vec<(f64, u64)>,
    pub(super) schema: i32,
    pub(super) zero_threshold: f64,
    pub(super) zero_count: u64,
    /// The index of the first native bucket, and the observations in it and those that follow.
    pub(super) native: (i32, Vec<u64>),
}

impl Family {
    pub(super) fn new(name: impl Into<Cow<'static, str>>, help: &'static str, kind: Kind) -> Self {
        Self {
            name: name.into(),
            help,
            kind,
            series: Vec::new(),
        }
    }

    /// The family with one series more.
    pub(super) fn with(mut self, labels: &[(&'static str, &str)], value: Value) -> Self {
        self.push(labels, value);
        self
    }

    pub(super) fn push(&mut self, labels: &[(&'static str, &str)], value: Value) {
        let labels = labels
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        self.series.push(Series {
            labels: labels.collect(),
            value,
            at: None,
        });
    }
}
