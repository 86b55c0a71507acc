//! Requests the state of one replica, and restores it while it arrives.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST, USER_AGENT};
use http::{HeaderName, Request, StatusCode};
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

/// The path of the state. It is no resource, so RBAC allows it by a non-resource rule.
pub const PATH: &str = "/state/v1";

/// The header with the id of the requesting process, by which a server recognizes its own request.
pub const PROCESS: HeaderName = HeaderName::from_static("x-kubevitals-process");

/// The timeout of a connection. A running replica answers at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The timeout of the transfer. The state of the largest cluster is some hundred megabytes.
pub(super) const TIMEOUT: Duration = Duration::from_secs(60);

/// The most bytes of a transfer.
const MAX_BYTES: u64 = 1 << 30;

/// Why a transfer failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransferError {
    /// The replica is this process.
    #[error("it is this process")]
    Itself,
    /// There is no connection.
    #[error("cannot connect: {0}")]
    Connect(#[source] Box<dyn Error + Send + Sync>),
    /// There are no credentials.
    #[error(transparent)]
    Credentials(#[from] ScrapeError),
    /// The response is an error.
    #[error(
        "the response is {0}; check that this service account may get {PATH} (deploy/base/rbac.yaml)"
    )]
    Status(StatusCode),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    BrokeOff(#[from] hyper::Error),
    /// The transfer took too long.
    #[error("the transfer did not end within {} s", TIMEOUT.as_secs())]
    Timeout,
    /// The state is too large.
    #[error("the state is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// The state is refused.
    #[error("the state is refused: {0}")]
    State(#[from] StateError),
}

/// Transfers the state of the replica at `address`, which must prove that it is `service`'s. Complete frames are
/// restored as they arrive, also if the transfer fails later. The caller limits the time to [`TIMEOUT`].
pub(super) async fn transfer(
    address: SocketAddr,
    service: &Service,
    credentials: &Credentials,
    parts: &StateParts,
    process: &str,
) -> Result<Restored, TransferError> {
    let host = format!("{}.{}.svc", service.name, service.namespace);
    let name =
        ServerName::try_from(host.clone()).map_err(|error| TransferError::Connect(error.into()))?;
    let tls = credentials
        .tls()
        .map_err(|error| TransferError::Connect(error.into()))?;
    let token = credentials.bearer()?;
    let connected = timeout(CONNECT_TIMEOUT, async {
        let stream = TcpStream::connect(address).await?;
        TlsConnector::from(tls).connect(name, stream).await
    });
    let stream = connected
        .await
        .map_err(|_| {
            TransferError::Connect(
                format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()).into(),
            )
        })?
        .map_err(|error| TransferError::Connect(error.into()))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // The task ends when the sender is dropped.
    tokio::spawn(async move { connection.await.ok() });

    const AGENT: &str = concat!("vitals-server/", env!("CARGO_PKG_VERSION"));
    let mut request = Request::get(PATH)
        .header(HOST, host)
        .header(USER_AGENT, AGENT)
        .header(PROCESS, process);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, token);
    }
    let request = request.body(Empty::<Bytes>::new());
    let request = request.map_err(|error| TransferError::Connect(error.into()))?;
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
        // Restoring takes CPU time: let other tasks run.
        tokio::task::yield_now().await;
    }
    decoder.finish()?;
    Ok(restorer.restored)
}
