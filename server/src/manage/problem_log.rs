//! What is wrong, said once for as long as it stays the same.

use std::collections::BTreeMap;

/// What was last said of each thing.
#[derive(Debug, Default)]
pub(super) struct ProblemLog(BTreeMap<&'static str, String>);

impl ProblemLog {
    /// Something is wrong with `subject`.
    pub(super) fn warn(&mut self, subject: &'static str, problem: String) {
        if self.is_new(subject, &problem) {
            tracing::warn!("{problem}");
        }
    }

    /// Something is with `subject` that may be meant so.
    pub(super) fn info(&mut self, subject: &'static str, message: String) {
        if self.is_new(subject, &message) {
            tracing::info!("{message}");
        }
    }

    fn is_new(&mut self, subject: &'static str, message: &str) -> bool {
        let before = self.0.insert(subject, message.to_owned());
        before.as_deref() != Some(message)
    }

    /// Nothing is wrong with `subject`.
    pub(super) fn resolve(&mut self, subject: &'static str) {
        if self.0.remove(subject).is_some() {
            tracing::info!("{subject}: well again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_logged_once_until_resolved() {
        let mut problems = ProblemLog::default();
        let mut is_new = |message: &str| problems.is_new("thing", message);
        assert_eq!(
            [is_new("a"), is_new("a"), is_new("b"), is_new("a")],
            [true, false, true, true]
        );
        problems.resolve("thing");
        assert!(problems.is_new("thing", "a"));
    }
}
