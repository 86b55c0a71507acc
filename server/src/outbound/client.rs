//! The client: one for each flag, shared by the URLs of the flag.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use parking_lot::Mutex;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Identity, Request, Response, Url};

use super::http_config::{ConfigError, Loaded};
use crate::telemetry::{LogThrottle, chain};
use crate::tls::provider;

/// The time until the files are read again.
const RELOAD_INTERVAL: Duration = Duration::from_secs(10);

/// The time between two warnings about unusable files.
const WARNING_INTERVAL: Duration = Duration::from_secs(600);

/// The timeout of a connection, if that of the request is not shorter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a request has no usable response, in one line without the URL.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The credentials cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The client cannot be made.
    #[error("cannot make an HTTP client: {}", chain(.0))]
    Client(#[source] reqwest::Error),
    /// The request has no response, or not all of it.
    #[error("{0}")]
    Request(String),
    /// The response is larger than the limit.
    #[error("the response is larger than {0} bytes")]
    TooLarge(usize),
}

/// An HTTP client with the credentials of one file.
#[derive(Debug)]
pub struct Client {
    config: Option<PathBuf>,
    timeout: Duration,
    state: Mutex<State>,
    warnings: Mutex<LogThrottle>,
}

#[derive(Debug)]
struct State {
    checked: Instant,
    loaded: Loaded,
    http: reqwest::Client,
}

impl Client {
    /// Makes a client with the credentials of `config`, or none. Each request has `timeout` until the end of its
    /// response.
    ///
    /// # Errors
    /// The credentials cannot be used.
    pub fn new(config: Option<PathBuf>, timeout: Duration) -> Result<Self, OutboundError> {
        let loaded = match &config {
            Some(path) => Loaded::read(path)?,
            None => Loaded::default(),
        };
        Ok(Self {
            state: Mutex::new(State {
                checked: Instant::now(),
                http: client(&loaded, timeout)?,
                loaded,
            }),
            config,
            timeout,
            warnings: Mutex::new(LogThrottle::new(WARNING_INTERVAL)),
        })
    }

    /// Sends a request and returns the response, whose body is still to be read. The credentials are added to `headers`.
    ///
    /// # Errors
    /// There is no response. A response with an error status is no error.
    pub async fn send(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: impl Into<reqwest::Body>,
    ) -> Result<Response, OutboundError> {
        let (http, credentials) = self.current();
        let mut request = Request::new(method, url.clone());
        *request.headers_mut() = headers;
        request.headers_mut().extend(credentials);
        *request.body_mut() = Some(body.into());
        let response = http.execute(request).await;
        response.map_err(|error| OutboundError::Request(reason(&error, self.timeout)))
    }

    /// The client and the headers, made again if a file has changed. While a file is unusable, the ones before stay.
    fn current(&self) -> (reqwest::Client, HeaderMap) {
        let mut state = self.state.lock();
        if let Some(path) = &self.config
            && state.checked.elapsed() >= RELOAD_INTERVAL
        {
            state.checked = Instant::now();
            let loaded = Loaded::read(path).map_err(OutboundError::from);
            let reloaded = loaded.and_then(|loaded| {
                if loaded != state.loaded {
                    state.http = client(&loaded, self.timeout)?;
                    state.loaded = loaded;
                    tracing::info!(config = %path.display(), "the credentials have changed and are used from now on");
                }
                Ok(())
            });
            if let Err(error) = reloaded
                && let Some(unreported) = self.warnings.lock().allow()
            {
                tracing::warn!(
                    unreported,
                    "{error}; the credentials before are used, and the files are read again"
                );
            }
        }
        (state.http.clone(), state.loaded.headers.clone())
    }
}

/// Reads the body of a response with at most `limit` bytes.
///
/// # Errors
/// The body is larger, or does not arrive.
pub async fn read_limited(mut response: Response, limit: usize) -> Result<Bytes, OutboundError> {
    let mut body = BytesMut::new();
    loop {
        let chunk = response.chunk().await;
        let chunk = chunk.map_err(|error| OutboundError::Request(chain(&error.without_url())))?;
        let Some(chunk) = chunk else {
            return Ok(body.freeze());
        };
        if body.len() + chunk.len() > limit {
            return Err(OutboundError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
}

/// A URL for logs: without its query, which may have secrets.
pub fn shown_url(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    shown.into()
}

/// What happened to a request.
fn reason(error: &reqwest::Error, timeout: Duration) -> String {
    if error.is_timeout() && !error.is_connect() {
        return format!("no complete response within {timeout:?}");
    }
    let mut cause: &dyn std::error::Error = error;
    // reqwest's own text names the URL, and that sending failed.
    while let Some(source) = cause.source() {
        if !cause.is::<reqwest::Error>() {
            break;
        }
        cause = source;
    }
    chain(cause)
}

fn client(loaded: &Loaded, timeout: Duration) -> Result<reqwest::Client, OutboundError> {
    let _provider = provider();
    let builder = || {
        reqwest::Client::builder()
            .user_agent(concat!("vitals-server/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .timeout(timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .pool_max_idle_per_host(2)
    };
    let mut configured = builder();
    if let Some((path, pem)) = &loaded.ca {
        let certificates = Certificate::from_pem_bundle(pem);
        let certificates = certificates.map_err(pem_error("the CA", path))?;
        if certificates.is_empty() {
            let error = format!("tls_config: {path:?} has no certificate in PEM form");
            return Err(ConfigError::Setting(error).into());
        }
        configured = configured.tls_certs_only(certificates);
    }
    if let Some((path, pem)) = &loaded.identity {
        let identity = Identity::from_pem(pem);
        let what = "the client certificate or its key";
        configured = configured.identity(identity.map_err(pem_error(what, path))?);
    }
    match configured.build() {
        Ok(client) => Ok(client),
        // Where the system has no CAs, as in our image, https needs a ca_file, and http works.
        Err(_) if loaded.ca.is_none() && loaded.identity.is_none() => {
            let without = builder().tls_certs_only([]).build();
            without.map_err(OutboundError::Client)
        }
        Err(error) => Err(OutboundError::Client(error)),
    }
}

fn pem_error(
    what: &'static str,
    path: &std::path::Path,
) -> impl FnOnce(reqwest::Error) -> ConfigError {
    let path = path.to_owned();
    move |cause| ConfigError::Pem { what, path, cause }
}
