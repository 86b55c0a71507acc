//! Which versions of metrics.k8s.io a cluster serves.

use kubevitals_proto::metrics::Version;
use serde::Deserialize;

use super::status::{About, Failure};
use super::{ApiClient, Error};

const ACCEPT: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// What `/apis` answers, in its aggregated and its old form.
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

/// The version of metrics.k8s.io to use: the first the cluster lists that we know. A version whose
/// server did not answer the cluster lately (`Stale`) is as good as absent.
///
/// # Errors
/// No answer, or one that is no discovery document.
pub(super) async fn metrics_version(client: &ApiClient) -> Result<Option<Version>, Error> {
    let answer = client
        .get_or("/apis", ACCEPT, |code, answer| {
            Failure::of_code(code, &answer.content_type, &answer.body, About::default())
        })
        .await?;
    choose(&answer.body)
}

fn choose(body: &[u8]) -> Result<Option<Version>, Error> {
    let Groups { items, groups } = serde_json::from_slice(body)
        .map_err(|error| Error::Request(format!("the answer to /apis is not JSON: {error}")))?;
    let aggregated = items
        .into_iter()
        .map(|group| (group.metadata.name, group.versions));
    let old = groups.into_iter().map(|group| (group.name, group.versions));
    let versions = aggregated
        .chain(old)
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
    fn the_first_known_version_listed_is_chosen() {
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
