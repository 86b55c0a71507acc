//! Connections to an aggregated server: its certificate verified as its APIService says, ours the front proxy's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::super::status::Body;
use super::registry::Registration;
use crate::pki::{self, Pki, PkiError};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What makes connections differ.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BackendKey {
    target: SocketAddr,
    server_name: String,
    ca_pem: Option<String>,
}

impl BackendKey {
    pub(super) fn of(registration: &Registration, target: SocketAddr) -> Self {
        Self {
            target,
            server_name: registration.server_name.clone(),
            ca_pem: registration.ca_pem.clone(),
        }
    }
}

/// An aggregated server.
pub(super) struct Backend {
    target: SocketAddr,
    client: Client<HttpsConnector<HttpConnector>, Body>,
}

impl Backend {
    pub(super) fn new(key: &BackendKey, pki: &Pki) -> Result<Self, PkiError> {
        let name = ServerName::try_from(key.server_name.clone()).map_err(|_| {
            rustls::Error::General(format!("{} is not a server name", key.server_name))
        })?;
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(key, pki)?)
            .https_only()
            .with_server_name_resolver(FixedServerNameResolver::new(name))
            .enable_all_versions()
            .wrap_connector(connector);
        Ok(Self {
            target: key.target,
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// Where it listens.
    pub(super) fn target(&self) -> SocketAddr {
        self.target
    }

    pub(super) async fn request(
        &self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, Error> {
        self.client.request(request).await
    }
}

fn tls(key: &BackendKey, pki: &Pki) -> Result<ClientConfig, PkiError> {
    let ours = pki.front_proxy().issue_client("front-proxy-client", &[])?;
    let builder = ClientConfig::builder_with_provider(pki::provider())
        .with_safe_default_protocol_versions()?;
    let builder = match &key.ca_pem {
        Some(pem) => builder.with_root_certificates(pki::roots(pem)?),
        None => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Unverified {
                provider: pki::provider(),
            })),
    };
    Ok(builder.with_client_auth_cert(ours.chain()?, ours.private_key()?)?)
}

/// insecureSkipTLSVerify: any certificate will do, but its holder must have the key.
#[derive(Debug)]
struct Unverified {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Unverified {
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
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
