//! The series of a family: the samples within the window, and what is read from them. Pure.

mod classic;
mod family;
mod limits;
mod native;
mod window;

use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;

pub(super) use classic::Classic;
pub(super) use family::Family;
pub(super) use limits::{Limits, Merged};
pub(super) use native::Native;
pub(super) use window::{MAX_INTERVALS, Window};

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Counter,
    Histogram,
    NativeHistogram,
    Summary,
    Untyped,
}

impl Kind {
    /// Its name.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
            Self::NativeHistogram => "native histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
        }
    }
}

/// What one scrape reports of one series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reported {
    /// The name of the family; of a counter with `_total`, if the pod exposes that.
    pub(super) family: Arc<str>,
    pub(super) kind: Kind,
    /// Without `le` and `quantile`.
    pub(super) labels: Labels,
    /// The timestamp of the sample, if it has one.
    pub(super) at: Option<Timestamp>,
    pub(super) sample: Sample,
}

/// The values of a series at one time.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sample {
    Number(f64),
    Classic(Classic),
    Native(Box<Native>),
    Summary(Summary),
}

/// A sample of a summary.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Summary {
    pub(super) sum: f64,
    pub(super) count: f64,
    /// Its own quantiles and their values.
    pub(super) quantiles: Box<[(f64, f64)]>,
}

impl Sample {
    /// Why it cannot be used, as a word for a metric: values that no counter has, or that are no number.
    pub(super) fn problem(&self, kind: Kind) -> Option<&'static str> {
        let of = |values: &[f64]| {
            if values.iter().any(|value| !value.is_finite()) {
                Some("not_finite")
            } else if values.iter().any(|value| *value < 0.0) {
                Some("negative")
            } else {
                None
            }
        };
        match self {
            Self::Number(value) if kind == Kind::Counter => of(&[*value]),
            Self::Number(value) => of(&[value.abs()]),
            Self::Classic(it) => of(&it.counts),
            Self::Native(it) => it.problem(),
            Self::Summary(it) => of(&[it.count]),
        }
    }
}
