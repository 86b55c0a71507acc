//! The HTTP client for kubelets: one connection a node, kept open; a bounded body; a fresh token.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION};
use http::{HeaderValue, StatusCode};
use reqwest::{Client, Response, Url};
use tokio::time::{Instant, timeout_at};

use super::credentials::{Credentials, TlsError};
use super::failure::{Failed, ScrapeError};
use super::target::Target;

/// More than any kubelet says: 500 pods are about 1 MB of /metrics/resource, and 3 MB of /stats/summary.
pub(super) const LARGEST_BODY: usize = 32 << 20;

/// An address that cannot be reached is given up after this long, so that there is time for the next.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Longer than the longest pause between two scrapes of a node that answers.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Asks kubelets.
#[derive(Debug)]
pub struct Kubelets {
    client: Client,
    credentials: Arc<Credentials>,
    timeout: Duration,
}

impl Kubelets {
    /// A client with these credentials; `timeout` bounds one request in all, every address together.
    ///
    /// # Errors
    /// When a certificate, a key or a CA cannot be used.
    pub fn new(credentials: Arc<Credentials>, timeout: Duration) -> Result<Self, TlsError> {
        let client = Client::builder()
            .tls_backend_preconfigured(credentials.tls_config()?)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(1)
            .user_agent(concat!("vitals-server/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| TlsError::Client {
                cause: crate::telemetry::chain(&error),
            })?;
        Ok(Self {
            client,
            credentials,
            timeout,
        })
    }

    /// When a request that begins now must be over.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Asks the node for `path` (a query may follow it) and reads the answer into `body`, which is emptied
    /// first. An address that cannot be reached gives way to the next, until `deadline`.
    ///
    /// # Errors
    /// The failure that tells most, with the address it happened at: of several addresses that cannot be reached,
    /// a certificate that is not accepted is worth more than a connection that is not made.
    pub async fn get(
        &self,
        target: &mut Target,
        path: &str,
        deadline: Instant,
        body: &mut Vec<u8>,
    ) -> Result<(), Failed> {
        let mut failed: Option<Failed> = None;
        let mut answered = None;
        for (index, origin) in target.origins() {
            let error = match timeout_at(deadline, self.get_from(origin, path, body)).await {
                Ok(Ok(())) => {
                    answered = Some(index);
                    break;
                }
                Ok(Err(error)) => error,
                Err(_) => ScrapeError::Timeout {
                    milliseconds: self.timeout.as_millis(),
                },
            };
            let (next, telling) = (error.concerns_address(), error.tells_more_than_silence());
            if failed.is_none() || telling || !next {
                failed = Some(Failed::at(origin, error));
            }
            if !next {
                break;
            }
        }
        if let Some(index) = answered {
            target.answered(index);
            return Ok(());
        }
        Err(failed.unwrap_or_else(|| {
            let address = String::new();
            Failed::at("none", ScrapeError::BadAddress { address })
        }))
    }

    async fn get_from(
        &self,
        origin: &str,
        path: &str,
        body: &mut Vec<u8>,
    ) -> Result<(), ScrapeError> {
        let mut url = Url::parse(origin).map_err(|_| ScrapeError::BadAddress {
            address: origin.to_owned(),
        })?;
        // Set, not glued on: a path that a node's annotation gives must not become part of the address.
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(path);
        url.set_query(query);
        let bearer = self.credentials.bearer()?;
        let mut response = self.send(url.clone(), bearer.clone()).await?;
        // The token may have rotated since it was read.
        if response.status() == StatusCode::UNAUTHORIZED
            && self.credentials.refresh(bearer.as_ref())
        {
            response = self.send(url, self.credentials.bearer()?).await?;
        }
        if response.status() != StatusCode::OK {
            return Err(ScrapeError::Status {
                status: response.status(),
            });
        }
        read(response, body).await
    }

    async fn send(&self, url: Url, bearer: Option<HeaderValue>) -> Result<Response, ScrapeError> {
        // Compressed answers cost both sides more than they save inside a cluster: 22 MB/s of metrics from
        // 5,000 nodes would be a twentieth of a core to inflate. What comes compressed all the same is read.
        let mut request = self
            .client
            .get(url)
            .header(ACCEPT, "text/plain,*/*;q=0.5")
            .header(ACCEPT_ENCODING, "identity");
        if let Some(bearer) = bearer {
            request = request.header(AUTHORIZATION, bearer);
        }
        let request = request.build().map_err(|error| classify(&error))?;
        let again = request.try_clone();
        match self.client.execute(request).await {
            Ok(response) => Ok(response),
            // A kept connection that the kubelet closed just now: nothing was answered, and a GET may be repeated.
            Err(error) if error.is_request() && !error.is_connect() && !error.is_timeout() => {
                match again {
                    Some(request) => self
                        .client
                        .execute(request)
                        .await
                        .map_err(|error| classify(&error)),
                    None => Err(classify(&error)),
                }
            }
            Err(error) => Err(classify(&error)),
        }
    }
}

/// Reads a body up to the limit, which holds for the inflated bytes.
async fn read(response: Response, body: &mut Vec<u8>) -> Result<(), ScrapeError> {
    body.clear();
    let announced = response.content_length().unwrap_or_default();
    if announced > LARGEST_BODY as u64 {
        return Err(ScrapeError::TooLarge {
            limit: LARGEST_BODY,
        });
    }
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| ScrapeError::BrokeOff {
            cause: innermost(&error),
        })?;
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(ScrapeError::TooLarge {
                limit: LARGEST_BODY,
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(())
}

fn classify(error: &reqwest::Error) -> ScrapeError {
    let cause = innermost(error);
    if error.is_connect() {
        if cause.contains("certificate") {
            ScrapeError::Certificate { cause }
        } else {
            ScrapeError::Connect { cause }
        }
    } else {
        ScrapeError::BrokeOff { cause }
    }
}

/// What the deepest cause says: the ones above it repeat the URL and "error sending request".
fn innermost(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    deepest.to_string()
}
