//! The errors of Kubernetes, in its words.

use super::{Cause, Details, Reason, Status};
use crate::text::quote;

/// A resource with its group: `pods`, `podmetrics.metrics.k8s.io`.
fn qualified(group: &str, resource: &str) -> String {
    if group.is_empty() {
        resource.to_owned()
    } else {
        format!("{resource}.{group}")
    }
}

fn details(group: &str, resource: &str, name: &str) -> Details {
    Details {
        name: name.into(),
        group: group.into(),
        kind: resource.into(),
        ..Details::default()
    }
}

impl Status {
    /// 400: the request is malformed, for the reason in `message`.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::failure(400, Reason::BadRequest, message)
    }

    /// 400: a field selector names a field that is not among `supported`.
    #[must_use]
    pub fn unknown_field(field: &str, supported: &[&str]) -> Self {
        let supported: Vec<String> = supported.iter().map(|field| quote(field)).collect();
        Self::bad_request(format!(
            "{} is not a known field selector: only {}",
            quote(field),
            supported.join(", ")
        ))
    }

    /// 400: a table's `includeObject` is none of those that there are.
    #[must_use]
    pub fn unknown_include_object(value: &str) -> Self {
        Self::bad_request(format!(
            "Unable to convert to Table as requested: includeObject: Invalid value: {}: must be 'Metadata', \
             'Object', 'None', or empty",
            quote(value)
        ))
    }

    /// 401: the client is not authenticated.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::failure(401, Reason::Unauthorized, "Unauthorized")
    }

    /// 403: `user` may not `verb` this `resource` (or `resource/subresource`) of `group` in
    /// `namespace` (cluster-wide without one), or the one called `name`.
    #[must_use]
    pub fn forbidden(
        user: &str,
        verb: &str,
        group: &str,
        resource: &str,
        name: &str,
        namespace: &str,
    ) -> Self {
        let whole = resource
            .split_once('/')
            .map_or(resource, |(whole, _)| whole);
        let qualified = qualified(group, whole);
        let object = if name.is_empty() {
            String::new()
        } else {
            format!(" {}", quote(name))
        };
        let scope = if namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace {}", quote(namespace))
        };
        let (user, group_name) = (quote(user), quote(group));
        let message = format!(
            "{qualified}{object} is forbidden: User {user} cannot {verb} resource {} in API group {group_name} {scope}",
            quote(resource)
        );
        Self::failure(403, Reason::Forbidden, message).with_details(details(group, whole, name))
    }

    /// 403: `user` may not `verb` this path, which is no resource.
    #[must_use]
    pub fn forbidden_path(user: &str, verb: &str, path: &str) -> Self {
        let message = format!(
            "forbidden: User {} cannot {verb} path {}",
            quote(user),
            quote(path)
        );
        Self::failure(403, Reason::Forbidden, message).with_details(Details::default())
    }

    /// 404: there is no object `name` of this `resource` of `group`.
    #[must_use]
    pub fn not_found(group: &str, resource: &str, name: &str) -> Self {
        let qualified = qualified(group, resource);
        Self::failure(
            404,
            Reason::NotFound,
            format!("{qualified} {} not found", quote(name)),
        )
        .with_details(details(group, resource, name))
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
        let qualified = qualified(group, resource);
        let message = format!(
            "{verb} is not supported on resources of kind {}",
            quote(&qualified)
        );
        Self::failure(405, Reason::MethodNotAllowed, message)
            .with_details(details(group, resource, ""))
    }

    /// 406: none of the accepted forms is among `available`.
    #[must_use]
    pub fn not_acceptable(available: &[&str]) -> Self {
        let message = format!(
            "406: Not Acceptable\n\nAvailable representations: {}",
            available.join(", ")
        );
        Self::failure(406, Reason::NotAcceptable, message).with_details(Details::default())
    }

    /// 410: the requested resource version is too old to continue from.
    #[must_use]
    pub fn expired(message: impl Into<String>) -> Self {
        Self::failure(410, Reason::Expired, message)
    }

    /// 422: options of a list or a watch that contradict each other or have an unknown value, each as `(field, error)`
    /// with an error of `Forbidden: …` or `Unsupported value: …`. k8s.io/apimachinery's `NewInvalid` of `ListOptions`.
    #[must_use]
    pub fn invalid_list_options(errors: &[(&str, String)]) -> Self {
        let all: Vec<String> = errors
            .iter()
            .map(|(field, error)| format!("{field}: {error}"))
            .collect();
        let all = match all.as_slice() {
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let causes = errors.iter().map(|(field, error)| Cause {
            reason: if error.starts_with("Forbidden") {
                "FieldValueForbidden".to_owned()
            } else {
                "FieldValueNotSupported".to_owned()
            },
            message: error.clone(),
            field: (*field).to_owned(),
        });
        let details = Details {
            causes: causes.collect(),
            ..details("meta.k8s.io", "ListOptions", "")
        };
        let message = format!("ListOptions.meta.k8s.io \"\" is invalid: {all}");
        Self::failure(422, Reason::Invalid, message).with_details(details)
    }

    /// 429: too much is under way; it may be tried again after so many seconds.
    #[must_use]
    pub fn too_many_requests(message: impl Into<String>, retry_after_seconds: i32) -> Self {
        Self::failure(429, Reason::TooManyRequests, message).with_details(Details {
            retry_after_seconds,
            ..Details::default()
        })
    }

    /// 504: a resource version that is later than the `current` one. client-go recognizes it by its cause, and lists without
    /// a version then.
    #[must_use]
    pub fn too_large_resource_version(
        requested: impl std::fmt::Display,
        current: impl std::fmt::Display,
    ) -> Self {
        let message =
            format!("Timeout: Too large resource version: {requested}, current: {current}");
        Self::failure(504, Reason::Timeout, message).with_details(Details {
            causes: vec![Cause {
                reason: "ResourceVersionTooLarge".to_owned(),
                message: "Too large resource version".to_owned(),
                ..Cause::default()
            }],
            retry_after_seconds: 1,
            ..Details::default()
        })
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

    /// 503: nothing can be served now, for the reason in `message`.
    #[must_use]
    pub fn service_unavailable(message: impl Into<String>) -> Self {
        Self::failure(503, Reason::ServiceUnavailable, message)
    }

    /// 503: nothing can be served yet; it may be tried again after so many seconds.
    #[must_use]
    pub fn unavailable_for(message: impl Into<String>, retry_after_seconds: i32) -> Self {
        Self::service_unavailable(message).with_details(Details {
            retry_after_seconds,
            ..Details::default()
        })
    }
}
