//! metrics.k8s.io: get and list of nodes and pods, in v1 and v1beta1 alike.

mod encode;
mod lists;
mod selection;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get};
use kubevitals_proto::metrics::{GROUP, Version};
use kubevitals_proto::wire::status::Status;

use super::reply::Form;
use super::request::{self, Named};
use crate::query::{Found, Query};
use selection::Selection;

/// The routes of the group's versions. To the peer a path is the same with a slash at its end.
pub(super) fn routes() -> Router<Arc<Query>> {
    let mut routes = Router::new();
    for version in [Version::V1, Version::V1beta1] {
        for slash in ["", "/"] {
            let at = |path: &str| format!("/apis/{GROUP}/{}{path}{slash}", version.as_str());
            routes = routes
                .route(
                    &at("/nodes"),
                    get(move |state, request| list_nodes(version, state, request)),
                )
                .route(
                    &at("/nodes/{name}"),
                    get(move |state, path, request| get_node(version, state, path, request)),
                )
                .route(
                    &at("/pods"),
                    get(move |state, request| list_pods(version, state, None, request)),
                )
                .route(
                    &at("/namespaces/{namespace}/pods"),
                    get(move |state, Named(namespace), request| {
                        list_pods(version, state, Some(namespace), request)
                    }),
                )
                .route(
                    &at("/namespaces/{namespace}/pods/{name}"),
                    get(move |state, path, request| get_pod(version, state, path, request)),
                );
        }
        let rest = format!("/apis/{GROUP}/{}/{{*rest}}", version.as_str());
        routes = routes.route(&rest, any(unknown_resource));
    }
    routes
}

async fn unknown_resource(request: Request) -> Response {
    Form::any(&request).status(&Status::resource_not_found())
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
    // A router that matches an empty name leaves it to us that there is no such path.
    if namespace.as_deref() == Some("") {
        return unknown_resource(request).await;
    }
    match prepare(&request, "pods") {
        Ok((form, selection)) => {
            lists::pods(version, &query, form, namespace.as_deref(), selection).await
        }
        Err(refusal) => refusal,
    }
}

/// What every list checks before it begins.
fn prepare(request: &Request, resource: &str) -> Result<(Form, Selection), Response> {
    let form = Form::of(request.uri(), request.headers())?;
    if request::option(request.uri(), "watch") {
        return Err(form.status(&Status::not_supported("watch", GROUP, resource)));
    }
    let selection = Selection::of(request.uri()).map_err(|status| form.status(&status))?;
    Ok((form, selection))
}

async fn get_node(
    version: Version,
    State(query): State<Arc<Query>>,
    Named(name): Named<String>,
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
    Named((namespace, name)): Named<(String, String)>,
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
