//! The credentials for kubelets: those for the API server, as in metrics-server, with the `--kubelet-*` flags on top.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderValue;
use parking_lot::Mutex;
use rustls::ClientConfig;

use super::failure::ScrapeError;
use super::trust::{CA, CERTIFICATE, Files, KEY, Pem, TlsError, Trust, config, unusable};
use crate::telemetry::LogThrottle;

/// The time until a token or certificate is read again; both are replaced long before they expire.
const RELOAD_INTERVAL: Duration = Duration::from_secs(10);

/// The time between two warnings about unusable files.
const WARNING_INTERVAL: Duration = Duration::from_secs(600);

/// The source of the bearer token. A fixed token is sensitive, so `Debug` leaves it out.
#[derive(Debug, Clone)]
pub enum Token {
    /// None.
    None,
    /// A fixed token.
    Fixed(HeaderValue),
    /// In a file that is replaced when the token rotates.
    File(PathBuf),
}

impl Token {
    /// A fixed token.
    ///
    /// # Errors
    /// When the token has characters that a header cannot contain.
    pub fn fixed(token: &str) -> Result<Self, TlsError> {
        let header = bearer(token.trim()).map_err(unusable("the token"))?;
        Ok(Self::Fixed(header))
    }
}

/// The credentials for kubelets, and the trust in their certificates.
#[derive(Debug)]
pub struct Credentials {
    trust: Trust,
    identity: Option<(Pem, Pem)>,
    token: Token,
    read: Mutex<Option<(Instant, HeaderValue)>>,
    tls: Mutex<Option<Tls>>,
    warnings: Mutex<LogThrottle>,
}

/// A TLS configuration and its files.
#[derive(Debug)]
struct Tls {
    checked: Instant,
    files: Files,
    config: Arc<ClientConfig>,
}

impl Credentials {
    /// Creates credentials. `identity` is a client certificate and its key.
    pub fn new(trust: Trust, identity: Option<(Pem, Pem)>, token: Token) -> Self {
        Self {
            trust,
            identity,
            token,
            read: Mutex::new(None),
            tls: Mutex::new(None),
            warnings: Mutex::new(LogThrottle::new(WARNING_INTERVAL)),
        }
    }

    /// Whether kubelets must have a certificate of the CA.
    pub fn verifies(&self) -> bool {
        matches!(self.trust, Trust::Ca(_))
    }

    /// The `Authorization` header; reads the file again when it is due.
    pub(crate) fn bearer(&self) -> Result<Option<HeaderValue>, ScrapeError> {
        let path = match &self.token {
            Token::None => return Ok(None),
            Token::Fixed(header) => return Ok(Some(header.clone())),
            Token::File(path) => path,
        };
        let mut read = self.read.lock();
        if let Some((when, header)) = &mut *read {
            if when.elapsed() >= RELOAD_INTERVAL {
                *when = Instant::now();
                // If the file cannot be read, the last token stays in use.
                if let Ok(new) = read_token(path) {
                    *header = new;
                }
            }
            return Ok(Some(header.clone()));
        }
        let header = read_token(path).map_err(|cause| ScrapeError::Token {
            path: path.display().to_string(),
            cause,
        })?;
        *read = Some((Instant::now(), header.clone()));
        Ok(Some(header))
    }

    /// Reads the token and the files again after a kubelet has refused `refused`. Returns whether the token or a certificate
    /// differs.
    pub(super) fn refresh(&self, refused: Option<&HeaderValue>) -> bool {
        let mut other = false;
        if let Token::File(path) = &self.token {
            let mut read = self.read.lock();
            if let Ok(header) = read_token(path) {
                *read = Some((Instant::now(), header));
            }
            other = read.as_ref().map(|(_, header)| header) != refused;
        }
        other || self.reload()
    }

    /// Reads the TLS files again. Returns whether one has changed.
    fn reload(&self) -> bool {
        let Some(before) = self.tls.lock().as_mut().and_then(|tls| {
            tls.checked = tls.checked.checked_sub(RELOAD_INTERVAL)?;
            Some(Arc::clone(&tls.config))
        }) else {
            return false;
        };
        self.tls().is_ok_and(|now| !Arc::ptr_eq(&before, &now))
    }

    /// The TLS configuration, a new one if a file has changed. While a file cannot be read or used, for example during its
    /// replacement, the last configuration stays in use.
    ///
    /// # Errors
    /// When there is no usable configuration yet.
    pub(crate) fn tls(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let mut current = self.tls.lock();
        let Some(tls) = &mut *current else {
            let files = self.files()?;
            let tls = current.insert(Tls {
                config: Arc::new(config(&files)?),
                checked: Instant::now(),
                files,
            });
            return Ok(Arc::clone(&tls.config));
        };
        if tls.checked.elapsed() < RELOAD_INTERVAL {
            return Ok(Arc::clone(&tls.config));
        }
        tls.checked = Instant::now();
        let reloaded = self.files().and_then(|files| {
            if files != tls.files {
                tls.config = Arc::new(config(&files)?);
                tls.files = files;
                tracing::info!(
                    "a certificate, key or CA for kubelets has changed and is used from now on"
                );
            }
            Ok(())
        });
        if let Err(error) = reloaded
            && let Some(unreported) = self.warnings.lock().allow()
        {
            tracing::warn!(
                unreported,
                "{error}; the one before is used, and it is read again"
            );
        }
        Ok(Arc::clone(&tls.config))
    }

    fn files(&self) -> Result<Files, TlsError> {
        let ca = match &self.trust {
            Trust::Anything => None,
            Trust::Ca(pem) => Some(pem.bytes(CA)?),
        };
        let identity = match &self.identity {
            None => None,
            Some((certificate, key)) => Some((certificate.bytes(CERTIFICATE)?, key.bytes(KEY)?)),
        };
        Ok(Files { ca, identity })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A file in a folder that is deleted with the first value.
    fn file(content: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, content).unwrap();
        (folder, path)
    }

    fn from_file(path: &Path) -> Credentials {
        Credentials::new(Trust::Anything, None, Token::File(path.to_owned()))
    }

    fn age(credentials: &Credentials, by: Duration) {
        let mut read = credentials.read.lock();
        let (when, _) = read.as_mut().unwrap();
        *when = when.checked_sub(by).unwrap();
    }

    #[test]
    fn a_rotated_token_is_read_again_and_a_missing_one_stays() {
        let (_folder, path) = file("first\n");
        let credentials = from_file(&path);
        assert_eq!(credentials.bearer().unwrap().unwrap(), "Bearer first");

        std::fs::write(&path, "second").unwrap();
        assert_eq!(
            credentials.bearer().unwrap().unwrap(),
            "Bearer first",
            "not read for every request"
        );
        age(&credentials, RELOAD_INTERVAL);
        assert_eq!(credentials.bearer().unwrap().unwrap(), "Bearer second");

        std::fs::remove_file(&path).unwrap();
        age(&credentials, RELOAD_INTERVAL);
        assert_eq!(credentials.bearer().unwrap().unwrap(), "Bearer second");
    }

    #[test]
    fn a_refused_token_is_read_again_at_once_and_worth_a_second_try_if_it_changed() {
        let (_folder, path) = file("first");
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
    fn a_missing_token_file_is_named_with_its_cause() {
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
        let identity = [&b"CERT"[..], b"SECRET KEY"].map(|pem| Pem::Inline(pem.to_vec()));
        let token = Token::fixed("hunter2").unwrap();
        let credentials = Credentials::new(Trust::Anything, Some(identity.into()), token);
        credentials.bearer().unwrap();
        let text = format!("{credentials:?}");
        assert!(
            !text.contains("hunter2") && !text.contains("SECRET"),
            "{text}"
        );
    }

    #[test]
    fn a_replaced_ca_is_used_and_a_damaged_one_is_not() {
        let ca = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let (_folder, path) = file(&ca("a").cert.pem());
        let credentials = Credentials::new(Trust::Ca(Pem::File(path.clone())), None, Token::None);
        let tls = || {
            credentials.reload();
            credentials.tls().unwrap()
        };
        let first = tls();
        assert!(Arc::ptr_eq(&first, &tls()), "nothing has changed");
        std::fs::write(&path, "-----BEGIN CERTIFI").unwrap();
        assert!(Arc::ptr_eq(&first, &tls()), "half written");
        std::fs::write(&path, ca("b").cert.pem()).unwrap();
        assert!(!Arc::ptr_eq(&first, &tls()));
    }

    #[test]
    fn a_ca_file_that_is_none_is_named() {
        let ca = Trust::Ca(Pem::Inline(b"no pem".to_vec()));
        let credentials = Credentials::new(ca, None, Token::None);
        let error = credentials.tls().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the kubelets' CA cannot be used: it holds no PEM certificate"
        );
    }
}
