//! How many connections there may be, and how long each step of one may take.

use std::time::Duration;

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at the same moment.
    pub connections: usize,
    /// Of these, connections that have brought no request of somebody whom we know. Each may hold
    /// [`UNKNOWN_BYTES`] of memory.
    pub unknown: usize,
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
            unknown: 256,
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

/// The most memory that a connection takes before its first request is in, in bytes: hyper's buffer for the header, which
/// grows by doubling and may be twice as long as the longest header, and 32 KiB for TLS (a record of 16 KiB that is not
/// whole yet, and one that is decrypted). With 256 of them it is 40 MiB, for which the smallest memory limit that
/// docs/operations.md recommends (256Mi) has room beside everything else.
pub const UNKNOWN_BYTES: usize = 2 * HEADER_BYTES + (32 << 10);

/// The most bytes of an HTTP/1.1 request's line and header, and of an HTTP/2 header list: enough for a user of
/// hundreds of groups behind a front proxy, and for the longest token. A longer HTTP/1.1 header is refused, and no more
/// is read once so much is there.
pub(super) const HEADER_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_of_nobody_we_know_fit_into_the_smallest_recommended_limit() {
        let limits = Limits::default();
        assert!(limits.unknown < limits.connections);
        assert!(limits.unknown * UNKNOWN_BYTES <= 40 << 20);
    }
}
