//! The cryptography of all that is served.

use rustls::crypto::{CryptoProvider, ring};

/// The cryptography of all that is served.
pub(super) fn provider() -> CryptoProvider {
    ring::default_provider()
}
