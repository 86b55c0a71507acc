//! Discovery: what this server serves, in the old form and the aggregated one.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use http::header::{CONTENT_TYPE, HeaderValue, VARY};
use kubevitals_proto::metrics::{GROUP, Version, discovery};
use kubevitals_proto::wire::discovery::aggregated::ApiGroupDiscoveryList;
use kubevitals_proto::wire::discovery::{AGGREGATED_CONTENT_TYPE, ApiGroupList};
use kubevitals_proto::wire::root::RootPaths;

use super::reply::Form;
use super::{accept, health, request};
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
                    form(&request).object(&discovery::group(&Version::ALL).alone())
                }),
            );
        for version in Version::ALL {
            routes = routes.route(
                &format!("/apis/{GROUP}/{}{slash}", version.as_str()),
                get(async move |request: Request| {
                    form(&request).object(&discovery::resources(version))
                }),
            );
        }
    }
    routes
}

fn form(request: &Request) -> Form {
    Form {
        pretty: request::pretty(request.uri(), request.headers()),
    }
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
                .map(|(check, _)| format!("/{endpoint}/{check}")),
        );
    }
    paths.extend(["/debug/scrapes".to_owned(), "/version".to_owned()]);
    paths.sort_unstable();
    form(request).object(&RootPaths { paths })
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
    let form = form(request);
    let mut response = if aggregated {
        form.object(&ApiGroupDiscoveryList::new(vec![discovery::aggregated(
            &Version::ALL,
        )]))
    } else {
        form.object(&ApiGroupList::new(vec![
            discovery::group(&Version::ALL).reached_at(&format!(":{port}")),
        ]))
    };
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    if aggregated {
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(AGGREGATED_CONTENT_TYPE),
        );
    }
    response
}
