//! The columns of each resource. Priority 1 shows with `-o wide` only.

use crate::objects::Resource;

/// One column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) description: &'static str,
    pub(super) priority: u8,
}

const fn column(name: &'static str, kind: &'static str, description: &'static str) -> Column {
    Column {
        name,
        kind,
        description,
        priority: 0,
    }
}

const fn wide(name: &'static str, description: &'static str) -> Column {
    Column {
        name,
        kind: "string",
        description,
        priority: 1,
    }
}

const NAME: Column = column(
    "Name",
    "string",
    "Name of the object, unique within its namespace.",
);
const AGE: Column = column("Age", "string", "Time since the object was created.");
const CONTAINERS: Column = wide("Containers", "Names of each container in the template.");
const IMAGES: Column = wide(
    "Images",
    "Images referenced by each container in the template.",
);
const SELECTOR: Column = wide("Selector", "Label selector of the pods it manages.");

/// The columns of a resource, in order.
pub(super) const fn of(resource: Resource) -> &'static [Column] {
    match resource {
        Resource::Pods => {
            const {
                &[
                    NAME,
                    column(
                        "Ready",
                        "string",
                        "The aggregate readiness state of this pod for accepting traffic.",
                    ),
                    column(
                        "Status",
                        "string",
                        "The aggregate status of the containers in this pod.",
                    ),
                    column(
                        "Restarts",
                        "string",
                        "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.",
                    ),
                    AGE,
                    wide("IP", "IP address allocated to the pod."),
                    wide("Node", "Name of the node the pod runs on."),
                    wide(
                        "Nominated Node",
                        "Node on which preemption makes room for the pod.",
                    ),
                    wide(
                        "Readiness Gates",
                        "Readiness gates that hold, of all there are.",
                    ),
                ]
            }
        }
        Resource::Nodes => {
            const {
                &[
                    NAME,
                    column("Status", "string", "The status of the node"),
                    column("Roles", "string", "The roles of the node"),
                    AGE,
                    column("Version", "string", "Kubelet Version reported by the node."),
                    wide("Internal-IP", "Internal address of the node."),
                    wide("External-IP", "External address of the node."),
                    wide("OS-Image", "OS Image reported by the node."),
                    wide("Kernel-Version", "Kernel Version reported by the node."),
                    wide(
                        "Container-Runtime",
                        "ContainerRuntime Version reported by the node.",
                    ),
                ]
            }
        }
        Resource::Events => {
            const {
                &[
                    column("Last Seen", "string", "Time since the event was last seen."),
                    column("Type", "string", "Type of this event (Normal, Warning)."),
                    column("Reason", "string", "Why the event was made."),
                    column("Object", "string", "The object this event is about."),
                    wide("Subobject", "The part of the object this event is about."),
                    wide("Source", "The component reporting this event."),
                    column(
                        "Message",
                        "string",
                        "A human-readable description of the status of this operation.",
                    ),
                    wide("First Seen", "Time since the event was first seen."),
                    Column {
                        name: "Count",
                        kind: "integer",
                        description: "How often it occurred.",
                        priority: 1,
                    },
                    wide("Name", "Name of the event."),
                ]
            }
        }
        Resource::Deployments => {
            const {
                &[
                    NAME,
                    column("Ready", "string", "Number of the pod with ready state"),
                    column(
                        "Up-to-date",
                        "integer",
                        "Number of pods with the desired template.",
                    ),
                    column(
                        "Available",
                        "integer",
                        "Number of pods ready for at least minReadySeconds.",
                    ),
                    AGE,
                    CONTAINERS,
                    IMAGES,
                    SELECTOR,
                ]
            }
        }
        Resource::ReplicaSets => {
            const {
                &[
                    NAME,
                    column("Desired", "integer", "Number of desired pods."),
                    column("Current", "integer", "Number of pods there are."),
                    column("Ready", "integer", "Number of ready pods."),
                    AGE,
                    CONTAINERS,
                    IMAGES,
                    SELECTOR,
                ]
            }
        }
        Resource::StatefulSets => {
            const {
                &[
                    NAME,
                    column("Ready", "string", "Number of the pod with ready state"),
                    AGE,
                    CONTAINERS,
                    IMAGES,
                ]
            }
        }
        Resource::DaemonSets => {
            const {
                &[
                    NAME,
                    column(
                        "Desired",
                        "integer",
                        "Number of nodes that should run the daemon pod.",
                    ),
                    column(
                        "Current",
                        "integer",
                        "Number of nodes that run at least one daemon pod and should.",
                    ),
                    column(
                        "Ready",
                        "integer",
                        "Number of nodes with a ready daemon pod.",
                    ),
                    column(
                        "Up-to-date",
                        "integer",
                        "Number of nodes that run the updated daemon pod.",
                    ),
                    column(
                        "Available",
                        "integer",
                        "Number of nodes with an available daemon pod.",
                    ),
                    column(
                        "Node Selector",
                        "string",
                        "Labels of the nodes that run the daemon pod.",
                    ),
                    AGE,
                    CONTAINERS,
                    IMAGES,
                    SELECTOR,
                ]
            }
        }
        Resource::HorizontalPodAutoscalers => {
            const {
                &[
                    NAME,
                    column("Reference", "string", "The resource that is scaled."),
                    column(
                        "Targets",
                        "string",
                        "Current and target values of the metrics.",
                    ),
                    column(
                        "MinPods",
                        "string",
                        "Lower limit of the number of replicas.",
                    ),
                    column(
                        "MaxPods",
                        "string",
                        "Upper limit of the number of replicas.",
                    ),
                    column("Replicas", "string", "Current number of replicas."),
                    AGE,
                ]
            }
        }
        Resource::Namespaces => {
            const {
                &[
                    NAME,
                    column("Status", "string", "The status of the namespace"),
                    AGE,
                ]
            }
        }
        Resource::ConfigMaps => {
            const { &[NAME, column("Data", "string", "Number of entries."), AGE] }
        }
        Resource::Secrets => {
            const {
                &[
                    NAME,
                    column("Type", "string", "What kind of secret it is."),
                    column("Data", "string", "Number of entries."),
                    AGE,
                ]
            }
        }
        Resource::Services => {
            const {
                &[
                    NAME,
                    column("Type", "string", "How the service is exposed."),
                    column(
                        "Cluster-IP",
                        "string",
                        "The address of the service within the cluster.",
                    ),
                    column(
                        "External-IP",
                        "string",
                        "Addresses of the service outside the cluster.",
                    ),
                    column("Port(s)", "string", "The ports of the service."),
                    AGE,
                    SELECTOR,
                ]
            }
        }
        Resource::ServiceAccounts => {
            const { &[NAME, column("Secrets", "string", "Number of secrets."), AGE] }
        }
        Resource::Leases => {
            const {
                &[
                    NAME,
                    column("Holder", "string", "Who holds the lease."),
                    AGE,
                ]
            }
        }
        Resource::EndpointSlices => {
            const {
                &[
                    NAME,
                    column("AddressType", "string", "What kind of addresses it has."),
                    column("Ports", "string", "The ports of each endpoint."),
                    column("Endpoints", "string", "The addresses."),
                    AGE,
                ]
            }
        }
        Resource::Jobs => {
            const {
                &[
                    NAME,
                    column("Status", "string", "Status of the job."),
                    column(
                        "Completions",
                        "string",
                        "How many pods have ended well, of how many.",
                    ),
                    AGE,
                ]
            }
        }
        Resource::ApiServices => {
            const {
                &[
                    NAME,
                    column("Service", "string", "The service that serves it, or Local."),
                    column("Available", "string", "Whether it can be reached."),
                    AGE,
                ]
            }
        }
    }
}
