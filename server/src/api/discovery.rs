//! Discovery: the groups and resources that the server serves, in the unaggregated form and in the aggregated one.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, ETAG, VARY};
use kubevitals_proto::custom_metrics;
use kubevitals_proto::wire::discovery::aggregated::{
    ApiGroupDiscovery, ApiGroupDiscoveryList, ApiResourceDiscovery, ApiVersionDiscovery,
};
use kubevitals_proto::wire::discovery::{
    AGGREGATED_CONTENT_TYPE, ApiGroupList, ApiResource, ApiResourceList, Served,
};
use kubevitals_proto::wire::object::{Encoding, Object};
use kubevitals_proto::wire::root::RootPaths;
use kubevitals_proto::wire::status::Status;

use super::accept::{self, Conversion};
use super::etag::Tag;
use super::reply::{self, Form};
use super::{debug, health, request};
use crate::query::{DescribedKind, KINDS, Query};

/// The groups, the most important one first.
const GROUPS: [&Served; 2] = [
    &kubevitals_proto::metrics::discovery::SERVED,
    &kubevitals_proto::vitals::discovery::SERVED,
];

/// The groups of metrics that autoscalers read, if pods' own metrics are on.
const OF_AUTOSCALERS: [&Served; 2] = [
    &custom_metrics::discovery::CUSTOM,
    &custom_metrics::discovery::EXTERNAL,
];

/// The groups that are served.
fn served(query: &Query) -> impl Iterator<Item = &'static Served> {
    let on = query.pod_metrics().is_some();
    GROUPS
        .into_iter()
        .chain(OF_AUTOSCALERS.into_iter().filter(move |_| on))
}

/// The resources of a version of a group.
fn resources(query: &Query, served: &Served, version: &str) -> ApiResourceList {
    let metrics = match served.group {
        custom_metrics::GROUP => custom_resources(query),
        custom_metrics::external::GROUP => external_resources(query),
        _ => return served.resources(version),
    };
    ApiResourceList::new(&format!("{}/{version}", served.group), metrics)
}

/// Each metric of each kind of objects.
fn custom_resources(query: &Query) -> Vec<ApiResource> {
    let names = query.custom_metrics().map(|metrics| metrics.names());
    let names = names.unwrap_or_default();
    let of_kind = |kind: &'static DescribedKind| {
        let of_name =
            |name| custom_metrics::discovery::custom(kind.resource, kind.namespaced, name);
        names.iter().map(move |name| of_name(name))
    };
    KINDS.iter().flat_map(of_kind).collect()
}

fn external_resources(query: &Query) -> Vec<ApiResource> {
    let names = query.external_metrics().map(|metrics| metrics.names());
    let names = names.unwrap_or_default().into_iter();
    names
        .map(|name| custom_metrics::discovery::external(&name))
        .collect()
}

/// The routes. `port` is the port of the server, for clients that read the server's address from the response.
pub(super) fn routes(query: &Query, port: u16) -> Router<Arc<Query>> {
    let root = async |State(query): State<Arc<Query>>| paths(&query, StatusCode::OK);
    let mut routes = Router::new().route("/", get(root));
    for slash in ["", "/"] {
        routes = routes.route(
            &format!("/apis{slash}"),
            get(
                async move |State(query): State<Arc<Query>>, request: Request| {
                    groups(&query, port, &request)
                },
            ),
        );
        for served in served(query) {
            let path = format!("/apis/{}", served.group);
            routes = routes.route(
                &format!("{path}{slash}"),
                get(async move |request: Request| object(&request, &served.group().alone())),
            );
            for version in served.versions {
                let list = async move |State(query): State<Arc<Query>>, request: Request| {
                    object(&request, &resources(&query, served, version))
                };
                routes = routes.route(&format!("{path}/{version}{slash}"), get(list));
            }
        }
    }
    routes
}

/// The list of paths, as the root path answers it, for any Accept header.
pub(super) fn paths(query: &Query, code: StatusCode) -> Response {
    let mut paths = vec!["/apis".to_owned()];
    for served in served(query) {
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
fn groups(query: &Query, port: u16, request: &Request) -> Response {
    match accept::negotiate(accept::header(request.headers()), aggregated) {
        Ok(negotiated) => aggregated_groups(query, negotiated.encoding, request),
        Err(_) => object(
            request,
            &ApiGroupList::new(
                served(query)
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
fn aggregated_groups(query: &Query, encoding: Encoding, request: &Request) -> Response {
    let group = |served: &Served| {
        let version = |version: &&'static str| {
            let list = resources(query, served, version);
            ApiVersionDiscovery::current(version, ApiResourceDiscovery::of(list.resources))
        };
        ApiGroupDiscovery::new(served.group, served.versions.iter().map(version).collect())
    };
    let groups = ApiGroupDiscoveryList::new(served(query).map(group).collect());
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
