//! The changes of pods that are still to be applied to the targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::cluster::{Pod, PodKey};

/// The pods that have changed, as they are now; none if they are gone.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pods: Mutex<BTreeMap<PodKey, Option<Arc<Pod>>>>,
    pub(super) changed: Notify,
}

impl Pending {
    /// Notes how a pod is now.
    pub(super) fn put(&self, pod: PodKey, now: Option<Arc<Pod>>) {
        self.pods.lock().insert(pod, now);
        self.changed.notify_one();
    }

    /// The changes since the last call.
    pub(super) fn take(&self) -> BTreeMap<PodKey, Option<Arc<Pod>>> {
        std::mem::take(&mut *self.pods.lock())
    }
}
