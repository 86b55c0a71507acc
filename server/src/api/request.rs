//! The options that every request may have.

use http::HeaderMap;
use http::Uri;
use http::header::USER_AGENT;

use kubevitals_proto::words::parse_bool;

pub(super) use crate::parameters::{option, parameter};

/// Whether JSON is indented: if the request selects it, or if the client is a browser, curl or Wget.
pub(super) fn pretty(uri: &Uri, headers: &HeaderMap) -> bool {
    if let Some(value) = parameter(uri, "pretty").filter(|value| !value.is_empty()) {
        return parse_bool(&value) == Some(true);
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
}
