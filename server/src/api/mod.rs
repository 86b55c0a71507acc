//! What is served: metrics.k8s.io, discovery, health. Handlers ask the query face and nothing else.

mod accept;
mod discovery;
mod health;
mod metrics;
mod reply;
mod request;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use kubevitals_proto::wire::status::Status;

use crate::query::Query;
use reply::Form;

/// All routes of a server that listens on `port`. No request here has a body worth reading, and none is read:
/// it goes with its request, and hyper closes a connection (or resets a stream) that goes on sending one.
pub(crate) fn router(query: Arc<Query>, port: u16) -> Router {
    Router::new()
        .merge(health::routes())
        .merge(discovery::routes(port))
        .merge(metrics::routes())
        .route("/debug/scrapes", get(health::scrapes))
        .fallback(unknown_path)
        .method_not_allowed_fallback(not_allowed)
        .with_state(query)
}

/// A path that has no such verb.
async fn not_allowed(request: Request) -> Response {
    Form::any(&request).status(&Status::method_not_allowed())
}

/// A path that is no API: the peer lists what there is.
async fn unknown_path(request: Request) -> Response {
    let mut response = discovery::paths(&request);
    *response.status_mut() = http::StatusCode::NOT_FOUND;
    response
}
