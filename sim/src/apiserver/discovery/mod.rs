//! Discovery: which groups, versions and resources there are, in the old form and in the aggregated one.

mod builtin;

use http::{HeaderMap, HeaderValue, Response, StatusCode};
use kubevitals_proto::wire::accept::{Conversion, negotiate};
use kubevitals_proto::wire::discovery::aggregated::{
    ApiGroupDiscovery, ApiGroupDiscoveryList, ApiVersionDiscovery,
};
use kubevitals_proto::wire::discovery::{ApiGroup, ApiGroupList, ApiResourceList, Resource};
use kubevitals_proto::wire::object::Encoding;
use kubevitals_proto::wire::status::Status;
use serde_json::{Value, json};

use self::builtin::GROUPS;
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
    let chosen = negotiate(accept(headers), |encoding, conversion| {
        let json = encoding == Encoding::Json;
        json.then(|| aggregated_version(conversion, is_root))
            .flatten()
    });
    let version = chosen.map_err(|_| not_acceptable())?.conversion;
    if let Some(version) = version {
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
        return Ok(aggregated_answer(version, items));
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

/// The version of aggregated discovery that a clause asks for, or nothing for the old form.
fn aggregated_version(
    conversion: Option<Conversion<'_>>,
    is_root: bool,
) -> Option<Option<&'static str>> {
    match conversion {
        Some(Conversion {
            kind: "APIGroupDiscoveryList",
            group: "apidiscovery.k8s.io",
            version,
        }) if is_root => ["v2", "v2beta1"]
            .into_iter()
            .find(|it| *it == version)
            .map(Some),
        // Below the roots every clause for JSON is answered in the old form.
        Some(_) if is_root => None,
        _ => Some(None),
    }
}

fn aggregated_answer(version: &str, items: Vec<ApiGroupDiscovery>) -> Response<Body> {
    let content_type = match version {
        "v2" => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        _ => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
    };
    let list = ApiGroupDiscoveryList {
        api_version: format!("apidiscovery.k8s.io/{version}"),
        ..ApiGroupDiscoveryList::new(items)
    };
    let body = full(format!("{}\n", json!(list)));
    let mut response = answer(StatusCode::OK, content_type, body);
    response
        .headers_mut()
        .insert(http::header::VARY, HeaderValue::from_static("Accept"));
    response
}

/// A built-in group for aggregated discovery.
fn aggregated(group: &str, version: &str) -> ApiGroupDiscovery {
    let resources = builtin::resources(group, version);
    let resources = resources.iter().map(|resource| {
        let mut resource = resource.aggregated();
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
