//! OpenAPI: nothing about the built-in groups (kubectl does without), the documents of aggregated servers forwarded.

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kubevitals_proto::wire::status::Status;
use serde_json::{Map, Value, json};

use super::shared::Shared;
use super::status::{Body, Refusal, full, json_answer};
use crate::identity::UserInfo;
use crate::members::Members;

/// `/openapi/v3`: the aggregated server's own list of documents, those of its groups.
pub(super) async fn index(shared: &Shared) -> Response<Body> {
    let mut paths = Map::new();
    if let Some((group, version)) = shared.aggregation.group_versions().into_iter().next() {
        let mut request = Request::new(full(""));
        *request.uri_mut() = http::Uri::from_static("/openapi/v3");
        let user = UserInfo::new("system:aggregator", []);
        let (parts, body) = shared
            .aggregation
            .forward(&group, &version, &user, request)
            .await
            .into_parts();
        if let (StatusCode::OK, Ok(body)) = (parts.status, body.collect().await) {
            let document: Value = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
            let served = document.members("/paths");
            let ours = served.filter(|(path, _)| aggregated(shared, path).is_some());
            paths.extend(ours.map(|(path, value)| (path.clone(), value.clone())));
        }
    }
    json_answer(StatusCode::OK, &json!({"paths": paths}))
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
