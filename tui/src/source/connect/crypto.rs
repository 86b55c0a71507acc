//! The cryptography provider.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, KeyProvider, aws_lc_rs, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;

/// The cryptography provider of the process: the installed one, else one with all algorithms of ring and aws-lc.
pub fn provider() -> Arc<CryptoProvider> {
    if let Some(installed) = CryptoProvider::get_default() {
        return Arc::clone(installed);
    }
    // Another thread may have installed one first.
    let _ = joined().install_default();
    CryptoProvider::get_default().map_or_else(|| Arc::new(joined()), Arc::clone)
}

/// ring, with what only aws-lc has: P-521, ML-DSA and post-quantum key exchange. aws-lc measures the jitter of the CPU
/// for 30 ms before its first random number, which most connections do not need.
fn joined() -> CryptoProvider {
    let (mut provider, other) = (ring::default_provider(), aws_lc_rs::default_provider());
    for group in other.kx_groups {
        if provider
            .kx_groups
            .iter()
            .all(|own| own.name() != group.name())
        {
            provider.kx_groups.push(group);
        }
    }
    CryptoProvider {
        // aws-lc verifies all signatures that ring verifies, and needs no random numbers for it.
        signature_verification_algorithms: other.signature_verification_algorithms,
        key_provider: &Keys,
        ..provider
    }
}

/// Loads private keys with ring, and those that ring does not support with aws-lc.
#[derive(Debug)]
struct Keys;

impl KeyProvider for Keys {
    fn load_private_key(
        &self,
        key: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        let keys = ring::default_provider().key_provider;
        keys.load_private_key(key.clone_key()).or_else(|_| {
            let keys = aws_lc_rs::default_provider().key_provider;
            keys.load_private_key(key)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_aws_lc_offers_is_missing() {
        let (joined, other) = (joined(), aws_lc_rs::default_provider());
        let groups = |provider: &CryptoProvider| -> Vec<_> {
            provider
                .kx_groups
                .iter()
                .map(|group| group.name())
                .collect()
        };
        assert_eq!(groups(&joined), groups(&other));
        let suites = |provider: &CryptoProvider| -> Vec<_> {
            provider
                .cipher_suites
                .iter()
                .map(|suite| suite.suite())
                .collect()
        };
        assert_eq!(suites(&joined), suites(&other));
    }
}
