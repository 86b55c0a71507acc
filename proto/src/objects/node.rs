//! Nodes: addresses of their kubelets, capacity and conditions.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::labels::Labels;
use crate::time::Timestamp;

use super::condition::WireCondition;
use super::intern::Interner;
use super::metadata::{self, WireMeta};
use super::protobuf::message;
use super::resources::{Resources, WireResources, amounts};
use super::text::named;
use super::{Pools, Uid, text};

/// A node.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Node {
    /// The name.
    pub name: Arc<str>,
    /// The UID.
    pub uid: Uid,
    /// The creation, in seconds since the epoch; zero if unknown.
    pub created_seconds: u32,
    /// The labels.
    pub labels: Labels,
    /// The addresses, in the order of the status.
    pub addresses: Vec<Address>,
    /// The kubelet's port in the node's status.
    pub status_port: Option<u16>,
    /// The path of the resource metrics, if an annotation of the node overrides it.
    pub metrics_path: Option<Box<str>>,
    /// Whether the node's Ready condition is True.
    pub ready: bool,
    /// The last change of the Ready condition, if known.
    pub ready_since: Option<Timestamp>,
    /// The Ready condition, unless it is True.
    pub unready: Option<Condition>,
    /// The other conditions that report a problem.
    pub conditions: Box<[Condition]>,
    /// Whether the node is cordoned.
    pub unschedulable: bool,
    /// The resources of the node.
    pub capacity: Resources,
    /// The resources that pods can request.
    pub allocatable: Resources,
    /// The maximum number of pods.
    pub pod_capacity: u32,
    /// The kubelet's version: `v1.36.0`.
    pub kubelet_version: Option<Arc<str>>,
    /// The operating system: `Debian GNU/Linux 13 (trixie)`.
    pub os_image: Option<Arc<str>>,
    /// The version of the kernel.
    pub kernel_version: Option<Arc<str>>,
    /// The container runtime: `containerd://2.2.0`.
    pub container_runtime: Option<Arc<str>>,
    /// The taints, as kubectl writes them: `dedicated=gpu:NoSchedule`.
    pub taints: Box<[Arc<str>]>,
    /// The images on the node that the kubelet reports (50 at most, unless it is configured otherwise).
    pub images: Images,
}

/// Images on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Images {
    /// Their number.
    pub count: u32,
    /// The sum of their sizes.
    pub bytes: u64,
}

/// A condition that reports a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `MemoryPressure`, …
    pub kind: Arc<str>,
    /// The status.
    pub status: ConditionStatus,
    /// A reason for programs.
    pub reason: Option<Arc<str>>,
    /// A message for people.
    pub message: Option<Box<str>>,
    /// The last change of the status, in seconds since the epoch; zero if unknown.
    pub since_seconds: u32,
}

/// `ConditionStatus` of core/v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConditionStatus {
    /// The condition holds.
    True,
    /// The condition does not hold.
    False,
    /// The node does not report the condition.
    #[default]
    Unknown,
}

impl ConditionStatus {
    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl Node {
    /// The creation time.
    pub fn created(&self) -> Option<Timestamp> {
        text::time(self.created_seconds)
    }
}

/// An address of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The type.
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

message! {
    /// A node on the wire.
    pub struct WireNode {
        /// The metadata.
        pub metadata: WireMeta = 1,
        spec: Option<WireSpec> = 2,
        status: Option<WireStatus> = 3,
    }
}
metadata::item!(WireNode, "/api/v1/nodes");

message! {
    struct WireSpec {
        unschedulable: bool = 4,
        taints: Vec<Option<WireTaint>> = 5,
    }

    struct WireStatus {
        addresses: Vec<Option<WireAddress>> = 5,
        conditions: Vec<Option<WireCondition>> = 4,
        daemon_endpoints: Option<WireEndpoints> = 6,
        capacity: Option<WireResources> = 1,
        allocatable: Option<WireResources> = 2,
        node_info: Option<WireInfo> = 7,
        images: Vec<Option<WireImage>> = 8,
    }

    struct WireTaint {
        key: String = 1,
        value: String = 2,
        effect: String = 3,
    }

    struct WireImage {
        size_bytes: i64 = 2,
    }

    struct WireAddress {
        #[serde(rename = "type")]
        kind: String = 1,
        address: String = 2,
    }

    struct WireEndpoints {
        kubelet_endpoint: Option<WireEndpoint> = 1,
    }

    struct WireEndpoint {
        #[serde(rename = "Port")]
        port: i64 = 1,
    }

    struct WireInfo {
        kernel_version: String = 4,
        os_image: String = 5,
        container_runtime_version: String = 6,
        kubelet_version: String = 7,
    }
}

impl WireTaint {
    fn text(&self) -> String {
        let equals = if self.value.is_empty() { "" } else { "=" };
        format!("{}{equals}{}:{}", self.key, self.value, self.effect)
    }
}

fn images(images: &[Option<WireImage>]) -> Images {
    let sizes = images.iter().flatten().map(|image| image.size_bytes);
    Images {
        count: u32::try_from(images.len()).unwrap_or(u32::MAX),
        bytes: sizes.fold(0, |all, size| {
            all.saturating_add(u64::try_from(size).unwrap_or(0))
        }),
    }
}

impl WireCondition {
    fn status(&self) -> ConditionStatus {
        match &*self.status {
            "True" => ConditionStatus::True,
            "False" => ConditionStatus::False,
            _ => ConditionStatus::Unknown,
        }
    }

    /// Whether the condition reports no problem. True is a problem (`DiskPressure`, `KernelDeadlock`), except for `Ready`,
    /// conditions named after it (`NetworkingReady` of EKS) and `EtcdIsVoter` of RKE2 and k3s.
    fn is_well(&self) -> bool {
        let good = self.kind.ends_with("Ready") || self.kind == "EtcdIsVoter";
        let expected = if good {
            ConditionStatus::True
        } else {
            ConditionStatus::False
        };
        self.status() == expected
    }

    fn convert(self, names: &Interner) -> Condition {
        Condition {
            status: self.status(),
            kind: names.intern(&self.kind),
            reason: text::word(self.reason, names),
            message: text::message(self.message),
            since_seconds: self.last_transition_time.seconds(),
        }
    }
}

impl WireNode {
    /// Converts the node. Returns `None` for a node without a name, which no API server sends.
    pub fn convert(self, pools: &Pools) -> Option<Node> {
        let names = &pools.names;
        let (spec, status) = (
            self.spec.unwrap_or_default(),
            self.status.unwrap_or_default(),
        );
        let info = status.node_info.unwrap_or_default();
        let (readiness, others): (Vec<_>, Vec<_>) = status
            .conditions
            .into_iter()
            .flatten()
            .partition(|condition| condition.kind == "Ready");
        let ready = readiness.into_iter().next();
        let port = status.daemon_endpoints.and_then(|it| it.kubelet_endpoint);
        let pods = status.allocatable.as_ref().map(|amounts| &amounts.pods);
        Some(Node {
            name: names.intern(named(&self.metadata.name)?),
            uid: Uid::of(&self.metadata.uid),
            created_seconds: self.metadata.creation_timestamp.seconds(),
            labels: pools.labels(&self.metadata),
            addresses: status
                .addresses
                .into_iter()
                .flatten()
                .filter_map(|address| {
                    Some(Address {
                        kind: address.kind.parse().ok()?,
                        host: address.address.into(),
                    })
                })
                .collect(),
            status_port: port
                .and_then(|endpoint| u16::try_from(endpoint.port).ok())
                .filter(|port| *port > 0),
            metrics_path: self.metadata.metrics_path().map(Into::into),
            ready: ready.as_ref().is_some_and(WireCondition::is_well),
            ready_since: ready
                .as_ref()
                .and_then(|ready| ready.last_transition_time.0),
            unready: ready
                .filter(|ready| !ready.is_well())
                .map(|ready| ready.convert(names)),
            conditions: others
                .into_iter()
                .filter(|condition| !condition.is_well())
                .map(|condition| condition.convert(names))
                .collect(),
            unschedulable: spec.unschedulable,
            taints: spec
                .taints
                .into_iter()
                .flatten()
                .filter_map(|taint| text::word(taint.text(), names))
                .collect(),
            images: images(&status.images),
            capacity: amounts(status.capacity.as_ref()),
            pod_capacity: pods.and_then(|pods| pods.parse().ok()).unwrap_or_default(),
            allocatable: amounts(status.allocatable.as_ref()),
            kubelet_version: text::word(info.kubelet_version, names),
            os_image: text::word(info.os_image, names),
            kernel_version: text::word(info.kernel_version, names),
            container_runtime: text::word(info.container_runtime_version, names),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(json: &str) -> Node {
        serde_json::from_str::<WireNode>(json)
            .unwrap()
            .convert(&Pools::default())
            .unwrap()
    }

    #[test]
    fn a_node_is_read_into_what_is_used() {
        let node = convert(
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
    fn a_bare_node_is_converted_too() {
        let node = convert(r#"{"metadata":{"name":"n"}}"#);
        assert!(node.addresses.is_empty() && node.status_port.is_none() && !node.ready);
    }

    #[test]
    fn only_conditions_that_are_not_as_they_should_be_are_converted() {
        let node = convert(
            r#"{"metadata":{"name":"n"},"spec":{"unschedulable":true,
                "taints":[{"key":"dedicated","value":"gpu","effect":"NoSchedule"},null,{"key":"x","effect":"NoExecute"}]},
                "status":{"images":[{"names":["a"],"sizeBytes":5},{"sizeBytes":-1},7],"capacity":{"cpu":"8","memory":"1Ki","pods":"110"},"allocatable":{"cpu":"7920m","pods":"100"},
                "nodeInfo":{"kubeletVersion":"v1.36.0","osImage":"Debian","kernelVersion":"6.12","containerRuntimeVersion":"containerd://2"},"conditions":[
                {"type":"MemoryPressure","status":"True","reason":"KubeletHasInsufficientMemory","lastTransitionTime":"1970-01-01T00:00:07Z"},
                {"type":"DiskPressure","status":"False"},{"type":"PIDPressure","status":"Unknown"},
                {"type":"NetworkingReady","status":"True"},{"type":"EtcdIsVoter","status":"True"},
                {"type":"Ready","status":"Unknown","reason":"NodeStatusUnknown","message":"Kubelet stopped posting node status."}]}}"#,
        );
        let conditions: Vec<_> = node
            .conditions
            .iter()
            .map(|it| (&*it.kind, it.status.as_str(), it.since_seconds))
            .collect();
        assert_eq!(
            conditions,
            [("MemoryPressure", "True", 7), ("PIDPressure", "Unknown", 0)]
        );
        let unready = node.unready.unwrap();
        assert_eq!(unready.reason.as_deref(), Some("NodeStatusUnknown"));
        assert!(!node.ready && node.unschedulable);
        assert_eq!(node.capacity.cpu.unwrap().0, 8_000_000_000);
        assert_eq!(node.allocatable.cpu.unwrap().0, 7_920_000_000);
        assert_eq!((node.allocatable.memory, node.pod_capacity), (None, 100));
        assert_eq!(node.kubelet_version.as_deref(), Some("v1.36.0"));
        assert_eq!(node.os_image.as_deref(), Some("Debian"));
        assert_eq!(node.kernel_version.as_deref(), Some("6.12"));
        assert_eq!(node.container_runtime.as_deref(), Some("containerd://2"));
        let taints: Vec<&str> = node.taints.iter().map(|taint| &**taint).collect();
        assert_eq!(taints, ["dedicated=gpu:NoSchedule", "x:NoExecute"]);
        assert_eq!(node.images, Images { count: 3, bytes: 5 });
    }

    #[test]
    fn a_port_out_of_range_is_no_port() {
        for port in ["0", "-1", "70000"] {
            let json = format!(
                r#"{{"metadata":{{"name":"n"}},"status":{{"daemonEndpoints":{{"kubeletEndpoint":{{"Port":{port}}}}}}}}}"#
            );
            assert_eq!(convert(&json).status_port, None, "{port}");
        }
    }
}
