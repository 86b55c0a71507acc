//! Reasons why a list or a watch failed.

use std::error::Error;
use std::time::Duration;

use http::StatusCode;
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::wire::envelope::EnvelopeError;
use kubevitals_proto::wire::protobuf::Malformed;
use kubevitals_proto::wire::status::Status;

use crate::telemetry::{chain, first_line};

/// The reason why a list or a watch failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// The API server refuses, by a status code or by an event of a watch.
    #[error("{} from the API server{message}", status(*code))]
    Status {
        /// The HTTP status code.
        code: u16,
        /// The message: a colon and one line, or empty.
        message: String,
    },
    /// No response arrived, or not all of it.
    #[error("{0}")]
    Connection(String),
    /// Nothing arrived for this long.
    #[error("the API server sent nothing for {}", go_duration(.0))]
    Silent(Duration),
    /// The response has another media type than requested.
    #[error("the answer is {0}, which no Kubernetes API server sends")]
    ContentType(String),
    /// The response is JSON, which may have any length, but only protobuf was accepted.
    #[error("the response is JSON, but protobuf was requested")]
    UnexpectedJson,
    /// The response cannot be parsed.
    #[error("the response cannot be parsed: {0}")]
    Unreadable(String),
    /// A watch ended at once, without an event.
    #[error("the API server ended the watch at once")]
    EndedAtOnce,
    /// A watch did not mark the end of the initial objects.
    #[error("the API server did not mark the end of the list")]
    NoEndOfList,
}

/// The kind of a failure. Each kind is logged once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// This account has no permission.
    Denied,
    /// The version of the watch is too old; a list follows.
    Expired,
    /// The API server does not have the resource.
    Missing,
    /// The API server responds with this status code.
    Status(u16),
    /// The API server does not respond, or something else responds.
    Unreachable,
}

impl Failure {
    /// The kind of the failure.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Status { code: 403, .. } => Kind::Denied,
            Self::Status { code: 404, .. } => Kind::Missing,
            Self::Status { code: 410, .. } => Kind::Expired,
            Self::Status { code, .. } => Kind::Status(*code),
            _ => Kind::Unreachable,
        }
    }

    /// Reads the status in a response body, which may be any text.
    pub(super) fn status_response(code: u16, body: &[u8]) -> Self {
        let status = Status::read(body);
        let code = status.as_ref().map_or(code, |status| match status.code {
            0 => code,
            code => code,
        });
        let message = match status {
            Some(status) => status.message,
            None => String::from_utf8_lossy(body).into_owned(),
        };
        let message = match first_line(&message) {
            message if message.is_empty() => message,
            message => format!(": {message}"),
        };
        Self::Status { code, message }
    }

    /// Makes a failure of a client error before the response.
    pub(super) fn connection(error: &kube::Error) -> Self {
        Self::Connection(chain(error))
    }

    /// Makes a failure of an error within the response body.
    pub(super) fn broken_off(error: &(dyn Error + 'static)) -> Self {
        Self::Connection(format!("the response ended early: {}", chain(error)))
    }
}

impl From<Malformed> for Failure {
    fn from(error: Malformed) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<EnvelopeError> for Failure {
    fn from(error: EnvelopeError) -> Self {
        Self::Unreadable(chain(&error))
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

fn go_duration(duration: &Duration) -> GoDuration {
    GoDuration::from(*duration)
}

/// `403 Forbidden`.
fn status(code: u16) -> String {
    let code_name = StatusCode::from_u16(code).ok();
    let reason = code_name.and_then(|code| code.canonical_reason());
    match reason {
        Some(reason) => format!("{code} {reason}"),
        None => code.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::wire::{envelope, protobuf as wire};

    use super::*;

    fn text_of(code: u16, body: &[u8]) -> String {
        Failure::status_response(code, body).to_string()
    }

    #[test]
    fn a_status_is_quoted_in_one_line() {
        let json = br#"{"kind":"Status","metadata":{},"message":"pods is forbidden","reason":"Forbidden","code":403}"#;
        let forbidden = "403 Forbidden from the API server: pods is forbidden";
        assert_eq!(text_of(403, json), forbidden);
        let mut raw = Vec::new();
        wire::string(&mut raw, 3, "too old");
        wire::int(&mut raw, 6, 410);
        let protobuf = envelope::wrap("v1", "Status", &raw);
        let gone = "410 Gone from the API server: too old";
        assert_eq!(text_of(200, &protobuf), gone);
        for (body, message) in [
            (&b""[..], ""),
            (b"no healthy upstream\n", ": no healthy upstream"),
            (b"<html>\n<body>Sign in</body></html>", ": <html>"),
            (b"{\"error\":1}", ": {\"error\":1}"),
            (b"k8s\0\xff\xff", ": k8s\0\u{fffd}\u{fffd}"),
        ] {
            let expected = format!("502 Bad Gateway from the API server{message}");
            assert_eq!(text_of(502, body), expected);
        }
        assert_eq!(text_of(599, b""), "599 from the API server");
        assert!(text_of(500, &[b'x'; 5000]).len() < 380);
    }

    #[test]
    fn failures_have_kinds() {
        for (code, kind) in [
            (403, Kind::Denied),
            (404, Kind::Missing),
            (410, Kind::Expired),
            (500, Kind::Status(500)),
        ] {
            assert_eq!(Failure::status_response(code, b"").kind(), kind);
        }
        assert_eq!(Failure::NoEndOfList.kind(), Kind::Unreachable);
    }
}
