//! The listener and its connections: TLS, HTTP/1.1 or HTTP/2, and the cutting of all that for tests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::shared::Shared;

/// How long a client may take to shake hands.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether connections live. A change of `generation` ends the ones there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gate {
    /// New connections are reset.
    pub(super) cut: bool,
    /// The listener ends.
    pub(super) closed: bool,
    /// Counts the times that existing connections were dropped.
    pub(super) generation: u64,
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) certificates: Arc<[CertificateDer<'static>]>,
}

/// Accepts connections until the gate is closed.
pub(super) async fn accept(
    listener: TcpListener,
    tls: TlsAcceptor,
    shared: Arc<Shared>,
    mut gate: watch::Receiver<Gate>,
) {
    loop {
        let accepted = tokio::select! {
            closed = gate.wait_for(|g| g.closed) => { drop(closed); return }
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, address)) = accepted else {
            // Out of descriptors, most likely: leave it a moment to recover.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        if gate.borrow().cut {
            reset(stream);
            continue;
        }
        tokio::spawn(until_dropped(
            stream,
            address,
            tls.clone(),
            shared.clone(),
            gate.clone(),
        ));
    }
}

/// Serves one connection until it ends or the gate drops it.
async fn until_dropped(
    stream: TcpStream,
    address: SocketAddr,
    tls: TlsAcceptor,
    shared: Arc<Shared>,
    mut gate: watch::Receiver<Gate>,
) {
    let generation = gate.borrow_and_update().generation;
    tokio::select! {
        dropped = gate.wait_for(|g| g.closed || g.cut || g.generation != generation) => drop(dropped),
        () = serve(stream, address, tls, shared) => {}
    }
}

async fn serve(stream: TcpStream, address: SocketAddr, tls: TlsAcceptor, shared: Arc<Shared>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let stream = match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%address, %error, "TLS handshake failed"),
        Err(_) => return tracing::debug!(%address, "TLS handshake took too long"),
    };
    let certificates = stream
        .get_ref()
        .1
        .peer_certificates()
        .unwrap_or_default()
        .iter()
        .cloned()
        .collect();
    let peer = Peer {
        address,
        certificates,
    };
    converse(stream, peer, shared).await;
}

/// Answers the requests of one connection until it ends.
pub(super) async fn converse<S>(stream: S, peer: Peer, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let address = peer.address;
    let service = hyper::service::service_fn(move |request| {
        let (shared, peer) = (shared.clone(), peer.clone());
        // An error drops the connection without an answer.
        async move { shared.answer(request, &peer).await }
    });
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http2().max_concurrent_streams(250);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%address, %error, "connection ended");
    }
}

/// Closes a connection with RST: what a dead or fenced machine's peer sees.
fn reset(stream: TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "connection closed without a reset");
    }
}
