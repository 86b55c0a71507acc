//! Discovers which metrics APIs a cluster serves.

use kubevitals_proto::metrics::{self, Version};
use kubevitals_proto::vitals;
use serde::Deserialize;

use super::status::{About, Failure};
use super::{ApiClient, Error};

const ACCEPT: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// The response of `/apis`: `items` in its aggregated form, `groups` in its old form.
#[derive(Deserialize)]
struct Groups {
    #[serde(default, alias = "groups")]
    items: Vec<Group>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Group {
    /// The metadata, in the aggregated form.
    metadata: Metadata,
    /// The name, in the old form.
    name: String,
    versions: Vec<ServedVersion>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    name: String,
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
    /// The version of metrics.k8s.io to use: the first listed one that this program supports.
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
    let failure = |response: &_| Failure::of_code(response, About::default());
    parse(&client.get_or("/apis", ACCEPT, failure).await?.body)
}

/// Parses the discovery document. A version whose server did not answer the API server lately (`Stale`) is not used.
fn parse(body: &[u8]) -> Result<Served, Error> {
    let groups: Groups = serde_json::from_slice(body)
        .map_err(|error| Error::Request(format!("the answer to /apis is not JSON: {error}")))?;
    let mut served = Served::default();
    for Group {
        metadata,
        name,
        versions,
    } in groups.items
    {
        let group = if name.is_empty() { metadata.name } else { name };
        for ServedVersion { version, freshness } in versions {
            match (group.as_str(), freshness == "Stale") {
                (metrics::GROUP, true) => served.metrics_stale = true,
                (metrics::GROUP, false) => {
                    served.metrics = served.metrics.or_else(|| Version::from_path(&version));
                }
                (vitals::GROUP, is_stale) if version == vitals::VERSION => {
                    served.vitals |= !is_stale;
                    served.vitals_stale |= is_stale;
                }
                _ => {}
            }
        }
    }
    Ok(served)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_supported_version_is_used() {
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
            assert_eq!(parse(body.as_bytes()).unwrap().metrics, expected, "{body}");
        }
        assert!(parse(b"<html>").is_err());
    }
}
