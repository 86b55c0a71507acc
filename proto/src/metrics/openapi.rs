//! What OpenAPI says of metrics.k8s.io.
//!
//! Paths, operations, types and fields are those of metrics-server; what is said of them is our own.

use super::GROUP as NAME;
use super::discovery::SERVED;
use crate::wire::openapi::meta::{
    API_VERSION, DURATION, KIND, LIST_META, OBJECT_META, QUANTITY, TIME,
};
use crate::wire::openapi::schema::{Field, Holds, Is, Name, Type};
use crate::wire::openapi::{Group, Parameter};

/// The group.
pub const GROUP: Group = Group {
    served: &SERVED,
    tag: "metrics",
    prefix: "io.k8s.metrics.pkg.apis.metrics",
    types: TYPES,
    objects: &[
        "application/json",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
    ],
    lists: &[
        "application/json",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
        "application/json;stream=watch",
        "application/vnd.kubernetes.protobuf;stream=watch",
    ],
    of_objects: &[PRETTY],
    of_lists: &OF_LISTS,
    of_subresources: &[],
};

const PRETTY: Parameter = (
    "pretty",
    "string",
    false,
    "true for indented JSON, which browsers, curl and Wget get unasked.",
);
const IGNORED: &str = "Taken, and ignored.";

/// What every list takes.
const OF_LISTS: [Parameter; 12] = [
    ("allowWatchBookmarks", "boolean", false, IGNORED),
    (
        "continue",
        "string",
        false,
        "Ignored: a list is always whole.",
    ),
    (
        "fieldSelector",
        "string",
        false,
        "Which objects, by metadata.name and metadata.namespace: metadata.name=web-1. All, if it is empty.",
    ),
    (
        "labelSelector",
        "string",
        false,
        "Which objects, by their labels: app=web,tier in (front,back),!canary. All, if it is empty.",
    ),
    (
        "limit",
        "integer",
        false,
        "Ignored: a list is always whole.",
    ),
    PRETTY,
    ("resourceVersion", "string", false, IGNORED),
    ("resourceVersionMatch", "string", false, IGNORED),
    ("sendInitialEvents", "boolean", false, IGNORED),
    ("shardSelector", "string", false, IGNORED),
    ("timeoutSeconds", "integer", false, IGNORED),
    (
        "watch",
        "boolean",
        false,
        "Refused: metrics cannot be watched. They are measured at intervals; ask again.",
    ),
];

const NODE_METRICS: Name = Name::Own("NodeMetrics");
const NODE_METRICS_LIST: Name = Name::Own("NodeMetricsList");
const POD_METRICS: Name = Name::Own("PodMetrics");
const POD_METRICS_LIST: Name = Name::Own("PodMetricsList");
const CONTAINER_METRICS: Name = Name::Own("ContainerMetrics");

const METADATA: Field = Field::new(
    "metadata",
    Holds::One(OBJECT_META),
    "The name, namespace and labels of what was measured. The creation time is when this answer was given.",
)
.always();
const LIST_METADATA: Field = Field::new(
    "metadata",
    Holds::One(LIST_META),
    "Empty: the list is always whole, and of the moment it was asked for.",
)
.always();
const TIMESTAMP: Field = Field::new(
    "timestamp",
    Holds::One(TIME),
    "The end of the time that was measured: when the kubelet last took the values. It may lie up to two and a half \
     resolutions back.",
)
.required();
const WINDOW: Field = Field::new("window", Holds::One(DURATION), "").required();
const USAGE: Field = Field::new(
    "usage",
    Holds::Map(QUANTITY),
    "What is used, by resource. cpu is in cores, averaged over the window. memory is the working set in bytes at the \
     timestamp: what the kernel cannot take back under pressure, and what the out-of-memory killer counts.",
)
.required();

const TYPES: &[Type] = &[
    Type::new(
        CONTAINER_METRICS,
        "What a container uses.",
        Is::Object(&[
            Field::new(
                "name",
                Holds::String,
                "The container's name in pod.spec.containers or, of a sidecar, in pod.spec.initContainers.",
            )
            .required(),
            USAGE,
        ]),
    ),
    Type::new(
        NODE_METRICS,
        "What a node uses: all of it, the system's own processes included.",
        Is::Object(&[API_VERSION, KIND, METADATA, TIMESTAMP, USAGE, WINDOW]),
    )
    .kind_of(NAME),
    Type::new(
        NODE_METRICS_LIST,
        "What the nodes use that have metrics.",
        Is::Object(&[
            API_VERSION,
            Field::new("items", Holds::Many(NODE_METRICS), "The nodes, by name.").required(),
            KIND,
            LIST_METADATA,
        ]),
    )
    .kind_of(NAME),
    Type::new(
        POD_METRICS,
        "What a pod uses. A pod is answered with all of its running containers or not at all.",
        Is::Object(&[
            API_VERSION,
            Field::new(
                "containers",
                Holds::Many(CONTAINER_METRICS),
                "Its containers, all measured over the same time.",
            )
            .required()
            .list("atomic"),
            KIND,
            METADATA,
            TIMESTAMP,
            WINDOW,
        ]),
    )
    .kind_of(NAME),
    Type::new(
        POD_METRICS_LIST,
        "What the pods use that have metrics.",
        Is::Object(&[
            API_VERSION,
            Field::new("items", Holds::Many(POD_METRICS), "The pods, by namespace and name.")
                .required(),
            KIND,
            LIST_METADATA,
        ]),
    )
    .kind_of(NAME),
];
