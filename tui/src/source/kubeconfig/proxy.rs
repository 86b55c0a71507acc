//! Chooses the proxy of a server.
//!
//! The rules are those of Go's `golang.org/x/net/http/httpproxy`, which kubectl follows, and of client-go for
//! `proxy-url`.

use std::env;
use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;

use crate::source::Error;
use crate::source::connect::Proxy;

/// Chooses the proxy of a server: the one of the cluster in the kubeconfig, else the one of the environment, unless
/// `NO_PROXY` exempts the server. None is a direct connection.
///
/// # Errors
/// The address or the scheme is invalid. The text never has the user or the password.
pub(super) fn for_server(
    server: &Uri,
    cluster: &str,
    named: Option<&str>,
) -> Result<Option<Proxy>, Error> {
    if let Some(url) = named {
        return parse(url).map(Some).map_err(|why| {
            Error::Config(format!(
                "invalid 'proxy-url' for cluster {cluster:?}: {why}"
            ))
        });
    }
    let name = if server.scheme_str() == Some("https") {
        "HTTPS_PROXY"
    } else {
        "HTTP_PROXY"
    };
    let Some(url) =
        variable(name).filter(|_| uses_proxy(server, &variable("NO_PROXY").unwrap_or_default()))
    else {
        return Ok(None);
    };
    // In the environment alone, an address without a scheme is an HTTP proxy.
    parse(&url)
        .or_else(|_| parse(&format!("http://{url}")))
        .map(Some)
        .map_err(|why| Error::Config(format!("invalid proxy address in ${name}: {why}")))
}

/// An environment variable, in capitals or else in small letters.
fn variable(name: &str) -> Option<String> {
    [name.to_owned(), name.to_lowercase()]
        .iter()
        .find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
}

fn parse(url: &str) -> Result<Proxy, String> {
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| "it has no scheme, must be http, https, or socks5".to_owned())?;
    let scheme = scheme.to_lowercase();
    if !matches!(scheme.as_str(), "http" | "https" | "socks5" | "socks5h") {
        return Err(format!(
            "unsupported scheme {scheme:?}, must be http, https, or socks5"
        ));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (login, address) = match authority.rsplit_once('@') {
        Some((login, address)) => (Some(login), address),
        None => (None, authority),
    };
    let uri: Uri = format!("{scheme}://{address}")
        .parse()
        .map_err(|_| format!("{address:?} is not a host or host:port"))?;
    if uri.host().is_none_or(str::is_empty) {
        return Err("it has no host".to_owned());
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let login = login.map(|login| {
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        (decoded(user), SecretString::from(decoded(password)))
    });
    Ok(Proxy { uri, login })
}

/// Whether the environment's proxy applies to this server. It never applies to this machine.
fn uses_proxy(server: &Uri, exempt: &str) -> bool {
    let host = server.host().unwrap_or_default().to_lowercase();
    let host = host.trim_matches(['[', ']']);
    let default_port = if server.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    let port = server.port_u16().unwrap_or(default_port);
    let address: Option<IpAddr> = host
        .parse()
        .ok()
        .map(|address: IpAddr| address.to_canonical());
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return false;
    }
    !exempt
        .split(',')
        .map(|entry| entry.trim().to_lowercase())
        .any(|entry| exempts(&entry, host, address, port))
}

/// Whether one entry of `NO_PROXY` exempts a server: `*`, an address, a network, or a domain with its subdomains
/// (`.domain` and `*.domain`: only the subdomains). Each but a network may have a port.
fn exempts(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Ok(network) = entry.parse::<IpNet>() {
        return address.is_some_and(|address| network.contains(&address));
    }
    let (name, entry_port) = host_and_port(entry);
    if name.is_empty() || entry_port.is_some_and(|entry| entry != port.to_string()) {
        return false;
    }
    if let Ok(exempt) = name.parse::<IpAddr>() {
        return address == Some(exempt.to_canonical());
    }
    let name = name
        .strip_prefix('*')
        .filter(|rest| rest.starts_with('.'))
        .unwrap_or(name);
    match name.strip_prefix('.') {
        Some(_) => host.ends_with(name),
        None => {
            host == name
                || host
                    .strip_suffix(name)
                    .is_some_and(|front| front.ends_with('.'))
        }
    }
}

/// Splits `host:port` and `[address]:port`; an address with colons and no brackets has no port.
fn host_and_port(entry: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = entry
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        return (host, rest.strip_prefix(':'));
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (entry, None),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn no_proxy_is_parsed_as_in_go() {
        for (server, list, expected) in [
            ("https://127.0.0.1", "", false),
            ("https://127.8.9.10:6443", "", false),
            ("https://[::1]:6443", "", false),
            ("https://[::ffff:127.0.0.1]", "", false),
            ("https://localhost", "", false),
            ("https://LOCALHOST:1", "", false),
            ("https://k8s.example.com", "", true),
            ("https://k8s.example.com", "*", false),
            ("https://k8s.example.com", "a.b, *", false),
            ("https://k8s.example.com", "example.com", false),
            ("https://example.com", "example.com", false),
            ("https://k8s.example.com", "other.com, .example.com", false),
            ("https://example.com", ".example.com", true),
            ("https://example.com", "*.example.com", true),
            ("https://a.example.com", "*.example.com", false),
            ("https://badexample.com", "example.com", true),
            ("https://Foo.Corp", ".corp", false),
            ("https://foo.corp", ".CORP", false),
            ("https://foo.corp:6443", "foo.corp:6443", false),
            ("https://foo.corp:6443", "foo.corp:443", true),
            ("https://foo.corp", "foo.corp:443", false),
            ("http://foo.corp", "foo.corp:80", false),
            ("https://sub.foo.corp:6443", "foo.corp:6443", false),
            ("https://10.0.0.1", "10.0.0.1", false),
            ("https://10.0.0.1", "10.0.0.0/8", false),
            ("https://11.0.0.1", "10.0.0.0/8", true),
            ("https://10.77.7.7:39544", "10.77.7.7:39544", false),
            ("https://10.77.7.7:39545", "10.77.7.7:39544", true),
            ("https://[2001:db8::5]:6443", "2001:db8::/32", false),
            ("https://[2001:db8::5]:6443", "2001:db8::5", false),
            ("https://[2001:db8::5]:6443", "[2001:db8::5]:6443", false),
            ("https://[2001:db8::5]:6443", "[2001:db8::5]:443", true),
            // Malformed entries exempt nothing and do not disable others.
            (
                "https://k8s.example.com",
                ",:443,, 10.0.0.0/99, example.com",
                false,
            ),
            ("https://k8s.example.com", "10.0.0.0/99", true),
            // As in Go, an address is matched by suffix like a name.
            ("https://10.0.0.1", "0.1", false),
        ] {
            let server: Uri = server.parse().unwrap();
            assert_eq!(uses_proxy(&server, list), expected, "{server} by {list:?}");
        }
    }

    #[test]
    fn a_proxy_has_a_scheme_a_host_and_an_optional_login() {
        let proxy = parse("http://bob:s3cr%40t@proxy.corp:3128/").unwrap();
        assert_eq!(proxy.uri.to_string(), "http://proxy.corp:3128/");
        let (user, password) = proxy.login.clone().unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("bob", "s3cr@t"));
        assert!(!format!("{proxy:?}").contains("s3cr"));
        for url in ["https://p:1", "socks5://p:1", "socks5h://p:1", "HTTP://p"] {
            assert!(parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn an_invalid_proxy_is_refused_without_its_password() {
        for url in [
            "127.0.0.1:39701",
            "ftp://bob:secret@p:1",
            "http://bob:secret@",
            "http://bob:secret@a b",
            "://x",
        ] {
            let why = parse(url).unwrap_err();
            assert!(!why.contains("secret") && !why.contains("bob"), "{why}");
        }
    }
}
