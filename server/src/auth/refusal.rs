//! Reasons to refuse a request, as Kubernetes statuses.

use kubevitals_proto::wire::status::{Reason, Status};

use super::review::ReviewError;
use super::{Attributes, Target, User};

/// The reason to refuse a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The credentials are invalid.
    Unauthorized,
    /// The CAs have not been loaded yet, so the certificate cannot be verified.
    NotReady,
    /// The review failed.
    ReviewFailed(String),
    /// Too many reviews are waiting.
    Busy,
    /// The client requests impersonation.
    Impersonation,
    /// The user is not allowed to make the request.
    Forbidden(Box<Status>),
}

impl Refusal {
    pub(super) fn review_failed(what: &str, error: &ReviewError) -> Self {
        if *error == ReviewError::Busy {
            return Self::Busy;
        }
        // The log has the address and the error; the client does not need them.
        let why = match error {
            ReviewError::TimedOut => "it did not answer in time",
            ReviewError::Unreachable(_) => "it cannot be reached",
            ReviewError::Rejected(_) => "it rejected the review",
            ReviewError::Unreadable(_) | ReviewError::Panicked | ReviewError::Busy => {
                "its response cannot be used"
            }
        };
        Self::ReviewFailed(format!("cannot ask the API server {what}: {why}"))
    }

    pub(super) fn forbidden(user: &User, attributes: &Attributes, reason: &str) -> Self {
        let mut status = match &attributes.target {
            Target::Path => Status::forbidden_path(
                &escape_html(&user.name),
                &escape_html(&attributes.verb),
                &escape_html(&attributes.path),
            ),
            Target::Resource(it) => Status::forbidden(
                &escape_html(&user.name),
                &attributes.verb,
                &it.group,
                &it.with_subresource(),
                &it.name,
                &escape_html(&it.namespace),
            ),
        };
        if !reason.is_empty() {
            status.message.push_str(": ");
            status.message.push_str(reason);
        }
        Self::Forbidden(Box::new(status))
    }

    /// The status that the client receives.
    pub fn status(&self) -> Status {
        match self {
            Self::Unauthorized => Status::unauthorized(),
            Self::NotReady => Status::unavailable_for(
                "the CAs of client certificates have not been read from the API server yet: try again",
                1,
            ),
            Self::ReviewFailed(why) => Status::internal_error(why),
            Self::Busy => Status::too_many_requests(
                "too many requests wait for authentication and authorization by the API server: try again",
                1,
            ),
            Self::Impersonation => Status::failure(
                403,
                Reason::Forbidden,
                "impersonation is not supported on a direct connection: send the request through the kube-apiserver, \
                 which authorizes it, or leave out the Impersonate-* headers",
            ),
            Self::Forbidden(status) => Status::clone(status),
        }
    }
}

/// Escapes text that the client has chosen, as k8s.io/apiserver does, in case a browser renders the response as HTML.
fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    fn message(uri: &str, reason: &str) -> Status {
        let user = User {
            name: "jane".to_owned(),
            ..User::default()
        };
        let attributes = Attributes::of(&Method::GET, &uri.parse().unwrap());
        Refusal::forbidden(&user, &attributes, reason).status()
    }

    #[test]
    fn a_refusal_names_user_verb_resource_and_reason() {
        let table = r#"
/metrics | | forbidden: User "jane" cannot get path "/metrics"
/metrics/& | not today | forbidden: User "jane" cannot get path "/metrics/&amp;": not today
/apis/metrics.k8s.io/v1/nodes | | nodes.metrics.k8s.io is forbidden: User "jane" cannot list resource "nodes" in API group "metrics.k8s.io" at the cluster scope
/apis/metrics.k8s.io/v1/namespaces/ns/pods/a/why | no | pods.metrics.k8s.io "a" is forbidden: User "jane" cannot get resource "pods/why" in API group "metrics.k8s.io" in the namespace "ns": no
"#;
        for row in table.trim().lines() {
            let [uri, reason, expected] = *row.split('|').map(str::trim).collect::<Vec<_>>() else {
                panic!("{row}")
            };
            let status = message(uri, reason);
            assert_eq!((status.code, status.message.as_str()), (403, expected));
        }
        let details = message("/apis/metrics.k8s.io/v1/namespaces/ns/pods/a/why", "")
            .details
            .unwrap();
        let details = [details.name, details.group, details.kind];
        assert_eq!(details, ["a", "metrics.k8s.io", "pods"]);
    }

    #[test]
    fn a_review_failure_does_not_leak_addresses() {
        let error = ReviewError::Unreachable("connect to 10.0.0.1: refused".to_owned());
        let status = Refusal::review_failed("whose token this is", &error).status();
        assert_eq!(status.code, 500);
        assert!(!status.message.contains("10.0.0.1"), "{}", status.message);
    }
}
