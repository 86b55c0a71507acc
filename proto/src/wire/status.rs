//! `metav1.Status`: how Kubernetes answers a request that failed.

use crate::labels::Labels;
use crate::wire::gojson;
use serde::{Deserialize, Serialize};

/// Why a request failed, as a machine reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(from = "String", into = "String")]
pub enum Reason {
    /// No reason given.
    #[default]
    Unknown,
    /// 400.
    BadRequest,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 406.
    NotAcceptable,
    /// 409.
    Conflict,
    /// 409: an object of that name exists.
    AlreadyExists,
    /// 410.
    Gone,
    /// 410: the resource version is too old.
    Expired,
    /// 413.
    RequestEntityTooLarge,
    /// 415.
    UnsupportedMediaType,
    /// 422.
    Invalid,
    /// 429.
    TooManyRequests,
    /// 500.
    InternalError,
    /// 503.
    ServiceUnavailable,
    /// 504.
    Timeout,
    /// Another one.
    Other(String),
}

impl Reason {
    /// The word on the wire; empty for no reason.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unknown => "",
            Self::BadRequest => "BadRequest",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "NotFound",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::NotAcceptable => "NotAcceptable",
            Self::Conflict => "Conflict",
            Self::AlreadyExists => "AlreadyExists",
            Self::Gone => "Gone",
            Self::Expired => "Expired",
            Self::RequestEntityTooLarge => "RequestEntityTooLarge",
            Self::UnsupportedMediaType => "UnsupportedMediaType",
            Self::Invalid => "Invalid",
            Self::TooManyRequests => "TooManyRequests",
            Self::InternalError => "InternalError",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::Timeout => "Timeout",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for Reason {
    fn from(word: String) -> Self {
        let known = [
            Self::Unknown,
            Self::BadRequest,
            Self::Unauthorized,
            Self::Forbidden,
            Self::NotFound,
            Self::MethodNotAllowed,
            Self::NotAcceptable,
            Self::Conflict,
            Self::AlreadyExists,
            Self::Gone,
            Self::Expired,
            Self::RequestEntityTooLarge,
            Self::UnsupportedMediaType,
            Self::Invalid,
            Self::TooManyRequests,
            Self::InternalError,
            Self::ServiceUnavailable,
            Self::Timeout,
        ];
        known
            .into_iter()
            .find(|reason| reason.as_str() == word)
            .unwrap_or(Self::Other(word))
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Other(word) => word,
            reason => reason.as_str().to_owned(),
        }
    }
}

/// What a [`Status`] is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// The object's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The resource's API group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The resource.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The object's UID.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Single causes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    /// After how many seconds to try again.
    #[serde(skip_serializing_if = "is_zero")]
    pub retry_after_seconds: i32,
}

/// One cause in [`Details`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Cause {
    /// As a machine reads it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// As a person reads it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The field it concerns.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's shape
const fn is_zero(n: &i32) -> bool {
    *n == 0
}

/// The answer to a request that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct Status {
    kind: Kind,
    api_version: V1,
    #[serde(default)]
    metadata: Labels,
    /// `Failure`, or `Success`.
    #[serde(default)]
    pub status: String,
    /// As a person reads it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// As a machine reads it.
    #[serde(default, skip_serializing_if = "no_reason")]
    pub reason: Reason,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
    /// The HTTP status code.
    #[serde(default)]
    pub code: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum V1 {
    #[serde(rename = "v1")]
    V1,
}

fn no_reason(reason: &Reason) -> bool {
    *reason == Reason::Unknown
}

impl Status {
    /// A failure with `code`, `reason` and `message`, without details.
    #[must_use]
    pub fn failure(code: u16, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Status,
            api_version: V1::V1,
            metadata: Labels::default(),
            status: "Failure".into(),
            message: message.into(),
            reason,
            details: None,
            code,
        }
    }

    /// The same with `details`.
    #[must_use]
    pub fn with_details(self, details: Details) -> Self {
        Self {
            details: Some(details),
            ..self
        }
    }

    /// 400: the request makes no sense, for the reason `message` tells.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::failure(400, Reason::BadRequest, message)
    }

    /// 400: a field selector names a field that is not among `known`.
    #[must_use]
    pub fn unknown_field(field: &str, known: &[&str]) -> Self {
        let known: Vec<String> = known.iter().map(|field| format!("{field:?}")).collect();
        Self::bad_request(format!(
            "{field:?} is not a known field selector: only {}",
            known.join(", ")
        ))
    }

    /// 401: nobody knows who asks.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::failure(401, Reason::Unauthorized, "Unauthorized")
    }

    /// 403: `user` may not `verb` this `resource` of `group` in `namespace` (cluster-wide without
    /// one), or the one called `name`.
    #[must_use]
    pub fn forbidden(
        user: &str,
        verb: &str,
        group: &str,
        resource: &str,
        name: &str,
        namespace: &str,
    ) -> Self {
        let qualified = if group.is_empty() {
            resource.to_owned()
        } else {
            format!("{resource}.{group}")
        };
        let object = if name.is_empty() {
            String::new()
        } else {
            format!(" {name:?}")
        };
        let scope = if namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace {namespace:?}")
        };
        let message = format!(
            "{qualified}{object} is forbidden: User {user:?} cannot {verb} resource {resource:?} in API group {group:?} {scope}"
        );
        Self::failure(403, Reason::Forbidden, message).with_details(Details {
            name: name.into(),
            group: group.into(),
            kind: resource.into(),
            ..Details::default()
        })
    }

    /// 403: `user` may not `verb` this path, which is no resource.
    #[must_use]
    pub fn forbidden_path(user: &str, verb: &str, path: &str) -> Self {
        let message = format!("forbidden: User {user:?} cannot {verb} path {path:?}");
        Self::failure(403, Reason::Forbidden, message).with_details(Details::default())
    }

    /// 404: there is no object `name` of this `resource` of `group`.
    #[must_use]
    pub fn not_found(group: &str, resource: &str, name: &str) -> Self {
        let qualified = if group.is_empty() {
            resource.to_owned()
        } else {
            format!("{resource}.{group}")
        };
        Self::failure(
            404,
            Reason::NotFound,
            format!("{qualified} {name:?} not found"),
        )
        .with_details(Details {
            name: name.into(),
            group: group.into(),
            kind: resource.into(),
            ..Details::default()
        })
    }

    /// 404: there is no such resource.
    #[must_use]
    pub fn resource_not_found() -> Self {
        Self::failure(
            404,
            Reason::NotFound,
            "the server could not find the requested resource",
        )
        .with_details(Details::default())
    }

    /// 405: the resource has no such verb.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::failure(
            405,
            Reason::MethodNotAllowed,
            "the server does not allow this method on the requested resource",
        )
        .with_details(Details::default())
    }

    /// 405: `verb` (such as `watch`) cannot be done to this `resource` of `group`.
    #[must_use]
    pub fn not_supported(verb: &str, group: &str, resource: &str) -> Self {
        let qualified = if group.is_empty() {
            resource.to_owned()
        } else {
            format!("{resource}.{group}")
        };
        let message = format!("{verb} is not supported on resources of kind {qualified:?}");
        Self::failure(405, Reason::MethodNotAllowed, message).with_details(Details {
            group: group.into(),
            kind: resource.into(),
            ..Details::default()
        })
    }

    /// 406: none of the forms asked for is among `available`.
    #[must_use]
    pub fn not_acceptable(available: &[&str]) -> Self {
        let message = format!(
            "406: Not Acceptable\n\nAvailable representations: {}",
            available.join(", ")
        );
        Self::failure(406, Reason::NotAcceptable, message).with_details(Details::default())
    }

    /// 410: the resource version asked for is too old to go on from.
    #[must_use]
    pub fn expired(message: impl Into<String>) -> Self {
        Self::failure(410, Reason::Expired, message)
    }

    /// 500: our own fault.
    #[must_use]
    pub fn internal_error(message: impl std::fmt::Display) -> Self {
        Self::failure(
            500,
            Reason::InternalError,
            format!("Internal error occurred: {message}"),
        )
        .with_details(Details {
            causes: vec![Cause {
                message: message.to_string(),
                ..Cause::default()
            }],
            ..Details::default()
        })
    }

    /// 503: nothing can be served now, for the reason `message` tells.
    #[must_use]
    pub fn service_unavailable(message: impl Into<String>) -> Self {
        Self::failure(503, Reason::ServiceUnavailable, message)
    }

    /// As compact JSON, without a line's end.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        // Only a map with keys that are not strings could fail, and there is none.
        let _ = gojson::write_value(&mut out, self);
        out
    }
}
