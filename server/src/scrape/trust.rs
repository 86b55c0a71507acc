//! The TLS configuration for kubelets: trusted CAs and the client certificate.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use crate::tls::{provider, why_unusable};

pub(super) const CA: &str = "the kubelets' CA";
pub(super) const CERTIFICATE: &str = "the client certificate for kubelets";
pub(super) const KEY: &str = "the client key for kubelets";

/// A file or value that cannot be used for TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read.
    #[error("cannot read {what} {path:?}: {cause}")]
    File {
        /// Its purpose.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
    /// Invalid content.
    #[error("{what} cannot be used: {cause}")]
    Unusable {
        /// What it is for.
        what: &'static str,
        /// Why not.
        cause: String,
    },
}

/// PEM, from a file or given inline.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// In a file.
    File(PathBuf),
    /// As it is.
    Inline(Vec<u8>),
}

impl fmt::Debug for Pem {
    // Keys are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Inline(_) => f.write_str("Inline(…)"),
        }
    }
}

impl Pem {
    pub(super) fn bytes(&self, what: &'static str) -> Result<Vec<u8>, TlsError> {
        match self {
            Self::Inline(bytes) => Ok(bytes.clone()),
            Self::File(path) => std::fs::read(path).map_err(|error| TlsError::File {
                what,
                path: path.clone(),
                cause: error.to_string(),
            }),
        }
    }
}

/// How a kubelet's certificate is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// By this CA; the certificate must contain the address of the connection.
    Ca(Pem),
    /// Not at all (`--kubelet-insecure-tls`).
    Anything,
}

/// The content of the files for a TLS configuration.
#[derive(PartialEq, Eq)]
pub(super) struct Files {
    pub(super) ca: Option<Vec<u8>>,
    pub(super) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl fmt::Debug for Files {
    // Keys are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Files(…)")
    }
}

/// Creates a TLS configuration.
pub(super) fn config(files: &Files) -> Result<ClientConfig, TlsError> {
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable("TLS"))?;
    let builder = match &files.ca {
        None => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAnything { algorithms })),
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(pem, CA)? {
                roots.add(certificate).map_err(unusable(CA))?;
            }
            builder.with_root_certificates(roots)
        }
    };
    let mut config = match &files.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates(certificate, CERTIFICATE)?;
            let key = PrivateKeyDer::from_pem_slice(key).map_err(unusable(KEY))?;
            let own = chain.first().cloned();
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| own.map_or(error.to_string(), |own| why_unusable(&own, &error)))
                .map_err(unusable(CERTIFICATE))?
        }
    };
    // Connections are persistent, so stored sessions would waste memory.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The configuration of TLS for pods: trusts this CA, or any certificate. `identity` has a client certificate and its key.
///
/// # Errors
/// A certificate or key cannot be used, as a clause.
pub(crate) fn client_config(
    ca: Option<Vec<u8>>,
    identity: Option<Vec<u8>>,
) -> Result<ClientConfig, String> {
    let identity = identity.map(|both| (both.clone(), both));
    config(&Files { ca, identity }).map_err(|error| match error {
        TlsError::Unusable { cause, .. } | TlsError::File { cause, .. } => {
            format!("tls_config cannot be used: {cause}")
        }
    })
}

/// A configuration for connections without TLS, which accepts no certificate.
pub(crate) fn plain_config() -> Arc<ClientConfig> {
    static PLAIN: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
        let _provider = provider();
        let builder = ClientConfig::builder().with_root_certificates(RootCertStore::empty());
        Arc::new(builder.with_no_client_auth())
    });
    Arc::clone(&PLAIN)
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(unusable(what))?;
    if certificates.is_empty() {
        return Err(unusable(what)("it holds no PEM certificate"));
    }
    Ok(certificates)
}

/// Makes an error about `what` of its cause.
pub(super) fn unusable<E: ToString>(what: &'static str) -> impl FnOnce(E) -> TlsError {
    move |error| TlsError::Unusable {
        what,
        cause: error.to_string(),
    }
}

/// Accepts any certificate (`--kubelet-insecure-tls`), but still verifies signatures with its key.
#[derive(Debug)]
struct AcceptAnything {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for AcceptAnything {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
