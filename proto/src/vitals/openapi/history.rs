//! The past.

use super::cause::CAUSES;
use super::{NAME, integer, many, one, text};
use crate::wire::openapi::meta::{API_VERSION, DURATION, KIND, OBJECT_META, TIME};
use crate::wire::openapi::schema::{Field, Holds, Is, Name, Type};

pub(super) const HISTORY: Type = Type::new(
    Name::Own("History"),
    "Series of a node, a pod, a workload, a namespace or the cluster over a span.",
    Is::Object(&[
        API_VERSION,
        many(
            "containers",
            SERIES.name,
            "Each container of a pod, by name; those of a pod that was deleted and made anew under its name are apart.",
        ),
        Field::new(
            "estimate",
            Holds::ManyOrNull(POINT.name),
            "Of the cluster, where nodes told nothing in a step that were there: what all nodes used by then if those used as large a part of what pods can have. The total of such a step is too low by what they used.",
        )
        .list("atomic"),
        KIND,
        many(
            "marks",
            MARK.name,
            "Restarts and other things that a chart marks, oldest first.",
        ),
        one("metadata", OBJECT_META, "Of what it is."),
        one("span", SPAN.name, "Over which time."),
        one(
            "total",
            SERIES.name,
            "All containers together; of a node or the cluster what the kubelets say of the nodes.",
        ),
    ]),
)
.kind_of(NAME);

pub(super) const SPAN: Type = Type::new(
    Name::Own("Span"),
    "The time that a history is of.",
    Is::Object(&[
        one("since", TIME, "Its beginning."),
        one(
            "step",
            DURATION,
            "The length of a step; the n-th ends at since + (n + 1) × step.",
        ),
        one("until", TIME, "Its end."),
    ]),
);

pub(super) const SERIES: Type = Type::new(
    Name::Own("Series"),
    "A series by steps, and quantiles over its points.",
    Is::Object(&[
        one("cpu", QUANTILES.name, "CPU over the span, in nanocores."),
        one("memory", QUANTILES.name, "Memory over the span, in bytes."),
        text("name", "The container; empty for a total."),
        Field::new(
            "points",
            Holds::ManyOrNull(POINT.name),
            "One for each step; null in a gap.",
        )
        .list("atomic"),
        integer("samples", "From how many points it was made."),
        text("uid", "The pod's identity, where it is known."),
    ]),
);

pub(super) const POINT: Type = Type::new(
    Name::Own("Point"),
    "A step of a series.",
    Is::Object(&[
        integer("cpu", "Nanocores."),
        integer("memory", "Bytes."),
        integer("swap", "Bytes of swap, where there is any."),
    ]),
);

pub(super) const QUANTILES: Type = Type::new(
    Name::Own("Quantiles"),
    "Quantiles over a span, in the unit of what they are of.",
    Is::Object(&[
        integer("max", "The largest."),
        integer("p50", "The median."),
        integer("p90", "Nine of ten are below it."),
        integer("p95", "19 of 20 are below it."),
        integer("p99", "99 of 100 are below it."),
    ]),
);

pub(super) const MARK: Type = Type::new(
    Name::Own("Mark"),
    "Something that a chart marks.",
    Is::Object(&[
        Field::new("cause", Holds::OneOf(CAUSES), "Why."),
        text("container", "The container, where it is about one."),
        text("text", "In a few words: OOMKilled, exit 137."),
        one("time", TIME, "When."),
    ]),
);
