//! What is served: metrics.k8s.io, discovery, health. Handlers ask the query face and nothing else.

mod accept;
mod discovery;
mod health;
mod metrics;
mod reply;
mod request;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::response::Response;
use axum::routing::get;

use crate::query::Query;

/// No request here has a body worth reading.
const LARGEST_REQUEST_BODY: usize = 64 << 10;

/// All routes of a server that listens on `port`.
pub(crate) fn router(query: Arc<Query>, port: u16) -> Router {
    Router::new()
        .merge(health::routes())
        .merge(discovery::routes(port))
        .merge(metrics::routes())
        .route("/debug/scrapes", get(health::scrapes))
        .fallback(unknown_path)
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST_BODY))
        .with_state(query)
}

/// A path that is no API: the peer lists what there is.
async fn unknown_path(request: Request) -> Response {
    let mut response = discovery::paths(&request);
    *response.status_mut() = http::StatusCode::NOT_FOUND;
    response
}
