//! Texts of TLS errors, as Go and kubectl print them.

use std::error::Error as StdError;
use std::net::IpAddr;

use rustls::CertificateError;

/// The end of the text for an unknown authority.
pub(super) const UNKNOWN_AUTHORITY: &str = "certificate signed by unknown authority";

/// The text for a TLS error; none for other errors.
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
        CertificateError::UnknownIssuer => UNKNOWN_AUTHORITY.to_owned(),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => not_for(&expected.to_str(), presented),
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            "certificate has expired or is not yet valid".to_owned()
        }
        other => other.to_string(),
    }
}

/// The text for a certificate with other names. It lists names for a name and addresses for an address.
fn not_for(expected: &str, presented: &[String]) -> String {
    let is_address = |name: &str| name.parse::<IpAddr>().is_ok();
    let names = presented.iter().map(|name| plain(name));
    let alike: Vec<&str> = names
        .filter(|name| is_address(name) == is_address(expected))
        .collect();
    match (alike.is_empty(), is_address(expected)) {
        (false, _) => format!(
            "certificate is valid for {}, not {expected}",
            alike.join(", ")
        ),
        (true, true) => format!(
            "cannot validate certificate for {expected} because it doesn't contain any IP SANs"
        ),
        (true, false) => {
            format!("certificate is not valid for any names, but wanted to match {expected}")
        }
    }
}

/// Extracts the name from `DnsName("a.example")` and `IpAddress(10.0.0.1)`.
fn plain(name: &str) -> &str {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .unwrap_or(name);
    inner.trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::not_for;

    #[test]
    fn the_text_lists_the_other_names() {
        let presented = [
            "DnsName(\"a.example\")",
            "IpAddress(10.0.0.1)",
            "DnsName(\"b\")",
        ];
        let presented = presented.map(str::to_owned);
        assert_eq!(
            not_for("c", &presented),
            "certificate is valid for a.example, b, not c"
        );
        assert_eq!(
            not_for("10.0.0.2", &presented),
            "certificate is valid for 10.0.0.1, not 10.0.0.2"
        );
        assert_eq!(
            not_for("10.0.0.2", &presented[..1]),
            "cannot validate certificate for 10.0.0.2 because it doesn't contain any IP SANs"
        );
        assert_eq!(
            not_for("c", &[]),
            "certificate is not valid for any names, but wanted to match c"
        );
    }
}
