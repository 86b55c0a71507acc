//! The accept loop: TLS, HTTP/1.1 and HTTP/2, bounded, and drained at the end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// What one client may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at the same moment.
    pub connections: usize,
    /// Until the TLS handshake is done, and until a request's header is in.
    pub header: Duration,
    /// After the stop is asked for, until connections that are still busy are cut.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header: Duration::from_secs(10),
            drain: Duration::from_secs(10),
        }
    }
}

/// Serves until `stop` turns true, then lets requests under way finish.
pub async fn serve(
    listener: TcpListener,
    config: ServerConfig,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let places = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let builder = Arc::new(builder(limits));
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: waiting is all that helps.
                    tracing::warn!(%error, "cannot accept a connection; raise the limit of open files if this lasts");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stopped(&mut stop) => break,
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::debug!("too many connections; one was closed");
            continue;
        };
        let (acceptor, router, builder) = (acceptor.clone(), router.clone(), Arc::clone(&builder));
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            let _place = place;
            let _best_effort = stream.set_nodelay(true);
            let Ok(Ok(stream)) = timeout(limits.header, acceptor.accept(stream)).await else {
                tracing::debug!("a connection ended before its TLS handshake was done");
                return;
            };
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                router.clone().oneshot(request.map(axum::body::Body::new))
            });
            let connection = builder
                .serve_connection_with_upgrades(TokioIo::new(stream), service)
                .into_owned();
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::info!("some connections were still busy and are cut");
    }
}

/// Completes when `stop` is true, or nobody is left who could make it so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _true_or_gone = stop.wait_for(|stop| *stop).await;
}

fn builder(limits: Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(15))
        .max_concurrent_streams(250)
        .max_header_list_size(64 << 10);
    builder
}
