//! What is wrong, said once for as long as it stays the same.

use std::collections::BTreeMap;

/// What was last said of each thing.
#[derive(Debug, Default)]
pub(super) struct Complaints(BTreeMap<&'static str, String>);

impl Complaints {
    /// Something is wrong with `thing`.
    pub(super) fn say(&mut self, thing: &'static str, complaint: String) {
        if self.0.get(thing) != Some(&complaint) {
            tracing::warn!("{complaint}");
            self.0.insert(thing, complaint);
        }
    }

    /// Nothing is wrong with `thing`.
    pub(super) fn settle(&mut self, thing: &'static str) {
        if self.0.remove(thing).is_some() {
            tracing::info!("{thing}: well again");
        }
    }
}
