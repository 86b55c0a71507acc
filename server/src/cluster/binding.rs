//! To which node a pod is bound: what a kubelet reports of other nodes' pods does not count.

use std::sync::Arc;

use super::{Cluster, GonePods, PodKey, Pods, Uid};

/// Whether a pod is one of the node that reports it, as the API server has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// It is bound to that node, or was; and its UID.
    Here(Uid),
    /// The API server has not told of a pod of this name, or not yet to which node it is bound.
    Unknown,
    /// It is bound to another node.
    Elsewhere,
}

/// The pods as of one moment, and those that are gone and remembered.
#[derive(Debug)]
pub struct Bindings {
    pods: Arc<Pods>,
    gone: Arc<GonePods>,
}

impl Bindings {
    /// As of now.
    pub fn of(cluster: &Cluster) -> Self {
        Self {
            pods: cluster.pods(),
            gone: cluster.gone_pods(),
        }
    }

    /// Whether a node that reports a pod of this name has it. A kubelet does not say UIDs: of pods that had the name one
    /// after the other it is the one that is there now, or else the last that was there.
    pub fn of_name(&self, key: &PodKey, node: &str) -> Binding {
        let present = self.pods.get(key);
        if let Some(pod) = present
            && pod.node.as_deref() == Some(node)
        {
            return Binding::Here(pod.uid);
        }
        let first = (key.clone(), Uid::default());
        let of_name = self
            .gone
            .range(first..)
            .take_while(|((it, _), _)| it == key);
        let here = of_name
            .filter(|(_, gone)| gone.pod.node.as_deref() == Some(node))
            .max_by_key(|(_, gone)| gone.at);
        match (here, present) {
            (Some((_, gone)), _) => Binding::Here(gone.pod.uid),
            (None, Some(pod)) if pod.node.is_some() => Binding::Elsewhere,
            (None, _) => Binding::Unknown,
        }
    }

    /// Whether what a node has told of a pod of this UID counts. Without a UID nobody has seen the pod, and it counts
    /// only if the API server has a pod of that name there. A pod that the API server has forgotten was compared when it
    /// was known.
    pub fn is_bound(&self, key: &PodKey, uid: Uid, node: &str) -> bool {
        if !uid.is_some() {
            return matches!(self.of_name(key, node), Binding::Here(_));
        }
        let present = self.pods.get(key).filter(|pod| pod.uid == uid);
        let gone = || self.gone.get(&(key.clone(), uid)).map(|gone| &gone.pod);
        present
            .or_else(gone)
            .is_none_or(|pod| pod.node.as_deref() == Some(node))
    }
}
