//! TLS as kubelets do it: each with a certificate of its own, made when it is first needed.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use rustls::ServerConfig;
use rustls::server::{ResolvesServerCertUsingSni, ServerSessionMemoryCache};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::pki::{Authority, PkiError, server_tls};

/// Sessions that are cached for resumption, over all nodes.
const SESSIONS: usize = 8_192;

/// A kubelet's certificate, once it was needed.
pub(crate) type Certificate = OnceLock<Arc<CertifiedKey>>;

/// Makes the TLS configuration of a connection to a node.
#[derive(Debug)]
pub(crate) struct Tls {
    authority: Arc<Authority>,
    /// Everything but the certificate. A copy is cheap: what it holds is shared.
    base: ServerConfig,
}

impl Tls {
    /// Certificates come from `authority`, and so do those that clients may show.
    pub(crate) fn new(authority: Arc<Authority>) -> Result<Self, PkiError> {
        let none = Arc::new(ResolvesServerCertUsingSni::new());
        let mut base = server_tls(&authority.pem(), none)?;
        base.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        base.send_tls13_tickets = 1;
        Ok(Self { authority, base })
    }

    /// The configuration for a connection to the node of this name and address.
    pub(crate) fn config(
        &self,
        certificate: &Certificate,
        name: &str,
        address: IpAddr,
    ) -> Result<Arc<ServerConfig>, PkiError> {
        let key = match certificate.get() {
            Some(key) => key.clone(),
            None => {
                let made = self.issue(name, address)?;
                certificate.get_or_init(|| made).clone()
            }
        };
        let mut config = self.base.clone();
        config.cert_resolver = Arc::new(SingleCertAndKey::from(CertifiedKey::clone(&key)));
        Ok(Arc::new(config))
    }

    fn issue(&self, name: &str, address: IpAddr) -> Result<Arc<CertifiedKey>, PkiError> {
        let common_name = format!("system:node:{name}");
        let certified = self
            .authority
            .issue_server(&common_name, &[address], &[name])?;
        Ok(Arc::new(certified.key()?))
    }
}
