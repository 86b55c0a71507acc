//! The user as headers: those that the front proxy sets, and those that it removes.

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::identity::UserInfo;

/// Headers of one connection, which are not passed on.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What may not stand in a header's name, and `%`, which escapes.
const NOT_IN_A_NAME: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b'(')
    .add(b')')
    .add(b',')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'{')
    .add(b'}');

/// Takes away the headers of one connection.
pub(super) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

/// Replaces whatever the client says of itself by what authentication found.
pub(super) fn set_user(headers: &mut HeaderMap, user: &UserInfo) {
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            name.as_str().starts_with("x-remote-") || name.as_str().starts_with("impersonate-")
        })
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
    headers.remove(header::AUTHORIZATION);
    let mut set = |name: &str, value: &str| match (
        HeaderName::try_from(name),
        HeaderValue::try_from(value),
    ) {
        (Ok(name), Ok(value)) => {
            headers.append(name, value);
        }
        _ => tracing::warn!(name, "what authentication found does not fit into a header"),
    };
    set("x-remote-user", &user.username);
    if !user.uid.is_empty() {
        set("x-remote-uid", &user.uid);
    }
    for group in &user.groups {
        set("x-remote-group", group);
    }
    for (key, values) in &user.extra {
        let name = format!("x-remote-extra-{}", utf8_percent_encode(key, NOT_IN_A_NAME));
        for value in values {
            set(&name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_headers_of_the_client_are_replaced() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-remote-user", "root"),
            ("x-remote-group", "system:masters"),
            ("authorization", "Bearer x"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let mut user = UserInfo::new("jane", ["dev", "ops"]);
        user.extra
            .insert("example.org/scope".to_owned(), vec!["a".to_owned()]);
        set_user(&mut headers, &user);
        let all = |name: &str| {
            headers
                .get_all(name)
                .iter()
                .map(|v| v.to_str().unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(all("x-remote-user"), ["jane"]);
        assert_eq!(all("x-remote-group"), ["dev", "ops"]);
        assert_eq!(all("x-remote-extra-example.org%2fscope"), ["a"]);
        assert!(all("authorization").is_empty());
    }
}
