//! The OpenAPI document of metrics.k8s.io.
//!
//! Paths, operations, types and fields are those of metrics-server; the descriptions are our own.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::discovery::SERVED;
use super::{NodeMetricsList, PodMetricsList};
use crate::wire::openapi::{Group, Parameter, flag, integer, text};

/// The group.
pub const GROUP: Group = Group {
    served: &SERVED,
    tag: "metrics",
    prefix: "io.k8s.metrics.pkg.apis.metrics",
    schemas,
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
    templates: &[],
};

/// Members that are always written are required.
fn schemas(_version: &str) -> Map<String, Value> {
    let mut generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    generator.subschema_for::<NodeMetricsList>();
    generator.subschema_for::<PodMetricsList>();
    generator.take_definitions(true)
}

const PRETTY: Parameter = text(
    "pretty",
    "true for indented JSON, which browsers, curl and Wget get by default.",
);
const IGNORED: &str = "Accepted and ignored.";
const WHOLE: &str = "Ignored: a list is always whole.";

/// The parameters of every list.
const OF_LISTS: [Parameter; 12] = [
    flag("allowWatchBookmarks", IGNORED),
    text("continue", WHOLE),
    text(
        "fieldSelector",
        "Which objects, by metadata.name and metadata.namespace: metadata.name=web-1. All, if it is empty.",
    ),
    text(
        "labelSelector",
        "Which objects, by their labels: app=web,tier in (front,back),!canary. All, if it is empty.",
    ),
    integer("limit", WHOLE),
    PRETTY,
    text("resourceVersion", IGNORED),
    text("resourceVersionMatch", IGNORED),
    flag("sendInitialEvents", IGNORED),
    text("shardSelector", IGNORED),
    integer("timeoutSeconds", IGNORED),
    flag(
        "watch",
        "Refused: metrics cannot be watched. They are sampled at intervals; list them again.",
    ),
];
