//! What is wrong, said once for as long as it stays the same.

use std::collections::BTreeMap;

/// What was last said of each thing.
#[derive(Debug, Default)]
pub(super) struct Complaints(BTreeMap<&'static str, String>);

impl Complaints {
    /// Something is wrong with `thing`.
    pub(super) fn say(&mut self, thing: &'static str, complaint: String) {
        if self.is_news(thing, &complaint) {
            tracing::warn!("{complaint}");
        }
    }

    /// Something is with `thing` that may be meant so.
    pub(super) fn note(&mut self, thing: &'static str, remark: String) {
        if self.is_news(thing, &remark) {
            tracing::info!("{remark}");
        }
    }

    fn is_news(&mut self, thing: &'static str, said: &str) -> bool {
        let before = self.0.insert(thing, said.to_owned());
        before.as_deref() != Some(said)
    }

    /// Nothing is wrong with `thing`.
    pub(super) fn settle(&mut self, thing: &'static str) {
        if self.0.remove(thing).is_some() {
            tracing::info!("{thing}: well again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_news_once_until_it_is_settled() {
        let mut complaints = Complaints::default();
        let mut news = |said: &str| complaints.is_news("thing", said);
        assert_eq!(
            [news("a"), news("a"), news("b"), news("a")],
            [true, false, true, true]
        );
        complaints.settle("thing");
        assert!(complaints.is_news("thing", "a"));
    }
}
