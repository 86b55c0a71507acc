//! The limits of connections and the timeouts of their steps.

use std::time::Duration;

/// The limits of connections and the timeouts of their steps.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Of these, connections without an authenticated request. Each may use [`UNAUTHENTICATED_BYTES`] of memory.
    pub unauthenticated: usize,
    /// The timeout of the TLS handshake, and of the wait for the first request's header after it.
    pub header: Duration,
    /// How long a connection may be idle between two requests.
    pub idle: Duration,
    /// From a request's header to the last byte of its response.
    pub request: Duration,
    /// From the graceful shutdown of a connection until it is closed even if it is busy.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            unauthenticated: 256,
            header: Duration::from_secs(10),
            // Go's clients, among them the kube-apiserver, close an idle connection after 90 s. If the server closed
            // it earlier, a request could be on its way into a connection that is closing.
            idle: Duration::from_secs(120),
            // The default timeout of a request in Kubernetes.
            request: Duration::from_secs(60),
            drain: Duration::from_secs(10),
        }
    }
}

/// The most memory of a connection before its first request, in bytes: hyper's buffer for the header, which doubles
/// its size and may be twice as long as the longest header, and 32 KiB for TLS (an incomplete record of 16 KiB and a
/// decrypted one). For 256 connections that is 40 MiB, which fits into the smallest memory limit that
/// docs/operations.md recommends (256Mi).
pub const UNAUTHENTICATED_BYTES: usize = 2 * HEADER_BYTES + (32 << 10);

/// The most bytes of an HTTP/1.1 request line and header, and of an HTTP/2 header list: enough for a user of hundreds
/// of groups behind a front proxy, and for the longest token. A longer header is refused, and the server reads no
/// more of it.
pub(super) const HEADER_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unauthenticated_connections_fit_into_the_smallest_recommended_limit() {
        let limits = Limits::default();
        assert!(limits.unauthenticated < limits.connections);
        assert!(limits.unauthenticated * UNAUTHENTICATED_BYTES <= 40 << 20);
    }
}
