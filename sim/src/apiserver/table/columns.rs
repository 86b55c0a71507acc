//! The columns of each resource. A resource without columns of its own has its name and its age.

use kubevitals_proto::wire::form::Column;

use crate::objects::Resource;

const NAME: Column = Column::text("Name", "Name of the object.").format("name");
const AGE: Column = Column::text("Age", "Time since the object was created.");
const READY: Column = Column::text("Ready", "Ready pods, of those desired.");
const UP_TO_DATE: Column = Column::integer("Up-to-date", "Pods of the current template.");
const AVAILABLE: Column = Column::integer("Available", "Available pods.");
const CONTAINERS: Column = Column::text("Containers", "Containers in the template.").wide();
const IMAGES: Column = Column::text("Images", "Images in the template.").wide();
const SELECTOR: Column = Column::text("Selector", "Label selector of the pods.").wide();

const PODS: &[Column] = &[
    NAME,
    Column::text("Ready", "Ready containers, of all."),
    Column::text("Status", "The aggregate status of the containers."),
    Column::text(
        "Restarts",
        "Restarts of the containers, and when the last was.",
    ),
    AGE,
    Column::text("IP", "IP address of the pod.").wide(),
    Column::text("Node", "Node that the pod runs on.").wide(),
    Column::text("Nominated Node", "Node that preemption frees for the pod.").wide(),
    Column::text("Readiness Gates", "Readiness gates that hold, of all.").wide(),
];

const NODES: &[Column] = &[
    NAME,
    Column::text("Status", "The status of the node."),
    Column::text("Roles", "The roles of the node."),
    AGE,
    Column::text("Version", "Version of the kubelet."),
    Column::text("Internal-IP", "Internal address.").wide(),
    Column::text("External-IP", "External address.").wide(),
    Column::text("OS-Image", "Image of the operating system.").wide(),
    Column::text("Kernel-Version", "Version of the kernel.").wide(),
    Column::text("Container-Runtime", "Version of the container runtime.").wide(),
];

const EVENTS: &[Column] = &[
    Column::text("Last Seen", "Time since the event was last seen."),
    Column::text("Type", "Normal or Warning."),
    Column::text("Reason", "Why the event was created."),
    Column::text("Object", "The object of the event."),
    Column::text("Subobject", "The part of the object.").wide(),
    Column::text("Source", "The component that reports the event.").wide(),
    Column::text("Message", "Description of the event."),
    Column::text("First Seen", "Time since the event was first seen.").wide(),
    Column::integer("Count", "How often the event occurred.").wide(),
    Column::text("Name", "Name of the event.").wide(),
];

const REPLICA_SETS: &[Column] = &[
    NAME,
    Column::integer("Desired", "Desired pods."),
    Column::integer("Current", "Pods that exist."),
    Column::integer("Ready", "Ready pods."),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

const DAEMON_SETS: &[Column] = &[
    NAME,
    Column::integer("Desired", "Nodes that should run the pod."),
    Column::integer("Current", "Nodes that should run the pod and do."),
    Column::integer("Ready", "Nodes with a ready pod."),
    UP_TO_DATE,
    AVAILABLE,
    Column::text("Node Selector", "Labels of the nodes that run the pod."),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

const HORIZONTAL_POD_AUTOSCALERS: &[Column] = &[
    NAME,
    Column::text("Reference", "The resource that is scaled."),
    Column::text("Targets", "Current and target values of the metrics."),
    Column::text("MinPods", "Lower limit of replicas."),
    Column::text("MaxPods", "Upper limit of replicas."),
    Column::text("Replicas", "Current replicas."),
    AGE,
];

const API_SERVICES: &[Column] = &[
    NAME,
    Column::text("Service", "The service that answers, or Local."),
    Column::text("Available", "Whether the service can be reached."),
    AGE,
];

/// The columns of a resource, in order.
pub(super) const fn of(resource: Resource) -> &'static [Column] {
    match resource {
        Resource::Pods => PODS,
        Resource::Nodes => NODES,
        Resource::Events => EVENTS,
        Resource::Deployments => {
            const {
                &[
                    NAME, READY, UP_TO_DATE, AVAILABLE, AGE, CONTAINERS, IMAGES, SELECTOR,
                ]
            }
        }
        Resource::ReplicaSets => REPLICA_SETS,
        Resource::StatefulSets => const { &[NAME, READY, AGE, CONTAINERS, IMAGES] },
        Resource::DaemonSets => DAEMON_SETS,
        Resource::HorizontalPodAutoscalers => HORIZONTAL_POD_AUTOSCALERS,
        Resource::Namespaces => {
            const {
                &[
                    NAME,
                    Column::text("Status", "Status of the namespace."),
                    AGE,
                ]
            }
        }
        Resource::ApiServices => API_SERVICES,
        _ => const { &[NAME, AGE] },
    }
}
