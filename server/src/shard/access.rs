//! The way to the other shards.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::scrape::Credentials;
use crate::state::Peers;

/// The way to the other shards.
pub(super) struct Access {
    pub(super) peers: Peers,
    /// Made again when the CA changes.
    pub(super) credentials: ArcSwap<Credentials>,
}

impl Access {
    pub(super) fn credentials(&self) -> Arc<Credentials> {
        self.credentials.load_full()
    }
}
