//! Several clusters: the rows of all, and what leads into one of them.

use super::name::{Key, Name};
use super::row::{MemberIncidentRow, MemberRow};

/// The rows of all clusters.
#[derive(Debug, Clone, Default)]
pub struct Members {
    /// A row for each cluster.
    pub rows: Vec<MemberRow>,
    /// The incidents of all clusters.
    pub incidents: Vec<MemberIncidentRow>,
}

/// What `enter` opens in another cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrance {
    /// The context of the cluster.
    pub context: Name,
    /// The incident to open there.
    pub incident: Option<Key>,
}
