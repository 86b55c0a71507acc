//! What bounds the scrapes, if the file does not say otherwise.

/// The most kept series of a namespace.
pub(super) const NAMESPACE_SERIES: usize = 50_000;

/// What bounds the scrape of one pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pod_metrics) struct Bounds {
    /// The most bytes of a response, after decompression.
    pub(in crate::pod_metrics) body: usize,
    /// The most kept series of a pod.
    pub(in crate::pod_metrics) series: usize,
    /// The most bytes of a label's value; a series with a longer one is not kept.
    pub(in crate::pod_metrics) label: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            body: 8 << 20,
            series: 1000,
            label: 512,
        }
    }
}
