//! The TLS handshake of one connection, and what is said when it fails.

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
use super::cert_resolver::AtAddress;
use crate::telemetry::{LogThrottle, chain};

/// How often trouble that lasts is told.
pub(super) const TELL: Duration = Duration::from_secs(60);

/// What is said to who speaks HTTP without TLS, in Go's words.
const PLAIN: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// TLS, with what is shown at the address that the client came to.
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
    if tls.certificates.know_addresses() {
        let mut here = ServerConfig::clone(&config);
        here.cert_resolver = Arc::new(AtAddress {
            certificates: Arc::clone(&tls.certificates),
            address: stream.local_addr()?.ip(),
        });
        config = Arc::new(here);
    }
    TlsAcceptor::from(config).accept(stream).await
}

/// Says what is wrong to a client whose first byte is a letter: TLS begins with another.
async fn refuse_plain(stream: &mut TcpStream) -> io::Error {
    // What is left unread would make the system cut the connection before the answer is read.
    let mut request = [0; 4096];
    let _read = stream.read(&mut request).await;
    let _written = stream.write_all(PLAIN).await;
    let _closed = stream.shutdown().await;
    io::Error::new(io::ErrorKind::InvalidData, "it speaks HTTP without TLS")
}

/// Says why handshakes fail.
#[derive(Debug)]
pub(super) struct Failures(Mutex<LogThrottle>);

impl Failures {
    pub(super) fn new() -> Self {
        Self(Mutex::new(LogThrottle::new(TELL)))
    }

    /// Anybody can make a handshake fail, so most are of interest only to who looks for them. A client whose
    /// certificate cannot be taken may be the front proxy, and then nobody is served.
    pub(super) fn tell(&self, client: SocketAddr, error: &io::Error) {
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
                "a client showed a certificate that cannot be taken, and was refused; if it is the kube-apiserver, or a \
                 user, let it have an X.509 v3 certificate with an RSA, Ed25519, ECDSA P-256 or P-384 key",
            );
        }
    }
}

/// Whether a handshake failed over what kind of certificate the client has. One that is not the client's own is
/// another matter.
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

    /// Why the handshake of a client that shows a certificate fails.
    async fn failure(certificate: CertificateDer<'static>, key: &Certified) -> io::Error {
        let clock = Arc::new(SystemClock::default());
        let (tls, _keeper) = Tls::new(&Settings::default(), clock).unwrap();
        let mut roots = RootCertStore::empty();
        let (_, own) = tls.certificates().pairs().remove(0);
        roots.add(own.shown.cert.last().unwrap().clone()).unwrap();
        let provider = Arc::new(pki::provider());
        let mut client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let key = key.private_key().unwrap();
        let key = provider.key_provider.load_private_key(key).unwrap();
        let shown = CertifiedKey::new(vec![certificate], key);
        client.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(shown));

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
    async fn a_certificate_of_version_1_is_for_the_operator_to_know() {
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
    async fn a_certificate_without_its_key_is_anybodys() {
        let ((certificate, _), (_, thief)) = (jane(), jane());
        let error = failure(certificate, &thief).await;
        assert!(!is_of_certificate(&error), "{error:?}");
        assert!(chain(&error).contains("BadSignature"), "{error}");
    }

    #[test]
    fn a_signature_of_a_kind_that_was_not_asked_for_is_for_the_operator_to_know() {
        let cause = PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme;
        let error = |cause: PeerMisbehaved| io::Error::other(rustls::Error::from(cause));
        assert!(is_of_certificate(&error(cause)));
        assert!(!is_of_certificate(&error(PeerMisbehaved::MissingKeyShare)));
        assert!(!is_of_certificate(&io::ErrorKind::UnexpectedEof.into()));
    }
}
