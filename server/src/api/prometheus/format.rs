//! The two text formats: Prometheus' own, and OpenMetrics for clients that prefer it.

use axum::extract::Request;

use crate::api::accept;

const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The media type.
pub(super) fn content_type(openmetrics: bool) -> &'static str {
    if openmetrics { OPENMETRICS } else { CLASSIC }
}

/// Whether the client prefers OpenMetrics to the text format.
pub(super) fn prefers_openmetrics(request: &Request) -> bool {
    const MEDIA: &str = "application/openmetrics-text";
    accept::first_of(accept::header(request.headers()), &["text/plain", MEDIA]) == Some(MEDIA)
}
