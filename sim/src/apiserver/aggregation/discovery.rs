//! What an aggregated server says it serves.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::status::full;
use super::{Aggregation, Registration, Target, is_ours};
use crate::identity::UserInfo;

/// How long an answer is believed. kube-apiserver asks every minute; tests would rather see changes.
const FRESH_FOR: Duration = Duration::from_secs(2);
/// How long the server may take.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How much it may say.
const MAX_BODY: usize = 4 * 1024 * 1024;
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// The groups an aggregated server told of, as `APIGroupDiscovery` items.
pub(super) struct Discovered {
    at: Instant,
    target: Option<Target>,
    groups: Vec<Value>,
}

impl Discovered {
    /// Asks the server, and writes into the APIServices whether it answered. Groups and versions of this project that
    /// it serves and that have no APIService get one, as the project's manifests would have it.
    pub(super) async fn ask(aggregation: &Aggregation, target: Option<Target>) -> Self {
        let answer = match target {
            Some(_) => tokio::time::timeout(TIMEOUT, ask(aggregation))
                .await
                .unwrap_or(Err("timed out".to_owned())),
            None => Err("no endpoints".to_owned()),
        };
        let groups = answer.as_deref().unwrap_or_default().to_vec();
        for (group, version) in groups
            .iter()
            .flat_map(versions)
            .filter(|(group, _)| is_ours(group))
        {
            Registration::ensure(&aggregation.store, group, version);
        }
        for registration in Registration::all(&aggregation.store) {
            let served = groups
                .iter()
                .flat_map(versions)
                .any(|v| v == (&registration.group, &registration.version));
            let available = match (&answer, served) {
                (Ok(_), true) => Ok(()),
                (Ok(_), false) => Err((
                    "FailedDiscoveryCheck",
                    "the group version is not served".to_owned(),
                )),
                (Err(error), _) if target.is_some() => Err(("FailedDiscoveryCheck", error.clone())),
                (Err(_), _) => Err((
                    "MissingEndpoints",
                    "the service has no ready endpoints".to_owned(),
                )),
            };
            registration.report(&aggregation.store, available);
        }
        Self {
            at: Instant::now(),
            target,
            groups,
        }
    }

    /// Whether it need not be asked again.
    pub(super) fn is_fresh(&self, target: Option<Target>) -> bool {
        // An answer that told of nothing is asked again sooner: the server may just be starting.
        self.target == target && !self.groups.is_empty() && self.at.elapsed() < FRESH_FOR
    }

    /// The registered groups: as the server told them, or stale.
    pub(super) fn items(&self, registered: &[Registration]) -> Vec<Value> {
        let mut items: Vec<Value> = Vec::new();
        for Registration { group, version, .. } in registered {
            let told = self.groups.iter().filter(|g| name(g) == Some(group));
            let told = told.filter_map(|g| g.get("versions")?.as_array()).flatten();
            let told = told
                .into_iter()
                .find(|v| v.get("version").and_then(Value::as_str) == Some(version))
                .cloned();
            let version = told.unwrap_or_else(|| json!({"version": version, "freshness": "Stale"}));
            match items.last_mut().filter(|item| name(item) == Some(group)) {
                Some(item) => {
                    if let Some(versions) = item.get_mut("versions").and_then(Value::as_array_mut) {
                        versions.push(version);
                    }
                }
                None => items.push(json!({"metadata": {"name": group}, "versions": [version]})),
            }
        }
        items
    }
}

fn name(group: &Value) -> Option<&str> {
    group.pointer("/metadata/name").and_then(Value::as_str)
}

/// The `(group, version)`s of an item.
fn versions(group: &Value) -> impl Iterator<Item = (&str, &str)> {
    let versions = group
        .get("versions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    versions.filter_map(move |v| Some((name(group)?, v.get("version")?.as_str()?)))
}

/// Aggregated discovery, or where the server has none, the old kind for each registered group version.
async fn ask(aggregation: &Aggregation) -> Result<Vec<Value>, String> {
    let (code, content_type, body) = get(aggregation, "/apis", AGGREGATED).await?;
    if code == StatusCode::OK && content_type.contains("g=apidiscovery.k8s.io") {
        return Ok(body
            .get("items")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default());
    }
    if !matches!(
        code,
        StatusCode::OK | StatusCode::NOT_FOUND | StatusCode::NOT_ACCEPTABLE
    ) {
        return Err(format!("GET /apis answered {code}"));
    }
    let mut groups = Vec::new();
    for Registration { group, version, .. } in Registration::all(&aggregation.store) {
        let (code, _, body) = get(
            aggregation,
            &format!("/apis/{group}/{version}"),
            "application/json",
        )
        .await?;
        if code == StatusCode::OK {
            let resources: Vec<Value> = body
                .get("resources")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(modern)
                .collect();
            let version =
                json!({"version": version, "resources": resources, "freshness": "Current"});
            groups.push(json!({"metadata": {"name": group}, "versions": [version]}));
        }
    }
    Ok(groups)
}

/// An `APIResource` of the old kind as the new kind has it.
fn modern(resource: &Value) -> Value {
    let get = |member: &str| resource.get(member).cloned().unwrap_or_default();
    json!({
        "resource": get("name"),
        "responseKind": {"group": "", "version": "", "kind": get("kind")},
        "scope": if get("namespaced") == true { "Namespaced" } else { "Cluster" },
        "singularResource": get("singularName"),
        "verbs": get("verbs"),
        "shortNames": get("shortNames"),
        "categories": get("categories"),
    })
}

async fn get(
    aggregation: &Aggregation,
    path: &str,
    accept: &'static str,
) -> Result<(StatusCode, String, Value), String> {
    let mut request = Request::new(full(""));
    *request.uri_mut() = path.parse().map_err(|_| "bad path".to_owned())?;
    request
        .headers_mut()
        .insert(ACCEPT, HeaderValue::from_static(accept));
    let user = UserInfo::new("system:kube-aggregator", ["system:masters"]);
    let registration = Registration::all(&aggregation.store).into_iter().next();
    let (group, version) = registration.map_or_else(
        || ("metrics.k8s.io".to_owned(), "v1beta1".to_owned()),
        |r| (r.group, r.version),
    );
    let (parts, body) = aggregation
        .forward(&group, &version, &user, request)
        .await
        .into_parts();
    let body = Limited::new(body, MAX_BODY)
        .collect()
        .await
        .map_err(|e| e.to_string())?
        .to_bytes();
    if parts.status == StatusCode::SERVICE_UNAVAILABLE {
        return Err(String::from_utf8_lossy(&body).trim().to_owned());
    }
    let content_type = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    Ok((
        parts.status,
        content_type,
        serde_json::from_slice(&body).unwrap_or_default(),
    ))
}
