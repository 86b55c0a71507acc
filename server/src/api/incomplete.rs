//! Warns clients of incomplete responses.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::WARNING;

use crate::query::Query;

/// Adds a `Warning` to responses of the API while nodes or pods are left out. kubectl prints it.
pub(super) async fn when_left_out(
    State(query): State<Arc<Query>>,
    request: Request,
    next: Next,
) -> Response {
    let of_api = request.uri().path().starts_with("/apis/");
    let mut response = next.run(request).await;
    if let Some(text) = query.left_out().filter(|_| of_api) {
        warn(&mut response, &text);
    }
    response
}

/// Adds a warning to a response. kubectl prints it.
pub(super) fn warn(response: &mut Response, text: &str) {
    // 299: a lasting warning, as the kube-apiserver sends it.
    if let Ok(warning) = HeaderValue::try_from(format!("299 - \"{text}\"")) {
        response.headers_mut().append(WARNING, warning);
    }
}
