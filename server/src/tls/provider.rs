//! The cryptography of the process.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

/// The cryptography of the process; ring, unless another is installed. Call it before a library makes a client (kube,
/// reqwest): with two providers built in, rustls does not choose one, and the library fails.
pub fn provider() -> Arc<CryptoProvider> {
    if let Some(installed) = CryptoProvider::get_default() {
        return Arc::clone(installed);
    }
    // Fails if another thread was first, whose provider then applies.
    let _ = ring::default_provider().install_default();
    CryptoProvider::get_default().map_or_else(|| Arc::new(ring::default_provider()), Arc::clone)
}
