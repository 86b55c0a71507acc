//! Discovers which metrics APIs a cluster serves.

use kubevitals_proto::metrics::Version;
use kubevitals_proto::vitals;
use serde::Deserialize;

use super::client::Answer;
use super::status::{About, Failure};
use super::{ApiClient, Error};

const ACCEPT: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// The response of `/apis`, in its aggregated and its old form.
#[derive(Deserialize)]
struct Groups {
    #[serde(default)]
    items: Vec<AggregatedGroup>,
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct AggregatedGroup {
    metadata: Metadata,
    #[serde(default)]
    versions: Vec<ServedVersion>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    #[serde(default)]
    versions: Vec<ServedVersion>,
}

#[derive(Deserialize)]
struct ServedVersion {
    version: String,
    #[serde(default)]
    freshness: String,
}

/// The metrics APIs that a cluster serves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Served {
    /// The version of metrics.k8s.io to use.
    pub metrics: Option<Version>,
    /// Whether metrics.k8s.io has a version whose server did not answer the API server lately.
    pub metrics_stale: bool,
    /// Whether kubevitals.io is served, in the version that this program supports.
    pub vitals: bool,
    /// Whether kubevitals.io is registered, but its server did not answer the API server lately.
    pub vitals_stale: bool,
}

/// Requests which metrics APIs the cluster serves.
///
/// # Errors
/// The request failed, or the response is not a discovery document.
pub(super) async fn served(client: &ApiClient) -> Result<Served, Error> {
    all_served(&document(client).await?)
}

/// Requests the discovery document.
async fn document(client: &ApiClient) -> Result<bytes::Bytes, Error> {
    let refusal = |code, answer: &Answer| {
        Failure::of_code(code, &answer.content_type, &answer.body, About::default())
    };
    Ok(client.get_or("/apis", ACCEPT, refusal).await?.body)
}

fn all_served(body: &[u8]) -> Result<Served, Error> {
    let groups = groups(body)?;
    let of = |group: &str, version: &str, stale: bool| {
        let mut versions = groups
            .iter()
            .filter(|(name, _)| name == group)
            .flat_map(|(_, versions)| versions);
        versions.any(|served| {
            (version.is_empty() || served.version == version)
                && (served.freshness == "Stale") == stale
        })
    };
    Ok(Served {
        metrics: choose(body)?,
        metrics_stale: of("metrics.k8s.io", "", true),
        vitals: of(vitals::GROUP, vitals::VERSION, false),
        vitals_stale: of(vitals::GROUP, vitals::VERSION, true),
    })
}

/// The version of metrics.k8s.io to use: the first listed one that this program supports. A version whose server did
/// not answer the API server lately (`Stale`) does not count.
///
/// # Errors
/// The request failed, or the response is not a discovery document.
pub(super) async fn metrics_version(client: &ApiClient) -> Result<Option<Version>, Error> {
    choose(&document(client).await?)
}

/// Parses the groups and their versions.
fn groups(body: &[u8]) -> Result<Vec<(String, Vec<ServedVersion>)>, Error> {
    let Groups { items, groups } = serde_json::from_slice(body)
        .map_err(|error| Error::Request(format!("the answer to /apis is not JSON: {error}")))?;
    let aggregated = items
        .into_iter()
        .map(|group| (group.metadata.name, group.versions));
    let old = groups.into_iter().map(|group| (group.name, group.versions));
    Ok(aggregated.chain(old).collect())
}

fn choose(body: &[u8]) -> Result<Option<Version>, Error> {
    let versions = groups(body)?
        .into_iter()
        .filter(|(name, _)| name == "metrics.k8s.io");
    let fresh = versions
        .flat_map(|(_, versions)| versions)
        .filter(|v| v.freshness != "Stale");
    Ok(fresh
        .filter_map(|served| Version::from_path(&served.version))
        .next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_supported_version_is_chosen() {
        for (body, expected) in [
            (r#"{"items":[]}"#, None),
            (r#"{"groups":[]}"#, None),
            (
                r#"{"items":[{"metadata":{"name":"apps"},"versions":[{"version":"v1"}]}]}"#,
                None,
            ),
            (
                r#"{"items":[{"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","freshness":"Current"}]}]}"#,
                Some(Version::V1beta1),
            ),
            (
                r#"{"items":[{"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v2"},{"version":"v1"},{"version":"v1beta1"}]}]}"#,
                Some(Version::V1),
            ),
            (
                r#"{"items":[{"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1","freshness":"Stale"},{"version":"v1beta1"}]}]}"#,
                Some(Version::V1beta1),
            ),
            (
                r#"{"groups":[{"name":"metrics.k8s.io","versions":[{"groupVersion":"metrics.k8s.io/v1beta1","version":"v1beta1"},{"groupVersion":"metrics.k8s.io/v1","version":"v1"}]}]}"#,
                Some(Version::V1beta1),
            ),
        ] {
            assert_eq!(choose(body.as_bytes()).unwrap(), expected, "{body}");
        }
        assert!(choose(b"<html>").is_err());
    }
}
