//! Accepts connections up to the limits, and drains them at the end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::connection::Serving;
use super::handshake::{Failures, LOG_INTERVAL};
use super::idle_eviction::IdlePool;
use super::{Limits, Tls};
use crate::telemetry::LogThrottle;

/// The wait after an error of accept.
const PAUSE: Duration = Duration::from_millis(100);

/// One slot in this many is for new connections that have sent no request yet: while they use no more, anonymous idle
/// connections are evicted before them.
const SPARED_SHARE: usize = 4;

const SLOTS_IN_USE: &str = "all connection slots are in use: an idle connection is closed for \
    each new one, and new ones are refused if none is idle; find the client that opens so many";

const UNAUTHENTICATED_IN_USE: &str = "all slots for connections without an authenticated request \
    are in use: the oldest idle one is closed for each new connection; if this lasts, restrict who \
    can reach this port with a NetworkPolicy";

/// Serves until `stop` is cancelled, then lets requests in flight finish. Connections that are still busy when it
/// returns, or is dropped, are closed.
pub async fn serve(
    listener: TcpListener,
    tls: Tls,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let metrics = tls.metrics.clone();
    let serving = Serving {
        tls: Arc::new(tls),
        router,
        limits,
        failures: Arc::new(Failures::new()),
        stop: stop.clone(),
    };
    let (mut connections, pool) = (JoinSet::new(), IdlePool::default());
    // Each warning has a limit of its own.
    let [mut full, mut full_unauthenticated, mut failing] =
        [(); 3].map(|()| LogThrottle::new(LOG_INTERVAL));
    loop {
        let accepted = tokio::select! {
            // In this order: connections that have ended free their slots before the next one is counted.
            biased;
            () = stop.cancelled() => break,
            Some(_ended) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, client)) => {
                let evicted = if pool.unauthenticated() >= limits.unauthenticated {
                    let limit = limits.unauthenticated;
                    warn_full(&mut full_unauthenticated, limit, UNAUTHENTICATED_IN_USE);
                    Some(pool.evict_unauthenticated())
                } else if connections.len() >= limits.connections {
                    warn_full(&mut full, limits.connections, SLOTS_IN_USE);
                    Some(pool.evict(limits.connections / SPARED_SHARE))
                } else {
                    None
                };
                match evicted {
                    Some(true) => {
                        metrics.evicted.inc();
                    }
                    Some(false) => {
                        metrics.refused.inc();
                        continue;
                    }
                    None => {}
                }
                let (serving, open) = (serving.clone(), metrics.open());
                connections.spawn(serving.serve(stream, client, pool.add(), open));
            }
            Err(error) if concerns_only_this_connection(&error) => {
                tracing::debug!(%error, "a connection was closed before it was accepted");
            }
            Err(error) => {
                metrics.not_accepted.inc();
                if let Some(unreported) = failing.allow() {
                    tracing::warn!(
                        %error,
                        unreported,
                        "cannot accept connections; raise the limit of open files if this lasts",
                    );
                }
                let _stopped = timeout(PAUSE, stop.cancelled()).await;
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.drain, all).await.is_err() {
        tracing::info!("closed connections that were still busy at the end");
    }
}

/// Whether an error of accept concerns only the connection that was to be accepted.
fn concerns_only_this_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// Warns that all slots of a kind are in use.
fn warn_full(throttle: &mut LogThrottle, limit: usize, message: &str) {
    if let Some(unreported) = throttle.allow() {
        tracing::warn!(limit, unreported, "{message}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_some_errors_of_accept_concern_the_next_connection() {
        for (number, expected) in [
            (103, true),  // ECONNABORTED
            (104, true),  // ECONNRESET
            (24, false),  // EMFILE
            (23, false),  // ENFILE
            (105, false), // ENOBUFS
        ] {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(concerns_only_this_connection(&error), expected, "{error}");
        }
    }
}
