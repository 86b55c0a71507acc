//! What a program exposes for Prometheus: the text format 0.0.4 and 1.0.0, OpenMetrics 1.0, and protobuf.
//!
//! [`Format`] says which of them a page is in, and [`read`] walks it: a [`Visitor`] decides family by family what it
//! wants, and receives the samples of those. The rest is skipped without being read. Nothing is copied, and nothing is
//! allocated but for names and values with escapes, and one list of the labels of a line.
//!
//! A line that cannot be read is counted and skipped, as kubelets' pages are read; Prometheus refuses the whole page.
//! Blanks are read more leniently than OpenMetrics writes them. What makes a page as a whole unusable is a
//! [`ReadError`].
//!
//! - [`lines`]: the text format line by line.
//! - [`number`]: its numbers.

mod family;
mod format;
mod labels;
pub mod lines;
mod native;
pub mod number;
mod protobuf;
mod report;
mod sample;
mod text;

pub use family::{Family, Kind, Part};
pub use format::{ACCEPT, ContentTypeError, Format, Negotiated};
pub use labels::SampleLabels;
pub use native::{Bucket, Buckets, NativeHistogram};
pub use report::{Limits, Malformed, ReadError, Report};
pub use sample::{Sample, Visitor};

/// Reads a page.
///
/// # Errors
/// The page is cut, or is no page of this format. The visitor may have received a part of it.
pub fn read<'a>(
    body: &'a [u8],
    format: Format,
    limits: Limits,
    visitor: &mut impl Visitor,
) -> Result<Report<'a>, ReadError> {
    match format {
        Format::Text => text::read(body, false, limits, visitor),
        Format::OpenMetrics => text::read(body, true, limits, visitor),
        Format::Protobuf => protobuf::read(body, limits, visitor),
    }
}
