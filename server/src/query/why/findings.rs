//! Details of a result.

use kubevitals_proto::why::{Container, Freshness};

/// Details of a result besides its outcome.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) freshness: Option<Freshness>,
    pub(super) containers: Vec<Container>,
}
