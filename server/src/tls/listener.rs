//! The accept loop: so many connections, and drained at the end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::connection::Serving;
use super::handshake::{Failures, TELL};
use super::idle_eviction::Room;
use super::{Limits, Tls};
use crate::telemetry::LogThrottle;

/// Until connections are accepted again after one could not be.
const PAUSE: Duration = Duration::from_millis(100);

/// Of so many places one may be a newcomer's that has not asked yet, and is kept before a stranger at rest.
const NEWCOMERS: usize = 4;

/// Serves until `stop` is cancelled, then lets requests under way finish. Connections that are still busy when it
/// returns, or is dropped, are cut.
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
    let (mut connections, room) = (JoinSet::new(), Room::default());
    let mut complaints = Complaints::new();
    loop {
        let accepted = tokio::select! {
            // In this order: those that have ended make room before the next one is counted.
            biased;
            () = stop.cancelled() => break,
            Some(_ended) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, client)) => {
                if room.unknown() >= limits.unknown {
                    complaints.many_unknown(limits.unknown);
                    if !room.make_of_unknown() {
                        metrics.refused.inc();
                        continue;
                    }
                    metrics.evicted.inc();
                } else if connections.len() >= limits.connections {
                    complaints.full(limits.connections);
                    if !room.make(limits.connections / NEWCOMERS) {
                        metrics.refused.inc();
                        continue;
                    }
                    metrics.evicted.inc();
                }
                let (serving, open) = (serving.clone(), metrics.open());
                connections.spawn(serving.serve(stream, client, room.enter(), open));
            }
            Err(error) if concerns_one(&error) => {
                tracing::debug!(%error, "a connection was gone before it was accepted");
            }
            Err(error) => {
                metrics.not_accepted.inc();
                complaints.cannot_accept(&error);
                // Waiting is all that helps.
                let _stopped = timeout(PAUSE, stop.cancelled()).await;
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.drain, all).await.is_err() {
        tracing::info!("some connections were still busy and are cut");
    }
}

/// Whether an error of accept is about the connection that was to be accepted, and says nothing of the next.
fn concerns_one(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// Says what goes on for long, once in a while.
struct Complaints {
    places: LogThrottle,
    unknown: LogThrottle,
    accepting: LogThrottle,
}

impl Complaints {
    fn new() -> Self {
        Self {
            places: LogThrottle::new(TELL),
            unknown: LogThrottle::new(TELL),
            accepting: LogThrottle::new(TELL),
        }
    }

    fn full(&mut self, places: usize) {
        if let Some(unreported) = self.places.allow() {
            tracing::warn!(
                unreported,
                "all {places} places for connections are taken; those without a request under way are cut, silent ones \
                 first, and newcomers are turned away if there are none",
            );
        }
    }

    fn many_unknown(&mut self, places: usize) {
        if let Some(unreported) = self.unknown.allow() {
            tracing::warn!(
                places,
                unreported,
                "all places for connections without an authenticated request are taken: the oldest idle one is closed \
                 for each new connection; if this lasts, restrict who can reach this port with a NetworkPolicy",
            );
        }
    }

    fn cannot_accept(&mut self, error: &io::Error) {
        if let Some(unreported) = self.accepting.allow() {
            tracing::warn!(
                %error,
                unreported,
                "cannot accept connections; raise the limit of open files if this lasts",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_is_gone_says_nothing_of_the_next() {
        for (number, expected) in [
            (103, true),  // ECONNABORTED
            (104, true),  // ECONNRESET
            (24, false),  // EMFILE
            (23, false),  // ENFILE
            (105, false), // ENOBUFS
        ] {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(concerns_one(&error), expected, "{error}");
        }
    }
}
