//! The JSON of claims, their volumes and their storage classes.

use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use crate::members::Members;
use crate::objects::Resource;
use crate::world::epoch::SECOND;
use crate::world::hash::{hash, stream, uid};
use crate::world::volume::{GI, Volume, claim_name};
use crate::world::workload::Workload;

/// The class of the volumes of pods.
const CLASS: &str = "fast-ssd";
/// A class whose provisioner has no space.
const FULL_CLASS: &str = "archive-nfs";

/// The storage classes.
pub(crate) fn storage_classes(seed: u64, created: Timestamp) -> [Value; 2] {
    let class = |name: &str, provisioner: &str, binding: &str| {
        json!({
            "metadata": {"name": name, "uid": uid(hash(seed, stream(name))), "creationTimestamp": created},
            "provisioner": provisioner, "reclaimPolicy": "Delete", "volumeBindingMode": binding,
            "allowVolumeExpansion": true,
        })
    };
    [
        class(CLASS, "csi.example.com", "WaitForFirstConsumer"),
        class(FULL_CLASS, "nfs.example.com", "Immediate"),
    ]
}

/// The claim of the `ordinal`-th pod of a StatefulSet, and its volume.
pub(crate) fn of_pod(w: &Workload, ordinal: u32) -> [(Resource, Value); 2] {
    let volume = Volume::of(w, ordinal);
    let claim_uid = uid(volume.seed);
    let volume_name = format!("pvc-{claim_uid}");
    let size = format!("{}Gi", volume.size / GI);
    let (name, labels) = (claim_name(w.app.name, ordinal), json!({"app": w.app.name}));
    let modes = json!(["ReadWriteOnce"]);
    let claim = json!({
        "metadata": {
            "name": name, "namespace": &*w.namespace, "uid": claim_uid, "creationTimestamp": w.created,
            "labels": labels, "finalizers": ["kubernetes.io/pvc-protection"],
            "annotations": {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"},
        },
        "spec": {
            "accessModes": modes, "resources": {"requests": {"storage": size}}, "volumeName": volume_name,
            "storageClassName": CLASS, "volumeMode": "Filesystem",
        },
        "status": {"phase": "Bound", "accessModes": modes, "capacity": {"storage": size}},
    });
    let persistent = json!({
        "metadata": {
            "name": volume_name, "uid": uid(hash(volume.seed, 1)), "creationTimestamp": w.created,
            "finalizers": ["kubernetes.io/pv-protection"],
        },
        "spec": {
            "capacity": {"storage": size}, "accessModes": modes, "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": CLASS, "volumeMode": "Filesystem",
            "claimRef": {
                "kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": &*w.namespace, "name": name,
                "uid": claim_uid,
            },
            "csi": {"driver": "csi.example.com", "volumeHandle": volume_name},
        },
        "status": {"phase": "Bound"},
    });
    [
        (Resource::PersistentVolumeClaims, claim),
        (Resource::PersistentVolumes, persistent),
    ]
}

/// Claims that no pod can use: one without a volume, and one that has lost its volume. Each has the event that says why.
pub(crate) fn broken(seed: u64, now: Timestamp) -> Vec<(Resource, Value)> {
    let unbound = Broken {
        name: "report-archive",
        class: FULL_CLASS,
        phase: "Pending",
        volume: None,
        reason: "ProvisioningFailed",
        message: "failed to provision volume with StorageClass \"archive-nfs\": rpc error: code = ResourceExhausted \
                  desc = no space left in pool \"cold\"",
    };
    let lost = Broken {
        name: "scratch",
        class: CLASS,
        phase: "Lost",
        volume: Some("pvc-0d1b5c1e-scratch"),
        reason: "ClaimLost",
        message: "Bound claim has lost its PersistentVolume. Any data on the volume is lost!",
    };
    [unbound, lost]
        .iter()
        .flat_map(|it| it.objects(seed, now))
        .collect()
}

/// A claim that is not bound, in the namespace default.
struct Broken {
    name: &'static str,
    class: &'static str,
    phase: &'static str,
    volume: Option<&'static str>,
    reason: &'static str,
    message: &'static str,
}

impl Broken {
    fn objects(&self, seed: u64, now: Timestamp) -> [(Resource, Value); 2] {
        let claim_uid = uid(hash(seed, stream(self.name)));
        let claim = json!({
            "metadata": {
                "name": self.name, "namespace": "default", "uid": claim_uid,
                "creationTimestamp": now.plus_nanos(-3 * 3_600 * SECOND),
                "finalizers": ["kubernetes.io/pvc-protection"],
            },
            "spec": json!({
                "accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "200Gi"}},
                "storageClassName": self.class, "volumeMode": "Filesystem", "volumeName": self.volume,
            }).without_nulls(),
            "status": {"phase": self.phase},
        });
        let event = json!({
            "metadata": {
                "name": format!("{}.{:x}", self.name, now.as_nanos()), "namespace": "default",
                "uid": uid(hash(seed, stream(self.reason))), "creationTimestamp": now.plus_nanos(-600 * SECOND),
            },
            "involvedObject": {
                "kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": "default", "name": self.name,
                "uid": claim_uid,
            },
            "reason": self.reason, "message": self.message, "source": {"component": "persistentvolume-controller"},
            "firstTimestamp": now.plus_nanos(-600 * SECOND), "lastTimestamp": now.plus_nanos(-15 * SECOND),
            "count": 40, "type": "Warning", "eventTime": null,
            "reportingComponent": "persistentvolume-controller", "reportingInstance": "",
        });
        [
            (Resource::PersistentVolumeClaims, claim),
            (Resource::Events, event),
        ]
    }
}
