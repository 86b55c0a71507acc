//! Entity tags, by which a client does not receive again what it already has.

use http::header::{HeaderMap, HeaderValue, IF_NONE_MATCH};
use ring::digest;

/// The tag of a document, as metrics-server computes it: SHA-512 of the compact JSON, in upper-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag(String);

impl Tag {
    /// Computes the tag of a document.
    pub(super) fn of(json: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA512, json);
        Self(
            digest
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect(),
        )
    }

    /// The tag without quotes, for a URL.
    pub(super) fn hash(&self) -> &str {
        &self.0
    }

    /// The value of the ETag header.
    pub(super) fn header(&self) -> HeaderValue {
        // Hexadecimal digits in quotes are always a valid header value.
        HeaderValue::try_from(format!("\"{}\"", self.0)).unwrap_or(HeaderValue::from_static("\"\""))
    }

    /// Whether the If-None-Match header has this tag.
    pub(super) fn matches(&self, headers: &HeaderMap) -> bool {
        headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|candidate| candidate.trim())
            .any(|candidate| {
                let quoted = candidate.strip_prefix("W/").unwrap_or(candidate);
                let hash = quoted
                    .strip_prefix('"')
                    .and_then(|tag| tag.strip_suffix('"'));
                candidate == "*" || hash == Some(&self.0)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_matches_alone_weak_or_in_a_list() {
        let tag = Tag::of(b"{}");
        assert!(tag.hash().starts_with("27C74670ADB75075"), "{}", tag.hash());
        assert_eq!(tag.hash().len(), 128);
        let own = tag.header().to_str().unwrap().to_owned();
        for (header, expected) in [
            (own.clone(), true),
            (format!("W/{own}"), true),
            (format!("\"x\", {own}"), true),
            ("*".to_owned(), true),
            (tag.hash().to_owned(), false),
            ("\"x\"".to_owned(), false),
            (String::new(), false),
        ] {
            let value = HeaderValue::try_from(&header).unwrap();
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, value)]);
            assert_eq!(tag.matches(&headers), expected, "{header}");
        }
        assert!(!tag.matches(&HeaderMap::new()));
    }
}
