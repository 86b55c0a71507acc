//! /debug/…: internal state of the server as JSON, for debugging.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use kubevitals_proto::wire::status::Status;

use super::reply::Form;
use crate::cluster::WatchHealth;
use crate::query::Query;

/// The paths, for the list of all paths.
pub(super) const PATHS: [&str; 2] = ["/debug/scrapes", "/debug/targets"];

/// The routes.
pub(super) fn routes() -> Router<Arc<Query>> {
    Router::new()
        .route("/debug/scrapes", get(scrapes))
        .route("/debug/targets", get(targets))
}

/// The record of each node's scrapes. docs/metrics.md describes the members.
async fn targets(State(query): State<Arc<Query>>, request: Request) -> Response {
    let targets = query.targets();
    Form::any(&request).json(StatusCode::OK, &serde_json::json!({ "targets": targets }))
}

/// Counts and latency of scrapes, and the health of the watches.
async fn scrapes(State(query): State<Arc<Query>>, request: Request) -> Response {
    let watch = |health: &WatchHealth| serde_json::json!({"lists": health.lists(), "failures": health.failures()});
    let watches = query.watches().all();
    let mut counts = match serde_json::to_value(query.scrapes()) {
        Ok(counts) => counts,
        Err(error) => return Form::any(&request).status(&Status::internal_error(error)),
    };
    if let Some(counts) = counts.as_object_mut() {
        let watches = watches
            .into_iter()
            .map(|(what, health)| (what.to_owned(), watch(health)));
        let watches = serde_json::Map::from_iter(watches);
        counts.insert("watches".to_owned(), watches.into());
    }
    Form::any(&request).json(http::StatusCode::OK, &counts)
}
