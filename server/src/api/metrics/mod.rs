//! metrics.k8s.io: get and list of nodes and pods, in v1 and v1beta1 alike.

mod encode;
mod lists;
mod selection;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use kubevitals_proto::metrics::{GROUP, Version};
use kubevitals_proto::wire::status::Status;

use super::reply::Form;
use super::request;
use crate::query::{Found, Query};
use selection::Selection;

/// The routes of the group's versions.
pub(super) fn routes() -> Router<Arc<Query>> {
    let mut routes = Router::new();
    for version in [Version::V1, Version::V1beta1] {
        let at = |path: &str| format!("/apis/{GROUP}/{}{path}", version.as_str());
        routes = routes
            .route(
                &at("/nodes"),
                read_only(get(move |state, request| {
                    list_nodes(version, state, request)
                })),
            )
            .route(
                &at("/nodes/{name}"),
                read_only(get(move |state, path, request| {
                    get_node(version, state, path, request)
                })),
            )
            .route(
                &at("/pods"),
                read_only(get(move |state, request| {
                    list_pods(version, state, None, request)
                })),
            )
            .route(
                &at("/namespaces/{namespace}/pods"),
                read_only(get(move |state, Path(namespace): Path<String>, request| {
                    list_pods(version, state, Some(namespace), request)
                })),
            )
            .route(
                &at("/namespaces/{namespace}/pods/{name}"),
                read_only(get(move |state, path, request| {
                    get_pod(version, state, path, request)
                })),
            )
            .route(&at("/{*rest}"), axum::routing::any(unknown_resource));
    }
    routes
}

fn read_only(route: MethodRouter<Arc<Query>>) -> MethodRouter<Arc<Query>> {
    route.fallback(not_allowed)
}

async fn not_allowed(request: Request) -> Response {
    failure(&request, &Status::method_not_allowed())
}

async fn unknown_resource(request: Request) -> Response {
    failure(&request, &Status::resource_not_found())
}

/// A failure is told as JSON whatever was asked for.
fn failure(request: &Request, status: &Status) -> Response {
    Form {
        pretty: request::pretty(request.uri(), request.headers()),
    }
    .status(status)
}

async fn list_nodes(
    version: Version,
    State(query): State<Arc<Query>>,
    request: Request,
) -> Response {
    prepare(&request, "nodes").map_or_else(
        |refusal| refusal,
        |(form, selection)| lists::nodes(version, &query, form, &selection),
    )
}

async fn list_pods(
    version: Version,
    State(query): State<Arc<Query>>,
    namespace: Option<String>,
    request: Request,
) -> Response {
    prepare(&request, "pods").map_or_else(
        |refusal| refusal,
        |(form, selection)| lists::pods(version, &query, form, namespace.as_deref(), selection),
    )
}

/// What every list checks before it begins.
fn prepare(request: &Request, resource: &str) -> Result<(Form, Selection), Response> {
    let form = Form::of(request.uri(), request.headers())?;
    if request::flag(request.uri(), "watch") {
        return Err(form.status(&Status::not_supported("watch", GROUP, resource)));
    }
    let selection = Selection::of(request.uri()).map_err(|status| form.status(&status))?;
    Ok((form, selection))
}

async fn get_node(
    version: Version,
    State(query): State<Arc<Query>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let form = match Form::of(request.uri(), request.headers()) {
        Ok(form) => form,
        Err(refusal) => return refusal,
    };
    match query.node(&name) {
        Found::Metrics(answer) => form.bytes(
            http::StatusCode::OK,
            encode::node(version, &answer, query.wall()),
        ),
        Found::NoMetrics(_) => form.status(&Status::not_found(GROUP, "nodemetrics", &name)),
        // "node", not "nodes": the peer asks a lister for it, which names the kind so.
        Found::Unknown => form.status(&Status::not_found("", "node", &name)),
    }
}

async fn get_pod(
    version: Version,
    State(query): State<Arc<Query>>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let form = match Form::of(request.uri(), request.headers()) {
        Ok(form) => form,
        Err(refusal) => return refusal,
    };
    match query.pod(&namespace, &name, |answer| {
        encode::pod(version, &answer, query.wall())
    }) {
        Found::Metrics(json) => form.bytes(http::StatusCode::OK, json),
        Found::NoMetrics(_) => form.status(&Status::not_found(
            GROUP,
            "podmetrics",
            &format!("{namespace}/{name}"),
        )),
        Found::Unknown => form.status(&Status::not_found("", "pods", &name)),
    }
}
