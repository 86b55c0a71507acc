//! Versions and cipher suites, under the names that Go gives them and Kubernetes' flags take.

use std::str::FromStr;
use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ServerConfig, SupportedProtocolVersion};

use super::Settings;
use super::cert_resolver::Certificates;
use super::client::Possession;
use super::error::CertificateError;
use super::provider::provider;

/// How many requests at a time an HTTP/2 connection carries, as Go has it.
pub(super) const STREAMS: u32 = 250;

/// The oldest version of TLS that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MinVersion {
    /// 1.0 was asked for; 1.2 is the oldest there is.
    Tls10,
    /// 1.1 was asked for; 1.2 is the oldest there is.
    Tls11,
    /// 1.2.
    #[default]
    Tls12,
    /// 1.3.
    Tls13,
}

impl MinVersion {
    /// Whether a version was asked for that is not spoken: it is a minimum, so what is newer keeps it.
    pub fn is_too_old(self) -> bool {
        matches!(self, Self::Tls10 | Self::Tls11)
    }
}

impl FromStr for MinVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "VersionTLS10" => Ok(Self::Tls10),
            "VersionTLS11" => Ok(Self::Tls11),
            "VersionTLS12" | "" => Ok(Self::Tls12),
            "VersionTLS13" => Ok(Self::Tls13),
            _ => Err(
                "there are VersionTLS10, VersionTLS11, VersionTLS12 and VersionTLS13".to_owned(),
            ),
        }
    }
}

/// What a name of Go's stands for here.
#[derive(Clone, Copy)]
enum Known {
    /// One of TLS 1.3, which are always offered.
    Always,
    /// One of TLS 1.2 that is offered.
    Offered(CipherSuite),
    /// One that Go has and rustls, for its age or its weakness, has not.
    Absent,
}

/// Every name that Kubernetes takes, its legacy ones too.
const KNOWN: [(&str, Known); 27] = {
    use CipherSuite as C;
    use Known::{Absent, Always, Offered};
    [
        ("TLS_AES_128_GCM_SHA256", Always),
        ("TLS_AES_256_GCM_SHA384", Always),
        ("TLS_CHACHA20_POLY1305_SHA256", Always),
        (
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            Offered(C::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        ),
        (
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            Offered(C::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
        ),
        (
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            Offered(C::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
        ),
        (
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
            Offered(C::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
        ),
        (
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            Offered(C::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
        ),
        (
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            Offered(C::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
        ),
        (
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            Offered(C::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
        ),
        (
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
            Offered(C::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
        ),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Absent),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", Absent),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", Absent),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", Absent),
        // From here on Go itself calls them insecure.
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Absent),
        ("TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", Absent),
        ("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", Absent),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", Absent),
        ("TLS_ECDHE_RSA_WITH_RC4_128_SHA", Absent),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", Absent),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", Absent),
        ("TLS_RSA_WITH_AES_128_CBC_SHA256", Absent),
        ("TLS_RSA_WITH_AES_128_GCM_SHA256", Absent),
        ("TLS_RSA_WITH_AES_256_CBC_SHA", Absent),
        ("TLS_RSA_WITH_AES_256_GCM_SHA384", Absent),
        ("TLS_RSA_WITH_RC4_128_SHA", Absent),
    ]
};

/// The cipher suites that were chosen for TLS 1.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CipherSuites {
    offered: Vec<CipherSuite>,
    absent: Vec<&'static str>,
}

impl CipherSuites {
    /// Names that were given and are never offered. Hardening guides list some of them beside good ones, so the
    /// list is no error; leaving them out is what such a guide is after.
    pub fn absent(&self) -> &[&'static str] {
        &self.absent
    }

    /// Whether TLS 1.2 has none left, and only 1.3 is spoken.
    pub fn leave_only_tls13(&self) -> bool {
        self.offered.is_empty()
    }
}

impl FromStr for CipherSuites {
    type Err = String;

    /// A comma-separated list of Go's names.
    fn from_str(text: &str) -> Result<Self, String> {
        let (mut offered, mut absent, mut always) = (Vec::new(), Vec::new(), false);
        for name in text.split(',').map(str::trim) {
            match KNOWN.iter().find(|(known, _)| *known == name) {
                Some((_, Known::Always)) => always = true,
                Some((_, Known::Offered(suite))) => offered.push(*suite),
                Some((known, Known::Absent)) => absent.push(*known),
                None => {
                    let names = KNOWN.iter().filter(|(_, is)| !matches!(is, Known::Absent));
                    let names: Vec<_> = names.map(|(name, _)| *name).collect();
                    let names = names.join(", ");
                    return Err(format!(
                        "there is no cipher suite {name:?}; there are {names}"
                    ));
                }
            }
        }
        if offered.is_empty() && !always {
            return Err(
                "every cipher suite in it is too weak to be offered; leave the flag out".to_owned(),
            );
        }
        Ok(Self { offered, absent })
    }
}

/// TLS as `settings` has it, with what `certificates` shows.
pub(super) fn config(
    settings: &Settings,
    certificates: Arc<Certificates>,
) -> Result<ServerConfig, CertificateError> {
    let mut provider = (*provider()).clone();
    let mut versions: Vec<&'static SupportedProtocolVersion> = vec![&TLS13, &TLS12];
    if let Some(suites) = &settings.cipher_suites {
        provider
            .cipher_suites
            .retain(|suite| suite.tls13().is_some() || suites.offered.contains(&suite.suite()));
        if suites.leave_only_tls13() {
            versions = vec![&TLS13];
        }
    }
    if settings.min_version == MinVersion::Tls13 {
        versions = vec![&TLS13];
    }
    let possession = Possession::new(&provider);
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&versions)
        .map_err(|error| CertificateError::Protocol(error.to_string()))?
        .with_client_cert_verifier(possession)
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if settings.http2 {
        config.alpn_protocols.insert(0, b"h2".to_vec());
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_that_exists_here_has_a_name() {
        for suite in provider().cipher_suites.clone() {
            let named = KNOWN.iter().any(|(_, known)| match known {
                Known::Offered(known) => *known == suite.suite(),
                Known::Always => suite.tls13().is_some(),
                Known::Absent => false,
            });
            assert!(named, "{suite:?}");
        }
    }

    #[test]
    fn a_list_of_good_and_weak_suites_leaves_the_good_ones() {
        let list = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_GCM_SHA256";
        let suites: CipherSuites = list.parse().unwrap();
        assert_eq!(
            suites.offered,
            [CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
        );
        assert_eq!(suites.absent(), ["TLS_RSA_WITH_AES_128_GCM_SHA256"]);
        let only_tls13: CipherSuites = "TLS_AES_128_GCM_SHA256".parse().unwrap();
        assert!(only_tls13.leave_only_tls13());
    }

    #[test]
    fn what_does_not_exist_or_is_weak_altogether_is_refused() {
        let parse = |text: &str| text.parse::<CipherSuites>().unwrap_err();
        let unknown = parse("TLS_ROT13");
        assert!(
            unknown.starts_with("there is no cipher suite \"TLS_ROT13\"; there are TLS_AES_128")
                && !unknown.contains("RC4"),
            "{unknown}"
        );
        assert!(parse("TLS_RSA_WITH_RC4_128_SHA").contains("too weak"));
        assert!(parse("").contains("there is no cipher suite"));
    }

    #[test]
    fn versions_have_gos_names() {
        for (text, version) in [
            ("VersionTLS10", MinVersion::Tls10),
            ("VersionTLS12", MinVersion::Tls12),
            ("", MinVersion::Tls12),
            ("VersionTLS13", MinVersion::Tls13),
        ] {
            assert_eq!(text.parse(), Ok(version));
        }
        assert!(
            "1.2"
                .parse::<MinVersion>()
                .unwrap_err()
                .contains("VersionTLS12")
        );
        assert!(MinVersion::Tls11.is_too_old() && !MinVersion::Tls12.is_too_old());
    }
}
