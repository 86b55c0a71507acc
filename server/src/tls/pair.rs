//! A certificate with its key: reads and verifies both.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use super::error::CertificateError;
use super::provider::provider;
use super::unusable::why_unusable;
use crate::flag_values::is_dns_label;
use crate::telemetry::chain;

/// The largest file that is read, in bytes: a chain of a hundred certificates is smaller.
const MAX_BYTES: u64 = 1 << 20;

/// The use of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// For clients that no other pair matches.
    Serving,
    /// For clients that request certain names (SNI).
    Sni,
}

impl Kind {
    /// The name in metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Sni => "sni",
        }
    }

    /// The flags that name its certificate and its key.
    fn flags(self) -> (&'static str, &'static str) {
        match self {
            Self::Serving => (
                "--tls-cert-file or --cert-dir",
                "--tls-private-key-file or --cert-dir",
            ),
            Self::Sni => ("--tls-sni-cert-key", "--tls-sni-cert-key"),
        }
    }
}

/// A certificate with its chain and key, ready to be served.
#[derive(Clone)]
pub struct Pair {
    pub(super) certified_key: Arc<CertifiedKey>,
    pub(super) fields: Fields,
}

/// The fields of a certificate.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    /// The names without IP addresses, which no client requests by name.
    pub(super) names: Vec<String>,
    /// The common name of the issuer.
    pub(super) issuer: String,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
}

impl fmt::Debug for Pair {
    // Leaves out the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields.fmt(f)
    }
}

impl Pair {
    /// The start of the certificate's validity.
    pub fn not_before(&self) -> Timestamp {
        self.fields.not_before
    }

    /// The end of the certificate's validity.
    pub fn not_after(&self) -> Timestamp {
        self.fields.not_after
    }

    /// Verifies that the first certificate of a chain can be parsed and belongs to the key.
    pub(super) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, String> {
        let own = chain
            .first()
            .ok_or("it contains no PEM certificate")?
            .clone();
        let fields = Fields::read(&own)?;
        let certified_key = CertifiedKey::from_der(chain, key, &provider())
            .map_err(|error| why_unusable(&own, &error))?;
        Ok(Self {
            certified_key: Arc::new(certified_key),
            fields,
        })
    }
}

impl Fields {
    pub(super) fn read(certificate: &CertificateDer<'_>) -> Result<Self, String> {
        let (_, certificate) = X509Certificate::from_der(certificate)
            .map_err(|_| "it contains no X.509 certificate".to_owned())?;
        let validity = certificate.validity();
        Ok(Self {
            names: names(&certificate),
            issuer: common_name(certificate.issuer()).unwrap_or_default(),
            not_before: Timestamp::from_secs(validity.not_before.timestamp()),
            not_after: Timestamp::from_secs(validity.not_after.timestamp()),
        })
    }
}

fn common_name(name: &x509_parser::x509::X509Name<'_>) -> Option<String> {
    let mut names = name.iter_common_name();
    names.next()?.as_str().ok().map(str::to_owned)
}

/// The common name if it can be a host's, then the DNS names, as in k8s.io/apiserver.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let common = common_name(certificate.subject()).filter(|name| is_host(name));
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let alternative = alternative
        .iter()
        .flat_map(|names| &names.value.general_names);
    let dns = alternative.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    common.into_iter().chain(dns).collect()
}

fn is_host(name: &str) -> bool {
    let plain = name.strip_prefix("*.").unwrap_or(name);
    name == "*" || (name.parse::<IpAddr>().is_err() && plain.split('.').all(is_dns_label))
}

/// The files of a pair.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) kind: Kind,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// The contents of the files.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
}

impl Files {
    /// Reads both files without parsing them.
    pub(super) fn read(&self) -> Result<Contents, CertificateError> {
        Ok(Contents {
            certificate: read(&self.certificate)
                .map_err(|error| self.certificate_error(error.to_string()))?,
            key: read(&self.key).map_err(|error| self.key_error(error.to_string()))?,
        })
    }

    /// Parses a pair.
    pub(super) fn pair(&self, contents: &Contents) -> Result<Pair, CertificateError> {
        let certificates = CertificateDer::pem_slice_iter(&contents.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| self.certificate_error(chain(&error)))?;
        if certificates.is_empty() {
            return Err(self.certificate_error("it contains no PEM certificate".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(&contents.key)
            .map_err(|error| self.key_error(chain(&error)))?;
        Pair::new(certificates, key).map_err(|cause| CertificateError::Pair {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            cause,
        })
    }

    /// The common name of the certificate's issuer. The key may be unusable.
    pub(super) fn issuer(&self) -> Option<String> {
        let bytes = read(&self.certificate).ok()?;
        let certificate = CertificateDer::from_pem_slice(&bytes).ok()?;
        Fields::read(&certificate).ok().map(|fields| fields.issuer)
    }

    fn certificate_error(&self, cause: String) -> CertificateError {
        let what = format!("a serving certificate ({})", self.kind.flags().0);
        let path = self.certificate.clone();
        CertificateError::File { what, path, cause }
    }

    fn key_error(&self, cause: String) -> CertificateError {
        let what = format!("a serving certificate's key ({})", self.kind.flags().1);
        let path = self.key.clone();
        CertificateError::File { what, path, cause }
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::KeyPair;

    fn files(certificate: &str, key: &str) -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().unwrap();
        let files = Files {
            kind: Kind::Serving,
            certificate: folder.path().join("tls.crt"),
            key: folder.path().join("tls.key"),
        };
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
        (folder, files)
    }

    fn refusal(files: &Files) -> String {
        let pair = files.read().and_then(|contents| files.pair(&contents));
        pair.unwrap_err().to_string()
    }

    #[test]
    fn a_pair_has_its_names_and_its_expiry() {
        let mut params =
            rcgen::CertificateParams::new(vec!["a.example".to_owned(), "10.0.0.1".to_owned()])
                .unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "*.b.example");
        params.not_after = rcgen::date_time_ymd(2030, 1, 2);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        let (_folder, files) = files(&own.pem(), &key.serialize_pem());
        let pair = files.pair(&files.read().unwrap()).unwrap();
        assert_eq!(pair.fields.names, ["*.b.example", "a.example"]);
        assert_eq!(pair.not_after(), Timestamp::from_secs(1_893_542_400));
        assert!(!format!("{pair:?}").contains("key"), "{pair:?}");
    }

    #[test]
    fn a_wrong_file_is_named_with_its_flag() {
        let own = rcgen::generate_simple_self_signed(vec!["a".to_owned()]).unwrap();
        let (_folder, wrong) = files("not a certificate", "");
        let text = refusal(&wrong);
        assert!(
            text.contains("tls.crt") && text.contains("--tls-cert-file"),
            "{text}"
        );
        let half = own.cert.pem();
        let (_folder, wrong) = files(&half[..half.len() / 2], "");
        assert!(refusal(&wrong).contains("tls.crt"));
        let (_folder, wrong) = files(&own.cert.pem(), "not a key");
        let text = refusal(&wrong);
        assert!(
            text.contains("tls.key") && text.contains("--tls-private-key-file"),
            "{text}"
        );
        let (_folder, huge) = files(&"x".repeat((1 << 20) + 1), "");
        assert!(refusal(&huge).contains("larger than 1 MiB"));
    }

    #[test]
    fn a_certificate_with_another_key_is_refused() {
        let own = rcgen::generate_simple_self_signed(vec!["a".to_owned()]).unwrap();
        let other = KeyPair::generate().unwrap();
        let (_folder, files) = files(&own.cert.pem(), &other.serialize_pem());
        let text = refusal(&files);
        assert!(
            text.starts_with("cannot serve with the certificate") && !text.contains('\n'),
            "{text}"
        );
    }

    #[test]
    fn a_common_name_counts_if_it_can_be_a_hosts() {
        for (name, expected) in [
            ("a.example", true),
            ("*.a.example", true),
            ("*", true),
            ("10.0.0.1", false),
            ("My Server", false),
            ("a..b", false),
            ("-a", false),
        ] {
            assert_eq!(is_host(name), expected, "{name}");
        }
    }
}
