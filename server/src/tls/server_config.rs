//! The configuration of rustls for the listener.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::version::{TLS12, TLS13};

use super::Settings;
use super::cert_resolver::CertResolver;
use super::client::KeyPossession;
use super::error::CertificateError;
use super::protocol::MinVersion;
use super::provider::provider;

/// Configures TLS as in `settings`, with the certificates of a resolver.
pub(super) fn server_config(
    settings: &Settings,
    certificates: Arc<CertResolver>,
) -> Result<ServerConfig, CertificateError> {
    let mut provider = (*provider()).clone();
    let mut only_tls13 = settings.min_version == MinVersion::Tls13;
    if let Some(suites) = &settings.cipher_suites {
        provider
            .cipher_suites
            .retain(|suite| suite.tls13().is_some() || suites.offered.contains(&suite.suite()));
        only_tls13 |= suites.leave_only_tls13();
    }
    let mut versions = vec![&TLS13];
    if !only_tls13 {
        versions.push(&TLS12);
    }
    let possession = KeyPossession::new(&provider);
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&versions)
        .map_err(|error| CertificateError::Protocol(error.to_string()))?
        .with_client_cert_verifier(possession)
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if !settings.http1_only {
        config.alpn_protocols.insert(0, b"h2".to_vec());
    }
    Ok(config)
}
