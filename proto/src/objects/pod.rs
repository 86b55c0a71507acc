//! Pods.

use std::sync::Arc;

use crate::labels::Labels;
use crate::time::Timestamp;

use super::bounds::Reported;
use super::condition::WireCondition;
use super::container::WireContainerStatus;
use super::intern::Interner;
use super::metadata::{self, WireMeta};
use super::protobuf::message;
use super::resources::{WireRequirements, WireResources};
use super::template::WireSpec;
use super::text::{self, WireTime, named};
use super::{
    ContainerSpec, ContainerStatus, Endpoint, Job, Owner, Phase, PodKey, PodTemplate, Pools,
    Resize, Role, Uid,
};

/// A pod. A cluster may have 150,000 of them. So pods of a workload share what is equal, rare data is behind a pointer,
/// and a time is in seconds since the Unix epoch, zero if unknown.
#[derive(Debug, PartialEq, Eq)]
pub struct Pod {
    /// The namespace and name.
    pub key: PodKey,
    /// The UID.
    pub uid: Uid,
    /// The labels.
    pub labels: Labels,
    /// The node that the pod is bound to.
    pub node: Option<Arc<str>>,
    /// The phase.
    pub phase: Phase,
    /// Whether the condition Initialized is True.
    pub initialized: bool,
    /// Whether a scheduling gate delays the scheduling.
    pub gated: bool,
    /// The condition Ready.
    pub ready: Ready,
    /// The time when the kubelet accepted the pod.
    pub started_seconds: u32,
    /// The creation time.
    pub created_seconds: u32,
    /// The time until which the pod may take to end; zero unless the deletion was requested.
    pub deleted_seconds: u32,
    /// The controller that created the pod.
    pub owner: Option<Arc<Owner>>,
    /// Details of the status, which few pods have.
    pub details: Option<Box<StatusDetails>>,
    /// The spec.
    pub template: Arc<PodTemplate>,
    /// The statuses of the template's containers, in the same order. A container without a status waits without a
    /// reason.
    pub containers: Box<[ContainerStatus]>,
}

/// A pod's condition Ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ready {
    /// Whether the condition is True.
    pub status: bool,
    /// The last change of the status.
    pub since_seconds: u32,
}

/// The reason, message and resize of a pod as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatusDetails {
    /// `Evicted`, `NodeLost`, …
    pub reason: Option<Arc<str>>,
    /// The message; for a pod without a node, why it is not scheduled.
    pub message: Option<Box<str>>,
    /// A resize in place that is not complete.
    pub resize: Option<Box<Resize>>,
    /// The time that a deleted pod has to end, in seconds.
    pub grace_seconds: u32,
    /// Where it serves metrics of its own, if pods are scraped.
    pub endpoint: Option<Box<Endpoint>>,
}

impl Pod {
    /// The time when the kubelet accepted the pod.
    pub fn started(&self) -> Option<Timestamp> {
        text::time(self.started_seconds)
    }

    /// The creation time.
    pub fn created(&self) -> Option<Timestamp> {
        text::time(self.created_seconds)
    }

    /// The time of the request to delete the pod, in seconds since the epoch; zero without one.
    pub fn deletion_requested_seconds(&self) -> u32 {
        let grace = self.details.as_ref().map_or(0, |it| it.grace_seconds);
        self.deleted_seconds.saturating_sub(grace)
    }

    /// A resize in place that is not complete.
    pub fn resize(&self) -> Option<&Resize> {
        self.details.as_deref()?.resize.as_deref()
    }

    /// Where the pod serves metrics of its own, if pods are scraped and it has an address.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.details.as_deref()?.endpoint.as_deref()
    }

    /// The spec with the requests and limits in force, which differ from [`Self::template`] during a resize in place.
    pub fn in_force(&self) -> &PodTemplate {
        self.resize()
            .map_or(&*self.template, |resize| &*resize.in_force)
    }

    /// The containers: specs with the requests and limits in force, and statuses.
    pub fn containers(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&ContainerSpec, &ContainerStatus)> {
        self.in_force().containers.iter().zip(&self.containers)
    }

    /// The container of this name, init containers and sidecars included.
    pub fn container(&self, name: &str) -> Option<(&ContainerSpec, &ContainerStatus)> {
        self.containers().find(|(spec, _)| *spec.name == *name)
    }

    /// The kind and name of the workload: the Deployment of the ReplicaSet, the CronJob of the Job, or the owner. `job`
    /// finds a Job that a CronJob created.
    pub fn workload<'a>(
        &'a self,
        job: impl FnOnce(&PodKey) -> Option<&'a Arc<Job>>,
    ) -> Option<(&'a str, &'a str)> {
        let owner = self.owner.as_deref()?;
        if let Some(deployment) = owner.deployment(&self.labels) {
            return Some(("Deployment", deployment));
        }
        if &*owner.kind == "Job" {
            let key = PodKey::new(Arc::clone(&self.key.namespace), &*owner.name);
            if let Some(job) = job(&key) {
                return Some(("CronJob", &job.cron_job));
            }
        }
        Some((&owner.kind, &owner.name))
    }

    /// Whether a container never restarts, whatever its exit code.
    pub fn stays_ended(&self, spec: &ContainerSpec) -> bool {
        self.template.never_restarts && spec.role != Role::Sidecar
    }

    /// `status.reason`.
    pub fn reason(&self) -> Option<&str> {
        self.details.as_deref()?.reason.as_deref()
    }

    /// `status.message`, or why the pod is not scheduled.
    pub fn message(&self) -> Option<&str> {
        self.details.as_deref()?.message.as_deref()
    }

    /// The memory of the pod in bytes, without shared values (names, labels, owner, template).
    pub fn bytes(&self) -> usize {
        let details = self.details.as_deref().map_or(0, |details| {
            size_of::<StatusDetails>()
                + details.message.as_deref().map_or(0, str::len)
                + details.resize.as_deref().map_or(0, Resize::bytes)
                + details.endpoint.as_deref().map_or(0, Endpoint::bytes)
        });
        let containers = self.containers.iter();
        size_of::<Self>()
            + size_of_val(&*self.containers)
            + containers.map(ContainerStatus::bytes).sum::<usize>()
            + details
    }
}

message! {
    /// A pod on the wire.
    pub struct WirePod {
        /// The metadata.
        pub metadata: WireMeta = 1,
        spec: Option<WireSpec> = 2,
        status: Option<WireStatus> = 3,
    }
}
metadata::item!(WirePod, "/api/v1/pods");

message! {
    struct WireStatus {
        phase: Phase = 1,
        start_time: WireTime = 7,
        reason: String = 4,
        message: String = 3,
        conditions: Vec<Option<WireCondition>> = 2,
        init_container_statuses: Vec<Option<WireContainerStatus>> = 10,
        container_statuses: Vec<Option<WireContainerStatus>> = 8,
        resources: Option<WireRequirements> = 20,
        allocated_resources: Option<WireResources> = 19,
        #[serde(rename = "podIP")]
        pod_ip: String = 6,
    }
}

impl WirePod {
    /// The conditions.
    pub fn conditions(&self) -> impl Iterator<Item = &WireCondition> {
        let status = self.status.iter();
        status.flat_map(|status| status.conditions.iter().flatten())
    }

    /// Converts the pod. Returns `None` for a pod without a name, which no API server sends.
    pub fn convert(self, pools: &Pools) -> Option<Pod> {
        let names = &pools.names;
        let (spec, status) = (
            self.spec.unwrap_or_default(),
            self.status.unwrap_or_default(),
        );
        let template = pools.templates.share(Arc::new(spec.convert(names)));
        let endpoint = pools.stores_endpoints().then(|| {
            Endpoint::of(
                &self.metadata,
                &status.pod_ip,
                spec.host_network,
                spec.ports(),
                pools,
            )
        });
        let condition = |kind: &str| {
            let mut all = status.conditions.iter().flatten();
            all.find(|condition| condition.kind == kind)
        };
        let (ready, scheduled) = (condition("Ready"), condition("PodScheduled"));
        let unscheduled = scheduled.filter(|scheduled| scheduled.status == "False");
        let message = match (status.message, unscheduled) {
            (message, Some(unscheduled)) if message.is_empty() => unscheduled.message.clone(),
            (message, _) => message,
        };
        let (containers, each) = statuses(
            &template,
            status.init_container_statuses,
            status.container_statuses,
            names,
        );
        let of_pod = Reported::new(
            status.resources.as_ref(),
            status.allocated_resources.as_ref(),
        );
        let conditions = status.conditions.iter().flatten();
        let resize = Resize::of(&template, &each, &of_pod, conditions, pools);
        let details = StatusDetails {
            reason: text::word(status.reason, names),
            message: text::message(message),
            // A pod that is over has no resources in force.
            resize: resize.filter(|_| !status.phase.is_over()).map(Box::new),
            grace_seconds: u32::try_from(self.metadata.deletion_grace_period_seconds)
                .unwrap_or_default(),
            endpoint: endpoint.flatten().map(Box::new),
        };
        let node = Some(spec.node_name).filter(|node| !node.is_empty());
        Some(Pod {
            key: names.key(
                named(&self.metadata.namespace)?,
                named(&self.metadata.name)?,
            ),
            uid: Uid::of(&self.metadata.uid),
            node: node.map(|node| names.intern(&node)),
            phase: status.phase,
            initialized: condition("Initialized").is_some_and(|it| it.status == "True"),
            gated: scheduled.is_some_and(|scheduled| scheduled.reason == "SchedulingGated"),
            ready: Ready {
                status: ready.is_some_and(|ready| ready.status == "True"),
                since_seconds: ready.map_or(0, |ready| ready.last_transition_time.seconds()),
            },
            started_seconds: status.start_time.seconds(),
            created_seconds: self.metadata.creation_timestamp.seconds(),
            deleted_seconds: self.metadata.deletion_timestamp.seconds(),
            owner: Owner::of(&self.metadata, names)
                .map(|owner| pools.owners.share(Arc::new(owner))),
            details: (details != StatusDetails::default()).then(|| Box::new(details)),
            containers,
            labels: pools.labels(&self.metadata),
            template,
        })
    }
}

/// The status and the reported resources of each container of the template. The lists of statuses may be in any order
/// and incomplete.
fn statuses(
    template: &PodTemplate,
    inits: Vec<Option<WireContainerStatus>>,
    apps: Vec<Option<WireContainerStatus>>,
    names: &Interner,
) -> (Box<[ContainerStatus]>, Vec<Reported>) {
    let numbered = |statuses: Vec<Option<WireContainerStatus>>| -> Vec<_> {
        statuses.into_iter().flatten().enumerate().collect()
    };
    let (mut inits, mut apps) = (numbered(inits), numbered(apps));
    let status = |container: &ContainerSpec| {
        let statuses = if container.role.is_init() {
            &mut inits
        } else {
            &mut apps
        };
        let its = statuses
            .iter()
            .position(|(_, it)| *it.name == *container.name);
        its.map_or_else(Default::default, |at| {
            let (index, status) = statuses.swap_remove(at);
            let reported = status.reported();
            (status.convert(index, names), reported)
        })
    };
    let (statuses, reported): (Vec<_>, _) = template.containers.iter().map(status).unzip();
    (statuses.into_boxed_slice(), reported)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::super::{Role, State};
    use super::*;

    pub(in super::super) fn convert(pod: serde_json::Value) -> Pod {
        serde_json::from_value::<WirePod>(pod)
            .unwrap()
            .convert(&Pools::default())
            .unwrap()
    }

    fn pod(spec: serde_json::Value, status: serde_json::Value) -> Pod {
        let metadata = json!({"namespace": "shop", "name": "web-1"});
        convert(json!({"metadata": metadata, "spec": spec, "status": status}))
    }

    #[test]
    fn a_pod_is_read_into_what_is_used() {
        let pod = convert(json!({
            "metadata": {
                "namespace": "shop", "name": "web-1", "labels": {"app": "web"}, "annotations": {"big": "…"},
                "managedFields": [{}], "uid": "dbe5842e-0978-4422-a9fa-8026a53c65dd",
                "creationTimestamp": "1970-01-01T00:00:01Z", "deletionTimestamp": "1970-01-01T00:00:03Z",
                "ownerReferences": [{"kind": "Thing", "name": "other"}, {"kind": "StatefulSet", "name": "web", "controller": true}],
            },
            "spec": {"nodeName": "n1", "containers": [{"name": "web"}]},
            "status": {
                "phase": "Failed", "startTime": "1970-01-01T00:00:02Z", "reason": "Evicted", "message": "too much",
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "1970-01-01T00:00:04Z"},
                    {"type": "Initialized", "status": "True"}],
            },
        }));
        assert_eq!((&*pod.key.namespace, &*pod.key.name), ("shop", "web-1"));
        assert_eq!(pod.uid.to_string(), "dbe5842e-0978-4422-a9fa-8026a53c65dd");
        assert_eq!(pod.labels.get("app"), Some("web"));
        assert_eq!(pod.node.as_deref(), Some("n1"));
        assert_eq!(pod.phase, Phase::Failed);
        assert_eq!(pod.created(), Some(Timestamp::from_secs(1)));
        assert_eq!(pod.started(), Some(Timestamp::from_secs(2)));
        assert_eq!((pod.deleted_seconds, pod.ready.since_seconds), (3, 4));
        assert!(pod.ready.status && pod.initialized && !pod.gated);
        assert_eq!(pod.reason(), Some("Evicted"));
        assert_eq!(pod.message(), Some("too much"));
        let owner = pod.owner.unwrap();
        assert_eq!((&*owner.kind, &*owner.name), ("StatefulSet", "web"));
    }

    #[test]
    fn statuses_belong_to_containers_by_name_whatever_their_order() {
        let pod = pod(
            json!({"initContainers": [{"name": "init"}, {"name": "proxy", "restartPolicy": "Always"}],
                "containers": [{"name": "a"}, {"name": "b"}, {"name": "new"}]}),
            json!({"containerStatuses": [{"name": "b", "restartCount": 2}, {"name": "gone"}, {"name": "a", "restartCount": 1}, null],
                "initContainerStatuses": [{"name": "proxy", "restartCount": 4}, {"name": "init", "restartCount": 3}],
                "ephemeralContainerStatuses": [{"name": "debug"}]}),
        );
        let reported: Vec<_> = pod
            .containers()
            .map(|(spec, status)| {
                (
                    &*spec.name,
                    spec.role,
                    status.restarts,
                    status.is_reported(),
                )
            })
            .collect();
        assert_eq!(
            reported,
            [
                ("init", Role::Init, 3, true),
                ("proxy", Role::Sidecar, 4, true),
                ("a", Role::App, 1, true),
                ("b", Role::App, 2, true),
                ("new", Role::App, 0, false),
            ]
        );
        assert_eq!(pod.container("new").unwrap().1.state, State::Waiting(None));
    }

    #[test]
    fn a_pending_pod_has_the_reason_of_its_condition() {
        let unscheduled = |reason: &str| {
            pod(
                json!({}),
                json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
                    "reason": reason, "message": "0/3 nodes are available"}]}),
            )
        };
        let waiting = unscheduled("Unschedulable");
        assert_eq!(waiting.message(), Some("0/3 nodes are available"));
        assert!(!waiting.gated && waiting.reason().is_none());
        assert!(unscheduled("SchedulingGated").gated);
    }

    #[test]
    fn a_pod_of_which_nothing_makes_sense_is_still_there() {
        for nonsense in [
            json!(null),
            json!(7),
            json!("x"),
            json!([[]]),
            json!({"a": 1}),
        ] {
            let pod = convert(json!({
                "metadata": {"namespace": "a", "name": "b", "creationTimestamp": nonsense, "labels": nonsense,
                    "ownerReferences": nonsense, "deletionTimestamp": nonsense},
                "spec": {"containers": nonsense, "nodeName": nonsense},
                "status": {"phase": nonsense, "startTime": nonsense, "conditions": nonsense,
                    "containerStatuses": nonsense},
            }));
            assert_eq!(pod.phase, Phase::Unknown);
            let bare = convert(
                json!({"metadata": {"namespace": "a", "name": "b"}, "spec": nonsense, "status": nonsense}),
            );
            assert!(bare.containers.is_empty());
        }
    }

    #[test]
    fn pods_of_one_workload_share_all_but_themselves() {
        let pools = Pools::default();
        let one = |name: &str| {
            let pod = json!({
                "metadata": {"namespace": "shop", "name": name, "labels": {"app": "web"},
                    "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "controller": true}]},
                "spec": {"containers": [{"name": "web", "resources": {"requests": {"cpu": "1"}}}]},
            });
            let pod: WirePod = serde_json::from_value(pod).unwrap();
            pod.convert(&pools).unwrap()
        };
        let (a, b) = (one("a"), one("b"));
        assert!(Arc::ptr_eq(&a.template, &b.template));
        assert!(Arc::ptr_eq(&a.owner.unwrap(), &b.owner.unwrap()));
        assert_eq!(pools.labels.len(), 1);
    }

    #[test]
    fn a_pod_is_small() {
        assert_eq!(size_of::<Pod>(), 112);
        let pod = pod(
            json!({"containers": [{"name": "a"}]}),
            json!({"containerStatuses": [{"name": "a", "state": {"running": {}}}]}),
        );
        assert_eq!(pod.bytes(), 112 + 32);
    }
}
