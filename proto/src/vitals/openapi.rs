//! The OpenAPI description of kubevitals.io. A test checks that it describes every member of the objects, and nothing
//! else.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::discovery::SERVED;
use super::{
    Availability, ClusterVitals, History, Incident, List, NodeVitals, OwnMetrics, PodVitals,
    VolumeVitals,
};
use crate::wire::openapi::{Group, Parameter, flag, integer, text};

/// The group.
pub const GROUP: Group = Group {
    served: &SERVED,
    tag: "kubevitals",
    prefix: "io.kubevitals",
    schemas,
    objects: &["application/json", "application/yaml"],
    lists: &[
        "application/json",
        "application/yaml",
        "application/json;stream=watch",
    ],
    of_objects: &OF_OBJECTS,
    of_lists: &OF_LISTS,
    of_subresources: &OF_HISTORIES,
    templates: &[],
};

/// Only what a reader cannot do without is required.
fn schemas(_version: &str) -> Map<String, Value> {
    let mut generator = SchemaSettings::draft2020_12()
        .for_deserialize()
        .into_generator();
    generator.subschema_for::<List<Availability>>();
    generator.subschema_for::<List<ClusterVitals>>();
    generator.subschema_for::<List<Incident>>();
    generator.subschema_for::<List<NodeVitals>>();
    generator.subschema_for::<List<PodVitals>>();
    generator.subschema_for::<List<VolumeVitals>>();
    generator.subschema_for::<History>();
    generator.subschema_for::<OwnMetrics>();
    generator.take_definitions(true)
}

const PRETTY: Parameter = text(
    "pretty",
    "true for indented JSON, which browsers, curl and Wget get by default.",
);
const AT: Parameter = text(
    "at",
    "As of when: an RFC 3339 time, or a negative duration such as -5m, within the time that is remembered.",
);
const SPAN: Parameter = text(
    "span",
    "Only these spans before now: 1h,7d. Of availabilities.",
);
const STATS: Parameter = text(
    "stats",
    "With the quantiles of usage over this duration: 1h. Of pods and nodes.",
);
const TREND: Parameter = integer("trend", "With so many of the latest steps, at most 240.");

const OF_OBJECTS: [Parameter; 5] = [AT, PRETTY, SPAN, STATS, TREND];

const OF_LISTS: [Parameter; 17] = [
    flag(
        "allowWatchBookmarks",
        "Whether a watch sends its version from time to time, when nothing else changes.",
    ),
    AT,
    text(
        "continue",
        "Refused: a list is always whole, or a top, and gives no token to go on with.",
    ),
    flag(
        "deleted",
        "Whether deleted pods whose history is stored are listed too.",
    ),
    text(
        "fieldSelector",
        "Which objects, by their fields: status.phase=Running,status.ready=false. All, if it is empty.",
    ),
    text(
        "labelSelector",
        "Which objects, by their labels: app=web,tier in (front,back),!canary. All, if it is empty.",
    ),
    integer(
        "limit",
        "With sortBy: only so many, the first in that order. Without: ignored, a list is whole.",
    ),
    PRETTY,
    text(
        "resourceVersion",
        "Where a watch goes on: the version of a list, or of the last event. A list is not older than it.",
    ),
    text(
        "resourceVersionMatch",
        "NotOlderThan, or for a list Exact: then it fails if anything has changed since the version.",
    ),
    flag(
        "sendInitialEvents",
        "Whether a watch begins with all there is, and says in a bookmark when that is over. It takes \
         resourceVersionMatch=NotOlderThan.",
    ),
    text(
        "sortBy",
        "The order, the largest first: cpu, memory, restarts, cpuOfLimit, memoryOfLimit, cpuOfRequest, \
         memoryOfRequest, growth; or name.",
    ),
    SPAN,
    STATS,
    integer(
        "timeoutSeconds",
        "After how long a watch ends: at most an hour.",
    ),
    TREND,
    flag("watch", "Send every change."),
];

const OF_HISTORIES: [Parameter; 7] = [
    text("container", "Only this container of a pod."),
    text(
        "fold",
        "What is made of the points within a step: mean, min or max.",
    ),
    PRETTY,
    text(
        "since",
        "The beginning: an RFC 3339 time, or a duration such as 30m before the end.",
    ),
    text("step", "The length of a step: a duration such as 1m."),
    text(
        "until",
        "The end: an RFC 3339 time, or a duration such as 5m before now.",
    ),
    text(
        "workload",
        "Of the pods called -: those that KIND/NAME made, together; without it all of the namespace.",
    ),
];
