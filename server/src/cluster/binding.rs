//! The node to which a pod is bound: reports of other nodes' kubelets about it do not count.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Cluster, GonePod, GonePods, PodKey, Pods, Uid};

/// Whether a pod is bound to the node that reports it, according to the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// It is or was bound to that node; with its UID.
    Here(Uid),
    /// The API server has not reported the pod or its node yet.
    Unknown,
    /// It is bound to another node.
    Elsewhere,
}

/// A snapshot of the pods and the deleted pods.
#[derive(Debug, Default)]
pub struct Bindings {
    pods: Arc<Pods>,
    gone: Arc<GonePods>,
}

impl Bindings {
    /// The current pods.
    pub fn of(cluster: &Cluster) -> Self {
        Self {
            pods: cluster.pods(),
            gone: cluster.gone_pods(),
        }
    }

    /// The binding of a pod that a node reports by name. A kubelet does not report UIDs: of several pods with the name, it
    /// is the current one on the node, or else the last one there.
    pub fn of_name(&self, key: &PodKey, node: &str) -> Binding {
        let present = self.pods.get(key);
        if let Some(pod) = present
            && pod.node.as_deref() == Some(node)
        {
            return Binding::Here(pod.uid);
        }
        let here = self
            .gone_of(key)
            .filter(|gone| gone.pod.node.as_deref() == Some(node))
            .max_by_key(|gone| gone.at);
        match (here, present) {
            (Some(gone), _) => Binding::Here(gone.pod.uid),
            (None, Some(pod)) if pod.node.is_some() => Binding::Elsewhere,
            (None, _) => Binding::Unknown,
        }
    }

    /// The deleted pods of a name.
    fn gone_of<'a>(&'a self, key: &'a PodKey) -> impl Iterator<Item = &'a GonePod> {
        let first = (key.clone(), Uid::default());
        let of_name = self.gone.range(first..);
        of_name
            .take_while(move |((it, _), _)| it == key)
            .map(|(_, gone)| gone)
    }

    /// The nodes to which the pods of a name are or were bound.
    pub fn nodes_of(&self, key: &PodKey) -> BTreeSet<Arc<str>> {
        let gone = self.gone_of(key).map(|gone| &gone.pod);
        let all = self.pods.get(key).into_iter().chain(gone);
        all.filter_map(|pod| pod.node.clone()).collect()
    }

    /// Whether a node's samples of a pod count. Without a UID they count only if the API server has bound a pod of that name
    /// to the node. A pod that is no longer stored was compared earlier.
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
