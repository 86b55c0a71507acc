//! A connection to one replica, which must prove that it belongs to the Service.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST, USER_AGENT};
use http::{HeaderName, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::scrape::{Credentials, ScrapeError};
use crate::state::wire::{Decoder, Item, StateError};
use crate::tls::Service;

/// The path of the state. It is no resource, so RBAC allows it by a non-resource rule.
pub const PATH: &str = "/state/v1";

/// The header with the id of the requesting process, by which a server recognizes its own request.
pub const PROCESS: HeaderName = HeaderName::from_static("x-kubevitals-process");

/// The timeout of a connection. A running replica answers at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The most bytes of a response.
const MAX_BYTES: u64 = 1 << 30;

/// Why a request to a replica failed.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
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
    /// The response took too long.
    #[error("the response did not end within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The response is too large.
    #[error("the response is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// The response is refused.
    #[error("the response is refused: {0}")]
    State(#[from] StateError),
}

/// A connection, which carries one request at a time.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    host: String,
}

impl Connection {
    /// Connects to the replica at `address` of `service`.
    pub(super) async fn open(
        address: SocketAddr,
        service: &Service,
        credentials: &Credentials,
    ) -> Result<Self, PeerError> {
        let host = format!("{}.{}.svc", service.name, service.namespace);
        let name =
            ServerName::try_from(host.clone()).map_err(|error| PeerError::Connect(error.into()))?;
        let tls = credentials
            .tls()
            .map_err(|error| PeerError::Connect(error.into()))?;
        let connected = timeout(CONNECT_TIMEOUT, async {
            let stream = TcpStream::connect(address).await?;
            TlsConnector::from(tls).connect(name, stream).await
        });
        let late = |_| {
            let text = format!("no connection within {} s", CONNECT_TIMEOUT.as_secs());
            PeerError::Connect(text.into())
        };
        let stream = connected.await.map_err(late)?;
        let stream = stream.map_err(|error| PeerError::Connect(error.into()))?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // The task ends when the sender is dropped.
        tokio::spawn(async move { connection.await.ok() });
        Ok(Self { sender, host })
    }

    /// Requests the state with this query string, which may be empty. `process` is the id of this process.
    pub(super) async fn get(
        &mut self,
        query: &str,
        credentials: &Credentials,
        process: &str,
    ) -> Result<Incoming, PeerError> {
        const AGENT: &str = concat!("vitals-server/", env!("CARGO_PKG_VERSION"));
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request = Request::get(format!("{PATH}{mark}{query}"))
            .header(HOST, &self.host)
            .header(USER_AGENT, AGENT)
            .header(PROCESS, process);
        if let Some(token) = credentials.bearer()? {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request.body(Empty::<Bytes>::new());
        let request = request.map_err(|error| PeerError::Connect(error.into()))?;
        let response = self.sender.send_request(request).await?;
        match response.status() {
            StatusCode::OK => Ok(response.into_body()),
            StatusCode::MISDIRECTED_REQUEST => Err(PeerError::Itself),
            status => Err(PeerError::Status(status)),
        }
    }
}

/// Reads the items of a response and calls `apply` for each as it arrives, also if the response fails later. Returns
/// the number of bytes.
pub(super) async fn receive(
    mut body: Incoming,
    apply: &mut (dyn FnMut(Item<'_>) -> Result<(), StateError> + Send),
) -> Result<u64, PeerError> {
    let (mut decoder, mut length) = (Decoder::default(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame?.into_data() else {
            continue;
        };
        length += chunk.len() as u64;
        if length > MAX_BYTES {
            return Err(PeerError::TooLarge);
        }
        decoder.push(&chunk, apply)?;
        // Applying takes CPU time: let other tasks run.
        tokio::task::yield_now().await;
    }
    decoder.finish()?;
    Ok(length)
}
