//! What is said of a page as a whole.

/// What of a page is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most samples and native histograms of wanted families. The rest of the page is dropped.
    pub samples: usize,
    /// The most labels of a sample.
    pub labels: usize,
    /// The most bytes of a label's name and value together, and of a family's name.
    pub label_bytes: usize,
    /// The most buckets of a native histogram.
    pub buckets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            samples: 10_000,
            labels: 64,
            label_bytes: 2_048,
            buckets: 1_000,
        }
    }
}

/// What a page had. Of families that nobody wants only their number is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report<'a> {
    /// The samples and native histograms that the visitor received.
    pub samples: u64,
    /// The lines that are neither a sample nor a comment; in protobuf the metrics and families.
    pub malformed: u64,
    /// The first of those.
    pub first_malformed: Option<Malformed<'a>>,
    /// The samples with too many or too long labels, or too many buckets. They are dropped.
    pub oversized: u64,
    /// Whether the page had more samples than the limit. The rest is dropped.
    pub truncated: bool,
    /// Whether the last line of a text has no end: the page was cut, perhaps within a number. The line is malformed.
    pub cut: bool,
}

/// What could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed<'a> {
    /// The number of the line; in protobuf that of the family's message. The first is 1.
    pub number: usize,
    /// The line; empty for protobuf.
    pub text: &'a [u8],
}

/// Why a page as a whole cannot be used. What the visitor received until then is only a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// OpenMetrics without its end.
    #[error(
        "the OpenMetrics page does not end with \"# EOF\": it was cut, or it is something else"
    )]
    NoEof,
    /// OpenMetrics with something after its end.
    #[error("the OpenMetrics page goes on after \"# EOF\"")]
    AfterEof,
    /// Protobuf whose messages do not end where they should.
    #[error("message {0} of the protobuf page is broken or cut")]
    Protobuf(usize),
}
