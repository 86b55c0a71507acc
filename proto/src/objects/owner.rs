//! The controller of a pod.

use std::sync::Arc;

use crate::labels::Labels;

use super::intern::Interner;
use super::metadata::WireMeta;

/// The controller among an object's `metadata.ownerReferences`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// `ReplicaSet`, `StatefulSet`, `DaemonSet`, `Job`, `Node` (of a static pod), …
    pub kind: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

/// The label with the hash of the pod template of a Deployment's ReplicaSet.
const HASH: &str = "pod-template-hash";

impl Owner {
    pub(super) fn of(metadata: &WireMeta, names: &Interner) -> Option<Self> {
        let mut owners = metadata.owner_references.iter().flatten();
        let controller = owners.find(|owner| owner.controller)?;
        Some(Self {
            kind: names.intern(&controller.kind),
            name: names.intern(&controller.name),
        })
    }

    /// The Deployment behind a ReplicaSet whose pods have these labels.
    ///
    /// The deployment controller names a ReplicaSet `DEPLOYMENT-HASH` and labels its pods `pod-template-hash: HASH`
    /// (pkg/controller/deployment/sync.go, `getNewReplicaSet`). Nothing else sets that label. So the name and the label give the
    /// Deployment without a watch of ReplicaSets: a cluster has about ten of them for each Deployment.
    pub fn deployment(&self, labels: &Labels) -> Option<&str> {
        if &*self.kind != "ReplicaSet" {
            return None;
        }
        let hash = labels.get(HASH)?;
        let name = self.name.strip_suffix(hash)?.strip_suffix('-')?;
        (!name.is_empty()).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_set_names_its_deployment_before_the_hash() {
        let owner = |kind: &str, name: &str| Owner {
            kind: kind.into(),
            name: name.into(),
        };
        let labels: Labels = [("app", "web"), (HASH, "7dc96bb78d")].into_iter().collect();
        for (kind, name, expected) in [
            ("ReplicaSet", "web-shop-7dc96bb78d", Some("web-shop")),
            ("ReplicaSet", "web-7dc96bb78e", None),
            ("ReplicaSet", "web7dc96bb78d", None),
            ("ReplicaSet", "-7dc96bb78d", None),
            ("StatefulSet", "web-7dc96bb78d", None),
        ] {
            assert_eq!(owner(kind, name).deployment(&labels), expected, "{name}");
        }
        let none = Labels::default();
        assert_eq!(
            owner("ReplicaSet", "web-7dc96bb78d").deployment(&none),
            None
        );
    }
}
