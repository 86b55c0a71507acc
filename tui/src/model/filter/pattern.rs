//! Regular expressions with limited cost, for patterns that users type or paste.

use regex::{Regex, RegexBuilder};

/// The memory limit of a compiled expression, which rejects `\w{1000}{1000}`.
const MAX_COMPILED: usize = 1 << 20;
/// The memory limit of the cache during a search.
const MAX_CACHE: usize = 1 << 20;
/// The maximum depth of groups.
const MAX_NESTING: u32 = 50;

/// A regular expression.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Regex);

/// Equal expressions have the same text.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Pattern {
    /// Compiles an expression. Case is ignored unless it contains `(?-i)`.
    ///
    /// # Errors
    /// The error in one line, and its byte position if it is known.
    pub(super) fn new(text: &str) -> Result<Self, (String, Option<usize>)> {
        RegexBuilder::new(text)
            .case_insensitive(true)
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(MAX_CACHE)
            .nest_limit(MAX_NESTING)
            .build()
            .map(Self)
            .map_err(|error| explain(&error, text))
    }

    /// Whether the expression matches a part of `text`.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// Extracts message and position from an error of regex: lines with the expression, a caret and the message.
fn explain(error: &regex::Error, text: &str) -> (String, Option<usize>) {
    let report = match error {
        regex::Error::CompiledTooBig(_) => {
            return (
                "this expression would take too much memory".to_owned(),
                None,
            );
        }
        error => error.to_string(),
    };
    let message = report
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix("error: "))
        .unwrap_or("this is no regular expression")
        .to_owned();
    let caret = report
        .lines()
        .find(|line| !line.trim().is_empty() && line.trim().chars().all(|c| c == '^' || c == ' '));
    // The expression is indented by four cells.
    let at = caret
        .and_then(|line| line.find('^')?.checked_sub(4))
        .and_then(|column| text.char_indices().nth(column).map(|(at, _)| at));
    (message, at)
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn errors_have_a_message_and_a_position() {
        for (text, message, at) in [
            ("a(b", "unclosed group", Some(1)),
            ("a**?)", "unopened group", Some(4)),
            (
                "[b-a]",
                "invalid character class range, the start must be <= the end",
                Some(1),
            ),
        ] {
            assert_eq!(
                Pattern::new(text).unwrap_err(),
                (message.to_owned(), at),
                "{text}"
            );
        }
    }

    #[test]
    fn no_expression_costs_too_much() {
        for text in [r"\w{1000}{1000}", "(a{100}){100}{100}", &"(".repeat(200)] {
            assert!(Pattern::new(text).is_err(), "{text}");
        }
        // A backtracking engine would not finish.
        assert!(
            !Pattern::new("(a+)+$")
                .unwrap()
                .is_in(&format!("{}b", "a".repeat(5_000)))
        );
    }

    #[test]
    fn case_matters_only_on_request() {
        assert!(Pattern::new("^WEB").unwrap().is_in("web-1"));
        assert!(!Pattern::new("(?-i)^WEB").unwrap().is_in("web-1"));
    }
}
