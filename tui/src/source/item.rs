//! Objects that a source lists and watches, and their paths.

use kubevitals_proto::objects::{WireJob, WireNode, WirePod, WireWorkload};
use kubevitals_proto::vitals::{Incident, NodeVitals, PodVitals};
use serde::de::DeserializeOwned;

use super::hpa::WireHpa;

/// An object that is listed and watched.
pub(super) trait Item: DeserializeOwned + Send + 'static {
    /// The namespace; empty for cluster-wide objects.
    fn namespace(&self) -> &str;
    /// The name.
    fn name(&self) -> &str;
    /// The resource version.
    fn version(&self) -> &str;
}

macro_rules! items {
    ($($type:ty),*) => {$(
        impl Item for $type {
            fn namespace(&self) -> &str {
                &self.metadata.namespace
            }

            fn name(&self) -> &str {
                &self.metadata.name
            }

            fn version(&self) -> &str {
                &self.metadata.resource_version
            }
        }
    )*};
}

items!(
    WirePod,
    WireNode,
    WireJob,
    WireWorkload,
    WireHpa,
    PodVitals,
    NodeVitals,
    Incident
);

/// A collection of objects in all namespaces: `/apis/apps/v1/deployments`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Collection(pub(super) &'static str);

impl Collection {
    /// The path, in one namespace or in all.
    pub(super) fn path(self, namespace: Option<&str>) -> String {
        let (version, resource) = self.0.rsplit_once('/').unwrap_or_default();
        match namespace {
            Some(namespace) => format!("{version}/namespaces/{namespace}/{resource}"),
            None => self.0.to_owned(),
        }
    }

    /// The resource as errors name it: `deployments.apps`.
    pub(super) fn resource(self) -> String {
        let mut parts = self.0.rsplit('/');
        let resource = parts.next().unwrap_or_default();
        // `/api/v1/pods`, `/apis/apps/v1/deployments`.
        match parts.nth(1) {
            Some(group) if group != "api" => format!("{resource}.{group}"),
            _ => resource.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_is_in_all_namespaces_or_in_one() {
        let (pods, deployments) = (
            Collection("/api/v1/pods"),
            Collection("/apis/apps/v1/deployments"),
        );
        assert_eq!(pods.path(None), "/api/v1/pods");
        assert_eq!(pods.path(Some("b")), "/api/v1/namespaces/b/pods");
        assert_eq!(
            deployments.path(Some("b")),
            "/apis/apps/v1/namespaces/b/deployments"
        );
        assert_eq!(pods.resource(), "pods");
        assert_eq!(deployments.resource(), "deployments.apps");
    }

    #[test]
    fn an_object_has_its_own_metadata() {
        let vitals: PodVitals = serde_json::from_str(
            r#"{"kind":"PodVitals","metadata":{"name":"a","namespace":"b","resourceVersion":"7"},"phase":"Running"}"#,
        )
        .unwrap();
        let pod: WirePod = serde_json::from_str(
            r#"{"kind":"Pod","metadata":{"name":"a","namespace":"b","resourceVersion":"7"}}"#,
        )
        .unwrap();
        assert_eq!(
            (vitals.namespace(), vitals.name(), vitals.version()),
            ("b", "a", "7")
        );
        assert_eq!(
            (pod.namespace(), pod.name(), pod.version()),
            ("b", "a", "7")
        );
    }
}
