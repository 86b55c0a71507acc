//! What every request needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use bytes::Bytes;
use parking_lot::RwLock;
use tokio::sync::watch;

use super::aggregation::{Aggregation, Discovery};
use super::config::{Answer, ApiServerConfig, Serves};
use super::faults::Faults;
use crate::identity::Identities;
use crate::objects::Store;
use crate::world::World;

/// What every request needs.
pub(super) struct Shared {
    pub(super) config: ApiServerConfig,
    pub(super) store: Arc<Store>,
    pub(super) identities: Arc<Identities>,
    pub(super) aggregation: Aggregation,
    pub(super) discovery: Discovery,
    /// How many requests arrived.
    pub(super) requests: AtomicU64,
    /// What is served.
    pub(super) serves: RwLock<Serves>,
    /// What every request is answered with instead, if anything.
    pub(super) instead: RwLock<Option<Answer>>,
    /// What every container writes, over and over, instead of its lines, if anything.
    pub(super) log: RwLock<Option<Bytes>>,
    /// Whether no budget allows an eviction.
    pub(super) protects_pods: AtomicBool,
    /// Faults of requests for some resources.
    pub(super) faults: Faults,
    /// The world in which writes make something happen; none in a replay.
    pub(super) world: RwLock<Option<Arc<World>>>,
    /// Notified when watches break off.
    pub(super) watches_broken: watch::Sender<()>,
}
