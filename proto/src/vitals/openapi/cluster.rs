//! The cluster.

use super::node::NODE_RATIOS;
use super::usage::{AMOUNTS, TREND, USAGE};
use super::{NAME, integer, one, text};
use crate::wire::openapi::meta::{API_VERSION, DURATION, KIND, OBJECT_META, TIME};
use crate::wire::openapi::schema::{Field, Holds, Is, Name, Type};

pub(super) const CLUSTER_VITALS: Type = Type::new(
    Name::Own("ClusterVitals"),
    "The whole cluster.",
    Is::Object(&[
        one("allocatable", AMOUNTS.name, "What pods can have."),
        one(
            "allocatableReporting",
            AMOUNTS.name,
            "What pods can have on the nodes that have usage: usage is of those.",
        ),
        API_VERSION,
        one("capacity", AMOUNTS.name, "What the nodes have."),
        one("history", HISTORY_KEPT.name, "What is remembered."),
        one("incidents", INCIDENT_COUNTS.name, "Incidents, counted."),
        KIND,
        one(
            "limits",
            AMOUNTS.name,
            "What pods are limited to, of those that are.",
        ),
        one("metadata", OBJECT_META, "Its name is cluster."),
        one("nodes", NODE_COUNTS.name, "Nodes, counted."),
        one("pods", POD_COUNTS.name, "Pods, counted."),
        integer("probesFailing", "Probes that fail now."),
        one(
            "ratios",
            NODE_RATIOS.name,
            "Parts of what pods can have: what is used, of that of the nodes that have usage.",
        ),
        one("requests", AMOUNTS.name, "What pods request."),
        integer("restarts", "Restarts within the time that is remembered."),
        text("serverVersion", "The server's version."),
        one(
            "trend",
            TREND.name,
            "The cluster's latest past, if it was asked for with trend=STEPS.",
        ),
        one(
            "usage",
            USAGE.name,
            "All nodes together, those that have usage. Its timestamp is that of the oldest among them.",
        ),
    ]),
)
.kind_of(NAME);

pub(super) const NODE_COUNTS: Type = Type::new(
    Name::Own("NodeCounts"),
    "Nodes, counted.",
    Is::Object(&[
        integer("ready", "Whose Ready condition is true."),
        integer("reporting", "That have usage now."),
        integer("total", "All."),
    ]),
);

pub(super) const POD_COUNTS: Type = Type::new(
    Name::Own("PodCounts"),
    "Pods, counted.",
    Is::Object(&[
        Field::new("byPhase", Holds::IntegerMap, "By phase."),
        integer("probesFailing", "Of which a probe fails."),
        integer("ready", "Whose Ready condition is true."),
        integer("total", "All."),
    ]),
);

pub(super) const INCIDENT_COUNTS: Type = Type::new(
    Name::Own("IncidentCounts"),
    "Incidents, counted.",
    Is::Object(&[
        integer("open", "That are not over."),
        integer("total", "That are remembered."),
    ]),
);

pub(super) const HISTORY_KEPT: Type = Type::new(
    Name::Own("HistoryKept"),
    "What is remembered.",
    Is::Object(&[
        integer("bytes", "Bytes that the points take."),
        one("oldest", TIME, "The oldest point there is."),
        integer("points", "Points."),
        one(
            "retention",
            DURATION,
            "For how long points are kept; 0s: none are.",
        ),
        integer(
            "series",
            "Series: containers and nodes, those that are gone included.",
        ),
    ]),
);
