//! What we show a kubelet, and what we ask it to show: the same credentials as for the API server, as the
//! peer does, with the `--kubelet-*` flags over them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderValue;
use parking_lot::Mutex;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use super::failure::ScrapeError;

/// A projected token is replaced long before it expires; it is read again this often.
const TOKEN_AGE: Duration = Duration::from_secs(10);

/// What cannot be used to make a TLS client.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read.
    #[error("cannot read {what} {path:?}: {cause}")]
    File {
        /// What it is for.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
    /// PEM without what is needed in it.
    #[error("{what} cannot be used: {cause}")]
    Unusable {
        /// What it is for.
        what: &'static str,
        /// Why not.
        cause: String,
    },
    /// The HTTP client refused.
    #[error("cannot make the kubelet client: {cause}")]
    Client {
        /// Why.
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
    fn bytes(&self, what: &'static str) -> Result<Vec<u8>, TlsError> {
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

/// How a kubelet's certificate is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// By this CA; the certificate must name the address that was dialled.
    Ca(Pem),
    /// Not at all (`--kubelet-insecure-tls`).
    Anything,
}

/// Where the bearer token is.
#[derive(Clone)]
pub enum Token {
    /// None.
    None,
    /// Given once.
    Fixed(HeaderValue),
    /// In a file that is replaced when the token rotates.
    File(PathBuf),
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Fixed(_) => f.write_str("Fixed(…)"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

impl Token {
    /// A fixed token.
    ///
    /// # Errors
    /// When the token holds what no header can.
    pub fn fixed(token: &str) -> Result<Self, TlsError> {
        Ok(Self::Fixed(bearer(token.trim()).map_err(|cause| {
            TlsError::Unusable {
                what: "the token",
                cause,
            }
        })?))
    }
}

/// What a kubelet is shown and must show.
#[derive(Debug)]
pub struct Credentials {
    trust: Trust,
    identity: Option<(Pem, Pem)>,
    token: Token,
    read: Mutex<Option<(Instant, HeaderValue)>>,
}

impl Credentials {
    /// `identity` is a client certificate and its key.
    pub fn new(trust: Trust, identity: Option<(Pem, Pem)>, token: Token) -> Self {
        Self {
            trust,
            identity,
            token,
            read: Mutex::new(None),
        }
    }

    /// The `Authorization` header, from the file when that is due.
    pub(super) fn bearer(&self) -> Result<Option<HeaderValue>, ScrapeError> {
        let path = match &self.token {
            Token::None => return Ok(None),
            Token::Fixed(header) => return Ok(Some(header.clone())),
            Token::File(path) => path,
        };
        let mut read = self.read.lock();
        if let Some((when, header)) = &*read
            && when.elapsed() < TOKEN_AGE
        {
            return Ok(Some(header.clone()));
        }
        match read_token(path) {
            Ok(header) => {
                *read = Some((Instant::now(), header.clone()));
                Ok(Some(header))
            }
            // A token that cannot be read for a moment is no reason to drop the one that still works.
            Err(cause) => match &mut *read {
                Some((when, header)) => {
                    *when = Instant::now();
                    Ok(Some(header.clone()))
                }
                None => Err(ScrapeError::Token {
                    path: path.display().to_string(),
                    cause,
                }),
            },
        }
    }

    /// Reads the token again, now that one was refused. Returns whether there is another one than `refused`.
    pub(super) fn refresh(&self, refused: Option<&HeaderValue>) -> bool {
        let Token::File(path) = &self.token else {
            return false;
        };
        let mut read = self.read.lock();
        if let Ok(header) = read_token(path) {
            *read = Some((Instant::now(), header));
        }
        read.as_ref().map(|(_, header)| header) != refused
    }

    pub(super) fn tls_config(&self) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Unusable {
                what: "TLS",
                cause: error.to_string(),
            })?;
        let builder = match &self.trust {
            Trust::Anything => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AcceptAnything { algorithms })),
            Trust::Ca(pem) => {
                const WHAT: &str = "the kubelets' CA";
                let mut roots = RootCertStore::empty();
                for certificate in certificates(&pem.bytes(WHAT)?, WHAT)? {
                    roots.add(certificate).map_err(|error| TlsError::Unusable {
                        what: WHAT,
                        cause: error.to_string(),
                    })?;
                }
                builder.with_root_certificates(roots)
            }
        };
        let Some((certificate, key)) = &self.identity else {
            return Ok(builder.with_no_client_auth());
        };
        const CERTIFICATE: &str = "the client certificate for kubelets";
        const KEY: &str = "the client key for kubelets";
        let chain = certificates(&certificate.bytes(CERTIFICATE)?, CERTIFICATE)?;
        let key = PrivateKeyDer::from_pem_slice(&key.bytes(KEY)?).map_err(|error| {
            TlsError::Unusable {
                what: KEY,
                cause: error.to_string(),
            }
        })?;
        builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| TlsError::Unusable {
                what: CERTIFICATE,
                cause: error.to_string(),
            })
    }
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::Unusable {
            what,
            cause: error.to_string(),
        })?;
    if certificates.is_empty() {
        return Err(TlsError::Unusable {
            what,
            cause: "it holds no PEM certificate".to_owned(),
        });
    }
    Ok(certificates)
}

fn read_token(path: &Path) -> Result<HeaderValue, String> {
    let token = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let token = token.trim();
    if token.is_empty() {
        return Err("it is empty".to_owned());
    }
    bearer(token)
}

fn bearer(token: &str) -> Result<HeaderValue, String> {
    let mut header =
        HeaderValue::from_str(&format!("Bearer {token}")).map_err(|error| error.to_string())?;
    header.set_sensitive(true);
    Ok(header)
}

/// For `--kubelet-insecure-tls`: any certificate will do, though its key must still be the one that signs.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(path: &Path) -> Credentials {
        Credentials::new(Trust::Anything, None, Token::File(path.to_owned()))
    }

    fn age(credentials: &Credentials, by: Duration) {
        let mut read = credentials.read.lock();
        let (when, _) = read.as_mut().unwrap();
        *when = when.checked_sub(by).unwrap();
    }

    #[test]
    fn a_rotated_token_is_read_again_and_a_lost_one_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "first\n").unwrap();
        let credentials = from_file(&path);
        assert_eq!(credentials.bearer().unwrap().unwrap(), "Bearer first");

        std::fs::write(&path, "second").unwrap();
        assert_eq!(
            credentials.bearer().unwrap().unwrap(),
            "Bearer first",
            "not read for every request"
        );
        age(&credentials, TOKEN_AGE);
        assert_eq!(credentials.bearer().unwrap().unwrap(), "Bearer second");

        std::fs::remove_file(&path).unwrap();
        age(&credentials, TOKEN_AGE);
        assert_eq!(credentials.bearer().unwrap().unwrap(), "Bearer second");
    }

    #[test]
    fn a_refused_token_is_read_again_at_once_and_worth_a_second_try_if_it_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "first").unwrap();
        let credentials = from_file(&path);
        let first = credentials.bearer().unwrap();
        assert!(!credentials.refresh(first.as_ref()), "it is the same one");
        std::fs::write(&path, "second").unwrap();
        assert!(credentials.refresh(first.as_ref()));
        assert_eq!(credentials.bearer().unwrap().unwrap(), "Bearer second");
        assert!(
            credentials.refresh(first.as_ref()),
            "another node has had it read since"
        );
    }

    #[test]
    fn no_token_file_says_which_and_why() {
        let error = from_file(Path::new("/nowhere/token")).bearer().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot read the token /nowhere/token: "),
            "{error}"
        );
    }

    #[test]
    fn secrets_stay_out_of_debug_output() {
        let credentials = Credentials::new(
            Trust::Anything,
            Some((
                Pem::Inline(b"CERT".to_vec()),
                Pem::Inline(b"SECRET KEY".to_vec()),
            )),
            Token::fixed("hunter2").unwrap(),
        );
        credentials.bearer().unwrap();
        let shown = format!("{credentials:?}");
        assert!(
            !shown.contains("hunter2") && !shown.contains("SECRET"),
            "{shown}"
        );
    }

    #[test]
    fn a_ca_file_that_is_none_is_named() {
        let credentials = Credentials::new(
            Trust::Ca(Pem::Inline(b"no pem".to_vec())),
            None,
            Token::None,
        );
        let error = credentials.tls_config().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the kubelets' CA cannot be used: it holds no PEM certificate"
        );
    }
}
