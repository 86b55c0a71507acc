//! Reading the bodies of requests.

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use kubevitals_proto::wire::status::Status;
use serde_json::Value;

use super::status::{Refusal, unsupported_media_type};

/// How large a body may be, as kube-apiserver has it.
const MAX_BODY: usize = 3 * 1024 * 1024;

/// The media type of a request's body, without parameters.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// The whole body.
pub(super) async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    let collected = Limited::new(body, MAX_BODY).collect().await;
    Ok(collected
        .map_err(|e| Status::bad_request(format!("cannot read the body: {e}")))?
        .to_bytes())
}

/// A body of JSON; 415 when it says it is something else.
pub(super) async fn json(headers: &HeaderMap, body: Incoming) -> Result<Value, Refusal> {
    match media_type(headers) {
        // YAML is what a server-side apply calls itself; JSON is YAML, and what everybody sends.
        "" | "application/apply-patch+yaml" => {}
        kind if kind == "application/json" || kind.ends_with("+json") => {}
        _ => return Err(unsupported_media_type()),
    }
    serde_json::from_slice(&read(body).await?)
        .map_err(|e| Status::bad_request(format!("the body is not JSON: {e}")).into())
}
