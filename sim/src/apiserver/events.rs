//! Creating Events of `events.k8s.io/v1`: they are checked as kube-apiserver does, and stored as Events of core/v1, which
//! is the same object in another version.

use http::{HeaderMap, Method, Response, StatusCode};
use hyper::body::Incoming;
use kubevitals_proto::wire::status::Status;
use serde_json::{Map, Value, json};

use super::body;
use super::request::ResourcePath;
use super::status::{Body, Refusal, already_exists, json_answer};
use crate::members::Members;
use crate::objects::{Precondition, Resource, Store, WriteError};

/// The longest note, in bytes (`noteLengthLimit` in pkg/apis/core/validation/events.go).
const MAX_NOTE: usize = 1024;

/// The longest action, reason and instance.
const MAX_WORD: usize = 128;

/// Whether a request is for these Events.
pub(super) fn serves(path: &ResourcePath) -> bool {
    (&*path.group, &*path.version, &*path.resource) == ("events.k8s.io", "v1", "events")
}

/// Creates an Event.
pub(super) async fn answer(
    store: &Store,
    path: &ResourcePath,
    (method, headers): (&Method, &HeaderMap),
    incoming: Incoming,
) -> Result<Response<Body>, Refusal> {
    let Some(namespace) = path.namespace.as_deref().filter(|_| method == Method::POST) else {
        return Err(Status::method_not_allowed().into());
    };
    let event = body::json(headers, incoming).await?;
    if let Some(invalid) = invalid(&event, namespace) {
        return Err(Status::bad_request(format!("Event is invalid: {invalid}")).into());
    }
    let name = event.text("/metadata/name").to_owned();
    let stored = store.apply_if(Resource::Events, core(&event), Precondition::Absent);
    match stored {
        Ok(_) => Ok(json_answer(StatusCode::CREATED, &event)),
        Err(WriteError::Exists) => Err(already_exists(Resource::Events, &name)),
        Err(error) => Err(Status::bad_request(error.to_string()).into()),
    }
}

/// What kube-apiserver would refuse in a new Event.
fn invalid(event: &Value, namespace: &str) -> Option<&'static str> {
    let word = |pointer: &str| (1..=MAX_WORD).contains(&event.text(pointer).len());
    let regarding = match event.text("/regarding/namespace") {
        "" => "default",
        namespace => namespace,
    };
    [
        (
            event.text("/metadata/namespace") == namespace && regarding == namespace,
            "regarding.namespace: does not match event.namespace",
        ),
        (!event.text("/metadata/name").is_empty(), "metadata.name"),
        (event.text("/metadata/name").len() <= 253, "metadata.name"),
        (!event.text("/eventTime").is_empty(), "eventTime"),
        (word("/action"), "action"),
        (word("/reason"), "reason"),
        (word("/reportingInstance"), "reportingInstance"),
        (
            event.text("/reportingController").contains('/'),
            "reportingController",
        ),
        (matches!(event.text("/type"), "Normal" | "Warning"), "type"),
        (event.text("/note").len() <= MAX_NOTE, "note"),
    ]
    .into_iter()
    .find_map(|(valid, field)| (!valid).then_some(field))
}

/// The Event in core/v1.
fn core(event: &Value) -> Value {
    let mut core = Map::new();
    for (from, to) in [
        ("metadata", "metadata"),
        ("regarding", "involvedObject"),
        ("note", "message"),
        ("reportingController", "reportingComponent"),
        ("reportingInstance", "reportingInstance"),
        ("action", "action"),
        ("reason", "reason"),
        ("type", "type"),
        ("eventTime", "eventTime"),
    ] {
        let value = event.get(from).cloned();
        core.insert(to.to_owned(), value.unwrap_or_else(|| json!(null)));
    }
    core.into()
}
