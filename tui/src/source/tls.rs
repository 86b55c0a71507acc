//! Why a server's certificate was not accepted, in the words Go (and so kubectl) has for it.

use std::error::Error as StdError;

use rustls::CertificateError;

/// The words for a TLS error; none for any other error.
pub(super) fn explain(error: &(dyn StdError + 'static)) -> Option<String> {
    let error = error.downcast_ref::<rustls::Error>()?;
    Some(match error {
        rustls::Error::InvalidCertificate(why) => {
            format!(
                "tls: failed to verify certificate: x509: {}",
                certificate(why)
            )
        }
        rustls::Error::InvalidMessage(_) => {
            "http: server gave HTTP response to HTTPS client".to_owned()
        }
        other => format!("tls: {other}"),
    })
}

fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => "certificate signed by unknown authority".to_owned(),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let expected = expected.to_str();
            let names: Vec<&str> = presented.iter().map(|name| plain(name)).collect();
            let is_address = expected.parse::<std::net::IpAddr>().is_ok();
            let addresses = || {
                names
                    .iter()
                    .any(|name| name.parse::<std::net::IpAddr>().is_ok())
            };
            if is_address && !addresses() {
                format!(
                    "cannot validate certificate for {expected} because it doesn't contain any IP SANs"
                )
            } else if names.is_empty() {
                format!("certificate is not valid for any names, but wanted to match {expected}")
            } else {
                format!(
                    "certificate is valid for {}, not {expected}",
                    names.join(", ")
                )
            }
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "certificate has expired or is not yet valid".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "certificate has expired or is not yet valid".to_owned()
        }
        other => other.to_string(),
    }
}

/// `DnsName("a.example")` and `IpAddress(10.0.0.1)` as they are written by people.
fn plain(name: &str) -> &str {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .unwrap_or(name);
    inner.trim_matches('"')
}
