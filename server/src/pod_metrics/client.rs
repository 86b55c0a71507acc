//! Requests the page of a pod.
//!
//! The connection leads to the pod's address and nowhere else: there is no proxy, no name that is resolved, and no
//! redirect that is followed. Credentials are those of the rule that selects the pod.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use hyper::body::Incoming;
use kubevitals_proto::exposition;
use tokio::time::timeout;

use super::lanes::Lane;
use super::target::Target;
use crate::scrape::{BodyReader, Connection, Failure, ScrapeError, plain_config};

/// A response that is larger needs a place among the few large ones.
const LARGE: usize = 256 << 10;

const AGENT: &str = concat!("vitals-server/", env!("CARGO_PKG_VERSION"));

/// The timeout that the request names, in the header that Prometheus sends.
const TIMEOUT_SECONDS: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// A page.
pub(super) struct Response {
    pub(super) body: Vec<u8>,
    pub(super) content_type: Option<String>,
}

/// Requests the page of a target, over the connection in `idle` if that is still open. Leaves a connection there that
/// can be used again.
///
/// # Errors
/// There is no whole page within the timeout.
pub(super) async fn get(
    target: &Target,
    idle: &mut Option<Connection>,
    large: (&Lane, &Arc<str>),
) -> Result<Response, ScrapeError> {
    let limit = target.rule.timeout;
    let response = timeout(limit, get_untimed(target, idle, large)).await;
    response.unwrap_or(Err(ScrapeError::Timeout(limit.as_millis())))
}

async fn get_untimed(
    target: &Target,
    idle: &mut Option<Connection>,
    large: (&Lane, &Arc<str>),
) -> Result<Response, ScrapeError> {
    let path = Uri::builder().path_and_query(&*target.path).build();
    let path = path.map_err(|_| ScrapeError::BadPath(target.path.to_string()))?;
    let headers = headers(target);
    let origin = target.origin();
    let tls = match &target.rule.access.tls {
        Some(tls) => Arc::clone(&tls.config),
        None => plain_config(),
    };
    if let Some(connection) = idle.take().filter(|idle| idle.is_good(&origin, &tls)) {
        match exchange(connection, &path, &headers, target, large).await {
            Ok((response, connection)) => {
                *idle = connection;
                return Ok(response);
            }
            // The pod has just closed it.
            Err(failure) if failure.may_repeat => {}
            Err(failure) => return Err(failure.error),
        }
    }
    let name = target.rule.access.server_name.clone();
    let stream = Connection::dial(&origin).await?;
    let connection = Connection::open(&origin, stream, tls, name).await?;
    let answer = exchange(connection, &path, &headers, target, large).await;
    let (response, connection) = answer.map_err(|failure| failure.error)?;
    *idle = connection;
    Ok(response)
}

/// Sends a request and reads the response. Returns the connection too if it can be used again.
async fn exchange(
    connection: Connection,
    path: &Uri,
    headers: &HeaderMap,
    target: &Target,
    (lane, namespace): (&Lane, &Arc<str>),
) -> Result<(Response, Option<Connection>), Failure> {
    let limit = target.rule.bounds.body;
    connection
        .get(path, headers, async |response| {
            read(response, limit, lane, namespace).await
        })
        .await
}

/// Reads a response, at most `limit` bytes. A large one waits for a place.
async fn read(
    response: http::Response<Incoming>,
    limit: usize,
    lane: &Lane,
    namespace: &Arc<str>,
) -> Result<Response, ScrapeError> {
    let status = response.status();
    if status != StatusCode::OK {
        return Err(ScrapeError::Status(status));
    }
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type = content_type.map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
    let mut body = Vec::new();
    let mut place = None;
    let mut reader = BodyReader::new(response, &mut body);
    while let Some(length) = reader.next().await? {
        if length > limit {
            return Err(ScrapeError::TooLarge(limit));
        }
        if length > LARGE && place.is_none() {
            place = lane.enter(namespace).await;
        }
    }
    Ok(Response { body, content_type })
}

fn headers(target: &Target) -> HeaderMap {
    let mut headers = target.rule.access.headers.clone();
    headers.insert(ACCEPT, HeaderValue::from_static(exposition::ACCEPT));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    if let Ok(seconds) = HeaderValue::from_str(&seconds(target.rule.timeout)) {
        headers.insert(TIMEOUT_SECONDS, seconds);
    }
    headers
}

fn seconds(duration: Duration) -> String {
    duration.as_secs_f64().to_string()
}

/// What to do about an error.
pub(super) fn hint(error: &ScrapeError) -> String {
    match error {
        ScrapeError::Connect(_) => {
            "check that the pod listens on this port, and that network policies let this server reach it"
        }
        ScrapeError::Certificate(_) => {
            "use a rule of --pod-metrics-config with tls_config: ca_file and server_name, or insecure_skip_verify"
        }
        ScrapeError::Timeout(_) => "check the pod's load, and the timeout of its rule in --pod-metrics-config",
        ScrapeError::BrokeOff(_) => "check the pod's log; the server retries",
        ScrapeError::Status(status) if status.is_redirection() => {
            "redirects are not followed; set the annotation prometheus.io/path, scheme or port to where it leads"
        }
        ScrapeError::Status(status) => match status.as_u16() {
            401 | 403 => "give a rule of --pod-metrics-config credentials with http_config",
            404 => "set the annotation prometheus.io/path, or the path of its rule",
            _ => "look into the pod's log",
        },
        ScrapeError::TooLarge(_) => "expose less, or raise limits.body_size in --pod-metrics-config",
        _ => "check what listens on this address and port; it does not answer with metrics",
    }
    .to_owned()
}

/// The error as a clause about a pod.
pub(super) fn clause(error: &ScrapeError) -> String {
    match error {
        ScrapeError::Certificate(cause) => format!("its certificate is not accepted: {cause}"),
        ScrapeError::Status(status) if status.is_redirection() => {
            format!("it answered {status}, and redirects are not followed")
        }
        error => error.to_string(),
    }
}
