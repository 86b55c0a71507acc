//! Logs a lasting problem once.

use std::collections::BTreeMap;

/// The last message about each subject.
#[derive(Debug, Default)]
pub(super) struct ProblemLog(BTreeMap<&'static str, String>);

impl ProblemLog {
    /// Logs a warning, unless it is the last message about this subject.
    pub(super) fn warn(&mut self, subject: &'static str, problem: String) {
        if self.is_new(subject, &problem) {
            tracing::warn!("{problem}");
        }
    }

    /// Logs a message about a state that may be intended, unless it is the last one about this subject.
    pub(super) fn info(&mut self, subject: &'static str, message: String) {
        if self.is_new(subject, &message) {
            tracing::info!("{message}");
        }
    }

    fn is_new(&mut self, subject: &'static str, message: &str) -> bool {
        let before = self.0.insert(subject, message.to_owned());
        before.as_deref() != Some(message)
    }

    /// Logs that a problem is over, if there was one.
    pub(super) fn resolve(&mut self, subject: &'static str) {
        if self.0.remove(subject).is_some() {
            tracing::info!("{subject}: the problem is over");
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
