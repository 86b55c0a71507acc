//! Discovery: what this server serves, in the old form and the aggregated one.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, VARY,
};
use kubevitals_proto::metrics::{GROUP, Version, discovery};
use kubevitals_proto::wire::discovery::aggregated::ApiGroupDiscoveryList;
use kubevitals_proto::wire::discovery::{AGGREGATED_CONTENT_TYPE, ApiGroupList};
use kubevitals_proto::wire::root::RootPaths;
use kubevitals_proto::wire::status::Status;

use super::reply::{self, Form};
use super::{accept, debug, health};
use crate::query::Query;

/// The routes; `port` is the one served on, for clients that ask where to go.
pub(super) fn routes(port: u16) -> Router<Arc<Query>> {
    let mut routes = Router::new().route("/", get(async |request: Request| paths(&request)));
    for slash in ["", "/"] {
        routes = routes
            .route(
                &format!("/apis{slash}"),
                get(async move |request: Request| groups(port, &request)),
            )
            .route(
                &format!("/apis/{GROUP}{slash}"),
                get(async |request: Request| {
                    Form::any(&request).object(&discovery::group(&Version::ALL).alone())
                }),
            );
        for version in Version::ALL {
            routes = routes.route(
                &format!("/apis/{GROUP}/{}{slash}", version.as_str()),
                get(async move |request: Request| {
                    Form::any(&request).object(&discovery::resources(version))
                }),
            );
        }
    }
    routes
}

/// The paths that answer, as the root lists them.
pub(super) fn paths(request: &Request) -> Response {
    let mut paths = vec!["/apis".to_owned(), format!("/apis/{GROUP}")];
    paths.extend(Version::ALL.map(|version| format!("/apis/{GROUP}/{}", version.as_str())));
    for (endpoint, checks) in health::ENDPOINTS {
        paths.push(format!("/{endpoint}"));
        paths.extend(
            checks
                .iter()
                .map(|check| format!("/{endpoint}/{}", check.name)),
        );
    }
    paths.extend(debug::PATHS.map(str::to_owned));
    paths.extend(["/metrics".to_owned(), "/version".to_owned()]);
    paths.sort_unstable();
    Form::any(request).object(&RootPaths { paths })
}

/// `/apis`: aggregated discovery for whoever prefers it, else the list of groups.
fn groups(port: u16, request: &Request) -> Response {
    let aggregated = accept::alternatives(request.headers())
        .iter()
        .find(|alternative| alternative.admits("application", "json"))
        .is_some_and(|best| {
            best.parameter("as") == Some("APIGroupDiscoveryList")
                && best.parameter("g") == Some("apidiscovery.k8s.io")
                && best.parameter("v") == Some("v2")
        });
    let form = Form::any(request);
    let mut response = if aggregated {
        aggregated_groups(form, request.headers())
    } else {
        form.object(&ApiGroupList::new(vec![
            discovery::group(&Version::ALL).reached_at(&format!(":{port}")),
        ]))
    };
    response
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("Accept"));
    response
}

/// Aggregated discovery, which the kube-apiserver asks for again and again: it need not read what it has.
fn aggregated_groups(form: Form, headers: &HeaderMap) -> Response {
    let groups = ApiGroupDiscoveryList::new(vec![discovery::aggregated(&Version::ALL)]);
    let json = match serde_json::to_vec(&groups) {
        Ok(json) => form.text(json),
        Err(error) => return form.status(&Status::internal_error(error)),
    };
    let tag = tag(&json);
    let mut response = if is_known(headers, &tag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = reply::json(StatusCode::OK, Body::from(json));
        let content_type = HeaderValue::from_static(AGGREGATED_CONTENT_TYPE);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    response
}

/// The entity tag of a body: the same in every replica of one build, which is all that a client can notice.
fn tag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("\"{:016X}\"", hasher.finish())
}

/// Whether the client says that it has what `tag` stands for.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
