//! Discovery of an aggregated server.

use std::time::Duration;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use kubevitals_proto::wire::discovery::AGGREGATED_CONTENT_TYPE;
use kubevitals_proto::wire::discovery::aggregated::{
    ApiGroupDiscovery, ApiGroupDiscoveryList, ApiVersionDiscovery,
};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Aggregation, Registration, Target, is_ours};
use crate::identity::UserInfo;

/// How long an answer is cached. kube-apiserver refreshes it every minute; tests need changes sooner.
const FRESH_FOR: Duration = Duration::from_secs(2);
/// How long the server may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The groups that the aggregated server serves, as of its last answer.
#[derive(Default)]
pub(in super::super) struct Discovery(Mutex<Option<Discovered>>);

impl Discovery {
    /// The aggregated groups: as their server describes them, and as stale those that it does not describe.
    pub(in super::super) async fn groups(
        &self,
        aggregation: &Aggregation,
    ) -> Vec<ApiGroupDiscovery> {
        let mut discovered = self.0.lock().await;
        let target = aggregation.target();
        let fresh = match discovered.take() {
            Some(last) if last.is_fresh(target) => last,
            _ => Discovered::request(aggregation, target).await,
        };
        let items = fresh.items(&aggregation.registered());
        *discovered = Some(fresh);
        items
    }
}

/// One answer of the aggregated server.
struct Discovered {
    at: Instant,
    target: Option<Target>,
    groups: Vec<ApiGroupDiscovery>,
}

impl Discovered {
    /// Requests discovery of the server, and writes into the APIServices whether it answered. Groups and versions of this
    /// project that it serves and that have no APIService get one, as the project's manifests would have it.
    async fn request(aggregation: &Aggregation, target: Option<Target>) -> Self {
        let answer = match target {
            Some(_) => tokio::time::timeout(TIMEOUT, groups(aggregation))
                .await
                .unwrap_or(Err("timed out".to_owned())),
            None => Err("no endpoints".to_owned()),
        };
        let groups = answer.as_deref().unwrap_or_default().to_vec();
        let served: Vec<(&str, &str)> = groups.iter().flat_map(versions).collect();
        for (group, version) in served.iter().filter(|(group, _)| is_ours(group)) {
            Registration::ensure(&aggregation.store, group, version);
        }
        for registration in Registration::all(&aggregation.store) {
            let is_served = served.contains(&(&*registration.group, &*registration.version));
            let available = match &answer {
                Ok(_) if is_served => Ok(()),
                Ok(_) => Err(("FailedDiscoveryCheck", "the group version is not served")),
                Err(error) if target.is_some() => Err(("FailedDiscoveryCheck", &**error)),
                Err(_) => Err(("MissingEndpoints", "the service has no ready endpoints")),
            };
            registration.report(&aggregation.store, available);
        }
        Self {
            at: Instant::now(),
            target,
            groups,
        }
    }

    /// Whether the answer is still valid.
    fn is_fresh(&self, target: Option<Target>) -> bool {
        // An empty answer is not cached: the server may just be starting.
        self.target == target && !self.groups.is_empty() && self.at.elapsed() < FRESH_FOR
    }

    /// The registered groups: as the server describes them, or stale.
    fn items(&self, registered: &[Registration]) -> Vec<ApiGroupDiscovery> {
        let mut items: Vec<ApiGroupDiscovery> = Vec::new();
        for Registration { group, version, .. } in registered {
            let described = self.groups.iter().filter(|g| g.metadata.name == *group);
            let described = described
                .flat_map(|g| &g.versions)
                .find(|v| v.version == *version)
                .cloned();
            let version = described.unwrap_or_else(|| ApiVersionDiscovery {
                version: version.clone(),
                resources: Vec::new(),
                freshness: "Stale".to_owned(),
            });
            match items.last_mut().filter(|item| item.metadata.name == *group) {
                Some(item) => item.versions.push(version),
                None => items.push(ApiGroupDiscovery::new(group, vec![version])),
            }
        }
        items
    }
}

/// The `(group, version)`s of an item.
fn versions(group: &ApiGroupDiscovery) -> impl Iterator<Item = (&str, &str)> {
    let versions = group.versions.iter();
    versions.map(|v| (group.metadata.name.as_str(), v.version.as_str()))
}

/// The groups of the server, by aggregated discovery.
async fn groups(aggregation: &Aggregation) -> Result<Vec<ApiGroupDiscovery>, String> {
    let user = UserInfo::new("system:kube-aggregator", ["system:masters"]);
    let fetched = aggregation.fetch(&user, "/apis", AGGREGATED_CONTENT_TYPE);
    let (parts, body) = fetched.await?;
    let (code, content_type) = (parts.status, parts.headers.get(CONTENT_TYPE));
    if code == StatusCode::SERVICE_UNAVAILABLE {
        return Err(String::from_utf8_lossy(&body).trim().to_owned());
    }
    let content_type = content_type.and_then(|it| it.to_str().ok());
    let content_type = content_type.unwrap_or_default();
    if code != StatusCode::OK || !content_type.contains("g=apidiscovery.k8s.io") {
        return Err(format!("GET /apis answered {code} with {content_type}"));
    }
    let list: ApiGroupDiscoveryList = serde_json::from_slice(&body).unwrap_or_default();
    Ok(list.items)
}
