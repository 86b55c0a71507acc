//! How many connections there may be, and how long each step of one may take.

use std::time::Duration;

/// What connections may take.
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
