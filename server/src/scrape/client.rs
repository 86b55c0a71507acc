//! Asking kubelets: the next address when one cannot be reached, a fresh token when one is refused, a bounded
//! body.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use flate2::write::MultiGzDecoder;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout, timeout_at};

use super::connection::{Connection, innermost};
use super::credentials::Credentials;
use super::failure::{Failed, ScrapeError};
use super::target::Target;
use super::trust::TlsError;

/// More than any kubelet says: 500 pods are about 1 MB of /metrics/resource, and 3 MB of /stats/summary.
pub(super) const LARGEST_BODY: usize = 32 << 20;

/// An address that cannot be reached is given up after this long, so that there is time for the next.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Asks kubelets.
#[derive(Debug)]
pub struct Kubelets {
    credentials: Arc<Credentials>,
    timeout: Duration,
}

impl Kubelets {
    /// Asks with these credentials; `timeout` bounds one request in all, every address together.
    ///
    /// # Errors
    /// When a certificate, a key or a CA cannot be used.
    pub fn new(credentials: Arc<Credentials>, timeout: Duration) -> Result<Self, TlsError> {
        credentials.tls()?;
        Ok(Self {
            credentials,
            timeout,
        })
    }

    /// How long a request may take.
    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
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
        // Kept again when its answer is in, whatever that is: one that is given up in the midst of an answer is of no
        // more use.
        let mut kept = target.take_connection();
        for (index, origin) in target.origins() {
            let asked = self.get_from(origin, path, &mut kept, body);
            let error = match timeout_at(deadline, asked).await {
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
            target.answered(index, kept);
            return Ok(());
        }
        target.keep(kept);
        Err(failed.unwrap_or_else(|| {
            let address = String::new();
            Failed::at("none", ScrapeError::BadAddress { address })
        }))
    }

    /// Asks one address. `kept` is used if it leads there, and holds a connection that can be used again when this
    /// succeeds.
    async fn get_from(
        &self,
        origin: &str,
        path: &str,
        kept: &mut Option<Connection>,
        body: &mut Vec<u8>,
    ) -> Result<(), ScrapeError> {
        let path = path_of(path)?;
        let bearer = self.credentials.bearer()?;
        let (mut connection, mut response) = self
            .send(origin, &path, bearer.as_ref(), kept.take())
            .await?;
        // The token, or our certificate, may have rotated since it was read.
        if response.status() == StatusCode::UNAUTHORIZED
            && self.credentials.refresh(bearer.as_ref())
        {
            let bearer = self.credentials.bearer()?;
            (connection, response) = self.send(origin, &path, bearer.as_ref(), None).await?;
        }
        if response.status() != StatusCode::OK {
            let status = response.status();
            // A page that a kubelet does not give must not cost the next one a handshake.
            *kept = drained(response).await.then_some(connection);
            return Err(ScrapeError::Status { status });
        }
        read(response, body).await?;
        *kept = Some(connection);
        Ok(())
    }

    async fn send(
        &self,
        origin: &str,
        path: &Uri,
        bearer: Option<&HeaderValue>,
        kept: Option<Connection>,
    ) -> Result<(Connection, Response<Incoming>), ScrapeError> {
        let headers = headers(bearer);
        let tls = self
            .credentials
            .tls()
            .map_err(|error| ScrapeError::Connect {
                cause: error.to_string(),
            })?;
        if let Some(mut connection) = kept.filter(|kept| kept.is_good(origin, &tls))
            && let Ok(response) = connection.get(path, &headers).await
        {
            return Ok((connection, response));
        }
        // None was kept, or the kubelet closed it just now: nothing was answered, and a GET may be repeated.
        let open = timeout(CONNECT_TIMEOUT, Connection::open(origin, tls)).await;
        let mut connection = open.map_err(|_| ScrapeError::Connect {
            cause: format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()),
        })??;
        let response = connection.get(path, &headers).await?;
        Ok((connection, response))
    }
}

/// Nothing but a path and a query: what a node's annotation gives must not become part of the address.
fn path_of(path: &str) -> Result<Uri, ScrapeError> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    Uri::builder()
        .path_and_query(format!("{slash}{path}"))
        .build()
        .map_err(|_| ScrapeError::BadPath {
            // An annotation may be long.
            path: path.chars().take(100).collect(),
        })
}

fn headers(bearer: Option<&HeaderValue>) -> HeaderMap {
    const AGENT: &str = concat!("vitals-server/", env!("CARGO_PKG_VERSION"));
    let mut headers = HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("text/plain,*/*;q=0.5")),
        // Compressed answers cost both sides more than they save inside a cluster: 22 MB/s of metrics from
        // 5,000 nodes would be a twentieth of a core to inflate. What comes compressed all the same is read.
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        (USER_AGENT, HeaderValue::from_static(AGENT)),
    ]);
    if let Some(bearer) = bearer {
        headers.insert(AUTHORIZATION, bearer.clone());
    }
    headers
}

/// Whether the rest of an answer that nobody wants was read, so that its connection can be used again.
async fn drained(response: Response<Incoming>) -> bool {
    /// What a kubelet says when it refuses is a line.
    const LARGEST: usize = 16 << 10;
    let mut frames = response.into_body();
    let mut read = 0;
    while let Some(frame) = frames.frame().await {
        let Ok(frame) = frame else {
            return false;
        };
        read += frame.data_ref().map_or(0, bytes::Bytes::len);
        if read > LARGEST {
            return false;
        }
    }
    true
}

/// Reads a body up to the limit, which holds for the inflated bytes.
async fn read(response: Response<Incoming>, body: &mut Vec<u8>) -> Result<(), ScrapeError> {
    const TOO_LARGE: ScrapeError = ScrapeError::TooLarge {
        limit: LARGEST_BODY,
    };
    body.clear();
    let gzip = response
        .headers()
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding == "gzip");
    let mut frames = response.into_body();
    if frames.size_hint().lower() > LARGEST_BODY as u64 {
        return Err(TOO_LARGE);
    }
    let mut inflate = gzip.then(|| MultiGzDecoder::new(std::mem::take(body)));
    while let Some(frame) = frames.frame().await {
        let frame = frame.map_err(|error| ScrapeError::BrokeOff {
            cause: innermost(&error),
        })?;
        let Ok(chunk) = frame.into_data() else {
            continue;
        };
        let length = match &mut inflate {
            None => {
                body.extend_from_slice(&chunk);
                body.len()
            }
            // A chunk is small, and so is what it can inflate to: a thousand times as much.
            Some(inflate) => {
                inflate.write_all(&chunk).map_err(damaged)?;
                inflate.get_ref().len()
            }
        };
        if length > LARGEST_BODY {
            return Err(TOO_LARGE);
        }
    }
    if let Some(inflate) = inflate {
        *body = inflate.finish().map_err(damaged)?;
    }
    Ok(())
}

fn damaged(error: std::io::Error) -> ScrapeError {
    ScrapeError::Malformed {
        cause: format!("it is damaged gzip: {error}"),
    }
}
