//! What can be asked for beside a path.

use crate::wire::openapi::Parameter;

const PRETTY: Parameter = (
    "pretty",
    "string",
    false,
    "true for indented JSON, which browsers, curl and Wget get unasked.",
);
const AT: Parameter = (
    "at",
    "string",
    false,
    "As of when: an RFC 3339 time, or a negative duration such as -5m, within the time that is remembered.",
);
const TREND: Parameter = (
    "trend",
    "integer",
    false,
    "With so many of the latest steps, at most 240.",
);

pub(super) const OF_OBJECTS: [Parameter; 3] = [AT, PRETTY, TREND];

pub(super) const OF_LISTS: [Parameter; 14] = [
    (
        "allowWatchBookmarks",
        "boolean",
        false,
        "Whether a watch tells its version now and then, when nothing else changes.",
    ),
    AT,
    (
        "continue",
        "string",
        false,
        "Refused: a list is always whole, or a top, and gives no token to go on with.",
    ),
    (
        "fieldSelector",
        "string",
        false,
        "Which objects, by their fields: status.phase=Running,status.ready=false. All, if it is empty.",
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
        "With sortBy: only so many, the first in that order. Without: ignored, a list is whole.",
    ),
    PRETTY,
    (
        "resourceVersion",
        "string",
        false,
        "Where a watch goes on: the version of a list, or of the last event. A list is not older than it.",
    ),
    (
        "resourceVersionMatch",
        "string",
        false,
        "NotOlderThan, or for a list Exact: then it fails if anything has changed since the version.",
    ),
    (
        "sendInitialEvents",
        "boolean",
        false,
        "Whether a watch begins with all there is, and says in a bookmark when that is over. It takes \
         resourceVersionMatch=NotOlderThan.",
    ),
    (
        "sortBy",
        "string",
        false,
        "The order, the largest first: cpu, memory, restarts, cpuOfLimit, memoryOfLimit, cpuOfRequest, \
         memoryOfRequest, growth; or name.",
    ),
    (
        "timeoutSeconds",
        "integer",
        false,
        "After how long a watch ends: at most an hour.",
    ),
    TREND,
    ("watch", "boolean", false, "Go on telling what changes."),
];

pub(super) const OF_HISTORIES: [Parameter; 7] = [
    (
        "container",
        "string",
        false,
        "Only this container of a pod.",
    ),
    (
        "fold",
        "string",
        false,
        "What is made of the points within a step: mean, min or max.",
    ),
    PRETTY,
    (
        "since",
        "string",
        false,
        "The beginning: an RFC 3339 time, or a duration such as 30m before the end.",
    ),
    (
        "step",
        "string",
        false,
        "The length of a step: a duration such as 1m.",
    ),
    (
        "until",
        "string",
        false,
        "The end: an RFC 3339 time, or a duration such as 5m before now.",
    ),
    (
        "workload",
        "string",
        false,
        "Of the pods called -: those that KIND/NAME made, together; without it all of the namespace.",
    ),
];
