//! Authorization of requests to a kubelet.

use http::HeaderMap;
use rustls_pki_types::CertificateDer;

use crate::identity::{Attributes, Identities, UserInfo, bearer};

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 401: the user is unknown.
    Unauthorized,
    /// 403, with the text that a kubelet sends.
    Forbidden(String),
}

/// Whether the sender of these headers, or the owner of this certificate, may get `path` from `node`.
pub(crate) fn check(
    identities: &Identities,
    headers: &HeaderMap,
    certificate: Option<&CertificateDer<'_>>,
    node: &str,
    path: &str,
) -> Result<(), Refusal> {
    let user = certificate
        .and_then(UserInfo::of_certificate)
        .or_else(|| identities.authenticate(bearer(headers)?))
        .ok_or(Refusal::Unauthorized)?;
    let needed = subresources(path);
    let allowed = needed.iter().any(|subresource| {
        let mut attributes = Attributes::resource("get", "", "nodes").subresource(subresource);
        node.clone_into(&mut attributes.name);
        identities.authorize(&user, &attributes)
    });
    if allowed {
        return Ok(());
    }
    let list = needed.join(" ");
    Err(Refusal::Forbidden(format!(
        "Forbidden (user={}, verb=get, resource=nodes, subresource(s)=[{list}])\n",
        user.username
    )))
}

/// The subresources of nodes of which any one grants a path, the finest first.
fn subresources(path: &str) -> &'static [&'static str] {
    let path = path.trim_end_matches('/');
    let under = |prefix: &str| {
        path.strip_prefix(prefix)
            .is_some_and(|r| r.is_empty() || r.starts_with('/'))
    };
    if under("/metrics") {
        &["metrics"]
    } else if under("/stats") {
        &["stats"]
    } else if under("/pods") {
        &["pods", "proxy"]
    } else if under("/healthz") {
        &["healthz", "proxy"]
    } else {
        &["proxy"]
    }
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;
    use crate::identity::{Rule, Subject};

    fn check_access(token: &str, path: &str) -> Result<(), Refusal> {
        let identities = Identities::new();
        identities.add_token("good", UserInfo::new("jane", []));
        identities.grant(
            Subject::User("jane".to_owned()),
            Rule::resources(&["get"], "", &["nodes/metrics"]),
        );
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        check(&identities, &headers, None, "node-0001", path)
    }

    #[test]
    fn a_token_opens_what_its_owner_may_read_and_nothing_else() {
        let refused =
            "Forbidden (user=jane, verb=get, resource=nodes, subresource(s)=[pods proxy])\n";
        let forbidden = Refusal::Forbidden(refused.to_owned());
        for (token, path, expected) in [
            ("good", "/metrics/resource", Ok(())),
            ("bad", "/metrics/resource", Err(Refusal::Unauthorized)),
            ("", "/metrics/resource", Err(Refusal::Unauthorized)),
            ("good", "/pods", Err(forbidden)),
        ] {
            assert_eq!(check_access(token, path), expected, "{token} {path}");
        }
        assert!(check_access("good", "/metricsandmore").is_err());
    }
}
