//! The pods that have restarts, sorted. A ranking by restarts reads the first of them instead of all pods.

use std::cmp::Reverse;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;

use crate::cluster::{Pod, PodKey, Pods};

/// The pods with restarts, as kubectl counts them: most restarts first, then by namespace and name. A clone shares its
/// memory.
#[derive(Debug, Clone, Default)]
pub struct RestartedPods(OrdMap<(Reverse<u32>, PodKey), Arc<Pod>>);

impl RestartedPods {
    /// Each pod and its restarts.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Arc<Pod>)> {
        let pods = self.0.iter();
        pods.map(|((Reverse(restarts), _), pod)| (*restarts, pod))
    }

    /// Applies the differences between two snapshots.
    pub(super) fn update(&mut self, before: &Pods, after: &Pods) {
        for difference in before.diff(after) {
            match difference {
                DiffItem::Add(_, after) => self.replace(None, Some(after)),
                DiffItem::Update { old, new } => self.replace(Some(old.1), Some(new.1)),
                DiffItem::Remove(_, before) => self.replace(Some(before), None),
            }
        }
    }

    /// Replaces a pod by its newer state; none of a pod that did not exist, or no longer exists.
    pub(super) fn replace(&mut self, before: Option<&Arc<Pod>>, after: Option<&Arc<Pod>>) {
        if let Some(before) = before.and_then(rank) {
            self.0.remove(&before);
        }
        if let Some((pod, rank)) = after.and_then(|pod| Some((pod, rank(pod)?))) {
            self.0.insert(rank, Arc::clone(pod));
        }
    }
}

impl<'a> FromIterator<&'a Arc<Pod>> for RestartedPods {
    fn from_iter<I: IntoIterator<Item = &'a Arc<Pod>>>(pods: I) -> Self {
        let mut restarted = Self::default();
        for pod in pods {
            restarted.replace(None, Some(pod));
        }
        restarted
    }
}

/// The position of a pod; none without restarts.
fn rank(pod: &Arc<Pod>) -> Option<(Reverse<u32>, PodKey)> {
    // kubectl counts only some of them while the pod is initialized.
    let any = pod.containers.iter().any(|it| it.restarts > 0);
    let restarts = any.then(|| pod.summary().restarts)?;
    (restarts > 0).then(|| (Reverse(restarts), pod.key.clone()))
}
