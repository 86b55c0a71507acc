//! Normalizes paths before anything reads them.

use http::Uri;
use http::uri::{InvalidUri, PathAndQuery};

/// Normalizes the path of a URL: decodes what needs no percent-encoding, and writes the rest in upper case (RFC 3986,
/// 6.2.2). `None` if the path is already normal. An encoded slash stays encoded, because it does not separate
/// segments.
///
/// # Errors
/// The normalized URL is too long.
pub fn normalized(uri: &Uri) -> Result<Option<Uri>, InvalidUri> {
    let path = uri.path();
    let mut parts_of_path = path.split('%');
    let mut plain = parts_of_path.next().unwrap_or_default().to_owned();
    for text in parts_of_path {
        match decode_hex(text) {
            Some((byte, rest)) if is_pchar(byte) => {
                plain.push(char::from(byte));
                plain.push_str(rest);
            }
            Some((byte, rest)) => plain.push_str(&format!("%{byte:02X}{rest}")),
            // A `%` without two hexadecimal digits stands for itself. It is encoded, so that it cannot form a code
            // with what follows.
            None => {
                plain.push_str("%25");
                plain.push_str(text);
            }
        }
    }
    if plain == path {
        return Ok(None);
    }
    if let Some(query) = uri.query() {
        plain.push('?');
        plain.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(plain)?);
    // A URL with another valid path is still a valid URL.
    Ok(Uri::from_parts(parts).ok())
}

/// Decodes two hexadecimal digits. Returns the byte and the rest.
fn decode_hex(text: &str) -> Option<(u8, &str)> {
    let (digits, rest) = text.split_at_checked(2)?;
    let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let byte = hexadecimal.then(|| u8::from_str_radix(digits, 16).ok())??;
    Some((byte, rest))
}

/// Whether a byte may stand in a segment without encoding (RFC 3986's pchar).
const fn is_pchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'@')
        || matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normalize(uri: &str) -> String {
        let uri: Uri = uri.parse().unwrap();
        normalized(&uri).unwrap().unwrap_or(uri).to_string()
    }

    #[test]
    fn equal_paths_normalize_to_one() {
        for (input, expected) in [
            ("/apis/x", "/apis/x"),
            ("/%61pis/%78?a=%61", "/apis/x?a=%61"),
            ("/a%2fb", "/a%2Fb"),
            ("/a%2Fb", "/a%2Fb"),
            ("/%2e%2E/x", "/../x"),
            ("/a%00b%25c%3f", "/a%00b%25c%3F"),
            ("/%zz%", "/%25zz%25"),
            ("/%6", "/%256"),
            ("/%a%30", "/%25a0"),
            ("/%c3%bc", "/%C3%BC"),
            ("/system%3Aa", "/system:a"),
            ("https://host:1/%61", "https://host:1/a"),
        ] {
            assert_eq!(normalize(input), expected, "{input}");
        }
    }

    #[test]
    fn a_path_that_becomes_too_long_is_an_error() {
        let path = format!("/{}", "%".repeat(30_000)).parse().unwrap();
        assert!(normalized(&path).is_err());
    }

    proptest! {
        #[test]
        fn normalizing_twice_changes_nothing(path in "(/(%[0-9a-fA-F]{2}|%|[a-z.])*){0,4}") {
            let once = normalize(&format!("/{path}"));
            prop_assert_eq!(normalize(&once), once.clone());
            // The number of segments stays the same.
            prop_assert_eq!(once.matches('/').count(), path.matches('/').count() + 1);
        }
    }
}
