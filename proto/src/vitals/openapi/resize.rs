//! Resizes in place.

use super::usage::AMOUNTS;
use super::{one, text};
use crate::wire::openapi::meta::TIME;
use crate::wire::openapi::schema::{Field, Holds, Is, Name, Type};

pub(super) const RESIZE: Type = Type::new(
    Name::Own("Resize"),
    "A resize in place that the node has not completed. Until it has, requests, limits and ratios are those of the \
     resources that the kubelet has in force.",
    Is::Object(&[
        one("limits", AMOUNTS.name, "The limits that the spec asks for."),
        text(
            "message",
            "The kubelet's message; only in the pod's own resize.",
        ),
        one(
            "requests",
            AMOUNTS.name,
            "The requests that the spec asks for.",
        ),
        one(
            "since",
            TIME,
            "Since when it has this state, if the kubelet says so; only in the pod's own resize.",
        ),
        Field::new(
            "state",
            Holds::OneOf(&["Pending", "Deferred", "Infeasible", "Error", "InProgress"]),
            "How far it is. Pending: the kubelet has said nothing yet. Deferred: it fits the node, but not now; the \
             kubelet retries. Infeasible: the node can never grant it; it does not count in the node's requests. \
             InProgress: the kubelet is applying it. Error: the kubelet has tried and failed; it retries.",
        ),
    ]),
);
