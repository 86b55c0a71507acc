//! The HTTP client for an API server: GET requests and watches, with retries and kubectl's error texts.

use std::error::Error as StdError;
use std::io;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, Response};
use kube::client::Body;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tower::BoxError;

use super::body_chunks::BodyChunks;
use super::connect::{CredentialError, Patience, Silent};
use super::kubeconfig::Target;
use super::list_items::ReadBody;
use super::response::ApiResponse;
use super::status::{About, Failure};
use super::{Error, tls};
use crate::clock::Clock;

/// The media type of JSON.
pub(super) const JSON: &str = "application/json";

/// The media types of protobuf, or JSON from a server that has no protobuf.
pub(super) const PROTOBUF: &str = "application/vnd.kubernetes.protobuf,application/json";

/// The name and version of this program.
const AGENT: &str = concat!("vitals/", env!("CARGO_PKG_VERSION"));

/// How often a request is retried after `Retry-After` or an interrupted connection.
const RETRIES: u32 = 10;

/// A cluster's API server.
#[derive(Clone)]
pub struct ApiClient {
    client: kube::Client,
    host: String,
    timeout: Option<Duration>,
    /// How long the server may be silent; none for no limit.
    patience: Option<Duration>,
    /// Whether the transport gets credentials as part of a request. That time does not count.
    has_credentials: bool,
    /// Whether responses may be compressed.
    compressed: bool,
    /// How often a request is retried.
    repeats: u32,
    /// The cluster's certificate authority is not a CA certificate.
    no_authority: bool,
}

impl ApiResponse {
    /// Parses the body as JSON.
    ///
    /// # Errors
    /// The body is not the JSON of a `T`.
    pub(super) fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(Error::unreadable)
    }
}

impl std::fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiClient")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl ApiClient {
    /// A client for a cluster and user. Nothing is sent yet.
    ///
    /// # Errors
    /// Certificates or credentials that cannot be used.
    pub fn new(target: Target) -> Result<Self, Error> {
        Self::with_clock(target, Clock::system())
    }

    /// A client whose responses set a clock.
    ///
    /// # Errors
    /// As [`ApiClient::new`].
    pub fn with_clock(target: Target, clock: Clock) -> Result<Self, Error> {
        let Target {
            transport,
            host,
            timeout,
        } = target;
        let no_authority = transport.trust.has_no_authority();
        let compressed = !transport.config.disable_compression;
        Ok(Self {
            timeout,
            has_credentials: true,
            compressed,
            no_authority,
            ..Self::over(transport.client(clock)?, &host)
        })
    }

    /// A client on another transport: `client` sends requests; `host` is the server's name in messages.
    #[must_use]
    pub fn over(client: kube::Client, host: &str) -> Self {
        Self {
            client,
            host: host.to_owned(),
            timeout: None,
            patience: None,
            has_credentials: false,
            compressed: true,
            repeats: RETRIES,
            no_authority: false,
        }
    }

    /// A client that does not retry and that limits the silence of the server.
    #[must_use]
    pub(super) fn impatient(self, patience: Duration) -> Self {
        Self {
            patience: Some(patience),
            repeats: 0,
            ..self
        }
    }

    /// How long the server may be silent during a response; none for no limit.
    pub(super) const fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// `host:port` of the server.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Requests a path with its query.
    ///
    /// # Errors
    /// The failure of the server, or why there is no response.
    pub(super) async fn get(
        &self,
        path: &str,
        accept: &str,
        about: About<'_>,
    ) -> Result<ApiResponse, Error> {
        self.get_or(path, accept, |response| Failure::of(response, about))
            .await
    }

    /// As `get`. `reader` reads the body while it arrives, and the body of the response is then empty, unless it is in an
    /// encoding that it does not read.
    pub(super) async fn read_list(
        &self,
        path: &str,
        accept: &str,
        about: About<'_>,
        reader: &mut dyn ReadBody,
    ) -> Result<ApiResponse, Error> {
        let failure = |response: &ApiResponse| Failure::of(response, about);
        self.repeat(path, accept, failure, Some(reader)).await
    }

    /// As `get`, parsed from JSON.
    pub(super) async fn parsed<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        accept: &str,
        about: About<'_>,
    ) -> Result<T, Error> {
        self.get(path, accept, about).await?.parse()
    }

    /// Requests a watch and returns its body.
    ///
    /// # Errors
    /// The failure of the server, or why there is no response.
    pub(super) async fn stream(&self, path: &str, about: About<'_>) -> Result<BodyChunks, Error> {
        let response = self.send(path, JSON).await;
        let response = response.map_err(|error| self.explain(&*error))?;
        if response.status().is_success() {
            let (head, body) = response.into_parts();
            return Ok(BodyChunks::new(&head.headers, body));
        }
        let response = self.read(response, None).await;
        Err(match response {
            Ok(response) => Error::Server(Failure::of(&response, about)),
            Err(error) => self.explain(&*error),
        })
    }

    /// Sends a request that changes something. It is not retried.
    ///
    /// # Errors
    /// The failure of the server, or why there is no response.
    pub(super) async fn write(
        &self,
        method: Method,
        path: &str,
        media_type: &str,
        body: String,
        about: About<'_>,
    ) -> Result<(), Error> {
        let response = async {
            let mut request = Request::builder()
                .method(method)
                .uri(path)
                .header(ACCEPT, JSON)
                .header(CONTENT_TYPE, media_type)
                .header(USER_AGENT, AGENT)
                .body(Body::from(body.into_bytes()))?;
            if let Some(patience) = self.patience {
                request.extensions_mut().insert(Patience(patience));
            }
            self.read(self.client.send(request).await?, None).await
        };
        match response.await {
            Ok(response) if response.is_success() => Ok(()),
            Ok(response) => Err(Error::Server(Failure::of(&response, about))),
            Err(error) => Err(self.explain(&*error)),
        }
    }

    /// As `get`, with another conversion of failures.
    pub(super) async fn get_or(
        &self,
        path: &str,
        accept: &str,
        failure: impl Fn(&ApiResponse) -> Failure,
    ) -> Result<ApiResponse, Error> {
        self.repeat(path, accept, failure, None).await
    }

    async fn repeat(
        &self,
        path: &str,
        accept: &str,
        failure: impl Fn(&ApiResponse) -> Failure,
        mut reader: Option<&mut dyn ReadBody>,
    ) -> Result<ApiResponse, Error> {
        let mut retries = 0;
        loop {
            let response = self.timed(path, accept, reborrow(&mut reader)).await;
            let wait = match &response {
                Ok(response) => response.retry_after,
                Err(error) => interrupted(error.as_ref()).then_some(1),
            };
            if let Some(seconds) = wait.filter(|_| retries < self.repeats) {
                retries += 1;
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                continue;
            }
            return match response {
                Ok(response) if response.is_success() => Ok(response),
                Ok(response) => Err(Error::Server(failure(&response))),
                Err(error) => Err(self.explain(error.as_ref())),
            };
        }
    }

    async fn timed(
        &self,
        path: &str,
        accept: &str,
        reader: Option<&mut dyn ReadBody>,
    ) -> Result<ApiResponse, BoxError> {
        let begin = Instant::now();
        let response = async { self.read(self.send(path, accept).await?, reader).await };
        let response = match self.timeout {
            None => response.await,
            Some(limit) => tokio::time::timeout(limit, response)
                .await
                .unwrap_or_else(|_| Err(TimedOut.into())),
        };
        tracing::debug!(path, took = ?begin.elapsed(), ok = response.is_ok(), "GET");
        response
    }

    async fn send(&self, path: &str, accept: &str) -> Result<Response<Body>, BoxError> {
        let mut request = Request::get(path)
            .header(ACCEPT, accept)
            .header(USER_AGENT, AGENT)
            .body(Body::empty())?;
        if self.compressed {
            let gzip = HeaderValue::from_static("gzip");
            request.headers_mut().insert(ACCEPT_ENCODING, gzip);
        }
        let Some(patience) = self.patience else {
            return Ok(self.client.send(request).await?);
        };
        let aggregated = path.starts_with(&super::vitals_path("/"));
        // kubevitals.io gets half the time, so that the fallback to another source is quick.
        let patience = if aggregated { patience / 2 } else { patience };
        if self.has_credentials {
            request.extensions_mut().insert(Patience(patience));
            return Ok(self.client.send(request).await?);
        }
        let response = tokio::time::timeout(patience, self.client.send(request)).await;
        Ok(response.map_err(|_| Silent(patience))??)
    }

    /// Reads a response to its end, as long as chunks arrive in time.
    async fn read(
        &self,
        response: Response<Body>,
        reader: Option<&mut dyn ReadBody>,
    ) -> Result<ApiResponse, BoxError> {
        let (head, body) = response.into_parts();
        let mut chunks = BodyChunks::new(&head.headers, body);
        let mut response = ApiResponse::new(&head);
        let mut reader = reader.filter(|reader| response.is_success() && reader.reads(&response));
        if let Some(reader) = &mut reader {
            reader.restart();
        }
        let mut all = BytesMut::new();
        loop {
            let chunk = match self.patience {
                None => chunks.next().await?,
                Some(patience) => tokio::time::timeout(patience, chunks.next())
                    .await
                    .map_err(|_| Silent(patience))??,
            };
            match (chunk, &mut reader) {
                (Some(chunk), Some(reader)) => reader.read(&chunk)?,
                (Some(chunk), None) => all.extend_from_slice(&chunk),
                (None, Some(reader)) => {
                    reader.end()?;
                    return Ok(response);
                }
                (None, None) => {
                    response.body = all.freeze();
                    return Ok(response);
                }
            }
        }
    }

    /// Converts an error of the transport into kubectl's words.
    pub(super) fn explain(&self, error: &(dyn StdError + 'static)) -> Error {
        for cause in causes(error) {
            if let Some(Error::Request(text)) = cause.downcast_ref() {
                return Error::Request(text.clone());
            }
            if cause.is::<TimedOut>() || cause.is::<Silent>() || cause.is::<CredentialError>() {
                return Error::Unreachable(cause.to_string());
            }
            if let Some(mut text) = tls::explain(cause) {
                if self.no_authority && text.ends_with(tls::UNKNOWN_AUTHORITY) {
                    text.push_str(" (the certificate-authority of the cluster is no CA certificate, but that of a server)");
                }
                return Error::Unreachable(text);
            }
            if let Some(io) = cause.downcast_ref::<io::Error>()
                && io.kind() == io::ErrorKind::ConnectionRefused
            {
                return Error::Refused(self.host.clone());
            }
        }
        let last = innermost(error);
        if last.contains("failed to lookup address") || last.contains("dns error") {
            let host = self.host.as_str();
            let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
            return Error::Unreachable(format!("dial tcp: lookup {name}: no such host"));
        }
        Error::Unreachable(if interrupted(error) {
            "EOF".to_owned()
        } else {
            last
        })
    }
}

/// Lends a reader to one attempt.
fn reborrow<'a>(reader: &'a mut Option<&mut dyn ReadBody>) -> Option<&'a mut dyn ReadBody> {
    match reader {
        Some(reader) => Some(&mut **reader),
        None => None,
    }
}

/// The text of Go's HTTP client.
#[derive(Debug, thiserror::Error)]
#[error("net/http: request canceled (Client.Timeout exceeded while awaiting headers)")]
struct TimedOut;

/// An error and its chain of causes.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    // An I/O error that wraps another error does not return it as its source.
    let inner = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    inner
        .map(|inner| inner as &(dyn StdError + 'static))
        .or_else(|| error.source())
}

fn innermost(error: &(dyn StdError + 'static)) -> String {
    causes(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// Whether the connection was interrupted, so that a retry may succeed.
fn interrupted(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| {
        let is_io = cause.downcast_ref::<io::Error>().is_some_and(|io| {
            matches!(
                io.kind(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
            )
        });
        is_io
            || cause
                .to_string()
                .contains("connection closed before message completed")
    })
}

/// Percent-encodes a path segment or a query value.
pub(super) fn escaped(text: &str) -> String {
    /// All but the unreserved characters of RFC 3986.
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn reserved_characters_are_encoded() {
        assert_eq!(
            escaped("app=web,tier in (a b)"),
            "app%3Dweb%2Ctier%20in%20%28a%20b%29"
        );
        assert_eq!(escaped("kube-system"), "kube-system");
        assert_eq!(escaped("é"), "%C3%A9");
    }
}
