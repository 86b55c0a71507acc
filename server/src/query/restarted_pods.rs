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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::testing::Reader;

    fn pods(reader: &Reader, restarts: &[(&str, u32)]) -> Pods {
        let pods = restarts.iter().map(|(name, restarts)| {
            reader.pod(json!({
                "metadata": {"namespace": "shop", "name": name},
                "spec": {"containers": [{"name": "web"}]},
                "status": {
                    "phase": "Running",
                    "containerStatuses": [{"name": "web", "restartCount": restarts}],
                },
            }))
        });
        pods.map(|pod| (pod.key.clone(), pod)).collect()
    }

    fn in_order(restarted: &RestartedPods) -> Vec<String> {
        let pods = restarted.iter();
        pods.map(|(restarts, pod)| format!("{} {restarts}", pod.key.name))
            .collect()
    }

    #[test]
    fn the_order_follows_the_changes() {
        let reader = Reader::default();
        let before = pods(&reader, &[("a", 1), ("b", 0), ("c", 2), ("d", 2), ("e", 1)]);
        let mut restarted: RestartedPods = before.values().collect();
        assert_eq!(in_order(&restarted), ["c 2", "d 2", "a 1", "e 1"]);
        // One has restarted, one was deleted, one was created again.
        let after = pods(&reader, &[("a", 1), ("b", 3), ("d", 0), ("e", 1), ("f", 1)]);
        restarted.update(&before, &after);
        assert_eq!(in_order(&restarted), ["b 3", "a 1", "e 1", "f 1"]);
    }
}
