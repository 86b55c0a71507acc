//! Why a server's certificate was not accepted, in the words Go (and so kubectl) has for it.

use std::error::Error as StdError;
use std::net::IpAddr;

use rustls::CertificateError;

/// How the words end where no authority that is known has signed a certificate.
pub(super) const UNKNOWN_AUTHORITY: &str = "certificate signed by unknown authority";

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
        CertificateError::UnknownIssuer => UNKNOWN_AUTHORITY.to_owned(),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => not_for(&expected.to_str(), presented),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "certificate has expired or is not yet valid".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "certificate has expired or is not yet valid".to_owned()
        }
        other => other.to_string(),
    }
}

/// A certificate for other names; of those, only names are told for a name, addresses for an address.
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

/// `DnsName("a.example")` and `IpAddress(10.0.0.1)` as they are written by people.
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
    fn other_names_are_told() {
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
