//! Samples, and what receives them.

use super::family::{Family, Part};
use super::labels::SampleLabels;
use super::native::NativeHistogram;

/// Receives what a page has.
pub trait Visitor {
    /// Whether the samples of a family are wanted. Those of another one are skipped without being read, so errors in them
    /// are not found. A page that does not keep the lines of a family together asks several times.
    fn wants(&mut self, family: &Family<'_>) -> bool;

    /// A sample of a wanted family. Nothing says that it is the only one with its labels.
    fn sample(&mut self, family: &Family<'_>, sample: &Sample<'_>);

    /// A native histogram of a wanted family. The classic buckets that the program may expose beside it are left out,
    /// as Prometheus leaves them out.
    fn native_histogram(&mut self, family: &Family<'_>, histogram: &NativeHistogram<'_>);
}

/// A value with its labels.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// What it says of its family.
    pub part: Part,
    /// The labels, without `le` and `quantile` of a [`Part`] that has their value.
    pub labels: SampleLabels<'a>,
    /// The value; it may be negative, infinite or not a number.
    pub value: f64,
    /// Milliseconds since the Unix epoch, if the program gives a time; may be negative.
    pub timestamp_ms: Option<i64>,
}
