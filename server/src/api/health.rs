//! /livez, /readyz, /healthz and their single checks, /version, and counts for whoever wonders.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use kubevitals_proto::wire::root::VersionInfo;
use kubevitals_proto::wire::status::Status;

use super::reply::{self, Form};
use super::request::{self, Named};
use crate::cluster::WatchHealth;
use crate::query::{Query, Readiness};

/// One check: the peer's name for it, and whether it holds.
type Check = (&'static str, fn(&Readiness) -> bool);

const PING: Check = ("ping", |_| true);
const SYNCED: Check = ("metadata-informer-sync", |readiness| {
    readiness.synced.is_ok()
});
const INFORMED: Check = ("metric-informer-sync", |readiness| readiness.synced.is_ok());
const STORED: Check = ("metric-storage-ready", |readiness| {
    readiness.storage.is_ok()
});

/// The three endpoints and their checks.
pub(super) const ENDPOINTS: [(&str, &[Check]); 3] = [
    ("healthz", &[PING, SYNCED]),
    ("livez", &[PING]),
    ("readyz", &[PING, STORED, INFORMED, SYNCED]),
];

/// The routes.
pub(super) fn routes() -> Router<Arc<Query>> {
    let mut routes = Router::new()
        .route("/version", get(version))
        .route("/version/", get(version));
    for (endpoint, checks) in ENDPOINTS {
        routes = routes
            .route(
                &format!("/{endpoint}"),
                get(move |state, request| all(endpoint, checks, state, request)),
            )
            .route(
                &format!("/{endpoint}/{{check}}"),
                get(move |state, path, request| one(checks, state, path, request)),
            );
    }
    routes
}

async fn all(
    endpoint: &str,
    checks: &[Check],
    State(query): State<Arc<Query>>,
    request: Request,
) -> Response {
    let readiness = query.readiness();
    let excluded: Vec<_> =
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
            .filter(|(key, _)| key == "exclude")
            .map(|(_, value)| value)
            .collect();
    let mut report = String::new();
    let mut failed = Vec::new();
    for (name, holds) in checks {
        // Writing to a String cannot fail.
        let _written = if excluded.iter().any(|excluded| excluded == name) {
            writeln!(report, "[+]{name} excluded: ok")
        } else if holds(&readiness) {
            writeln!(report, "[+]{name} ok")
        } else {
            failed.push(*name);
            writeln!(report, "[-]{name} failed: reason withheld")
        };
    }
    if !failed.is_empty() {
        let _written = writeln!(report, "{endpoint} check failed");
        return reply::text(StatusCode::INTERNAL_SERVER_ERROR, report);
    }
    if request::parameter(request.uri(), "verbose").is_none() {
        return reply::text(StatusCode::OK, "ok".to_owned());
    }
    let _written = writeln!(report, "{endpoint} check passed");
    reply::text(StatusCode::OK, report)
}

async fn one(
    checks: &[Check],
    State(query): State<Arc<Query>>,
    Named(name): Named<String>,
    request: Request,
) -> Response {
    match checks.iter().find(|(check, _)| *check == name) {
        None => super::unknown_path(request).await,
        Some((_, holds)) if holds(&query.readiness()) => {
            reply::text(StatusCode::OK, "ok".to_owned())
        }
        Some((check, _)) => reply::text(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("internal server error: {check}: not yet\n"),
        ),
    }
}

async fn version(request: Request) -> Response {
    Form::any(&request).object(&VersionInfo {
        major: env!("CARGO_PKG_VERSION_MAJOR").to_owned(),
        minor: env!("CARGO_PKG_VERSION_MINOR").to_owned(),
        git_version: concat!("v", env!("CARGO_PKG_VERSION")).to_owned(),
        compiler: "rustc".to_owned(),
        platform: format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
        ..VersionInfo::default()
    })
}

/// Counts of scrapes, their latency, and how the watches are doing, as JSON.
pub(super) async fn scrapes(State(query): State<Arc<Query>>, request: Request) -> Response {
    let watch = |health: &WatchHealth| serde_json::json!({"lists": health.lists(), "failures": health.failures()});
    let watches = query.watches();
    let mut counts = match serde_json::to_value(query.scrapes()) {
        Ok(counts) => counts,
        Err(error) => return Form::any(&request).status(&Status::internal_error(error)),
    };
    if let Some(counts) = counts.as_object_mut() {
        let watches =
            serde_json::json!({"nodes": watch(&watches.nodes), "pods": watch(&watches.pods)});
        counts.insert("watches".to_owned(), watches);
    }
    Form::any(&request).object(&counts)
}
