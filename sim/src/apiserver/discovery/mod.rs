//! Discovery: which groups, versions and resources there are, in the old form and in the aggregated one.

mod builtin;

use http::{HeaderMap, HeaderValue, Response, StatusCode};
use kubevitals_proto::wire::accept::{Conversion, negotiate};
use kubevitals_proto::wire::discovery::aggregated::{
    ApiGroupDiscovery, ApiGroupDiscoveryList, ApiResourceDiscovery, ApiVersionDiscovery,
};
use kubevitals_proto::wire::discovery::{
    AGGREGATED_CONTENT_TYPE, ApiGroup, ApiGroupList, ApiResourceList, Resource,
};
use kubevitals_proto::wire::object::Encoding;
use kubevitals_proto::wire::status::Status;
use serde_json::{Value, json};

use self::builtin::GROUPS;
pub(super) use self::builtin::review_kind;
use super::negotiation::accept;
use super::shared::Shared;
use super::status::{Body, Refusal, answer, full, json_answer, not_acceptable};

/// Answers `/api`, `/apis` and what is below them down to a group version.
pub(super) async fn respond(
    shared: &Shared,
    segments: &[&str],
    headers: &HeaderMap,
) -> Result<Response<Body>, Refusal> {
    // The aggregated form exists for the two roots only.
    let is_root = matches!(segments, ["api" | "apis"]);
    let negotiated = negotiate(accept(headers), |encoding, conversion| {
        let json = encoding == Encoding::Json;
        json.then(|| is_aggregated(conversion, is_root)).flatten()
    });
    if negotiated.map_err(|_| not_acceptable())?.conversion {
        let items = match segments {
            ["api"] => vec![aggregated("", "v1")],
            _ => {
                let own = GROUPS
                    .iter()
                    .map(|(group, version)| aggregated(group, version));
                own.chain(shared.discovery.groups(&shared.aggregation).await)
                    .collect()
            }
        };
        return Ok(aggregated_answer(items));
    }
    let body = match segments {
        ["api"] => {
            let addresses = json!([{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:443"}]);
            Some(
                json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}),
            )
        }
        ["apis"] => Some(json!(ApiGroupList {
            api_version: "v1".to_owned(),
            ..ApiGroupList::new(groups(&shared.aggregation.group_versions()))
        })),
        ["api", version] => resources("", version),
        ["apis", name] => groups(&shared.aggregation.group_versions())
            .into_iter()
            .find(|group| group.name == *name)
            .map(|group| json!(group.alone())),
        ["apis", group, version] => resources(group, version),
        _ => None,
    };
    let body = body.ok_or_else(Status::resource_not_found)?;
    Ok(json_answer(StatusCode::OK, &body))
}

/// Whether a clause requests the aggregated form or the old one; `None` if it requests neither.
fn is_aggregated(conversion: Option<Conversion<'_>>, is_root: bool) -> Option<bool> {
    match conversion {
        Some(Conversion {
            kind: "APIGroupDiscoveryList",
            group: "apidiscovery.k8s.io",
            version: "v2",
        }) if is_root => Some(true),
        // Below the roots every clause for JSON is answered in the old form.
        Some(_) if is_root => None,
        _ => Some(false),
    }
}

fn aggregated_answer(items: Vec<ApiGroupDiscovery>) -> Response<Body> {
    let body = full(format!("{}\n", json!(ApiGroupDiscoveryList::new(items))));
    let mut response = answer(StatusCode::OK, AGGREGATED_CONTENT_TYPE, body);
    response
        .headers_mut()
        .insert(http::header::VARY, HeaderValue::from_static("Accept"));
    response
}

/// A built-in group for aggregated discovery.
fn aggregated(group: &str, version: &str) -> ApiGroupDiscovery {
    let resources = builtin::resources(group, version);
    let listed = resources.iter().flat_map(|resource| resource.listed());
    let resources = ApiResourceDiscovery::of(listed).into_iter();
    let resources = resources.map(|mut resource| {
        resource.response_kind.group = group.to_owned();
        resource.response_kind.version = version.to_owned();
        resource
    });
    let version = ApiVersionDiscovery::current(version, resources.collect());
    ApiGroupDiscovery::new(group, vec![version])
}

/// The built-in groups, and those of the aggregated `(group, version)`s, preferred versions first.
fn groups(others: &[(String, String)]) -> Vec<ApiGroup> {
    let others = others
        .iter()
        .map(|(group, version)| (group.as_str(), version.as_str()));
    let all: Vec<(&str, &str)> = GROUPS.iter().copied().chain(others).collect();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in &all {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let group = |name: &str| {
        let versions = all.iter().filter(|(group, _)| *group == name);
        let versions: Vec<&str> = versions.map(|(_, version)| *version).collect();
        ApiGroup::new(name, &versions)
    };
    names.into_iter().map(group).collect()
}

/// The resources of a built-in group version, if it exists.
fn resources(group: &str, version: &str) -> Option<Value> {
    let resources = builtin::resources(group, version);
    if resources.is_empty() {
        return None;
    }
    let resources = resources.iter().flat_map(Resource::listed).collect();
    Some(match group {
        // The core group's list has no version of its own.
        "" => json!(ApiResourceList {
            api_version: String::new(),
            ..ApiResourceList::new(version, resources)
        }),
        _ => json!(ApiResourceList::new(
            &format!("{group}/{version}"),
            resources
        )),
    })
}
