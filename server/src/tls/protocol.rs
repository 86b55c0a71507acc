//! TLS versions and cipher suites, by the names of Go, which Kubernetes' flags use.

use std::collections::BTreeMap;
use std::str::FromStr;

use rustls::{CipherSuite, SupportedCipherSuite};

use super::provider::provider;

/// The default limit of concurrent requests of an HTTP/2 connection, as in Go.
pub(super) const STREAMS: u32 = 250;

/// The oldest TLS version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MinVersion {
    /// 1.0 or 1.1 is requested; 1.2 is used.
    TooOld,
    /// 1.2.
    #[default]
    Tls12,
    /// 1.3.
    Tls13,
}

impl MinVersion {
    /// Whether the version is not supported. It is a minimum, so a newer one satisfies it.
    pub fn is_too_old(self) -> bool {
        self == Self::TooOld
    }
}

impl FromStr for MinVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "VersionTLS10" | "VersionTLS11" => Ok(Self::TooOld),
            "VersionTLS12" | "" => Ok(Self::Tls12),
            "VersionTLS13" => Ok(Self::Tls13),
            _ => Err("use VersionTLS10, VersionTLS11, VersionTLS12 or VersionTLS13".to_owned()),
        }
    }
}

/// The names that Kubernetes accepts and rustls does not have: old or weak suites.
const UNSUPPORTED: [&str; 16] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    // Go calls the following ones insecure.
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_RC4_128_SHA",
];

/// The suites of rustls by Go's names.
fn supported() -> BTreeMap<String, SupportedCipherSuite> {
    let mut supported = BTreeMap::new();
    for suite in &provider().cipher_suites {
        let Some(name) = suite.suite().as_str() else {
            continue;
        };
        let name = name.replace("TLS13_", "TLS_");
        // Go also has two names without the hash.
        let without_hash = name.strip_suffix("_SHA256");
        let is_legacy = |it: &&str| suite.tls13().is_none() && it.ends_with("CHACHA20_POLY1305");
        if let Some(legacy) = without_hash.filter(is_legacy) {
            supported.insert(legacy.to_owned(), *suite);
        }
        supported.insert(name, *suite);
    }
    supported
}

/// The configured cipher suites of TLS 1.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CipherSuites {
    pub(super) offered: Vec<CipherSuite>,
    unsupported: Vec<&'static str>,
}

impl CipherSuites {
    /// Configured names that are never offered. They are no error: hardening guides list some beside good ones.
    pub fn unsupported(&self) -> &[&'static str] {
        &self.unsupported
    }

    /// Whether no suite of TLS 1.2 is left, so that only TLS 1.3 is used.
    pub fn leave_only_tls13(&self) -> bool {
        self.offered.is_empty()
    }
}

impl FromStr for CipherSuites {
    type Err = String;

    /// Parses a comma-separated list of Go's names.
    fn from_str(text: &str) -> Result<Self, String> {
        let supported = supported();
        let (mut offered, mut unsupported, mut tls13) = (Vec::new(), Vec::new(), false);
        for name in text.split(',').map(str::trim) {
            if let Some(suite) = supported.get(name) {
                // Those of TLS 1.3 are always offered.
                tls13 |= suite.tls13().is_some();
                offered.extend(suite.tls13().is_none().then(|| suite.suite()));
            } else if let Some(name) = UNSUPPORTED.into_iter().find(|it| *it == name) {
                unsupported.push(name);
            } else {
                let names: Vec<_> = supported.into_keys().collect();
                let names = names.join(", ");
                return Err(format!("there is no cipher suite {name:?}; use {names}"));
            }
        }
        if offered.is_empty() && !tls13 {
            return Err("all these cipher suites are too weak; leave the flag out".to_owned());
        }
        Ok(Self {
            offered,
            unsupported,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_of_rustls_has_a_name() {
        let supported = supported();
        let legacy = 2;
        assert_eq!(supported.len(), provider().cipher_suites.len() + legacy);
        for (name, suite) in supported {
            assert!(name.starts_with("TLS_"), "{suite:?}");
            let parsed: CipherSuites = name.parse().unwrap();
            let offered = parsed.offered.first().copied();
            assert_eq!(offered, suite.tls13().is_none().then(|| suite.suite()));
        }
        assert!("TLS_CHACHA20_POLY1305".parse::<CipherSuites>().is_err());
    }

    #[test]
    fn a_list_of_strong_and_weak_suites_leaves_the_strong_ones() {
        let list = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_GCM_SHA256";
        let suites: CipherSuites = list.parse().unwrap();
        assert_eq!(
            suites.offered,
            [CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
        );
        assert_eq!(suites.unsupported(), ["TLS_RSA_WITH_AES_128_GCM_SHA256"]);
        let only_tls13: CipherSuites = "TLS_AES_128_GCM_SHA256".parse().unwrap();
        assert!(only_tls13.leave_only_tls13());
    }

    #[test]
    fn unknown_suites_and_lists_of_only_weak_ones_are_refused() {
        let parse = |text: &str| text.parse::<CipherSuites>().unwrap_err();
        let unknown = parse("TLS_ROT13");
        assert!(
            unknown.starts_with("there is no cipher suite \"TLS_ROT13\"; use TLS_AES_128")
                && !unknown.contains("RC4"),
            "{unknown}"
        );
        assert!(parse("TLS_RSA_WITH_RC4_128_SHA").contains("too weak"));
        assert!(parse("").contains("there is no cipher suite"));
    }

    #[test]
    fn versions_have_the_names_of_go() {
        for (text, version) in [
            ("VersionTLS10", MinVersion::TooOld),
            ("VersionTLS11", MinVersion::TooOld),
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
        assert!(MinVersion::TooOld.is_too_old() && !MinVersion::Tls12.is_too_old());
    }
}
