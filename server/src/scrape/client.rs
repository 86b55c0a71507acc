//! The client of kubelets: it tries the next address if one cannot be reached, reads the token again if it is refused,
//! and limits the size of bodies.

use std::io::Write;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use flate2::write::MultiGzDecoder;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Incoming};
use rustls::ClientConfig;
use tokio::time::{Instant, timeout, timeout_at};

use super::admission::{Part, Pass};
use super::buffers::Body;
use super::connection::{Connection, Failure, innermost};
use super::credentials::Credentials;
use super::failure::{Failed, ScrapeError};
use super::target::Target;
use super::trust::TlsError;

/// The largest body: 500 pods need about 1 MB of /metrics/resource, and 3 MB of /stats/summary.
pub(super) const LARGEST_BODY: usize = 16 << 20;

/// The timeout of a connection, so that there is time for the next address.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The time after which a pending TCP connection no longer counts as a concurrent request.
const ADMISSION_TIME: Duration = Duration::from_millis(250);

/// Sends requests to kubelets.
#[derive(Debug)]
pub struct Kubelets {
    credentials: Arc<Credentials>,
    timeout: Duration,
}

impl Kubelets {
    /// A client with these credentials. `timeout` limits one request from when it is sent.
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

    /// Requests `path`, with an optional query, and replaces `body` by the response. Returns the index of the origin that
    /// responded; `target` stores the connection.
    ///
    /// The client tries the next address if one cannot be reached or, for `/metrics/resource`, if its response is not from
    /// a kubelet. One timeout limits the connections, in equal parts for the remaining addresses; another one limits the
    /// time from the first request. Neither includes the wait for admission.
    ///
    /// # Errors
    /// The most informative failure with its address: a refused certificate says more than a failed connection.
    pub(super) async fn get(
        &self,
        target: &mut Target,
        path: &str,
        turn: &mut Turn<'_>,
        body: &mut Body<'_>,
    ) -> Result<usize, Failed> {
        let path = path_of(path).map_err(|error| Failed::at(target.best(), error))?;
        // The connection can be used again only after a complete response.
        let mut idle = target.take_connection();
        let (count, mut answered) = (target.len(), None);
        for (position, (index, origin)) in target.origins().enumerate().skip(turn.tried) {
            turn.tried = position + 1;
            let left = u32::try_from(count - position).unwrap_or(u32::MAX).max(1);
            let attempt = Attempt {
                origin,
                path: &path,
                share: self.timeout / left,
            };
            let request = self.get_from(&attempt, &mut idle, turn, body);
            let Err(error) = request.await else {
                answered = Some(index);
                break;
            };
            let next = error.concerns_address() || (turn.resource && error.is_not_a_kubelets());
            turn.record_error(origin, error);
            if !next {
                break;
            }
        }
        target.put_connection(idle);
        answered.ok_or_else(|| turn.failure())
    }

    /// Requests the path from one address. It uses the connection in `idle` if that leads to the address, and leaves a
    /// reusable connection there.
    async fn get_from(
        &self,
        attempt: &Attempt<'_>,
        idle: &mut Option<Connection>,
        turn: &mut Turn<'_>,
        body: &mut Body<'_>,
    ) -> Result<(), ScrapeError> {
        let bearer = self.credentials.bearer()?;
        let (mut status, mut connection) = self
            .send(attempt, bearer.as_ref(), idle.take(), turn, body)
            .await?;
        // The token, or our certificate, may have rotated since it was read.
        if status == StatusCode::UNAUTHORIZED && self.credentials.refresh(bearer.as_ref()) {
            let bearer = self.credentials.bearer()?;
            (status, connection) = self
                .send(attempt, bearer.as_ref(), connection, turn, body)
                .await?;
        }
        turn.pass.answered();
        *idle = connection;
        match status {
            StatusCode::OK => Ok(()),
            status => Err(ScrapeError::Status(status)),
        }
    }

    /// Sends a request over the connection in `idle` if it is good, or else over a new one, and reads the response.
    /// Returns its status, and the connection if it can be used again.
    async fn send(
        &self,
        &Attempt {
            origin,
            path,
            share,
        }: &Attempt<'_>,
        bearer: Option<&HeaderValue>,
        idle: Option<Connection>,
        turn: &mut Turn<'_>,
        body: &mut Body<'_>,
    ) -> Result<(StatusCode, Option<Connection>), ScrapeError> {
        let headers = headers(bearer);
        let tls = self
            .credentials
            .tls()
            .map_err(|error| ScrapeError::Connect(error.to_string()))?;
        if let Some(connection) = idle.filter(|idle| idle.is_good(origin, &tls)) {
            let answer = self.exchange(connection, path, &headers, turn, body);
            match answer.await {
                Err(failure) if failure.may_repeat => {}
                answer => return answer.map_err(|failure| failure.error),
            }
        }
        let connection = connect(origin, tls, share, &mut turn.pass).await?;
        let answer = self.exchange(connection, path, &headers, turn, body);
        answer.await.map_err(|failure| failure.error)
    }

    /// Sends a request over a connection, and reads the response until the deadline.
    async fn exchange(
        &self,
        connection: Connection,
        path: &Uri,
        headers: &HeaderMap,
        turn: &mut Turn<'_>,
        body: &mut Body<'_>,
    ) -> Result<(StatusCode, Option<Connection>), Failure> {
        turn.pass.begin(Part::Request);
        let deadline = *turn
            .deadline
            .get_or_insert_with(|| Instant::now() + self.timeout);
        let answer = connection.get(path, headers, async |response| read(response, body).await);
        timeout_at(deadline, answer).await.unwrap_or_else(|_| {
            turn.pass.timed_out();
            Err(Failure {
                error: ScrapeError::Timeout(self.timeout.as_millis()),
                may_repeat: false,
            })
        })
    }
}

/// A request to one address.
struct Attempt<'a> {
    origin: &'a str,
    path: &'a Uri,
    /// The time for a new connection, and again for its handshake.
    share: Duration,
}

/// A request for one page, over all addresses of a node.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pass: Pass<'a>,
    /// The page is `/metrics/resource`, which every kubelet has.
    resource: bool,
    /// The number of addresses that have been tried.
    tried: usize,
    /// The deadline of the response, from when the first request is sent.
    deadline: Option<Instant>,
    failed: Option<Failed>,
}

impl<'a> Turn<'a> {
    /// A request for `/metrics/resource` or another page.
    pub(super) const fn new(pass: Pass<'a>, resource: bool) -> Self {
        Self {
            pass,
            resource,
            tried: 0,
            deadline: None,
            failed: None,
        }
    }

    /// A request for another page, with the same admission.
    pub(super) fn and_page(self) -> Self {
        Self::new(self.pass, false)
    }

    /// Whether there are addresses left.
    pub(super) fn has_next(&self, target: &Target) -> bool {
        self.tried < target.len()
    }

    /// Records the error of an address.
    pub(super) fn record_error(&mut self, origin: &str, error: ScrapeError) {
        if self.failed.is_none() || error.is_informative() {
            self.failed = Some(Failed::at(origin, error));
        }
    }

    /// The most informative failure.
    pub(super) fn failure(&mut self) -> Failed {
        let none = || Failed::at("none", ScrapeError::BadAddress(String::new()));
        self.failed.take().unwrap_or_else(none)
    }
}

/// Connects within `share`. While a TCP connection is pending for long, other requests use its slot, so that an
/// unreachable node does not delay others.
async fn connect(
    origin: &str,
    tls: Arc<ClientConfig>,
    share: Duration,
    pass: &mut Pass<'_>,
) -> Result<Connection, ScrapeError> {
    pass.for_handshake().await;
    let limit = CONNECT_TIMEOUT.min(share);
    let dialled = timeout(limit, async {
        let mut dialling = pin!(Connection::dial(origin));
        match timeout(ADMISSION_TIME, &mut dialling).await {
            Ok(dialled) => dialled,
            Err(_) => {
                pass.release();
                dialling.await
            }
        }
    });
    let no_answer = |of, within: Duration| {
        ScrapeError::Connect(format!("no {of} within {} s", within.as_secs_f32()))
    };
    let stream = dialled.await.map_err(|_| no_answer("answer", limit))??;
    pass.for_handshake().await;
    pass.begin(Part::Handshake);
    let Ok(connection) = timeout(share, Connection::open(origin, stream, tls, None)).await else {
        pass.timed_out();
        return Err(no_answer("TLS handshake", share));
    };
    pass.answered();
    connection
}

/// Parses a path with a query; a node's annotation must not change the address.
fn path_of(path: &str) -> Result<Uri, ScrapeError> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    Uri::builder()
        .path_and_query(format!("{slash}{path}"))
        .build()
        // An annotation may be long.
        .map_err(|_| ScrapeError::BadPath(path.chars().take(100).collect()))
}

fn headers(bearer: Option<&HeaderValue>) -> HeaderMap {
    const AGENT: &str = concat!("vitals-server/", env!("CARGO_PKG_VERSION"));
    let mut headers = HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("text/plain,*/*;q=0.5")),
        // Inside a cluster compression costs more than it saves: 22 MB/s of metrics from 5,000 nodes need a twentieth
        // of a core to inflate. The client still accepts compressed responses.
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        (USER_AGENT, HeaderValue::from_static(AGENT)),
    ]);
    if let Some(bearer) = bearer {
        headers.insert(AUTHORIZATION, bearer.clone());
    }
    headers
}

/// Reads a response: a body up to the limit, which applies to decompressed bytes. Discards the body of a refusal, so that
/// the next request needs no handshake. Returns the status.
async fn read(
    response: Response<Incoming>,
    body: &mut Body<'_>,
) -> Result<StatusCode, ScrapeError> {
    /// The largest discarded body; a kubelet's refusal is one line.
    const LARGEST_REFUSAL: usize = 16 << 10;
    const TOO_LARGE: ScrapeError = ScrapeError::TooLarge(LARGEST_BODY);
    let status = response.status();
    if status != StatusCode::OK {
        let refusal = Limited::new(response.into_body(), LARGEST_REFUSAL);
        // If it breaks off, the connection is not used again; the status is known.
        let _discarded = refusal.collect().await;
        return Ok(status);
    }
    let mut reader = BodyReader::new(response, body.start());
    while let Some(length) = reader.next().await? {
        if length > LARGEST_BODY {
            return Err(TOO_LARGE);
        }
    }
    Ok(status)
}

/// Reads the body of a response chunk by chunk, decompressed. The caller bounds its length.
pub(crate) struct BodyReader<'a> {
    frames: Incoming,
    body: &'a mut Vec<u8>,
    inflate: Option<MultiGzDecoder<Vec<u8>>>,
    begun: bool,
}

impl<'a> BodyReader<'a> {
    /// Reads the body of `response` into `body`.
    pub(crate) fn new(response: Response<Incoming>, body: &'a mut Vec<u8>) -> Self {
        let encoding = response.headers().get(CONTENT_ENCODING);
        let gzip = encoding.is_some_and(|encoding| encoding == "gzip");
        Self {
            inflate: gzip.then(|| MultiGzDecoder::new(std::mem::take(body))),
            frames: response.into_body(),
            body,
            begun: false,
        }
    }

    /// The length after the next chunk, and before the first one the length that the response announces; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<usize>, ScrapeError> {
        if !std::mem::replace(&mut self.begun, true) {
            let announced = usize::try_from(self.frames.size_hint().lower());
            return Ok(Some(announced.unwrap_or(usize::MAX)));
        }
        while let Some(frame) = self.frames.frame().await {
            let frame = frame.map_err(|error| ScrapeError::BrokeOff(innermost(&error)))?;
            let Ok(chunk) = frame.into_data() else {
                continue;
            };
            return match &mut self.inflate {
                None => {
                    if self.body.is_empty() {
                        let announced = usize::try_from(self.frames.size_hint().lower());
                        self.body
                            .reserve(chunk.len().saturating_add(announced.unwrap_or_default()));
                    }
                    self.body.extend_from_slice(&chunk);
                    Ok(Some(self.body.len()))
                }
                // A chunk is small, so its inflated size, at most a thousand times as much, is bounded.
                Some(inflate) => {
                    inflate.write_all(&chunk).map_err(damaged)?;
                    Ok(Some(inflate.get_ref().len()))
                }
            };
        }
        if let Some(inflate) = self.inflate.take() {
            *self.body = inflate.finish().map_err(damaged)?;
        }
        Ok(None)
    }
}

fn damaged(error: std::io::Error) -> ScrapeError {
    ScrapeError::Malformed(format!("it is damaged gzip: {error}"))
}
