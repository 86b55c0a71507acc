//! What was used before now.

use std::time::Duration;

use super::Query;
use crate::store::history::{Counts, Settings};

impl Query {
    /// What there is of history. Visits every node.
    pub fn history_counts(&self) -> Counts {
        self.store.history().counts()
    }

    /// How much is to be remembered.
    pub fn history_settings(&self) -> Settings {
        *self.store.history().settings()
    }

    /// For how long points are kept: the retention, or less while there is no memory for it.
    pub fn history_remembers(&self) -> Duration {
        self.store.history().remembers()
    }
}
