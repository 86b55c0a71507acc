//! A case-insensitive search for a word in text.

use memchr::memchr2;

/// A word, prepared for a search without allocation in a million texts.
///
/// The search ignores the case of ASCII letters only: names in Kubernetes are ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needle {
    word: String,
    /// The first byte in both cases.
    first: [u8; 2],
}

impl Needle {
    /// Prepares a word.
    pub fn new(word: &str) -> Self {
        let first = word.bytes().next().unwrap_or_default();
        Self {
            word: word.to_owned(),
            first: [first.to_ascii_lowercase(), first.to_ascii_uppercase()],
        }
    }

    /// The word, in its original case.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// Whether `text` contains the word. Every text contains the empty word.
    pub fn is_in(&self, text: &str) -> bool {
        let word = self.word.as_bytes();
        let [lower, upper] = self.first;
        let mut rest = text.as_bytes();
        while rest.len() >= word.len() {
            if word.is_empty() {
                return true;
            }
            let Some(at) = memchr2(lower, upper, rest) else {
                return false;
            };
            let here = rest.get(at..).unwrap_or_default();
            let found = here.get(..word.len());
            if found.is_some_and(|part| part.eq_ignore_ascii_case(word)) {
                return true;
            }
            rest = here.get(1..).unwrap_or_default();
        }
        false
    }

    /// Whether `text` is the word.
    pub fn is(&self, text: &str) -> bool {
        self.word.eq_ignore_ascii_case(text)
    }
}

#[cfg(test)]
mod tests {
    use super::Needle;
    use proptest::prelude::*;

    #[test]
    fn a_word_is_found_in_any_case() {
        for (word, text, found) in [
            ("web", "shop-WEB-1", true),
            ("Web", "web", true),
            ("web", "we", false),
            ("aab", "aaab", true),
            ("", "", true),
            ("日", "今日", true),
            ("-1", "web-1", true),
            ("web", "weweb", true),
        ] {
            assert_eq!(Needle::new(word).is_in(text), found, "{word} in {text}");
        }
    }

    proptest! {
        #[test]
        fn the_search_agrees_with_lower_case_contains(word in "[aAbB-]{0,4}", text in "[aAbB-]{0,12}") {
            let slow = text.to_lowercase().contains(&word.to_lowercase());
            prop_assert_eq!(Needle::new(&word).is_in(&text), slow);
        }
    }
}
