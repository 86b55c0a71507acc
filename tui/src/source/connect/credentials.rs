//! The credentials of requests: the `Authorization` header.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderValue;
use kube::config::AuthInfo;
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use super::auth_provider::{AuthProvider, AuthProviderError};
use super::credential::{Credential, basic, header};
use super::identity::{Identity, IdentityError};
use super::plugin::{Plugin, PluginError};
use super::terminal::Terminal;

/// How long a token from a file is used before the file is read again, as in client-go.
const TOKEN_FILE_PERIOD: Duration = Duration::from_secs(60);

/// The origin of the credentials.
#[derive(Debug)]
pub(in crate::source) enum Credentials {
    /// A client certificate, or no credentials.
    None,
    /// A token or password in the kubeconfig.
    Fixed(HeaderValue),
    /// A token file, which is reloaded.
    File(TokenFile),
    /// A credential plugin.
    Plugin(Box<Plugin>),
    /// An auth provider.
    Provider(AuthProvider),
}

/// Why there are no credentials. No text contains a token, a password, or output of a plugin on its standard output.
#[derive(Debug, Clone, thiserror::Error)]
pub(in crate::source) enum CredentialError {
    /// A token or a password with characters that a header cannot have.
    #[error("the {0} has characters that a header cannot carry")]
    NotAHeader(&'static str),
    /// The token file cannot be read.
    #[error("open {path}: {why}", path = .0.display(), why = .1)]
    TokenFile(PathBuf, String),
    /// The credential plugin failed.
    #[error("getting credentials: {0}")]
    Plugin(#[from] PluginError),
    /// The auth provider failed.
    #[error("getting credentials: {0}")]
    Provider(#[from] AuthProviderError),
    /// The user has two origins of credentials that cannot be combined. The text is client-go's.
    #[error("execProvider and authProvider cannot be used in combination")]
    PluginAndProvider,
    /// A client certificate cannot be used.
    #[error("client certificate: {0}")]
    Identity(#[from] IdentityError),
}

impl Credentials {
    /// Chooses the credentials of a user in the order of client-go: password, token file, token, plugin
    /// or auth provider.
    ///
    /// # Errors
    /// The token, password or file cannot be used.
    pub(in crate::source) fn of(
        user: &AuthInfo,
        terminal: &Terminal,
    ) -> Result<Self, CredentialError> {
        if user.exec.is_some() && user.auth_provider.is_some() {
            return Err(CredentialError::PluginAndProvider);
        }
        if let (Some(name), Some(password)) = (&user.username, &user.password) {
            let header = basic(name, password);
            return header
                .map(Self::Fixed)
                .map_err(|_| CredentialError::NotAHeader("password"));
        }
        let inline = user.token.as_ref();
        if let Some(path) = &user.token_file {
            match (TokenFile::open(PathBuf::from(path)), inline) {
                (Ok(file), _) => return Ok(Self::File(file)),
                (Err(error), None) => return Err(error),
                (Err(_), Some(_)) => {}
            }
        }
        if let Some(token) = inline {
            return bearer(token.expose_secret()).map(Self::Fixed);
        }
        Ok(match (&user.exec, &user.auth_provider) {
            (Some(exec), _) => Self::Plugin(Box::new(Plugin::new(exec.clone(), terminal.clone()))),
            (None, Some(config)) => Self::Provider(AuthProvider::new(config)?),
            (None, None) => Self::None,
        })
    }

    /// The credential for a request. A plugin may also replace the client certificate.
    pub(in crate::source) async fn get(
        &self,
        identity: &Arc<Identity>,
    ) -> Result<Credential, CredentialError> {
        match self {
            Self::None => Ok(Credential::default()),
            Self::Fixed(value) => Ok(Credential {
                header: Some(value.clone()),
                version: 0,
            }),
            Self::File(file) => Ok(file.get().await),
            Self::Plugin(plugin) => Ok(plugin.get(identity).await?),
            Self::Provider(provider) => Ok(Credential {
                header: provider.header().await?,
                version: 0,
            }),
        }
    }

    /// Applies the server's response to a credential: a rejected one is renewed before the next request.
    pub(super) async fn apply(&self, credential: &Credential, rejected: bool) {
        match self {
            Self::None | Self::Fixed(_) | Self::Provider(_) => {}
            Self::File(file) if rejected => file.expire(credential.version).await,
            Self::File(_) => {}
            Self::Plugin(plugin) => plugin.apply(credential.version, rejected),
        }
    }
}

fn bearer(token: &str) -> Result<HeaderValue, CredentialError> {
    header("Bearer", token).map_err(|_| CredentialError::NotAHeader("token"))
}

/// A token in a file that is replaced from time to time.
#[derive(Debug)]
pub(in crate::source) struct TokenFile {
    path: PathBuf,
    last: Mutex<ReadToken>,
}

#[derive(Debug)]
struct ReadToken {
    credential: Credential,
    /// When the file is read again.
    due: Instant,
}

impl TokenFile {
    fn open(path: PathBuf) -> Result<Self, CredentialError> {
        let header = read(&path)?;
        Ok(Self {
            path,
            last: Mutex::new(ReadToken {
                credential: Credential {
                    header: Some(header),
                    version: 0,
                },
                due: Instant::now() + TOKEN_FILE_PERIOD,
            }),
        })
    }

    async fn get(&self) -> Credential {
        let mut last = self.last.lock().await;
        if Instant::now() >= last.due {
            // If the file cannot be read, the last token stays in use.
            if let Ok(header) = read(&self.path) {
                last.credential = Credential {
                    header: Some(header),
                    version: last.credential.version.wrapping_add(1),
                };
            }
            last.due = Instant::now() + TOKEN_FILE_PERIOD;
        }
        last.credential.clone()
    }

    async fn expire(&self, version: u64) {
        let mut last = self.last.lock().await;
        if last.credential.version == version {
            last.due = Instant::now();
        }
    }
}

fn read(path: &PathBuf) -> Result<HeaderValue, CredentialError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        CredentialError::TokenFile(path.clone(), crate::source::error_text::reason(&error))
    })?;
    let token = text.trim();
    if token.is_empty() {
        return Err(CredentialError::TokenFile(
            path.clone(),
            "it holds no token".to_owned(),
        ));
    }
    bearer(token)
}
