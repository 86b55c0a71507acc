//! The cryptography of the process.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

/// The cryptography of the process, ring where none is chosen. Everything here uses it, and so do libraries that make
/// clients (kube, reqwest), which fail until one is chosen: rustls does not choose where two are built in.
pub fn provider() -> Arc<CryptoProvider> {
    if let Some(chosen) = CryptoProvider::get_default() {
        return Arc::clone(chosen);
    }
    // Another thread may have been first, and then that is what holds.
    let _ = ring::default_provider().install_default();
    CryptoProvider::get_default().map_or_else(|| Arc::new(ring::default_provider()), Arc::clone)
}
