//! Incidents.

use super::cause::{CAUSES, CERTAINTIES};
use super::pod::{ENDED, WORKLOAD};
use super::{NAME, integer, many, one, text};
use crate::wire::openapi::meta::{API_VERSION, KIND, OBJECT_META, TIME};
use crate::wire::openapi::schema::{Field, Holds, Is, Name, Type};

pub(super) const INCIDENT: Type = Type::new(
    Name::Own("Incident"),
    "Something that went wrong. What belongs together is one incident: a crash loop is one, however often it crashes.",
    Is::Object(&[
        many(
            "affected",
            AFFECTED.name,
            "The pods that it befell, where one cause befell several: the first 20. They are of its namespace.",
        ),
        integer(
            "affectedCount",
            "How many pods it befell; nothing where it is about one pod, or about a node.",
        ),
        API_VERSION,
        one("began", TIME, "When it began."),
        Field::new("cause", Holds::OneOf(CAUSES), "Why."),
        Field::new(
            "certainty",
            Holds::OneOf(CERTAINTIES),
            "How sure the cause is. Direct: Kubernetes said so. Likely: it follows from what was seen.",
        ),
        integer("count", "How often: restarts, failed attempts."),
        one(
            "ended",
            TIME,
            "When it was over; nothing while it goes on.",
        ),
        many(
            "evidence",
            EVIDENCE.name,
            "How it is known, oldest first; of very many the first and the last.",
        ),
        one("involved", INVOLVED.name, "Whom it befell."),
        KIND,
        one(
            "lastEnded",
            ENDED.name,
            "How the container ended the last time, for a restart.",
        ),
        one("lastSeen", TIME, "When it was last seen."),
        text("message", "One sentence."),
        one(
            "metadata",
            OBJECT_META,
            "A name of its own, in the pod's namespace; that of a node's incident is default.",
        ),
        Field::new(
            "reason",
            Holds::OneOf(&[
                "Other",
                "Eviction",
                "ImagePull",
                "NodeNotReady",
                "PodFailed",
                "PodNotReady",
                "ProbeFailing",
                "Restart",
            ]),
            "What went wrong.",
        ),
    ]),
)
.kind_of(NAME);

pub(super) const INVOLVED: Type = Type::new(
    Name::Own("Involved"),
    "Whom an incident befell.",
    Is::Object(&[
        text("container", "The container, where it is about one."),
        text(
            "kind",
            "Pod or Node; or, of pods of one workload that fail alike, the workload's kind.",
        ),
        text("name", "Its name."),
        text("namespace", "The pod's namespace."),
        text("node", "The pod's node."),
        text("uid", "Its identity."),
        one("workload", WORKLOAD.name, "What made the pod."),
    ]),
);

pub(super) const AFFECTED: Type = Type::new(
    Name::Own("Affected"),
    "One of the pods that an incident befell.",
    Is::Object(&[text("name", "Its name."), text("uid", "Its identity.")]),
);

pub(super) const EVIDENCE: Type = Type::new(
    Name::Own("Evidence"),
    "One thing from which an incident is known.",
    Is::Object(&[
        Field::new(
            "source",
            Holds::OneOf(&["Other", "Event", "History", "ProbeCounter", "Status"]),
            "Who tells it: an event, usage that was measured, the kubelet's counters of probes, the pod's or node's \
             status.",
        ),
        text(
            "text",
            "What: an event's text, a counter's rise, the memory before a kill.",
        ),
        one("time", TIME, "When."),
    ]),
);
