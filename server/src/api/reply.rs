//! Answers in the forms the peer gives them.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use kubevitals_proto::wire::pretty;
use kubevitals_proto::wire::status::Status;
use serde::Serialize;

use super::{accept, request};

/// What can be asked for, as the peer lists it.
const REPRESENTATIONS: [&str; 5] = [
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
];

/// What of a request decides about the form of its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// JSON is indented.
    pub(super) pretty: bool,
}

impl Form {
    /// The form of what is JSON whatever is asked for: discovery, failures.
    pub(super) fn any(request: &Request) -> Self {
        Self {
            pretty: request::pretty(request.uri(), request.headers()),
        }
    }

    /// The form asked for.
    ///
    /// # Errors
    /// 406 when nothing that we have is acceptable.
    pub(super) fn of(uri: &Uri, headers: &HeaderMap) -> Result<Self, Response> {
        let form = Self {
            pretty: request::pretty(uri, headers),
        };
        if accept::takes_json(headers) {
            Ok(form)
        } else {
            Err(form.status(&Status::not_acceptable(&REPRESENTATIONS)))
        }
    }

    /// A Status as its own answer.
    pub(super) fn status(self, status: &Status) -> Response {
        let code = StatusCode::from_u16(status.code);
        self.bytes(
            code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            status.to_json(),
        )
    }

    /// An object.
    pub(super) fn object(self, object: &impl Serialize) -> Response {
        match serde_json::to_vec(object) {
            Ok(json) => self.bytes(StatusCode::OK, json),
            Err(error) => self.status(&Status::internal_error(error)),
        }
    }

    /// Compact JSON, in the form asked for.
    pub(super) fn bytes(self, code: StatusCode, compact: Vec<u8>) -> Response {
        json(code, Body::from(self.text(compact)))
    }

    /// The text of compact JSON in the form asked for.
    pub(super) fn text(self, mut compact: Vec<u8>) -> Bytes {
        if self.pretty {
            compact = pretty::indent(&compact);
        } else if compact.last() != Some(&b'\n') {
            // Go's JSON encoder ends what it writes with a newline; its indenter does not.
            compact.push(b'\n');
        }
        Bytes::from(compact)
    }
}

/// A JSON answer.
pub(super) fn json(code: StatusCode, body: Body) -> Response {
    answer(code, "application/json", body)
}

/// Plain text, as the health checks answer.
pub(super) fn text(code: StatusCode, text: String) -> Response {
    let mut response = answer(code, "text/plain; charset=utf-8", Body::from(text));
    let nosniff = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

fn answer(code: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
