//! The subresource `why` of the pods and nodes of metrics.k8s.io. Requests pass through the kube-apiserver's
//! aggregation with the user's own permissions: `get` on `pods/why` and `nodes/why`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use kubevitals_proto::metrics::{GROUP, Version};
use kubevitals_proto::why::SUBRESOURCE;

use super::path_params::PathParams;
use super::reply::Form;
use crate::query::Query;

/// The routes, in each version of the group.
pub(super) fn routes() -> Router<Arc<Query>> {
    let mut routes = Router::new();
    for version in Version::ALL {
        for slash in ["", "/"] {
            let at = |path: &str| {
                format!(
                    "/apis/{GROUP}/{}{path}/{SUBRESOURCE}{slash}",
                    version.as_str()
                )
            };
            routes = routes
                .route(
                    &at("/nodes/{name}"),
                    get(move |state, path, request| node(version, state, path, request)),
                )
                .route(
                    &at("/namespaces/{namespace}/pods/{name}"),
                    get(move |state, path, request| pod(version, state, path, request)),
                );
        }
    }
    routes
}

async fn node(
    version: Version,
    State(query): State<Arc<Query>>,
    PathParams(name): PathParams<String>,
    request: Request,
) -> Response {
    Form::any(&request).json(StatusCode::OK, &query.why().node(version, &name))
}

async fn pod(
    version: Version,
    State(query): State<Arc<Query>>,
    PathParams((namespace, name)): PathParams<(String, String)>,
    request: Request,
) -> Response {
    Form::any(&request).json(StatusCode::OK, &query.why().pod(version, &namespace, &name))
}
