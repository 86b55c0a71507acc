//! One request to another replica, and the taking in of its answer as it comes.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::scrape::{Credentials, ScrapeError};
use crate::state::wire::{Decoder, StateError};
use crate::state::{Origin, Restored, StateParts};
use crate::tls::Service;

/// Where a server's state is asked for. Not a resource: who may get it is said by a rule for the path.
pub const PATH: &str = "/state/v1";

/// By this header a server tells which process it is, so that it does not ask itself.
pub const PROCESS: HeaderName = HeaderName::from_static("x-kubevitals-process");

/// A replica that is there answers at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// All of it: the hour of the largest cluster is some hundred megabytes.
const TIMEOUT: Duration = Duration::from_secs(60);

/// And not more than this.
const MAX_BYTES: u64 = 1 << 30;

/// Why there is no state.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransferError {
    /// It is this very process.
    #[error("it is this process")]
    Itself,
    /// No connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// No credentials.
    #[error(transparent)]
    Credentials(#[from] ScrapeError),
    /// Another answer than the state.
    #[error(
        "it answered {0}; see that this service account may get {PATH} (deploy/base/rbac.yaml)"
    )]
    Status(StatusCode),
    /// It broke off.
    #[error("its answer broke off: {0}")]
    BrokeOff(#[from] hyper::Error),
    /// It took too long.
    #[error("no whole answer within {} s", TIMEOUT.as_secs())]
    Timeout,
    /// It says too much.
    #[error("its answer is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// It is not what it should be.
    #[error("its answer is not taken: {0}")]
    State(#[from] StateError),
}

/// Asks the server at `address`, which has to prove that it is `service`'s. What is whole is taken in as it comes, even
/// if something goes wrong later.
pub(super) async fn transfer(
    address: SocketAddr,
    service: &Service,
    credentials: &Credentials,
    parts: &StateParts,
    process: &str,
) -> Result<Restored, TransferError> {
    let transferred = receive(address, service, credentials, parts, process);
    timeout(TIMEOUT, transferred)
        .await
        .map_err(|_| TransferError::Timeout)?
}

async fn receive(
    address: SocketAddr,
    service: &Service,
    credentials: &Credentials,
    parts: &StateParts,
    process: &str,
) -> Result<Restored, TransferError> {
    let failed = |error: &dyn std::error::Error| TransferError::Connect(error.to_string());
    let host = format!("{}.{}.svc", service.name, service.namespace);
    let name = ServerName::try_from(host.clone()).map_err(|error| failed(&error))?;
    let tls = credentials.tls().map_err(|error| failed(&error))?;
    let token = credentials.bearer()?;
    let connected = timeout(CONNECT_TIMEOUT, async {
        let stream = TcpStream::connect(address).await?;
        TlsConnector::from(tls).connect(name, stream).await
    });
    let stream = connected
        .await
        .map_err(|_| {
            TransferError::Connect(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))
        })?
        .map_err(|error| failed(&error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends when the sender is dropped.
    tokio::spawn(async move { connection.await.ok() });

    let mut request = Request::new(Empty::<Bytes>::new());
    *request.uri_mut() = http::Uri::from_static(PATH);
    let headers = request.headers_mut();
    const AGENT: &str = concat!("vitals-server/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    for (header, value) in [(HOST, &*host), (PROCESS, process)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(header, value);
        }
    }
    if let Some(token) = token {
        headers.insert(AUTHORIZATION, token);
    }
    let response = sender.send_request(request).await?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::MISDIRECTED_REQUEST => return Err(TransferError::Itself),
        status => return Err(TransferError::Status(status)),
    }
    let (mut body, mut length) = (response.into_body(), 0);
    let (mut decoder, mut restorer) = (Decoder::default(), parts.restorer(Origin::Peer));
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame?.into_data() else {
            continue;
        };
        length += chunk.len() as u64;
        if length > MAX_BYTES {
            return Err(TransferError::TooLarge);
        }
        decoder.push(&chunk, &mut |item| restorer.apply(item))?;
        // What is taken in is work; others have theirs.
        tokio::task::yield_now().await;
    }
    decoder.finish()?;
    Ok(restorer.restored)
}
