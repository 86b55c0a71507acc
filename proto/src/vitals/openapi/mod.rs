//! What OpenAPI says of kubevitals.io. A test holds that every member of what is served is described here, and nothing
//! else.

mod cause;
mod cluster;
mod history;
mod incident;
mod node;
mod parameters;
mod pod;
mod resize;
mod usage;

use super::GROUP as NAME;
use super::discovery::SERVED;
use crate::wire::openapi::Group;
use crate::wire::openapi::meta::{API_VERSION, KIND, LIST_META};
use crate::wire::openapi::schema::{Field, Holds, Is, Name, Type};

/// The group.
pub const GROUP: Group = Group {
    served: &SERVED,
    tag: "kubevitals",
    prefix: "io.kubevitals",
    types: TYPES,
    objects: OBJECTS,
    lists: &[
        "application/json",
        "application/yaml",
        "application/json;stream=watch",
    ],
    of_objects: &parameters::OF_OBJECTS,
    of_lists: &parameters::OF_LISTS,
    of_subresources: &parameters::OF_HISTORIES,
};

const OBJECTS: &[&str] = &["application/json", "application/yaml"];

const TYPES: &[Type] = &[
    cluster::CLUSTER_VITALS,
    list(
        "ClusterVitalsList",
        "ClusterVitals",
        "The cluster: one object, called cluster.",
    ),
    cluster::NODE_COUNTS,
    cluster::POD_COUNTS,
    cluster::INCIDENT_COUNTS,
    cluster::HISTORY_KEPT,
    history::HISTORY,
    history::SPAN,
    history::SERIES,
    history::POINT,
    history::QUANTILES,
    history::MARK,
    incident::INCIDENT,
    list(
        "IncidentList",
        "Incident",
        "Incidents, by namespace and name.",
    ),
    incident::INVOLVED,
    incident::EVIDENCE,
    incident::AFFECTED,
    node::NODE_VITALS,
    list(
        "NodeVitalsList",
        "NodeVitals",
        "Nodes, by name or in the order asked for.",
    ),
    node::CONDITION,
    node::KUBELET_PAGE,
    node::NODE_RATIOS,
    node::POD_ROOM,
    node::DISK,
    node::NETWORK,
    node::PRESSURE,
    pod::POD_VITALS,
    list(
        "PodVitalsList",
        "PodVitals",
        "Pods, by namespace and name or in the order asked for.",
    ),
    pod::WORKLOAD,
    pod::CONTAINER,
    pod::CONTAINER_STATE,
    pod::ENDED,
    pod::RESTARTS,
    pod::LAST_RESTART,
    pod::PROBE,
    resize::RESIZE,
    usage::USAGE,
    usage::AMOUNTS,
    usage::RATIOS,
    usage::ABSENCE,
    usage::TREND,
];

/// A list of `kind`.
const fn list(name: &'static str, kind: &'static str, description: &'static str) -> Type {
    let fields: &[Field] = match kind.as_bytes() {
        b"ClusterVitals" => &LIST_OF_CLUSTERS,
        b"Incident" => &LIST_OF_INCIDENTS,
        b"NodeVitals" => &LIST_OF_NODES,
        _ => &LIST_OF_PODS,
    };
    Type::new(Name::Own(name), description, Is::Object(fields)).kind_of(NAME)
}

const LIST_OF_CLUSTERS: [Field; 4] = of_list("ClusterVitals");
const LIST_OF_INCIDENTS: [Field; 4] = of_list("Incident");
const LIST_OF_NODES: [Field; 4] = of_list("NodeVitals");
const LIST_OF_PODS: [Field; 4] = of_list("PodVitals");

const fn of_list(kind: &'static str) -> [Field; 4] {
    [
        API_VERSION,
        Field::new("items", Holds::Many(Name::Own(kind)), "The objects.").required(),
        KIND,
        Field::new(
            "metadata",
            Holds::One(LIST_META),
            "About the list: its resourceVersion is where a watch goes on from it.",
        ),
    ]
}

/// A member that is a text.
const fn text(name: &'static str, description: &'static str) -> Field {
    Field::new(name, Holds::String, description)
}

/// A whole number.
const fn integer(name: &'static str, description: &'static str) -> Field {
    Field::new(name, Holds::Integer, description)
}

/// A number with a fraction.
const fn number(name: &'static str, description: &'static str) -> Field {
    Field::new(name, Holds::Number, description)
}

/// A value of a type.
const fn one(name: &'static str, of: Name, description: &'static str) -> Field {
    Field::new(name, Holds::One(of), description)
}

/// Values of a type.
const fn many(name: &'static str, of: Name, description: &'static str) -> Field {
    Field::new(name, Holds::Many(of), description).list("atomic")
}
