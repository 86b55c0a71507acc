//! OpenAPI: nothing about the built-in groups (kubectl does without), the documents of aggregated servers forwarded.

use http::{Request, Response, StatusCode};
use kubevitals_proto::wire::status::Status;
use serde_json::{Map, Value, json};

use super::shared::Shared;
use super::status::{Body, Refusal, json_answer};
use crate::identity::UserInfo;
use crate::members::Members;

/// `/openapi/v3`: the aggregated server's own list of documents, those of its groups.
pub(super) async fn index(shared: &Shared) -> Response<Body> {
    let user = UserInfo::new("system:aggregator", []);
    let fetched = shared
        .aggregation
        .fetch(&user, "/openapi/v3", "application/json");
    let served = fetched
        .await
        .ok()
        .filter(|(parts, _)| parts.status == StatusCode::OK);
    let document = served.and_then(|(_, body)| serde_json::from_slice(&body).ok());
    let document: Value = document.unwrap_or_default();
    let paths = document.members("/paths");
    let ours = paths.filter(|(path, _)| aggregated(shared, path).is_some());
    let ours: Map<String, Value> = ours.map(|(k, v)| (k.clone(), v.clone())).collect();
    json_answer(StatusCode::OK, &json!({"paths": ours}))
}

/// `/openapi/v3/apis/GROUP/VERSION`: passed on.
pub(super) async fn document(
    shared: &Shared,
    path: &str,
    user: &UserInfo,
    request: Request<Body>,
) -> Result<Response<Body>, Refusal> {
    let (group, version) = aggregated(shared, path).ok_or_else(Status::resource_not_found)?;
    Ok(shared
        .aggregation
        .forward(&group, &version, user, request)
        .await)
}

/// The group version of `apis/GROUP/VERSION`, if it is aggregated.
fn aggregated(shared: &Shared, path: &str) -> Option<(String, String)> {
    let (group, version) = path.strip_prefix("apis/")?.split_once('/')?;
    shared
        .aggregation
        .serves(group, version)
        .then(|| (group.to_owned(), version.to_owned()))
}
