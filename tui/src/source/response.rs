//! Responses of an API server.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::response::Parts;
use kubevitals_proto::wire::envelope;

/// A response with its whole body.
pub(super) struct ApiResponse {
    /// The HTTP status.
    pub(super) code: u16,
    pub(super) content_type: String,
    /// The seconds of `Retry-After`, if the request may be retried.
    pub(super) retry_after: Option<u64>,
    pub(super) body: Bytes,
}

impl ApiResponse {
    /// A response with this head. The body is empty.
    pub(super) fn new(head: &Parts) -> Self {
        let header = |name: HeaderName| head.headers.get(name)?.to_str().ok();
        let may_retry = head.status.as_u16() == 429 || head.status.is_server_error();
        Self {
            code: head.status.as_u16(),
            content_type: header(CONTENT_TYPE).unwrap_or_default().to_owned(),
            retry_after: header(RETRY_AFTER)
                .and_then(|text| text.parse().ok())
                .filter(|_| may_retry),
            body: Bytes::new(),
        }
    }

    /// Whether the request succeeded.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Whether the body is protobuf.
    pub(super) fn is_protobuf(&self) -> bool {
        self.media_type() == envelope::CONTENT_TYPE
    }

    /// The media type without its parameters.
    pub(super) fn media_type(&self) -> &str {
        let mut parts = self.content_type.split(';');
        parts.next().unwrap_or_default().trim()
    }
}
