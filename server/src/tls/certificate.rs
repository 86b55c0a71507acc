//! The serving certificate: the given one, or one made at start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::client::Possession;
use crate::telemetry::chain;

/// Why there is no serving certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file that cannot be read, or does not hold what it should.
    #[error("cannot use {path:?} as {what}: {cause}")]
    File {
        /// What it should be.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
    /// A certificate and a key that do not belong together, or the like.
    #[error("cannot serve with this certificate and key: {0}")]
    Pair(String),
    /// A self-signed certificate could not be made.
    #[error("cannot make a serving certificate: {0}")]
    Make(String),
}

/// TLS as it is served: by the files given, or with a new self-signed certificate for `names`.
///
/// # Errors
/// Which file cannot be used and why.
pub fn server_config(
    files: Option<&(PathBuf, PathBuf)>,
    names: Vec<String>,
) -> Result<ServerConfig, CertificateError> {
    let (chain, key) = match files {
        Some((certificate, key)) => read(certificate, key)?,
        None => make(names)?,
    };
    let provider = Arc::new(ring::default_provider());
    let possession = Possession::new(&provider);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| CertificateError::Pair(error.to_string()))?
        .with_client_cert_verifier(possession)
        .with_single_cert(chain, key)
        .map_err(|error| CertificateError::Pair(error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read(certificate: &Path, key: &Path) -> Result<Pair, CertificateError> {
    let file = |what, path: &Path, error: &dyn std::error::Error| CertificateError::File {
        what,
        path: path.to_owned(),
        cause: chain(error),
    };
    const CHAIN: &str = "the serving certificate (--tls-cert-file)";
    let certificates = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| file(CHAIN, certificate, &error))?;
    if certificates.is_empty() {
        return Err(CertificateError::File {
            what: CHAIN,
            path: certificate.to_owned(),
            cause: "it holds no PEM certificate".to_owned(),
        });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| {
        file(
            "the serving certificate's key (--tls-private-key-file)",
            key,
            &error,
        )
    })?;
    Ok((certificates, key))
}

fn make(names: Vec<String>) -> Result<Pair, CertificateError> {
    let failed = |error: rcgen::Error| CertificateError::Make(error.to_string());
    let key = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "vitals-server");
    let certificate = params.self_signed(&key).map_err(failed)?;
    let key = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|error| CertificateError::Make(error.to_owned()))?;
    Ok((vec![certificate.der().clone()], key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_files_a_certificate_is_made() {
        assert!(server_config(None, vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).is_ok());
    }

    #[test]
    fn a_wrong_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tls.crt");
        std::fs::write(&path, "not a certificate").unwrap();
        let error = server_config(Some(&(path.clone(), path.clone())), Vec::new())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("tls.crt") && error.contains("--tls-cert-file"),
            "{error}"
        );
    }

    #[test]
    fn a_certificate_and_a_strangers_key_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = (dir.path().join("tls.crt"), dir.path().join("tls.key"));
        let own = rcgen::generate_simple_self_signed(vec!["a".to_owned()]).unwrap();
        std::fs::write(&certificate, own.cert.pem()).unwrap();
        std::fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
        let error = server_config(Some(&(certificate, key)), Vec::new())
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("cannot serve with this certificate and key"),
            "{error}"
        );
    }
}
