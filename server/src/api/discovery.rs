//! Discovery: the groups and resources that the server serves, in the unaggregated form and in the aggregated one.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, ETAG, VARY};
use kubevitals_proto::wire::discovery::aggregated::ApiGroupDiscoveryList;
use kubevitals_proto::wire::discovery::{AGGREGATED_CONTENT_TYPE, ApiGroupList, Served};
use kubevitals_proto::wire::object::{Encoding, Object};
use kubevitals_proto::wire::root::RootPaths;
use kubevitals_proto::wire::status::Status;

use super::accept::{self, Conversion};
use super::etag::Tag;
use super::reply::{self, Form};
use super::{debug, health, request};
use crate::query::Query;

/// The groups, the most important one first.
const GROUPS: [&Served; 2] = [
    &kubevitals_proto::metrics::discovery::SERVED,
    &kubevitals_proto::vitals::discovery::SERVED,
];

/// The routes. `port` is the port of the server, for clients that read the server's address from the response.
pub(super) fn routes(port: u16) -> Router<Arc<Query>> {
    let mut routes = Router::new().route("/", get(async || paths(StatusCode::OK)));
    for slash in ["", "/"] {
        routes = routes.route(
            &format!("/apis{slash}"),
            get(async move |request: Request| groups(port, &request)),
        );
        for served in GROUPS {
            let path = format!("/apis/{}", served.group);
            routes = routes.route(
                &format!("{path}{slash}"),
                get(async move |request: Request| object(&request, &served.group().alone())),
            );
            for version in served.versions {
                routes = routes.route(
                    &format!("{path}/{version}{slash}"),
                    get(async move |request: Request| object(&request, &served.resources(version))),
                );
            }
        }
    }
    routes
}

/// The list of paths, as the root path answers it, for any Accept header.
pub(super) fn paths(code: StatusCode) -> Response {
    let mut paths = vec!["/apis".to_owned()];
    for served in GROUPS {
        let path = format!("/apis/{}", served.group);
        paths.extend(
            served
                .versions
                .iter()
                .map(|version| format!("{path}/{version}")),
        );
        paths.push(path);
    }
    for (endpoint, checks) in health::ENDPOINTS {
        paths.push(format!("/{endpoint}"));
        paths.extend(
            checks
                .iter()
                .map(|check| format!("/{endpoint}/{}", check.name)),
        );
    }
    paths.extend(debug::PATHS.map(str::to_owned));
    paths.extend(
        [
            "/metrics",
            "/metrics/vitals",
            "/openapi/v2",
            "/openapi/v3",
            crate::state::PATH,
            "/version",
        ]
        .map(str::to_owned),
    );
    paths.sort_unstable();
    Form::INDENTED.json(code, &RootPaths { paths })
}

/// `/apis`: aggregated discovery if any clause of the Accept header selects it, else the list of groups.
fn groups(port: u16, request: &Request) -> Response {
    match accept::negotiate(accept::header(request.headers()), aggregated) {
        Ok(negotiated) => aggregated_groups(negotiated.encoding, request),
        Err(_) => object(
            request,
            &ApiGroupList::new(
                GROUPS
                    .iter()
                    .map(|served| served.group().reached_at(&format!(":{port}")))
                    .collect(),
            ),
        ),
    }
}

fn aggregated(_: Encoding, conversion: Option<Conversion<'_>>) -> Option<()> {
    let target = Conversion {
        kind: "APIGroupDiscoveryList",
        group: "apidiscovery.k8s.io",
        version: "v2",
    };
    (conversion == Some(target)).then_some(())
}

/// Aggregated discovery. The kube-apiserver requests it often; the ETag saves the body if nothing has changed.
fn aggregated_groups(encoding: Encoding, request: &Request) -> Response {
    let groups =
        ApiGroupDiscoveryList::new(GROUPS.iter().map(|served| served.aggregated()).collect());
    let (json, body) = match (groups.encode(Encoding::Json), groups.encode(encoding)) {
        (Ok(json), Ok(body)) => (json, body),
        (Err(error), _) | (_, Err(error)) => {
            return Form::any(request).status(&Status::internal_error(error));
        }
    };
    let tag = Tag::of(&json);
    let response = if tag.matches(request.headers()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let form = Form {
            encoding,
            pretty: request::pretty(request.uri(), request.headers()),
        };
        let content_type = match encoding {
            Encoding::Json => AGGREGATED_CONTENT_TYPE,
            Encoding::Yaml => {
                "application/yaml;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            }
            Encoding::Protobuf => {
                "application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            }
        };
        reply::respond(StatusCode::OK, content_type, Body::from(form.text(body)))
    };
    let headers = [(CACHE_CONTROL, "public"), (VARY, "Accept")];
    (headers, [(ETAG, tag.header())], response).into_response()
}

/// Answers with an object in the form that the request prefers.
fn object(request: &Request, object: &impl Object) -> Response {
    match Form::of(request) {
        Ok(form) => form.object(object),
        Err(refusal) => refusal,
    }
}
