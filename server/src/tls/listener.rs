//! The accept loop: so many connections, and drained at the end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Tls;
use super::connection::Serving;
use super::handshake::Failures;
use super::room::Room;
use crate::telemetry::Quiet;

/// How often trouble that lasts is told.
pub(super) const TELL: Duration = Duration::from_secs(60);

/// Until connections are accepted again after one could not be.
const PAUSE: Duration = Duration::from_millis(100);

/// Of so many places one may be a newcomer's that has not asked yet, and is kept before a stranger at rest.
const NEWCOMERS: usize = 4;

/// What one client may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at the same moment.
    pub connections: usize,
    /// Until the TLS handshake is done, and from there until the first request's header is in.
    pub header: Duration,
    /// Between two requests of a connection.
    pub idle: Duration,
    /// From a request's header to the last byte of its answer.
    pub request: Duration,
    /// After a connection is told to go, until it is cut if it is still busy.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header: Duration::from_secs(10),
            // Go's clients, the kube-apiserver among them, give up an idle connection after 90 s. Were it
            // given up here first, a request could be on its way into a connection that is just closing.
            idle: Duration::from_secs(120),
            // What Kubernetes gives a request.
            request: Duration::from_secs(60),
            drain: Duration::from_secs(10),
        }
    }
}

/// Serves until `stop` turns true, then lets requests under way finish. Connections that are still busy when it
/// returns, or is dropped, are cut.
pub async fn serve(
    listener: TcpListener,
    tls: Tls,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let counts = Arc::clone(&tls.counts);
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
            () = stopped(&mut stop) => break,
            Some(_ended) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, client)) => {
                if connections.len() >= limits.connections {
                    complaints.full(limits.connections);
                    if !room.make(limits.connections / NEWCOMERS) {
                        counts.turned_away();
                        continue;
                    }
                    counts.made_room();
                }
                let (serving, open) = (serving.clone(), counts.open());
                connections.spawn(serving.serve(stream, client, room.enter(), open));
            }
            Err(error) if concerns_one(&error) => {
                tracing::debug!(%error, "a connection was gone before it was accepted");
            }
            Err(error) => {
                counts.not_accepted();
                complaints.cannot_accept(&error);
                // Waiting is all that helps.
                let _stopped = timeout(PAUSE, stopped(&mut stop)).await;
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.drain, all).await.is_err() {
        tracing::info!("some connections were still busy and are cut");
    }
}

/// Completes when `stop` is true, or nobody is left who could make it so.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _true_or_gone = stop.wait_for(|stop| *stop).await;
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
    places: Quiet,
    accepting: Quiet,
}

impl Complaints {
    fn new() -> Self {
        Self {
            places: Quiet::new(TELL),
            accepting: Quiet::new(TELL),
        }
    }

    fn full(&mut self, places: usize) {
        if let Some(unreported) = self.places.speak() {
            tracing::warn!(
                unreported,
                "all {places} places for connections are taken; those without a request under way are cut, silent ones \
                 first, and newcomers are turned away if there are none",
            );
        }
    }

    fn cannot_accept(&mut self, error: &io::Error) {
        if let Some(unreported) = self.accepting.speak() {
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
