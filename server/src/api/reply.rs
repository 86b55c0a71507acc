//! Responses in the forms of Kubernetes' API servers.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use kubevitals_proto::wire::object::{Encoding, Object};
use kubevitals_proto::wire::pretty;
use kubevitals_proto::wire::status::{Reason, Status};
use serde::Serialize;

use super::accept::{self, Refusal};
use super::{compress, request};

/// A response, or the response that refuses the request.
pub(super) type Answer = Result<Response, Response>;

/// The encoding and indentation of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) encoding: Encoding,
    /// Whether JSON is indented.
    pub(super) pretty: bool,
}

impl Form {
    /// Indented JSON, without negotiation.
    pub(super) const INDENTED: Self = Self {
        encoding: Encoding::Json,
        pretty: true,
    };

    /// The form of a failure: as the request prefers, else indented JSON.
    pub(super) fn any(request: &Request) -> Self {
        Self::of_failure(request.uri(), request.headers())
    }

    /// Like [`any`](Self::any), from the parts of a request.
    pub(super) fn of_failure(uri: &Uri, headers: &HeaderMap) -> Self {
        match accept::negotiate(accept::header(headers), accept::no_conversion) {
            Ok(negotiated) => Self {
                encoding: negotiated.encoding,
                pretty: negotiated.pretty || request::pretty(uri, headers),
            },
            Err(_) => Self::INDENTED,
        }
    }

    /// The form that the request prefers, of an object that has no conversions.
    ///
    /// # Errors
    /// 406 if no clause can be served.
    pub(super) fn of(request: &Request) -> Result<Self, Response> {
        match accept::negotiate(accept::header(request.headers()), accept::no_conversion) {
            Ok(_) => Ok(Self::any(request)),
            Err(refusal) => {
                let media_types = Encoding::ALL.map(Encoding::content_type);
                Err(not_acceptable(request, refusal, &media_types, &media_types))
            }
        }
    }

    /// Makes a response of a Status.
    pub(super) fn status(self, status: &Status) -> Response {
        let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = status
            .encode(self.encoding)
            .unwrap_or_else(|_| status.to_json());
        let mut response = self.bytes(code, body);
        // As k8s.io/apiserver does for every Status with `retryAfterSeconds`.
        let retry = status.details.as_ref().map(|it| it.retry_after_seconds);
        if let Some(seconds) = retry.filter(|seconds| *seconds > 0) {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }

    /// Makes a response of a Kubernetes object.
    pub(super) fn object(self, object: &impl Object) -> Response {
        match object.encode(self.encoding) {
            Ok(body) => self.bytes(StatusCode::OK, body),
            Err(error) => self.status(&Status::internal_error(error)),
        }
    }

    /// Makes a response of a value that has only JSON.
    pub(super) fn json(self, code: StatusCode, value: &impl Serialize) -> Response {
        let form = Self {
            encoding: Encoding::Json,
            ..self
        };
        match serde_json::to_vec(value) {
            Ok(json) => form.bytes(code, json),
            Err(error) => form.status(&Status::internal_error(error)),
        }
    }

    /// Makes a response of a body that is encoded in this form.
    pub(super) fn bytes(self, code: StatusCode, body: Vec<u8>) -> Response {
        let content_type = self.encoding.content_type();
        respond(code, content_type, Body::from(self.text(body)))
    }

    /// Indents compact JSON if this form is indented; leaves other encodings unchanged.
    pub(super) fn text(self, mut body: Vec<u8>) -> Bytes {
        match self.encoding {
            Encoding::Json if self.pretty => body = pretty::indent(&body),
            // Go's JSON encoder ends with a newline; its indenter does not.
            Encoding::Json if body.last() != Some(&b'\n') => body.push(b'\n'),
            _ => {}
        }
        Bytes::from(body)
    }
}

/// Makes a 406 for `refusal`. `available` lists all media types, `media_types` those that are not streams.
pub(super) fn not_acceptable(
    request: &Request,
    refusal: Refusal,
    available: &[&str],
    media_types: &[&str],
) -> Response {
    let status = match refusal {
        Refusal::MediaType => Status::not_acceptable(available),
        Refusal::Parameters => Status::failure(
            406,
            Reason::NotAcceptable,
            format!(
                "only the following media types are accepted: {}",
                media_types.join(", ")
            ),
        ),
    };
    Form::any(request).status(&status)
}

/// Streams a body in chunks, compressed if the client accepts gzip and the body is large. `len` is the length of the
/// whole body, if it is known.
pub(super) async fn chunked(
    encoding: Encoding,
    headers: &HeaderMap,
    len: Option<usize>,
    chunks: impl Stream<Item = Bytes> + Send + 'static,
) -> Response {
    let mut chunks = Box::pin(chunks.fuse());
    let accepts_gzip = compress::accepts_gzip(headers);
    // The body must reach this size before the response starts, to decide whether to compress it.
    let threshold = if accepts_gzip { compress::THRESHOLD } else { 0 };
    let (mut first, mut size) = (Vec::new(), 0);
    let complete = loop {
        // A short body is sent whole, with its length.
        if first.len() > 1 && size > threshold || len.is_some_and(|len| len > threshold) {
            break false;
        }
        let Some(chunk) = chunks.next().await else {
            break true;
        };
        size += chunk.len();
        first.push(chunk);
    };
    let gzip = accepts_gzip && len.unwrap_or(size) > compress::THRESHOLD;
    let body = if complete && !gzip {
        Body::from(first.concat())
    } else {
        let all = stream::iter(first).chain(chunks);
        if gzip {
            compress::gzip_stream(all)
        } else {
            Body::from_stream(all.map(Ok::<_, Infallible>))
        }
    };
    let mut response = respond(StatusCode::OK, encoding.content_type(), body);
    let headers = response.headers_mut();
    if gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    } else if let Some(len) = len {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(len));
    }
    response
}

/// Makes a response of plain text, as the health checks answer.
pub(super) fn text(code: StatusCode, text: String) -> Response {
    let response = respond(code, "text/plain; charset=utf-8", Body::from(text));
    ([(X_CONTENT_TYPE_OPTIONS, "nosniff")], response).into_response()
}

/// Makes a response that must not be cached.
pub(super) fn respond(code: StatusCode, content_type: &'static str, body: Body) -> Response {
    let headers = [
        (CACHE_CONTROL, "no-cache, private"),
        (CONTENT_TYPE, content_type),
    ];
    (code, headers, body).into_response()
}
