//! The file with the credentials for a service, in the form of Prometheus' `http_config`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::telemetry::first_line;

/// The most bytes of the file, and of each file that it names.
const MAX_BYTES: u64 = 1 << 20;

/// How to authenticate to a service, and how to verify it. The names are those of Prometheus' `http_config`. What is not
/// here is refused, so that no setting is silently without effect.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    authorization: Option<Authorization>,
    basic_auth: Option<BasicAuth>,
    tls_config: TlsConfig,
    http_headers: BTreeMap<String, HeaderValues>,
}

/// The `Authorization` header.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Authorization {
    #[serde(rename = "type", default = "bearer")]
    scheme: String,
    credentials: Option<SecretString>,
    credentials_file: Option<PathBuf>,
}

/// Basic authentication.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BasicAuth {
    username: String,
    password: Option<SecretString>,
    password_file: Option<PathBuf>,
}

/// The CA of the service, and a client certificate.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TlsConfig {
    ca_file: Option<PathBuf>,
    cert_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    server_name: Option<String>,
    insecure_skip_verify: bool,
}

/// The values of a header.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HeaderValues {
    values: Vec<String>,
    secrets: Vec<SecretString>,
    files: Vec<PathBuf>,
}

fn bearer() -> String {
    "Bearer".to_owned()
}

/// Why the credentials cannot be used, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {path:?}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// The file is no `http_config`.
    #[error("{path:?} is no http_config of Prometheus: {cause}")]
    Form {
        /// The file.
        path: PathBuf,
        /// The first line of the parser's error.
        cause: String,
    },
    /// A setting is missing or contradicts another one.
    #[error("{0}")]
    Setting(String),
    /// A certificate or key is unusable.
    #[error("{what} {path:?} cannot be used: {cause}")]
    Pem {
        /// What it is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: reqwest::Error,
    },
}

/// The contents of all files of a configuration. Two equal ones make equal clients.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Loaded {
    pub(super) headers: HeaderMap,
    /// The CA, PEM; the system's CAs without it.
    pub(super) ca: Option<(PathBuf, Vec<u8>)>,
    /// A certificate and its key, PEM.
    pub(super) identity: Option<(PathBuf, Vec<u8>)>,
}

impl std::fmt::Debug for Loaded {
    // Keys are not for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loaded(…)")
    }
}

impl Loaded {
    /// Reads the file at `path`, and the files that it names. Relative names start at the folder of the file.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        let text = String::from_utf8_lossy(&text);
        let config: HttpConfig = if text.trim().is_empty() {
            HttpConfig::default()
        } else {
            serde_saphyr::from_str(&text).map_err(|error| ConfigError::Form {
                path: path.to_owned(),
                cause: first_line(&error.to_string()),
            })?
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        let credentials = config.credentials(folder)?;
        if credentials.insecure_skip_verify || credentials.server_name.is_some() {
            return Err(ConfigError::Setting(
                "tls_config: server_name and insecure_skip_verify are only for pods: name the CA of the service with \
                 ca_file, and use a URL with a host of its certificate"
                    .to_owned(),
            ));
        }
        Ok(Self {
            headers: credentials.headers,
            ca: credentials.ca,
            identity: credentials.identity,
        })
    }
}

/// The contents of the files of an [`HttpConfig`].
pub struct Credentials {
    /// The headers.
    pub headers: HeaderMap,
    /// The CA, PEM, and its file.
    pub ca: Option<(PathBuf, Vec<u8>)>,
    /// A certificate and its key, PEM, and the file of the certificate.
    pub identity: Option<(PathBuf, Vec<u8>)>,
    /// The name in the certificate of the service.
    pub server_name: Option<String>,
    /// Whether any certificate is accepted.
    pub insecure_skip_verify: bool,
}

impl HttpConfig {
    /// Reads the files that it names. Relative names start at `folder`.
    ///
    /// # Errors
    /// A file cannot be read, or a setting is missing or contradicts another one.
    pub fn credentials(&self, folder: &Path) -> Result<Credentials, ConfigError> {
        let tls = &self.tls_config;
        Ok(Credentials {
            headers: self.headers(folder)?,
            ca: tls.ca(folder)?,
            identity: tls.identity(folder)?,
            server_name: tls.server_name.clone(),
            insecure_skip_verify: tls.insecure_skip_verify,
        })
    }

    fn headers(&self, folder: &Path) -> Result<HeaderMap, ConfigError> {
        let mut headers = HeaderMap::new();
        for (name, values) in &self.http_headers {
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                ConfigError::Setting(format!("http_headers: {name:?} is no header name"))
            })?;
            if header == AUTHORIZATION {
                return Err(ConfigError::Setting(
                    "http_headers: write authorization or basic_auth instead of a header"
                        .to_owned(),
                ));
            }
            for value in values.read(folder)? {
                headers.append(&header, header_value(&value, name)?);
            }
        }
        if let Some(value) = self.authorization(folder)? {
            headers.insert(AUTHORIZATION, header_value(&value, "authorization")?);
        }
        Ok(headers)
    }

    /// The value of the `Authorization` header.
    fn authorization(&self, folder: &Path) -> Result<Option<String>, ConfigError> {
        match (&self.authorization, &self.basic_auth) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(ConfigError::Setting(
                "authorization and basic_auth contradict each other".to_owned(),
            )),
            (Some(it), None) => {
                let credentials = one_of(
                    "authorization.credentials",
                    it.credentials.as_ref(),
                    it.credentials_file.as_deref(),
                    folder,
                )?;
                Ok(Some(format!("{} {credentials}", it.scheme)))
            }
            (None, Some(it)) => {
                let password = one_of(
                    "basic_auth.password",
                    it.password.as_ref(),
                    it.password_file.as_deref(),
                    folder,
                )?;
                let pair = STANDARD.encode(format!("{}:{password}", it.username));
                Ok(Some(format!("Basic {pair}")))
            }
        }
    }
}

impl TlsConfig {
    fn ca(&self, folder: &Path) -> Result<Option<(PathBuf, Vec<u8>)>, ConfigError> {
        let Some(path) = &self.ca_file else {
            return Ok(None);
        };
        let path = folder.join(path);
        let bytes = read(&path)?;
        Ok(Some((path, bytes)))
    }

    fn identity(&self, folder: &Path) -> Result<Option<(PathBuf, Vec<u8>)>, ConfigError> {
        match (&self.cert_file, &self.key_file) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                let certificate = folder.join(certificate);
                let mut both = read(&certificate)?;
                both.push(b'\n');
                both.extend(read(&folder.join(key))?);
                Ok(Some((certificate, both)))
            }
            _ => Err(ConfigError::Setting(
                "tls_config: cert_file and key_file go together".to_owned(),
            )),
        }
    }
}

impl HeaderValues {
    fn read(&self, folder: &Path) -> Result<Vec<String>, ConfigError> {
        let mut all = self.values.clone();
        all.extend(self.secrets.iter().map(|it| it.expose_secret().to_owned()));
        for file in &self.files {
            all.push(read_secret(&folder.join(file))?);
        }
        Ok(all)
    }
}

/// A secret that is written in the file or in a file of its own.
fn one_of(
    name: &str,
    inline: Option<&SecretString>,
    file: Option<&Path>,
    folder: &Path,
) -> Result<String, ConfigError> {
    match (inline, file) {
        (Some(secret), None) => Ok(secret.expose_secret().to_owned()),
        (None, Some(file)) => read_secret(&folder.join(file)),
        _ => Err(ConfigError::Setting(format!(
            "write {name} or {name}_file, and only one of them"
        ))),
    }
}

/// A secret in a file, without the white space around it, as Prometheus reads it.
fn read_secret(path: &Path) -> Result<String, ConfigError> {
    let bytes = read(path)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

fn header_value(text: &str, name: &str) -> Result<HeaderValue, ConfigError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        ConfigError::Setting(format!(
            "{name}: the value has characters that a header cannot contain"
        ))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    read_file(path, MAX_BYTES).map_err(|cause| ConfigError::File {
        path: path.to_owned(),
        cause,
    })
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// It is larger, or cannot be read.
pub fn read_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(limit + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}
