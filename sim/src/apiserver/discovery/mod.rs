//! Discovery: which groups, versions and resources there are, in the old form and in the aggregated one.

mod aggregated;
mod builtin;
mod legacy;

use http::{HeaderMap, HeaderValue, Response, StatusCode};
use kubevitals_proto::wire::status::Status;

use super::negotiation::MediaRange;
use super::server::Shared;
use super::status::{Body, Refusal, answer, full, json_answer, not_acceptable};

/// Answers `/api`, `/apis` and what is below them down to a group version.
pub(super) async fn respond(
    shared: &Shared,
    segments: &[&str],
    headers: &HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let ranges = MediaRange::of(headers);
    // The aggregated form exists for the two roots only.
    if let Some(range) = ranges.iter().find(|r| r.is_json())
        && let Some(version) = range.aggregated_discovery()
    {
        match segments {
            ["api"] => return Ok(aggregated_answer(version, aggregated::core(version))),
            ["apis"] => {
                let others = shared.aggregation.groups().await;
                return Ok(aggregated_answer(
                    version,
                    aggregated::groups(version, others),
                ));
            }
            _ => {}
        }
    }
    if !ranges.iter().any(MediaRange::is_json) {
        return Err(not_acceptable());
    }
    let body = match segments {
        ["api"] => legacy::core_versions(),
        ["apis"] => legacy::groups(&shared.aggregation.group_versions()),
        ["api", version] => {
            legacy::resources("", version).ok_or_else(Status::resource_not_found)?
        }
        ["apis", group] => legacy::group(group, &shared.aggregation.group_versions())
            .ok_or_else(Status::resource_not_found)?,
        ["apis", group, version] => {
            legacy::resources(group, version).ok_or_else(Status::resource_not_found)?
        }
        _ => return Err(Status::resource_not_found().into()),
    };
    Ok(json_answer(StatusCode::OK, &body))
}

fn aggregated_answer(version: &str, body: serde_json::Value) -> Response<Body> {
    let content_type = match version {
        "v2" => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        _ => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
    };
    let mut response = answer(StatusCode::OK, content_type, full(format!("{body}\n")));
    response
        .headers_mut()
        .insert(http::header::VARY, HeaderValue::from_static("Accept"));
    response
}
