//! The TLS handshake of one connection, and the log of failures.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustls::{CertificateError, PeerMisbehaved, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Tls;
use super::cert_resolver::ResolverAtAddress;
use crate::telemetry::{LogThrottle, chain};

/// The shortest time between two logs of the same failure.
pub(super) const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// The response to a client that speaks HTTP without TLS: Go's text.
const PLAIN: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// Does the handshake, with the certificate for the address that the client connected to.
pub(super) async fn handshake(
    tls: &Tls,
    mut stream: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first.first().is_some_and(u8::is_ascii_uppercase) {
        return Err(refuse_plain(&mut stream).await);
    }
    let mut config = Arc::clone(&tls.config);
    if tls.certificates.has_addresses() {
        let mut here = ServerConfig::clone(&config);
        here.cert_resolver = Arc::new(ResolverAtAddress {
            certificates: Arc::clone(&tls.certificates),
            address: stream.local_addr()?.ip(),
        });
        config = Arc::new(here);
    }
    TlsAcceptor::from(config).accept(stream).await
}

/// Responds to a client whose first byte is a letter. TLS starts with another byte.
async fn refuse_plain(stream: &mut TcpStream) -> io::Error {
    // Unread data would make the system reset the connection before the client reads the response.
    let mut request = [0; 4096];
    let _read = stream.read(&mut request).await;
    let _written = stream.write_all(PLAIN).await;
    let _closed = stream.shutdown().await;
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the client speaks HTTP without TLS",
    )
}

/// Logs failed handshakes.
#[derive(Debug)]
pub(super) struct Failures(Mutex<LogThrottle>);

impl Failures {
    pub(super) fn new() -> Self {
        Self(Mutex::new(LogThrottle::new(LOG_INTERVAL)))
    }

    /// Logs a failure: at level debug, because any client can cause it. At level warn if the server does not accept
    /// the kind of the client's certificate: the client may be the front proxy, and then no request is served.
    pub(super) fn log(&self, client: SocketAddr, error: &io::Error) {
        let cause = chain(error);
        if !is_of_certificate(error) {
            tracing::debug!(%client, cause, "a TLS handshake failed");
            return;
        }
        if let Some(unreported) = self.0.lock().allow() {
            tracing::warn!(
                %client,
                cause,
                unreported,
                "refused a client, because the server does not support the kind of its certificate; if it is the \
                 kube-apiserver or a user, issue an X.509 v3 certificate with an RSA, Ed25519, ECDSA P-256 or P-384 key",
            );
        }
    }
}

/// Whether a handshake failed because of the kind of the client's certificate, and not because the client has no key
/// for it.
fn is_of_certificate(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    match cause {
        Some(rustls::Error::InvalidCertificate(cause)) => *cause != CertificateError::BadSignature,
        Some(rustls::Error::PeerMisbehaved(cause)) => {
            *cause == PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::tls::Settings;
    use kubevitals_sim::pki::{self, Authority, Certified};
    use rustls::pki_types::{CertificateDer, ServerName};
    use rustls::sign::{CertifiedKey, SingleCertAndKey};
    use rustls::{ClientConfig, RootCertStore};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsConnector;

    /// The error of a handshake with this client certificate.
    async fn failure(certificate: CertificateDer<'static>, key: &Certified) -> io::Error {
        let clock = Arc::new(SystemClock::default());
        let (tls, _reloader) = Tls::new(&Settings::default(), clock).unwrap();
        let mut roots = RootCertStore::empty();
        let (_, own) = tls.certificates().pairs().remove(0);
        roots
            .add(own.certified_key.cert.last().unwrap().clone())
            .unwrap();
        let provider = Arc::new(pki::provider());
        let mut client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let key = key.private_key().unwrap();
        let key = provider.key_provider.load_private_key(key).unwrap();
        let certified = CertifiedKey::new(vec![certificate], key);
        client.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(certified));

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await;
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(client));
        let client = connector.connect(name, stream.unwrap());
        let (stream, _) = listener.accept().await.unwrap();
        let (server, _client) = tokio::join!(handshake(&tls, stream), client);
        server.unwrap_err()
    }

    fn jane() -> (CertificateDer<'static>, Certified) {
        let jane = Authority::new("kubernetes").unwrap();
        let jane = jane.issue_client("jane", &[]).unwrap();
        (jane.chain().unwrap().remove(0), jane)
    }

    #[tokio::test]
    async fn a_certificate_of_version_1_is_an_unsupported_kind() {
        let (certificate, key) = jane();
        let mut bytes = certificate.to_vec();
        let version = [0xa0, 3, 2, 1, 2];
        let at = bytes.windows(5).position(|five| five == version).unwrap();
        bytes[at + 4] = 0;
        let error = failure(bytes.into(), &key).await;
        assert!(is_of_certificate(&error), "{error:?}");
        assert!(chain(&error).contains("UnsupportedCertVersion"), "{error}");
    }

    #[tokio::test]
    async fn a_certificate_with_another_key_is_not_an_unsupported_kind() {
        let ((certificate, _), (_, other)) = (jane(), jane());
        let error = failure(certificate, &other).await;
        assert!(!is_of_certificate(&error), "{error:?}");
        assert!(chain(&error).contains("BadSignature"), "{error}");
    }

    #[test]
    fn a_signature_scheme_that_was_not_offered_is_an_unsupported_kind() {
        let cause = PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme;
        let error = |cause: PeerMisbehaved| io::Error::other(rustls::Error::from(cause));
        assert!(is_of_certificate(&error(cause)));
        assert!(!is_of_certificate(&error(PeerMisbehaved::MissingKeyShare)));
        assert!(!is_of_certificate(&io::ErrorKind::UnexpectedEof.into()));
    }
}
