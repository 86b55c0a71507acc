//! Answers: JSON bodies, and refusals as `Status` objects in kube-apiserver's words.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Map, Value, json};

use crate::objects::{Resource, ResourceInfo};

/// A body that may be streamed.
pub type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;

/// A whole body.
pub(super) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// An answer of one media type.
pub(super) fn answer(code: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
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

/// A refusal: what becomes a `Status` of `Failure`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    code: u16,
    reason: &'static str,
    message: Box<str>,
    details: Option<Box<Value>>,
    /// In how many seconds to ask again.
    retry_after: Option<u32>,
    /// A token to go on with a list whose consistent view is gone.
    continue_token: Option<Box<str>>,
}

impl Refusal {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into().into_boxed_str(),
            details: None,
            retry_after: None,
            continue_token: None,
        }
    }

    fn with(self, details: Value) -> Self {
        Self {
            details: Some(Box::new(details)),
            ..self
        }
    }

    /// 400.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 422, of an API server without the feature WatchList.
    pub(super) fn without_watch_list() -> Self {
        let message = "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is \
                       forbidden for watch unless the WatchList feature gate is enabled";
        Self::new(422, "Invalid", message)
    }

    /// The same, to be asked again after some seconds.
    fn after(self, retry_after: Option<u32>) -> Self {
        Self {
            retry_after,
            ..self
        }
    }

    /// 503, of a server that is starting or that an aggregated API's server does not answer.
    pub(super) fn unavailable(retry_after: Option<u32>) -> Self {
        let message = "the server is currently unable to handle the request";
        let details = retry_after.map_or(json!({}), |after| json!({"retryAfterSeconds": after}));
        Self::new(503, "ServiceUnavailable", message)
            .with(details)
            .after(retry_after)
    }

    /// Any other status, without a reason that is known.
    pub(super) fn other(code: u16) -> Self {
        Self::new(code, "", format!("the server answered with {code}"))
    }

    /// 401.
    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// 403, in the given words.
    pub(super) fn forbidden(message: String, details: Value) -> Self {
        Self::new(403, "Forbidden", message).with(details)
    }

    /// 404 for a path that nothing serves.
    pub(super) fn no_such_path() -> Self {
        Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        )
        .with(json!({}))
    }

    /// 404 for an object that does not exist.
    pub(super) fn not_found(resource: Resource, name: &str) -> Self {
        let info = resource.info();
        Self::new(
            404,
            "NotFound",
            format!("{} {name:?} not found", info.qualified()),
        )
        .with(details(&info, name))
    }

    /// 405.
    pub(super) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message).with(json!({}))
    }

    /// 406.
    pub(super) fn not_acceptable() -> Self {
        let message = "only the following media types are accepted: application/json, application/json;stream=watch";
        Self::new(406, "NotAcceptable", message)
    }

    /// 415.
    pub(super) fn unsupported_media_type() -> Self {
        let message = "the body of the request was in an unknown format - accepted media types include: application/json";
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// 409 for an object that exists.
    pub(super) fn already_exists(resource: Resource, name: &str) -> Self {
        let info = resource.info();
        Self::new(
            409,
            "AlreadyExists",
            format!("{} {name:?} already exists", info.qualified()),
        )
        .with(details(&info, name))
    }

    /// 409 for a write to another version than the current one.
    pub(super) fn conflict(resource: Resource, name: &str) -> Self {
        let info = resource.info();
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: the object has been modified; please apply your changes to the latest version and try again",
            info.qualified()
        );
        Self::new(409, "Conflict", message).with(details(&info, name))
    }

    /// 410 for a list or watch from a version that is no longer kept.
    pub(super) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// 410 for a page of a list whose view is gone, with a token to go on inconsistently.
    pub(super) fn expired_continue(token: String) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start a \
                       new list without the continue parameter, or use the continue token in this response to retrieve \
                       the remainder of the results. Continuing with the provided token results in an inconsistent list \
                       - objects that were created, modified, or deleted between the time the first chunk was returned \
                       and now may show up in the list.";
        Self {
            continue_token: Some(token.into_boxed_str()),
            ..Self::expired(message)
        }
    }

    /// 504 for a version that does not exist yet.
    pub(super) fn too_large_version(asked: u64, current: u64) -> Self {
        let message = format!("Too large resource version: {asked}, current: {current}");
        let causes =
            json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
        let details = json!({"causes": causes, "retryAfterSeconds": 1});
        Self::new(504, "Timeout", message)
            .with(details)
            .after(Some(1))
    }

    /// The `Status` object.
    pub(super) fn body(&self) -> Value {
        let mut metadata = Map::new();
        if let Some(token) = &self.continue_token {
            metadata.insert("continue".to_owned(), json!(token));
        }
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure",
            "message": self.message, "reason": self.reason,
        });
        if let Some(members) = status.as_object_mut() {
            if let Some(details) = &self.details {
                members.insert("details".to_owned(), Value::clone(details));
            }
            members.insert("code".to_owned(), json!(self.code));
        }
        status
    }

    /// The answer.
    pub(super) fn into_answer(self) -> Response<Body> {
        let code = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json_answer(code, &self.body());
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// `details` of a refusal that is about one object.
fn details(info: &ResourceInfo, name: &str) -> Value {
    let mut details = json!({"name": name});
    if let Some(members) = details.as_object_mut() {
        if !info.group.is_empty() {
            members.insert("group".to_owned(), json!(info.group));
        }
        members.insert("kind".to_owned(), json!(info.plural));
    }
    details
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_object_is_named_with_its_group() {
        let body = Refusal::not_found(Resource::Deployments, "web").body();
        assert_eq!(
            body,
            json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": "deployments.apps \"web\" not found", "reason": "NotFound",
                "details": {"name": "web", "group": "apps", "kind": "deployments"}, "code": 404,
            })
        );
    }
}
