//! The changes of pods that are still to be applied to the targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::PodMetrics;
use crate::cluster::{Event, Node, Observer, Pod, PodKey};

/// The pods that have changed, as they are now; none if they are gone.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pods: Mutex<BTreeMap<PodKey, Option<Arc<Pod>>>>,
    pub(super) changed: Notify,
}

impl Pending {
    /// The changes since the last call.
    pub(super) fn take(&self) -> BTreeMap<PodKey, Option<Arc<Pod>>> {
        std::mem::take(&mut *self.pods.lock())
    }
}

impl Observer for PodMetrics {
    fn pod(&self, before: Option<&Arc<Pod>>, after: Option<&Arc<Pod>>) {
        let has_endpoint = |pod: Option<&Arc<Pod>>| pod.is_some_and(|pod| pod.endpoint().is_some());
        if !has_endpoint(before) && !has_endpoint(after) {
            return;
        }
        let Some(key) = after.or(before).map(|pod| pod.key.clone()) else {
            return;
        };
        self.pending.pods.lock().insert(key, after.cloned());
        self.pending.changed.notify_one();
    }

    fn node(&self, _: Option<&Arc<Node>>, _: Option<&Arc<Node>>) {}

    fn event(&self, _: &Event) {}
}
