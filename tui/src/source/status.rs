//! The errors of an API server, in the words of client-go and kubectl.

use std::fmt;

use kubevitals_proto::wire::envelope;
use kubevitals_proto::wire::status::{Cause, Details, Status};

use super::response::ApiResponse;

/// A failed request. Its text is kubectl's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status.
    pub code: u16,
    /// The reason (`NotFound`), from the server or the HTTP status.
    pub reason: String,
    /// The server's message, or the meaning of the HTTP status.
    pub message: String,
    /// Which fields are invalid, for the reason `Invalid`.
    pub details: Option<Details>,
    /// The seconds of `Retry-After`.
    pub retry_after: Option<u64>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            reason, message, ..
        } = self;
        match reason.as_str() {
            "Unauthorized" => {
                write!(f, "error: You must be logged in to the server ({message})")
            }
            "Invalid" => f.write_str(&self.invalid()),
            "" => write!(f, "Error from server: {message}"),
            reason => write!(f, "Error from server ({reason}): {message}"),
        }
    }
}

/// The subject of a request, for error texts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct About<'a> {
    /// `pods.metrics.k8s.io`, or nothing for discovery.
    pub resource: &'a str,
    /// The name of the object; empty for a list.
    pub name: &'a str,
}

impl<'a> About<'a> {
    /// A request for the list of a resource.
    pub(super) const fn list(resource: &'a str) -> Self {
        Self { resource, name: "" }
    }
}

impl Failure {
    /// Parses a failure: the Status in the body, else the HTTP status.
    pub(super) fn of(response: &ApiResponse, about: About<'_>) -> Self {
        let media = response.media_type();
        let is_read = media == "application/json" || media == envelope::CONTENT_TYPE;
        let status = is_read.then(|| Status::read(&response.body)).flatten();
        match status.filter(|status| status.status == "Failure") {
            Some(status) => Self {
                code: response.code,
                reason: status.reason.into(),
                message: status.message,
                details: status.details,
                retry_after: response.retry_after,
            },
            None => Self::of_code(response, about),
        }
    }

    /// The meaning of the HTTP status without the Status in the body, as client-go's discovery reads it.
    pub(super) fn of_code(response: &ApiResponse, about: About<'_>) -> Self {
        let (code, body_text) = (response.code, body_text(response));
        let (reason, message) = match code {
            400 => (
                "BadRequest",
                "the server rejected our request for an unknown reason",
            ),
            401 => (
                "Unauthorized",
                "the server has asked for the client to provide credentials",
            ),
            403 => ("Forbidden", body_text.as_str()),
            404 => (
                "NotFound",
                "the server could not find the requested resource",
            ),
            405 => (
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            ),
            406 if body_text.is_empty() || body_text == UNKNOWN => (
                "NotAcceptable",
                "the server was unable to respond with a content type that the client supports",
            ),
            406 => ("NotAcceptable", body_text.as_str()),
            409 => ("Conflict", "the server reported a conflict"),
            415 => ("UnsupportedMediaType", body_text.as_str()),
            422 => (
                "Invalid",
                "the server rejected our request due to an error in our request",
            ),
            429 => (
                "TooManyRequests",
                "the server has received too many requests and has asked us to try again later",
            ),
            503 => (
                "ServiceUnavailable",
                "the server is currently unable to handle the request",
            ),
            504 => (
                "Timeout",
                "the server was unable to return a response in the time allotted, but may still be processing the request",
            ),
            500.. => ("InternalError", ""),
            _ => ("", ""),
        };
        let mut message = match (reason, message) {
            ("InternalError", "") => {
                format!(
                    "an error on the server ({body_text:?}) has prevented the request from succeeding"
                )
            }
            ("", "") => format!(
                "the server responded with the status code {code} but did not return more information"
            ),
            (_, message) => message.to_owned(),
        };
        match about {
            About { resource: "", .. } => {}
            About { resource, name: "" } => message.push_str(&format!(" (get {resource})")),
            About { resource, name } => message.push_str(&format!(" (get {resource} {name})")),
        }
        let details = Details {
            kind: about
                .resource
                .split('.')
                .next()
                .unwrap_or_default()
                .to_owned(),
            name: about.name.to_owned(),
            causes: vec![Cause {
                message: body_text.clone(),
                ..Cause::default()
            }],
            ..Details::default()
        };
        Self {
            code,
            reason: reason.to_owned(),
            message,
            details: Some(details),
            retry_after: response.retry_after,
        }
    }

    /// The text for the reason `Invalid`.
    fn invalid(&self) -> String {
        let Some(Details {
            kind, name, causes, ..
        }) = &self.details
        else {
            return format!("The request is invalid: {}", self.message);
        };
        let subject = if !kind.is_empty() || !name.is_empty() {
            format!("The {kind} {name:?} is invalid")
        } else if causes.is_empty() && !self.message.is_empty() {
            format!("The request is invalid: {}", self.message)
        } else {
            "The request is invalid".to_owned()
        };
        match causes.as_slice() {
            [] => subject,
            [Cause { field, message, .. }] => format!("{subject}: {field}: {message}"),
            causes => {
                let each = causes
                    .iter()
                    .map(|cause| format!("* {}: {}\n", cause.field, cause.message));
                format!("{subject}: \n{}", each.collect::<String>())
            }
        }
    }
}

/// client-go's word for a body that is not text.
const UNKNOWN: &str = "unknown";

/// The start of the body, if it is text.
fn body_text(response: &ApiResponse) -> String {
    const MOST: usize = 2048;
    if response.content_type.is_empty() || response.media_type().starts_with("text/") {
        let body = response.body.get(..MOST).unwrap_or(&response.body);
        String::from_utf8_lossy(body).trim().to_owned()
    } else {
        UNKNOWN.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const PODS: About<'_> = About::list("pods.metrics.k8s.io");

    fn response(code: u16, content_type: &str, body: &[u8]) -> ApiResponse {
        ApiResponse {
            code,
            content_type: content_type.to_owned(),
            retry_after: None,
            body: Bytes::copy_from_slice(body),
        }
    }

    #[test]
    fn the_status_in_a_json_body_is_used() {
        let body = br#"{"kind":"Status","status":"Failure","message":"pods \"nope\" not found","reason":"NotFound"}"#;
        let failure = Failure::of(&response(404, "application/json", body), PODS);
        assert_eq!(
            failure.to_string(),
            "Error from server (NotFound): pods \"nope\" not found"
        );
    }

    #[test]
    fn the_status_in_a_protobuf_body_is_used() {
        let raw = b"\x12\x07Failure\x1a\x02no\x22\x09Forbidden";
        let body = envelope::wrap("v1", "Status", raw);
        let failure = Failure::of(&response(403, envelope::CONTENT_TYPE, &body), PODS);
        assert_eq!(failure.to_string(), "Error from server (Forbidden): no");
    }

    #[test]
    fn without_a_status_the_http_status_is_used() {
        // The status, the content type, the body, and the text before the resource.
        for row in r#"
            503 | text/plain; charset=utf-8 | service unavailable | Error from server (ServiceUnavailable): the server is currently unable to handle the request
            500 | text/html | <b>oops</b> | Error from server (InternalError): an error on the server ("<b>oops</b>") has prevented the request from succeeding
            500 | application/json | {} | Error from server (InternalError): an error on the server ("unknown") has prevented the request from succeeding
            403 | text/plain | no! | Error from server (Forbidden): no!
            418 | | | Error from server: the server responded with the status code 418 but did not return more information
            401 | | | error: You must be logged in to the server (the server has asked for the client to provide credentials
        "#
        .trim()
        .lines()
        {
            let columns: Vec<&str> = row.split('|').map(str::trim).collect();
            let [code, content_type, body, text] = columns[..] else {
                panic!("{row}")
            };
            let code = code.parse().unwrap();
            // The spaces around a body are not part of the text.
            let body = format!(" {body}\n");
            let failure = Failure::of(&response(code, content_type, body.as_bytes()), PODS);
            let end = if code == 401 { ")" } else { "" };
            let expected = format!("{text} (get pods.metrics.k8s.io){end}");
            assert_eq!(failure.to_string(), expected);
        }
    }

    #[test]
    fn the_text_names_the_object_except_for_discovery() {
        let about = About {
            resource: "nodes",
            name: "n1",
        };
        let not_found = response(404, "", b"");
        let failure = Failure::of(&not_found, about);
        assert!(failure.message.ends_with(" (get nodes n1)"));
        let plain = Failure::of(&not_found, About::default());
        assert_eq!(
            plain.message,
            "the server could not find the requested resource"
        );
    }
}
