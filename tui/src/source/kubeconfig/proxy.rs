//! Whether the server is reached through a proxy.

use std::env;
use std::net::IpAddr;

use http::Uri;

use crate::source::Error;

/// The proxy the kubeconfig names, else the environment's, unless it exempts the server.
pub(super) fn for_server(server: &Uri, named: Option<String>) -> Result<Option<Uri>, Error> {
    let variable = |name: &str| {
        let value = env::var(name)
            .or_else(|_| env::var(name.to_lowercase()))
            .ok();
        value.filter(|value| !value.is_empty())
    };
    let of_environment = || {
        let name = if server.scheme_str() == Some("https") {
            "HTTPS_PROXY"
        } else {
            "HTTP_PROXY"
        };
        let exempt = variable("NO_PROXY").unwrap_or_default();
        variable(name).filter(|_| !exempted(server.host().unwrap_or_default(), &exempt))
    };
    let Some(proxy) = named
        .filter(|proxy| !proxy.is_empty())
        .or_else(of_environment)
    else {
        return Ok(None);
    };
    let text = if proxy.contains("://") {
        proxy.clone()
    } else {
        format!("http://{proxy}")
    };
    text.parse()
        .map(Some)
        .map_err(|error| Error::Config(format!("proxy URL {proxy:?} cannot be used: {error}")))
}

/// Whether `NO_PROXY` or its own address exempts a host: `*`, a domain and all under it, an
/// address; this machine always.
fn exempted(host: &str, list: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    let loopback = host
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    loopback
        || host == "localhost"
        || list
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .any(|entry| {
                let domain = entry.trim_start_matches("*.").trim_start_matches('.');
                entry == "*"
                    || host == domain
                    || host
                        .strip_suffix(domain)
                        .is_some_and(|front| front.ends_with('.'))
            })
}

#[cfg(test)]
mod tests {
    use super::exempted;

    #[test]
    fn no_proxy_is_understood() {
        for (host, list, expected) in [
            ("127.0.0.1", "", true),
            ("[::1]", "", true),
            ("localhost", "", true),
            ("k8s.example.com", "", false),
            ("k8s.example.com", "*", true),
            ("k8s.example.com", "example.com", true),
            ("k8s.example.com", "other.com, .example.com", true),
            ("badexample.com", "example.com", false),
            ("10.0.0.1", "10.0.0.1", true),
        ] {
            assert_eq!(exempted(host, list), expected, "{host} by {list:?}");
        }
    }
}
