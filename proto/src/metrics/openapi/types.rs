//! The types of metrics.k8s.io.

use super::meta::{DURATION, LIST_META, OBJECT_META, QUANTITY, TIME};
use super::schema::{Field, Holds, Is, Name, Type};
use crate::metrics::GROUP;

pub(super) const NODE_METRICS: Name = Name::Metrics("NodeMetrics");
pub(super) const NODE_METRICS_LIST: Name = Name::Metrics("NodeMetricsList");
pub(super) const POD_METRICS: Name = Name::Metrics("PodMetrics");
pub(super) const POD_METRICS_LIST: Name = Name::Metrics("PodMetricsList");
const CONTAINER_METRICS: Name = Name::Metrics("ContainerMetrics");

pub(super) const API_VERSION: Field = Field::new(
    "apiVersion",
    Holds::String,
    "The API group and version of this object's form, such as metrics.k8s.io/v1.",
);
pub(super) const KIND: Field = Field::new("kind", Holds::String, "The name of this object's type.");

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

pub(super) const TYPES: [Type; 5] = [
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
    .kind_of(GROUP),
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
    .kind_of(GROUP),
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
    .kind_of(GROUP),
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
    .kind_of(GROUP),
];
