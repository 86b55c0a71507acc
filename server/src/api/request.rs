//! What a request says beside its path.

use std::borrow::Cow;

use http::HeaderMap;
use http::Uri;
use http::header::USER_AGENT;

/// The first value of a query parameter, decoded; a later one of the same name is ignored, as at the peer.
pub(super) fn parameter<'a>(uri: &'a Uri, name: &str) -> Option<Cow<'a, str>> {
    form_urlencoded::parse(uri.query()?.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

/// Whether a Go `strconv.ParseBool` of a parameter is true.
pub(super) fn flag(uri: &Uri, name: &str) -> bool {
    parameter(uri, name)
        .is_some_and(|value| matches!(&*value, "1" | "t" | "T" | "TRUE" | "true" | "True"))
}

/// Whether JSON is to be indented: when asked for, and for programs behind which a person reads.
pub(super) fn pretty(uri: &Uri, headers: &HeaderMap) -> bool {
    if parameter(uri, "pretty").is_some_and(|value| !value.is_empty()) {
        return flag(uri, "pretty");
    }
    let agent = headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default();
    ["curl", "Wget", "Mozilla/5.0"]
        .iter()
        .any(|program| agent.starts_with(program))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn json_is_indented_for_people() {
        for (uri, agent, expected) in [
            ("/x", "curl/8.0", true),
            ("/x", "Mozilla/5.0 (X11)", true),
            ("/x", "kubectl/v1.36", false),
            ("/x?pretty=true", "kubectl/v1.36", true),
            ("/x?pretty=false", "curl/8.0", false),
            ("/x?pretty=yes", "curl/8.0", false),
            ("/x?pretty=", "curl/8.0", true),
        ] {
            let headers = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(agent))]);
            assert_eq!(
                pretty(&uri.parse().unwrap(), &headers),
                expected,
                "{uri} {agent}"
            );
        }
    }

    #[test]
    fn parameters_are_decoded_and_the_first_one_counts() {
        let uri: Uri = "/x?labelSelector=app%3Dweb%2Ctier+in+(a)&labelSelector=other"
            .parse()
            .unwrap();
        assert_eq!(
            parameter(&uri, "labelSelector").unwrap(),
            "app=web,tier in (a)"
        );
        assert_eq!(parameter(&uri, "fieldSelector"), None);
    }
}
