//! The columns of each resource, and how their cells follow from an object.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::wire::form::Column as Definition;
use serde_json::Value;

use self::Cell::{Int, Of, Since, Text};
use super::{computed, hpa};
use crate::objects::Resource;

/// How a cell follows from an object.
#[derive(Clone, Copy)]
pub(super) enum Cell {
    /// The text or number at a pointer, or another text where it is absent or empty.
    Text(&'static str, &'static str),
    /// The integer at a pointer.
    Int(&'static str),
    /// How long ago the first of these times was that the object has.
    Since(&'static [&'static str]),
    /// What the function computes from the object and the present time.
    Of(fn(&Value, Timestamp) -> Value),
}

type Column = (Definition, Cell);

/// The columns of a resource, in order. A resource without columns of its own has its name and its age.
pub(super) const fn of(resource: Resource) -> &'static [Column] {
    match resource {
        Resource::Pods => PODS,
        Resource::Nodes => NODES,
        Resource::Events => EVENTS,
        Resource::Namespaces => NAMESPACES,
        Resource::ApiServices => API_SERVICES,
        Resource::Deployments => DEPLOYMENTS,
        Resource::ReplicaSets => REPLICA_SETS,
        Resource::StatefulSets => STATEFUL_SETS,
        Resource::DaemonSets => DAEMON_SETS,
        Resource::HorizontalPodAutoscalers => HORIZONTAL_POD_AUTOSCALERS,
        Resource::PersistentVolumeClaims => PERSISTENT_VOLUME_CLAIMS,
        _ => const { &[NAME, AGE] },
    }
}

const fn text(name: &'static str, cell: Cell, description: &'static str) -> Column {
    (Definition::text(name, description), cell)
}

const fn integer(name: &'static str, cell: Cell, description: &'static str) -> Column {
    (Definition::integer(name, description), cell)
}

/// The same column, only for `-o wide`.
const fn wide((definition, cell): Column) -> Column {
    (definition.wide(), cell)
}

const NAME: Column = (
    Definition::text("Name", "Name of the object.").format("name"),
    Text("/metadata/name", ""),
);

const AGE: Column = text(
    "Age",
    Since(&["/metadata/creationTimestamp"]),
    "Time since the object was created.",
);
const CONTAINERS: Column = wide(text(
    "Containers",
    Of(|it, _| computed::containers(it, "/name")),
    "Containers in the template.",
));
const IMAGES: Column = wide(text(
    "Images",
    Of(|it, _| computed::containers(it, "/image")),
    "Images in the template.",
));
const SELECTOR: Column = wide(text(
    "Selector",
    Of(computed::selector),
    "Label selector of the pods.",
));

#[rustfmt::skip] // one column a line: a table
const PODS: &[Column] = &[
    NAME,
    text("Ready", Of(computed::pod_ready), "Ready containers, of all."),
    text("Status", Of(computed::pod_status), "The aggregate status of the containers."),
    text("Restarts", Of(computed::restarts), "Restarts of the containers, and when the last was."),
    AGE,
    wide(text("IP", Of(computed::pod_ip), "IP address of the pod.")),
    wide(text("Node", Text("/spec/nodeName", "<none>"), "Node that the pod runs on.")),
    wide(text("Nominated Node", Text("/status/nominatedNodeName", "<none>"), "Node that preemption frees for the pod.")),
    wide(text("Readiness Gates", Of(computed::readiness_gates), "Readiness gates that hold, of all.")),
];

#[rustfmt::skip] // one column a line: a table
const NODES: &[Column] = &[
    NAME,
    text("Status", Of(computed::node_status), "The status of the node."),
    text("Roles", Of(computed::roles), "The roles of the node."),
    AGE,
    text("Version", Text("/status/nodeInfo/kubeletVersion", ""), "Version of the kubelet."),
    wide(text("Internal-IP", Of(|node, _| computed::address(node, "InternalIP")), "Internal address.")),
    wide(text("External-IP", Of(|node, _| computed::address(node, "ExternalIP")), "External address.")),
    wide(text("OS-Image", Text("/status/nodeInfo/osImage", "<unknown>"), "Image of the operating system.")),
    wide(text("Kernel-Version", Text("/status/nodeInfo/kernelVersion", "<unknown>"), "Version of the kernel.")),
    wide(text("Container-Runtime", Text("/status/nodeInfo/containerRuntimeVersion", "<unknown>"), "Version of the container runtime.")),
];

#[rustfmt::skip] // one column a line: a table
const EVENTS: &[Column] = &[
    text("Last Seen", Since(&["/series/lastObservedTime", "/lastTimestamp", "/firstTimestamp", "/eventTime"]), "Time since the event was last seen."),
    text("Type", Text("/type", ""), "Normal or Warning."),
    text("Reason", Text("/reason", ""), "Why the event was created."),
    text("Object", Of(computed::object), "The object of the event."),
    wide(text("Subobject", Text("/involvedObject/fieldPath", ""), "The part of the object.")),
    wide(text("Source", Of(computed::source), "The component that reports the event.")),
    text("Message", Of(computed::message), "Description of the event."),
    wide(text("First Seen", Since(&["/firstTimestamp", "/eventTime"]), "Time since the event was first seen.")),
    wide(integer("Count", Of(computed::count), "How often the event occurred.")),
    wide(text("Name", Text("/metadata/name", ""), "Name of the event.")),
];

#[rustfmt::skip] // one column a line: a table
const NAMESPACES: &[Column] = &[
    NAME,
    text("Status", Text("/status/phase", "Active"), "Status of the namespace."),
    AGE,
];

#[rustfmt::skip] // one column a line: a table
const API_SERVICES: &[Column] = &[
    NAME,
    text("Service", Of(computed::service), "The service that answers, or Local."),
    text("Available", Of(computed::availability), "Whether the service can be reached."),
    AGE,
];

#[rustfmt::skip] // one column a line: a table
const DEPLOYMENTS: &[Column] = &[
    NAME,
    text("Ready", Of(computed::ready), "Ready pods, of those desired."),
    integer("Up-to-date", Int("/status/updatedReplicas"), "Pods of the current template."),
    integer("Available", Int("/status/availableReplicas"), "Available pods."),
    AGE, CONTAINERS, IMAGES, SELECTOR,
];

#[rustfmt::skip] // one column a line: a table
const REPLICA_SETS: &[Column] = &[
    NAME,
    integer("Desired", Int("/spec/replicas"), "Desired pods."),
    integer("Current", Int("/status/replicas"), "Pods that exist."),
    integer("Ready", Int("/status/readyReplicas"), "Ready pods."),
    AGE, CONTAINERS, IMAGES, SELECTOR,
];

#[rustfmt::skip] // one column a line: a table
const STATEFUL_SETS: &[Column] = &[
    NAME,
    text("Ready", Of(computed::ready), "Ready pods, of those desired."),
    AGE, CONTAINERS, IMAGES,
];

#[rustfmt::skip] // one column a line: a table
const DAEMON_SETS: &[Column] = &[
    NAME,
    integer("Desired", Int("/status/desiredNumberScheduled"), "Nodes that should run the pod."),
    integer("Current", Int("/status/currentNumberScheduled"), "Nodes that should run the pod and do."),
    integer("Ready", Int("/status/numberReady"), "Nodes with a ready pod."),
    integer("Up-to-date", Int("/status/updatedNumberScheduled"), "Pods of the current template."),
    integer("Available", Int("/status/numberAvailable"), "Available pods."),
    text("Node Selector", Of(computed::node_selector), "Labels of the nodes that run the pod."),
    AGE, CONTAINERS, IMAGES, SELECTOR,
];

#[rustfmt::skip] // one column a line: a table
const HORIZONTAL_POD_AUTOSCALERS: &[Column] = &[
    NAME,
    text("Reference", Of(hpa::reference), "The resource that is scaled."),
    text("Targets", Of(hpa::targets), "Current and target values of the metrics."),
    text("MinPods", Text("/spec/minReplicas", "<unset>"), "Lower limit of replicas."),
    text("MaxPods", Text("/spec/maxReplicas", "0"), "Upper limit of replicas."),
    text("Replicas", Text("/status/currentReplicas", "0"), "Current replicas."),
    AGE,
];

#[rustfmt::skip] // one column a line: a table
const PERSISTENT_VOLUME_CLAIMS: &[Column] = &[
    NAME,
    text("Status", Text("/status/phase", ""), "Pending, Bound or Lost."),
    text("Volume", Text("/spec/volumeName", ""), "The volume that is bound to the claim."),
    text("Capacity", Text("/status/capacity/storage", ""), "The size of the volume."),
    text("Access Modes", Of(computed::access_modes), "How nodes may mount the volume."),
    text("StorageClass", Text("/spec/storageClassName", ""), "The class of the volume."),
    AGE,
    wide(text("VolumeMode", Text("/spec/volumeMode", ""), "Filesystem or Block.")),
];
