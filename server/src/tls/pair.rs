//! A certificate with its key: read, checked, and what it says of itself.

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
use crate::telemetry::chain;

/// The most that is read of a file: a chain of a hundred certificates is smaller.
const MOST_BYTES: u64 = 1 << 20;

/// What a pair is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Every client that asks for no name of another.
    Serving,
    /// Clients that ask for certain names.
    Sni,
}

impl Kind {
    /// Its name in figures.
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

/// A certificate with its chain and key, ready to be shown.
#[derive(Clone)]
pub struct Pair {
    pub(super) shown: Arc<CertifiedKey>,
    /// The names it is for; IP addresses are left out, which no client asks for by name.
    pub(super) names: Vec<String>,
    /// The common name of who signed it.
    pub(super) issuer: String,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl fmt::Debug for Pair {
    // Keys are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("names", &self.names)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl Pair {
    /// The first moment at which the certificate is good.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// The last moment at which the certificate is good.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Checks that a chain is readable and that the key is its first certificate's.
    pub(super) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, String> {
        let own = chain.first().ok_or("it holds no PEM certificate")?.clone();
        let facts = Facts::read(&own)?;
        let shown = CertifiedKey::from_der(chain, key, &provider())
            .map_err(|error| why_unusable(&own, &error))?;
        Ok(Self {
            shown: Arc::new(shown),
            names: facts.names,
            issuer: facts.issuer,
            not_before: facts.not_before,
            not_after: facts.not_after,
        })
    }
}

/// What a certificate says of itself.
struct Facts {
    names: Vec<String>,
    issuer: String,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Facts {
    fn read(certificate: &CertificateDer<'_>) -> Result<Self, String> {
        let (_, certificate) = X509Certificate::from_der(certificate)
            .map_err(|_| "it holds no X.509 certificate".to_owned())?;
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

/// The common name when it can be a host's, then the DNS names, as k8s.io/apiserver takes them.
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
    let label = |label: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let plain = name.strip_prefix("*.").unwrap_or(name);
    name == "*" || (name.parse::<IpAddr>().is_err() && plain.split('.').all(label))
}

/// A pair as two files.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) kind: Kind,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// What was in the files.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
}

impl Files {
    /// Reads both, whatever is in them.
    pub(super) fn read(&self) -> Result<Contents, CertificateError> {
        Ok(Contents {
            certificate: read(&self.certificate)
                .map_err(|error| self.certificate_error(error.to_string()))?,
            key: read(&self.key).map_err(|error| self.key_error(error.to_string()))?,
        })
    }

    /// Makes a pair of what was read.
    pub(super) fn pair(&self, contents: &Contents) -> Result<Pair, CertificateError> {
        let certificates = CertificateDer::pem_slice_iter(&contents.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| self.certificate_error(chain(&error)))?;
        if certificates.is_empty() {
            return Err(self.certificate_error("it holds no PEM certificate".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(&contents.key)
            .map_err(|error| self.key_error(chain(&error)))?;
        Pair::new(certificates, key).map_err(|cause| CertificateError::Pair {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            cause,
        })
    }

    /// The common name of who signed the certificate, whatever its key is.
    pub(super) fn issuer(&self) -> Option<String> {
        let bytes = read(&self.certificate).ok()?;
        let certificate = CertificateDer::from_pem_slice(&bytes).ok()?;
        Facts::read(&certificate).ok().map(|facts| facts.issuer)
    }

    fn certificate_error(&self, cause: String) -> CertificateError {
        let (flag, _) = self.kind.flags();
        CertificateError::File {
            what: format!("a serving certificate ({flag})"),
            path: self.certificate.clone(),
            cause,
        }
    }

    fn key_error(&self, cause: String) -> CertificateError {
        let (_, flag) = self.kind.flags();
        CertificateError::File {
            what: format!("a serving certificate's key ({flag})"),
            path: self.key.clone(),
            cause,
        }
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
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
    fn a_pair_knows_its_names_and_its_end() {
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
        assert_eq!(pair.names, ["*.b.example", "a.example"]);
        assert_eq!(pair.not_after(), Timestamp::from_secs(1_893_542_400));
        assert!(!format!("{pair:?}").contains("key"), "{pair:?}");
    }

    #[test]
    fn a_wrong_file_is_named_with_its_flag() {
        let own = rcgen::generate_simple_self_signed(vec!["a".to_owned()]).unwrap();
        let (_folder, wrong) = files("not a certificate", "");
        let said = refusal(&wrong);
        assert!(
            said.contains("tls.crt") && said.contains("--tls-cert-file"),
            "{said}"
        );
        let half = own.cert.pem();
        let (_folder, wrong) = files(&half[..half.len() / 2], "");
        assert!(refusal(&wrong).contains("tls.crt"));
        let (_folder, wrong) = files(&own.cert.pem(), "not a key");
        let said = refusal(&wrong);
        assert!(
            said.contains("tls.key") && said.contains("--tls-private-key-file"),
            "{said}"
        );
        let (_folder, huge) = files(&"x".repeat((1 << 20) + 1), "");
        assert!(refusal(&huge).contains("larger than 1 MiB"));
    }

    #[test]
    fn a_certificate_and_a_strangers_key_are_refused() {
        let own = rcgen::generate_simple_self_signed(vec!["a".to_owned()]).unwrap();
        let strange = KeyPair::generate().unwrap();
        let (_folder, files) = files(&own.cert.pem(), &strange.serialize_pem());
        let said = refusal(&files);
        assert!(
            said.starts_with("cannot serve with the certificate") && !said.contains('\n'),
            "{said}"
        );
    }

    #[test]
    fn a_common_name_counts_when_it_can_be_a_hosts() {
        for (name, is) in [
            ("a.example", true),
            ("*.a.example", true),
            ("*", true),
            ("10.0.0.1", false),
            ("My Server", false),
            ("a..b", false),
            ("-a", false),
        ] {
            assert_eq!(is_host(name), is, "{name}");
        }
    }
}
