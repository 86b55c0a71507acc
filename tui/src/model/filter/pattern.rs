//! Regular expressions whose cost is bounded, whoever types or pastes them.

use regex::{Regex, RegexBuilder};

/// A compiled expression takes at most this much memory: `\w{1000}{1000}` is refused, not tried.
const MAX_COMPILED: usize = 1 << 20;
/// And its cache while it searches.
const MAX_CACHE: usize = 1 << 20;
/// How deep groups may be nested.
const MAX_NESTING: u32 = 50;

/// A regular expression, and the text it was made of.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles an expression, which is sought in any case unless it says `(?-i)`.
    ///
    /// # Errors
    /// What is wrong with it, in a line, and at which byte of it, if that is known.
    pub fn new(text: &str) -> Result<Self, (String, Option<usize>)> {
        RegexBuilder::new(text)
            .case_insensitive(true)
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(MAX_CACHE)
            .nest_limit(MAX_NESTING)
            .build()
            .map(Self)
            .map_err(|error| explain(&error, text))
    }

    /// The text it was made of.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is found in `text`.
    pub fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// regex draws its complaint over several lines: the expression, a caret under what is wrong, and the message.
fn explain(error: &regex::Error, text: &str) -> (String, Option<usize>) {
    let said = match error {
        regex::Error::CompiledTooBig(_) => {
            return (
                "this expression would take too much memory".to_owned(),
                None,
            );
        }
        error => error.to_string(),
    };
    let message = said
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix("error: "))
        .unwrap_or("this is no regular expression")
        .to_owned();
    let caret = said
        .lines()
        .find(|line| !line.trim().is_empty() && line.trim().chars().all(|c| c == '^' || c == ' '));
    // The expression is indented by four.
    let at = caret
        .and_then(|line| line.find('^')?.checked_sub(4))
        .and_then(|column| text.char_indices().nth(column).map(|(at, _)| at));
    (message, at)
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn what_is_wrong_is_said_and_where() {
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
        // This one would take other engines for ever.
        assert!(
            !Pattern::new("(a+)+$")
                .unwrap()
                .is_in(&format!("{}b", "a".repeat(5_000)))
        );
    }

    #[test]
    fn case_matters_only_if_asked_for() {
        assert!(Pattern::new("^WEB").unwrap().is_in("web-1"));
        assert!(!Pattern::new("(?-i)^WEB").unwrap().is_in("web-1"));
    }
}
