//! Answers: JSON bodies, and refusals as `Status` objects in kube-apiserver's words.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use kubevitals_proto::wire::status::{Details, Reason, Status};
use serde_json::Value;

use crate::connections::response;
pub(super) use crate::connections::{Body, full};
use crate::objects::Resource;

/// An answer of one media type.
pub(super) fn answer(code: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = response(code, content_type, body);
    let no_cache = HeaderValue::from_static("no-cache, private");
    response.headers_mut().insert(CACHE_CONTROL, no_cache);
    response
}

/// A JSON answer, with the newline that kube-apiserver ends compact JSON with.
pub(super) fn json_answer(code: StatusCode, value: &Value) -> Response<Body> {
    answer(code, "application/json", full(format!("{value}\n")))
}

/// A plain-text answer.
pub(super) fn text(code: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    answer(code, "text/plain; charset=utf-8", full(body))
}

/// A refusal. It is boxed, because a `Status` is large beside the answers that it is an alternative to.
pub(super) type Refusal = Box<Status>;

/// 404 for an object that does not exist.
pub(super) fn not_found(resource: Resource, name: &str) -> Refusal {
    let info = resource.info();
    Box::new(Status::not_found(info.group, info.plural, name))
}

/// 406.
pub(super) fn not_acceptable() -> Refusal {
    let message = "only the following media types are accepted: application/json, application/json;stream=watch";
    Box::new(Status::failure(406, Reason::NotAcceptable, message))
}

/// 415.
pub(super) fn unsupported_media_type() -> Refusal {
    let message = "the body of the request was in an unknown format - accepted media types include: application/json";
    Box::new(Status::failure(415, Reason::UnsupportedMediaType, message))
}

/// 409 for an object that exists.
pub(super) fn already_exists(resource: Resource, name: &str) -> Refusal {
    let message = format!("{} {name:?} already exists", resource.info().qualified());
    about(resource, name, Reason::AlreadyExists, message)
}

/// 409 for a write to another version than the current one.
pub(super) fn conflict(resource: Resource, name: &str) -> Refusal {
    let message = format!(
        "Operation cannot be fulfilled on {} {name:?}: the object has been modified; please apply your changes to the latest version and try again",
        resource.info().qualified()
    );
    about(resource, name, Reason::Conflict, message)
}

/// 429 for an eviction that a budget does not allow.
pub(super) fn disruption(name: &str) -> Refusal {
    let message =
        format!("Cannot evict pod {name:?} as it would violate the pod's disruption budget.");
    Box::new(Status::failure(429, Reason::TooManyRequests, message))
}

fn about(resource: Resource, name: &str, reason: Reason, message: String) -> Refusal {
    let info = resource.info();
    let details = Details {
        name: name.to_owned(),
        group: info.group.to_owned(),
        kind: info.plural.to_owned(),
        ..Details::default()
    };
    Box::new(Status::failure(409, reason, message).with_details(details))
}

/// 422 for options of a list or watch that contradict each other, or that this API server does not have.
pub(super) fn forbidden_option(field: &str, message: &str) -> Refusal {
    let error = format!("Forbidden: {message}");
    Box::new(Status::invalid_list_options(&[(field, error)]))
}

/// 410 for a page of a list whose snapshot is gone, with a token to go on inconsistently.
pub(super) fn expired_continue(token: String) -> Refusal {
    let message = "The provided continue parameter is too old to display a consistent list result. You can start a \
                   new list without the continue parameter, or use the continue token in this response to retrieve \
                   the remainder of the results. Continuing with the provided token results in an inconsistent list \
                   - objects that were created, modified, or deleted between the time the first chunk was returned \
                   and now may show up in the list.";
    let mut status = Status::expired(message);
    status.metadata.continue_token = token;
    Box::new(status)
}

/// 503 of a server that is starting, or whose aggregated server does not answer; with seconds, to be retried then.
pub(super) fn unavailable(retry_after_seconds: i32) -> Refusal {
    let message = "the server is currently unable to handle the request";
    Box::new(Status::unavailable_for(message, retry_after_seconds))
}

/// The response of a refusal.
pub(super) fn refused(status: &Status) -> Response<Body> {
    let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut json = status.to_json();
    json.push(b'\n');
    let mut response = answer(code, "application/json", full(json));
    let seconds = status.details.as_ref().map_or(0, |d| d.retry_after_seconds);
    if seconds > 0 {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}
