//! Entity tags: what a client already has need not be sent again.

use http::header::{HeaderMap, HeaderValue, IF_NONE_MATCH};
use ring::digest;

/// The tag of what a document says, as the peer makes it: SHA-512 of its compact JSON, in upper case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag(String);

impl Tag {
    /// The tag of a document.
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

    /// Without quotes, as it stands in an address.
    pub(super) fn hash(&self) -> &str {
        &self.0
    }

    /// As the ETag header has it.
    pub(super) fn header(&self) -> HeaderValue {
        // Hexadecimal digits between quotes are always a header's value.
        HeaderValue::try_from(format!("\"{}\"", self.0)).unwrap_or(HeaderValue::from_static("\"\""))
    }

    /// Whether the client says that it has what this stands for.
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
