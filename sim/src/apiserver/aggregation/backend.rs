//! Sending a request on to an aggregated server, and its response back, both streamed. The certificate of the server is
//! verified as its APIService says; the client certificate is the front proxy's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kubevitals_proto::words::chain;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::super::status::{Body, text};
use super::headers;
use super::registry::Registration;
use crate::identity::UserInfo;
use crate::pki::{self, Pki, PkiError};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The connections to an aggregated server.
pub(super) type Backend = Client<HttpsConnector<HttpConnector>, Body>;

/// Connections to the server of a registration.
pub(super) fn connect(registration: &Registration, pki: &Pki) -> Result<Backend, PkiError> {
    let name = registration.server_name.clone();
    let name = ServerName::try_from(name.clone())
        .map_err(|_| rustls::Error::General(format!("{name} is not a server name")))?;
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls(registration.ca_pem.as_deref(), pki)?)
        .https_only()
        .with_server_name_resolver(FixedServerNameResolver::new(name))
        .enable_all_versions()
        .wrap_connector(connector);
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

/// Sends `request` on as `user`. A server that cannot be reached is a 503 in plain text, as kube-apiserver says it.
pub(super) async fn forward(
    backend: &Backend,
    target: SocketAddr,
    user: &UserInfo,
    mut request: Request<Body>,
) -> Response<Body> {
    let Some(uri) = address(target, request.uri()) else {
        return text(StatusCode::BAD_REQUEST, "the path cannot be sent on\n");
    };
    *request.uri_mut() = uri;
    // Which version the server speaks is found out when connecting.
    *request.version_mut() = Version::HTTP_11;
    headers::strip_hop_by_hop(request.headers_mut());
    headers::set_user(request.headers_mut(), user);
    request.headers_mut().remove(http::header::HOST);
    match backend.request(request).await {
        Ok(response) => {
            let mut response =
                response.map(|body| body.map_err(std::io::Error::other).boxed_unsync());
            headers::strip_hop_by_hop(response.headers_mut());
            *response.version_mut() = Version::HTTP_11;
            response
        }
        Err(error) => not_reached(&error),
    }
}

/// 503 for a server that cannot be reached.
pub(super) fn not_reached(error: &(dyn std::error::Error + 'static)) -> Response<Body> {
    let message = format!("error trying to reach service: {}\n", chain(error));
    text(StatusCode::SERVICE_UNAVAILABLE, message)
}

/// The same path and query at the server.
fn address(target: SocketAddr, uri: &Uri) -> Option<Uri> {
    let root = PathAndQuery::from_static("/");
    let mut parts = Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(Authority::try_from(target.to_string()).ok()?);
    parts.path_and_query = Some(uri.path_and_query().cloned().unwrap_or(root));
    Uri::from_parts(parts).ok()
}

fn tls(ca_pem: Option<&str>, pki: &Pki) -> Result<ClientConfig, PkiError> {
    let ours = pki.front_proxy().issue_client("front-proxy-client", &[])?;
    let builder = ClientConfig::builder_with_provider(pki::provider())
        .with_safe_default_protocol_versions()?;
    let builder = match ca_pem {
        Some(pem) => builder.with_root_certificates(pki::roots(pem)?),
        None => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Unverified(pki::provider()))),
    };
    Ok(builder.with_client_auth_cert(ours.chain()?, ours.private_key()?)?)
}

/// insecureSkipTLSVerify: any certificate will do, but its holder must have the key.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

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
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
