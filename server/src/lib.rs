//! The metrics server.
