//! Objects that a source lists and watches, and their paths.

use kubevitals_proto::objects::{
    Message as ProtobufMessage, WireJob, WireNode, WirePod, WireWorkload,
};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Incident, NodeVitals, PodVitals};
use kubevitals_proto::wire::protobuf::Malformed;
use serde::de::DeserializeOwned;

use super::claim::WireClaim;
use super::client::escaped;
use super::hpa::WireHpa;
use super::vitals_path;
use crate::model::{Key, Part};

/// The shortest step of a history, in seconds: the server scrapes at this resolution.
const LEAST_STEP: i64 = 15;

/// Decodes an object from protobuf.
type Decode<T> = fn(&[u8]) -> Result<T, Malformed>;

/// An object that is listed and watched.
pub(super) trait Item: DeserializeOwned + Send + 'static {
    /// Decodes an object of a list in protobuf; none for kinds that are listed in JSON.
    const DECODE: Option<Decode<Self>> = None;

    /// The namespace; empty for cluster-wide objects.
    fn namespace(&self) -> &str;
    /// The name.
    fn name(&self) -> &str;
    /// The resource version.
    fn version(&self) -> &str;
}

macro_rules! items {
    ($($type:ty $(: $decode:expr)?),*) => {$(
        impl Item for $type {
            $(const DECODE: Option<Decode<Self>> = Some($decode);)?

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
    WirePod: ProtobufMessage::decode,
    WireNode: ProtobufMessage::decode,
    WireJob: ProtobufMessage::decode,
    WireWorkload,
    WireHpa,
    WireClaim,
    PodVitals,
    NodeVitals,
    Incident
);

/// A collection of objects in all namespaces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Collection {
    /// `/apis/apps/v1/deployments`.
    path: &'static str,
    /// The part of the source's data that the objects are.
    pub(super) part: Part,
    /// Whether the existing objects are listed as events at the start of a watch, so that no page is in memory as a
    /// whole. Otherwise they are listed in pages, which every API server supports.
    pub(super) is_streamed: bool,
}

impl Collection {
    /// A collection of the API server.
    pub(super) const fn paged(path: &'static str, part: Part) -> Self {
        Self {
            path,
            part,
            is_streamed: false,
        }
    }

    /// A collection of a vitals-server.
    pub(super) const fn streamed(path: &'static str, part: Part) -> Self {
        Self {
            is_streamed: true,
            ..Self::paged(path, part)
        }
    }

    /// The path, in one namespace or in all.
    pub(super) fn path(self, namespace: Option<&str>) -> String {
        let (version, resource) = self.path.rsplit_once('/').unwrap_or_default();
        match namespace {
            Some(namespace) => format!("{version}/namespaces/{namespace}/{resource}"),
            None => self.path.to_owned(),
        }
    }

    /// The resource as errors name it: `deployments.apps`.
    pub(super) fn resource(self) -> String {
        let mut parts = self.path.rsplit('/');
        let resource = parts.next().unwrap_or_default();
        // `/api/v1/pods`, `/apis/apps/v1/deployments`.
        match parts.nth(1) {
            Some(group) if group != "api" => format!("{resource}.{group}"),
            _ => resource.to_owned(),
        }
    }
}

/// The path of a pod below kubevitals.io; `rest` is a subresource or a query.
pub(super) fn pod_vitals_path(pod: &Key, rest: &str) -> String {
    let (namespace, name) = (escaped(&pod.namespace), escaped(&pod.name));
    vitals_path(&format!("/namespaces/{namespace}/podvitals/{name}{rest}"))
}

/// The query for the state at a time; empty for the current state.
pub(super) fn at_query(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| format!("?at={}", at.to_rfc3339_seconds()))
}

/// The parameters of a history.
pub(super) fn span_query((since, until): (Timestamp, Timestamp), steps: u32) -> String {
    let span = until.since(since) / 1_000_000_000;
    let step = (span / i64::from(steps.max(1))).max(LEAST_STEP);
    format!(
        "since={}&until={}&step={step}s",
        since.to_rfc3339_seconds(),
        until.to_rfc3339_seconds()
    )
}

/// A number of objects in memory.
pub(super) fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_is_in_all_namespaces_or_in_one() {
        let pods = Collection::paged("/api/v1/pods", Part::Pods);
        let deployments = Collection::paged("/apis/apps/v1/deployments", Part::Deployments);
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
