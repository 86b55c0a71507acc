//! metrics.k8s.io: get and list of nodes and pods, in v1 and v1beta1.

mod lists;
mod source;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get};
use http::{StatusCode, Uri};
use kubevitals_proto::metrics::encode::{self, Kind};
use kubevitals_proto::metrics::{GROUP, Version, openapi};
use kubevitals_proto::wire::status::Status;

use super::negotiated::{Cardinality, Offer, ResponseFormat};
use super::path_params::PathParams;
use super::reply::{Answer, Form};
use super::request;
use super::selection::Selection;
use crate::query::{MetricsLookup, Query};
use source::{Nodes, Pods};

/// The fields that objects can be selected by, as in metrics-server.
const FIELDS: [&str; 2] = ["metadata.name", "metadata.namespace"];

/// The forms of a version.
const fn offer(version: Version) -> Offer {
    Offer {
        api_version: version.api_version(),
        package: "metrics",
        objects: openapi::GROUP.objects,
        lists: openapi::GROUP.lists,
        protobuf: true,
    }
}

/// The form in which `kind` is sent.
fn form(format: ResponseFormat, kind: Kind, uri: &Uri) -> Result<encode::Form, Status> {
    let shape = format.shape(kind.described(), uri)?;
    // Not reached: tables in protobuf are not negotiated.
    encode::Form::new(shape, format.form().encoding)
        .ok_or_else(|| Status::internal_error("a table has no protobuf"))
}

/// The routes of all versions. As in metrics-server, a trailing slash means nothing.
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
                    get(move |state, PathParams(namespace), request| {
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

async fn list_nodes(version: Version, State(query): State<Arc<Query>>, request: Request) -> Answer {
    let (form, pretty, selection) = prepare(&request, version, Kind::Node)?;
    let nodes = Nodes::new(&query, &selection);
    Ok(lists::respond(nodes, form, pretty, request.headers()).await)
}

async fn list_pods(
    version: Version,
    State(query): State<Arc<Query>>,
    namespace: Option<String>,
    request: Request,
) -> Answer {
    // The router matches an empty namespace too.
    if namespace.as_deref() == Some("") {
        return Err(unknown_resource(request).await);
    }
    let (form, pretty, selection) = prepare(&request, version, Kind::Pod)?;
    let pods = Pods::new(&query, namespace.as_deref(), selection);
    Ok(lists::respond(pods, form, pretty, request.headers()).await)
}

/// Checks a list request in the order of metrics-server: the Accept header, the selectors, and that it is not a
/// watch.
fn prepare(
    request: &Request,
    version: Version,
    kind: Kind,
) -> Result<(encode::Form, bool, Selection), Response> {
    let format = ResponseFormat::of(request, offer(version), Cardinality::Many)?;
    let checked = || {
        let selection = Selection::of(request.uri(), &FIELDS)?;
        if request::option(request.uri(), "watch") {
            let resource = match kind {
                Kind::Node => "nodes",
                Kind::Pod => "pods",
            };
            return Err(Status::not_supported("watch", GROUP, resource));
        }
        Ok((
            form(format, kind, request.uri())?,
            format.form().pretty,
            selection,
        ))
    };
    checked().map_err(|status| Form::any(request).status(&status))
}

async fn get_node(
    version: Version,
    State(query): State<Arc<Query>>,
    PathParams(name): PathParams<String>,
    request: Request,
) -> Answer {
    answer_one(&request, version, |format| {
        match query.metrics().node(&name) {
            MetricsLookup::Metrics(node) => {
                let form = form(format, Kind::Node, request.uri())?;
                let mut out = Vec::new();
                form.object(&mut out, &node.to_item(query.wall()));
                Ok(out)
            }
            MetricsLookup::NoMetrics(_) => Err(Status::not_found(GROUP, "nodemetrics", &name)),
            // "node", not "nodes", as in metrics-server, where a lister makes this error.
            MetricsLookup::Unknown => Err(Status::not_found("", "node", &name)),
        }
    })
}

async fn get_pod(
    version: Version,
    State(query): State<Arc<Query>>,
    PathParams((namespace, name)): PathParams<(String, String)>,
    request: Request,
) -> Answer {
    answer_one(&request, version, |format| {
        let found = query.metrics().pod(&namespace, &name, |pod| {
            let form = form(format, Kind::Pod, request.uri())?;
            let mut out = Vec::new();
            form.object(&mut out, &pod.to_item(query.wall()));
            Ok(out)
        });
        match found {
            MetricsLookup::Metrics(body) => body,
            MetricsLookup::NoMetrics(_) => {
                let name = format!("{namespace}/{name}");
                Err(Status::not_found(GROUP, "podmetrics", &name))
            }
            MetricsLookup::Unknown => Err(Status::not_found("", "pods", &name)),
        }
    })
}

/// Responds with one object, which `encode` encodes.
fn answer_one(
    request: &Request,
    version: Version,
    encode: impl FnOnce(ResponseFormat) -> Result<Vec<u8>, Status>,
) -> Answer {
    let format = ResponseFormat::of(request, offer(version), Cardinality::One)?;
    let body = encode(format).map_err(|status| Form::any(request).status(&status))?;
    Ok(format.form().bytes(StatusCode::OK, body))
}
