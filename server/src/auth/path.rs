//! One spelling for every path, before anybody reads it.

use http::Uri;
use http::uri::{InvalidUri, PathAndQuery};

/// The same address with one spelling for its path: what need not be percent-encoded is not, and the rest is in
/// upper case (RFC 3986, 6.2.2). `None` when it is so already. An encoded slash stays encoded: it is no slash.
///
/// # Errors
/// When that address would be too long for an address.
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
            // A sign that begins no code stands for itself, or it could begin one with what follows.
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
    // Another path for what was an address before makes an address again.
    Ok(Uri::from_parts(parts).ok())
}

/// The byte that two hexadecimal digits stand for, and what follows them.
fn decode_hex(text: &str) -> Option<(u8, &str)> {
    let (digits, rest) = text.split_at_checked(2)?;
    let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let byte = hexadecimal.then(|| u8::from_str_radix(digits, 16).ok())??;
    Some((byte, rest))
}

/// Whether a byte may stand in a segment of a path as it is (RFC 3986's pchar).
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
        for (given, expected) in [
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
            assert_eq!(normalize(given), expected, "{given}");
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
            // Segments are neither joined nor parted.
            prop_assert_eq!(once.matches('/').count(), path.matches('/').count() + 1);
        }
    }
}
