//! Serving certificates for the tests, and a server that accepts any client certificate.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};

use crate::api::{Api, Cluster};
use crate::world::generated;

/// A file of the fixtures.
pub(super) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/tls")
        .join(name)
}

/// The content of a file of the fixtures.
pub(super) fn pem(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

/// The content in base64, in one line.
pub(super) fn base64(name: &str) -> String {
    STANDARD.encode(pem(name))
}

/// The first certificate of a file, in DER.
pub(super) fn der(name: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(&pem(name)).unwrap().to_vec()
}

/// A cluster over TLS with a certificate of the fixtures.
pub(super) fn serve(certificate: &str) -> Api {
    serve_cluster(certificate, generated(5, 3, 3))
}

/// This cluster over TLS.
pub(super) fn serve_cluster(certificate: &str, cluster: Cluster) -> Api {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = vec![CertificateDer::from_pem_slice(&pem(&format!("{certificate}.crt"))).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(&pem(&format!("{certificate}.key"))).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(Arc::new(AcceptAnyClient(provider)))
        .with_single_cert(chain, key)
        .unwrap();
    Api::serve_with(cluster, Some(Arc::new(config)))
}

/// Accepts any client certificate or none, unverified: the tests compare it with kubectl's.
#[derive(Debug)]
struct AcceptAnyClient(Arc<CryptoProvider>);

impl ClientCertVerifier for AcceptAnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
