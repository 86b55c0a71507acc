//! Warns clients of incomplete responses.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::WARNING;

use crate::query::Query;

/// Adds a `Warning` to responses of the API while nodes or pods are left out, or a shard does not answer. kubectl prints it.
pub(super) async fn warn(
    State(query): State<Arc<Query>>,
    request: Request,
    next: Next,
) -> Response {
    let of_api = request.uri().path().starts_with("/apis/");
    let mut response = next.run(request).await;
    // 299: a lasting warning, as the kube-apiserver sends it.
    if of_api {
        query
            .incomplete()
            .iter()
            .for_each(|text| add(&mut response, text));
    }
    response
}

/// Adds a warning.
pub(super) fn add(response: &mut Response, text: &str) {
    let text = text.replace(['"', '\\'], "'");
    if let Ok(warning) = HeaderValue::try_from(format!("299 - \"{text}\"")) {
        response.headers_mut().append(WARNING, warning);
    }
}
