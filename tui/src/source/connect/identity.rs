//! The client certificate.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// The client certificate in use. A credential plugin can replace it; later connections use the new one.
///
/// The certificate is sent unparsed: rustls would refuse X.509 v1, which servers accept.
#[derive(Debug, Default)]
pub(in crate::source) struct Identity {
    current: ArcSwap<Current>,
}

#[derive(Debug, Default)]
struct Current {
    version: u64,
    key: Option<Arc<CertifiedKey>>,
}

/// Why a client certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::source) enum IdentityError {
    /// There is no certificate.
    #[error("it holds no certificate in PEM form")]
    NoCertificate,
    /// There is no private key.
    #[error("its key holds no private key in PEM form")]
    NoKey,
    /// The key has an unsupported type or size.
    #[error("its private key cannot be used: {0}")]
    Key(String),
}

impl Identity {
    /// Replaces the certificate.
    ///
    /// # Errors
    /// The PEM has no certificate or no key, or the key is unsupported. The certificate in use then stays.
    pub(in crate::source) fn replace(
        &self,
        certificate: &[u8],
        key: &[u8],
    ) -> Result<(), IdentityError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate)
            .filter_map(Result::ok)
            .collect();
        if chain.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| IdentityError::NoKey)?;
        let key = super::crypto::provider()
            .key_provider
            .load_private_key(key)
            .map_err(|error| IdentityError::Key(error.to_string()))?;
        let key = Arc::new(CertifiedKey::new(chain, key));
        let version = self.version().wrapping_add(1);
        self.current.store(Arc::new(Current {
            version,
            key: Some(key),
        }));
        Ok(())
    }

    /// Changes whenever the certificate is replaced.
    pub(super) fn version(&self) -> u64 {
        self.current.load().version
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let key = self.current.load().key.clone()?;
        key.key.choose_scheme(schemes)?;
        Some(key)
    }

    fn has_certs(&self) -> bool {
        self.current.load().key.is_some()
    }
}
