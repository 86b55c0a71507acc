//! The pools of values that objects share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::intern::{Interner, Pool};
use super::metadata::WireMeta;
use super::owner::Owner;
use super::port::Port;
use super::template::PodTemplate;
use crate::labels::Labels;

/// The values that objects share.
#[derive(Debug, Default)]
pub struct Pools {
    /// Names and other texts that recur.
    pub names: Interner,
    pub(super) labels: Pool<Labels>,
    pub(super) owners: Pool<Arc<Owner>>,
    pub(super) templates: Pool<Arc<PodTemplate>>,
    pub(super) ports: Pool<Arc<[Port]>>,
    endpoints: AtomicBool,
}

impl Pools {
    /// Stores the endpoints of pods from now on ([`Pod::endpoint`](super::Pod::endpoint)).
    pub fn store_endpoints(&self) {
        self.endpoints.store(true, Relaxed);
    }

    /// Whether to store the endpoints of pods.
    pub(super) fn stores_endpoints(&self) -> bool {
        self.endpoints.load(Relaxed)
    }

    /// The labels of an object, shared with all objects that have the same labels.
    pub(super) fn labels(&self, metadata: &WireMeta) -> Labels {
        let labels = metadata.labels.iter();
        let labels: Labels = labels
            .map(|(key, value)| (self.names.intern(key), self.names.intern(value)))
            .collect();
        if labels.is_empty() {
            // Empty sets share their memory without a pool.
            return labels;
        }
        self.labels.share(labels)
    }
}
