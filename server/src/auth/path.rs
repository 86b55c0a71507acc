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
    let mut pieces = path.split('%');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match code(piece) {
            Some((byte, rest)) if is_plain(byte) => {
                plain.push(char::from(byte));
                plain.push_str(rest);
            }
            Some((byte, rest)) => plain.push_str(&format!("%{byte:02X}{rest}")),
            // A sign that begins no code stands for itself, or it could begin one with what follows.
            None => {
                plain.push_str("%25");
                plain.push_str(piece);
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
fn code(piece: &str) -> Option<(u8, &str)> {
    let (digits, rest) = piece.split_at_checked(2)?;
    let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let byte = hexadecimal.then(|| u8::from_str_radix(digits, 16).ok())??;
    Some((byte, rest))
}

/// Whether a byte may stand in a segment of a path as it is (RFC 3986's pchar).
const fn is_plain(byte: u8) -> bool {
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

    fn spelled(uri: &str) -> String {
        let uri: Uri = uri.parse().unwrap();
        normalized(&uri).unwrap().unwrap_or(uri).to_string()
    }

    #[test]
    fn a_path_has_one_spelling() {
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
            assert_eq!(spelled(given), expected, "{given}");
        }
    }

    #[test]
    fn what_would_be_too_long_is_said_to_be() {
        let path = format!("/{}", "%".repeat(30_000)).parse().unwrap();
        assert!(normalized(&path).is_err());
    }

    proptest! {
        #[test]
        fn what_has_been_spelled_once_stays(path in "(/(%[0-9a-fA-F]{2}|%|[a-z.])*){0,4}") {
            let once = spelled(&format!("/{path}"));
            prop_assert_eq!(spelled(&once), once.clone());
            // Segments are neither joined nor parted.
            prop_assert_eq!(once.matches('/').count(), path.matches('/').count() + 1);
        }
    }
}
