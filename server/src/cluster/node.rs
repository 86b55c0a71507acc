//! Nodes, and what a scrape needs to know of one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::ClusterResourceScope;
use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use serde::Deserialize;

use super::slim;
use crate::intern::Interner;

/// The annotation with which a node names another path for its resource metrics, as the peer reads it.
const PATH_ANNOTATION: &str = "metrics.k8s.io/resource-metrics-path";

/// A node.
#[derive(Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: Arc<str>,
    /// Its labels.
    pub labels: Labels,
    /// Its addresses, in the node's own order.
    pub addresses: Vec<Address>,
    /// The kubelet's port as the node's status gives it.
    pub status_port: Option<u16>,
    /// The path of `/metrics/resource` where the node's annotation overrides it.
    pub metrics_path: Option<Box<str>>,
    /// Whether the node's Ready condition is True.
    pub ready: bool,
    /// Since when it has been what it is, where the node says.
    pub ready_since: Option<Timestamp>,
}

/// One of a node's addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Its type.
    pub kind: AddressType,
    /// A host name, an IPv4 or an IPv6 address.
    pub host: Box<str>,
}

/// `NodeAddressType` of core/v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressType {
    /// `Hostname`
    Hostname,
    /// `InternalDNS`
    InternalDns,
    /// `InternalIP`
    InternalIp,
    /// `ExternalDNS`
    ExternalDns,
    /// `ExternalIP`
    ExternalIp,
}

impl FromStr for AddressType {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(match name {
            "Hostname" => Self::Hostname,
            "InternalDNS" => Self::InternalDns,
            "InternalIP" => Self::InternalIp,
            "ExternalDNS" => Self::ExternalDns,
            "ExternalIP" => Self::ExternalIp,
            other => {
                return Err(format!(
                    "{other:?} is no node address type: use Hostname, InternalDNS, InternalIP, ExternalDNS or ExternalIP"
                ));
            }
        })
    }
}

impl fmt::Display for AddressType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hostname => "Hostname",
            Self::InternalDns => "InternalDNS",
            Self::InternalIp => "InternalIP",
            Self::ExternalDns => "ExternalDNS",
            Self::ExternalIp => "ExternalIP",
        })
    }
}

/// A node on the wire.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SlimNode {
    #[serde(deserialize_with = "slim::annotated_metadata")]
    metadata: ObjectMeta,
    #[serde(default)]
    status: SlimStatus,
}

slim::core_v1!(SlimNode, "Node", "nodes", ClusterResourceScope);

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SlimStatus {
    addresses: Vec<SlimAddress>,
    conditions: Vec<SlimCondition>,
    daemon_endpoints: SlimEndpoints,
}

#[derive(Debug, Clone, Deserialize)]
struct SlimAddress {
    #[serde(rename = "type")]
    kind: String,
    address: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SlimCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    /// As text: a time that is none must not cost us the node.
    last_transition_time: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SlimEndpoints {
    kubelet_endpoint: SlimEndpoint,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct SlimEndpoint {
    #[serde(rename = "Port")]
    port: i64,
}

impl SlimNode {
    /// The node as it is kept.
    pub(super) fn keep(self, names: &Interner) -> Option<Node> {
        let labels = self.metadata.labels.unwrap_or_default();
        let mut annotations = self.metadata.annotations.unwrap_or_default();
        let conditions = &self.status.conditions;
        let ready = conditions
            .iter()
            .find(|condition| condition.kind == "Ready");
        let ready_since = ready.and_then(|ready| ready.last_transition_time.as_ref()?.parse().ok());
        Some(Node {
            name: names.intern(&self.metadata.name?),
            labels: Labels::from_iter(
                labels
                    .iter()
                    .map(|(key, value)| (names.intern(key), names.intern(value))),
            ),
            addresses: self
                .status
                .addresses
                .into_iter()
                .filter_map(|address| {
                    Some(Address {
                        kind: address.kind.parse().ok()?,
                        host: address.address.into(),
                    })
                })
                .collect(),
            status_port: u16::try_from(self.status.daemon_endpoints.kubelet_endpoint.port)
                .ok()
                .filter(|port| *port > 0),
            metrics_path: annotations
                .remove(PATH_ANNOTATION)
                .filter(|path| !path.is_empty())
                .map(Into::into),
            ready: ready.is_some_and(|ready| ready.status == "True"),
            ready_since,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(json: &str) -> Node {
        serde_json::from_str::<SlimNode>(json)
            .unwrap()
            .keep(&Interner::default())
            .unwrap()
    }

    #[test]
    fn a_node_is_read_into_what_is_used() {
        let node = keep(
            r#"{"kind":"Node","metadata":{"name":"n","labels":{"zone":"a"},"managedFields":[{"x":1}],
                "annotations":{"metrics.k8s.io/resource-metrics-path":"/other"}},
                "status":{"addresses":[{"type":"InternalIP","address":"10.0.0.1"},{"type":"Planet","address":"earth"}],
                "conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-11-21T05:00:00Z"}],
                "daemonEndpoints":{"kubeletEndpoint":{"Port":10250}}}}"#,
        );
        assert_eq!(&*node.name, "n");
        assert_eq!(node.labels.get("zone"), Some("a"));
        assert_eq!(
            node.addresses,
            [Address {
                kind: AddressType::InternalIp,
                host: "10.0.0.1".into()
            }]
        );
        assert_eq!(node.status_port, Some(10250));
        assert_eq!(node.metrics_path.as_deref(), Some("/other"));
        assert!(node.ready);
        assert_eq!(node.ready_since, "2026-11-21T05:00:00Z".parse().ok());
    }

    #[test]
    fn a_bare_node_is_kept_too() {
        let node = keep(r#"{"metadata":{"name":"n"}}"#);
        assert!(node.addresses.is_empty() && node.status_port.is_none() && !node.ready);
    }

    #[test]
    fn a_port_out_of_range_is_no_port() {
        for port in ["0", "-1", "70000"] {
            let json = format!(
                r#"{{"metadata":{{"name":"n"}},"status":{{"daemonEndpoints":{{"kubeletEndpoint":{{"Port":{port}}}}}}}}}"#
            );
            assert_eq!(keep(&json).status_port, None, "{port}");
        }
    }
}
