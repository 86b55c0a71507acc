//! Where a pod serves metrics of its own, as far as the pod says.

use std::net::IpAddr;
use std::sync::Arc;

use super::metadata::{SCRAPE_NAMES, WireMeta};
use super::pools::Pools;
use super::port::{Port, WireContainerPort};
use crate::labels::Labels;

/// Where a pod serves metrics of its own, as far as the pod says. It is stored only if pods are scraped
/// ([`Pools::store_endpoints`]), and only of pods with an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// `status.podIP`.
    pub ip: IpAddr,
    /// Whether the address is that of the node.
    pub host_network: bool,
    /// The ports of the containers. Pods of a workload share them.
    pub ports: Arc<[Port]>,
    /// The annotations of [`SCRAPE_NAMES`], and the labels of these names where there is no annotation.
    pub annotations: Labels,
}

impl Endpoint {
    /// The endpoint of a pod; none without a valid address.
    pub(super) fn of<'a>(
        metadata: &WireMeta,
        ip: &str,
        host_network: bool,
        ports: impl Iterator<Item = &'a WireContainerPort>,
        pools: &Pools,
    ) -> Option<Self> {
        let names = &pools.names;
        let tcp = ports.filter(|port| matches!(&*port.protocol, "" | "TCP"));
        let ports: Vec<Port> = tcp
            .filter_map(|port| {
                let name = (!port.name.is_empty()).then(|| names.intern(&port.name));
                let number = u16::try_from(port.container_port).ok()?;
                (number > 0).then_some(Port { name, number })
            })
            .collect();
        let annotations: Labels = metadata
            .scrape()
            .map(|(name, value)| (names.intern(name), names.intern(value)))
            .collect();
        let annotations = if annotations.is_empty() {
            annotations
        } else {
            pools.labels.share(annotations)
        };
        Some(Self {
            ip: ip.parse().ok()?,
            host_network,
            ports: pools.ports.share(ports.into()),
            annotations,
        })
    }

    /// The value of the annotation `kubevitals.io/KEY`, or else of `prometheus.io/KEY`, with the annotation's name.
    pub fn annotation(&self, key: &str) -> Option<(&'static str, &str)> {
        let mut names = SCRAPE_NAMES.into_iter();
        names.find_map(|name| {
            let of_key = name.split_once('/').is_some_and(|(_, it)| it == key);
            of_key
                .then(|| Some((name, self.annotations.get(name)?)))
                .flatten()
        })
    }

    /// The memory in bytes, without shared values.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Message, Pod, WirePod};
    use super::*;

    fn pod(stores: bool, annotations: serde_json::Value, labels: serde_json::Value) -> Pod {
        let pools = Pools::default();
        if stores {
            pools.store_endpoints();
        }
        let pod: WirePod = serde_json::from_value(json!({
            "metadata": {"namespace": "shop", "name": "web-1", "annotations": annotations, "labels": labels},
            "spec": {"containers": [{"name": "web", "ports": [
                {"name": "metrics", "containerPort": 9090}, {"name": "dns", "containerPort": 53, "protocol": "UDP"},
                {"containerPort": 70000}, {"containerPort": 0}, null, 7]}]},
            "status": {"phase": "Running", "podIP": "10.0.0.7"},
        }))
        .unwrap();
        pod.convert(&pools).unwrap()
    }

    #[test]
    fn an_endpoint_is_stored_only_if_pods_are_scraped() {
        let annotations = json!({"prometheus.io/scrape": "true"});
        assert_eq!(pod(false, annotations.clone(), json!({})).endpoint(), None);
        assert_eq!(pod(false, annotations.clone(), json!({})).details, None);
        let pod = pod(true, annotations, json!({}));
        let endpoint = pod.endpoint().unwrap();
        assert_eq!(endpoint.ip.to_string(), "10.0.0.7");
        assert!(!endpoint.host_network);
        let ports: Vec<_> = endpoint.ports.iter().collect();
        assert_eq!(ports.len(), 1, "UDP and impossible numbers are left out");
        assert_eq!(
            (ports[0].name.as_deref(), ports[0].number),
            (Some("metrics"), 9090)
        );
    }

    #[test]
    fn our_annotations_precede_those_of_prometheus_and_annotations_precede_labels() {
        let pod = pod(
            true,
            json!({"prometheus.io/scrape": "true", "prometheus.io/port": "80", "kubevitals.io/port": 81,
                "prometheus.io/path": {}, "other": "x"}),
            json!({"prometheus.io/scrape": "false", "kubevitals.io/scheme": "https"}),
        );
        let endpoint = pod.endpoint().unwrap();
        assert_eq!(
            endpoint.annotation("scrape"),
            Some(("prometheus.io/scrape", "true"))
        );
        assert_eq!(
            endpoint.annotation("port"),
            Some(("kubevitals.io/port", "81"))
        );
        assert_eq!(
            endpoint.annotation("scheme"),
            Some(("kubevitals.io/scheme", "https"))
        );
        assert_eq!(
            endpoint.annotation("path"),
            Some(("prometheus.io/path", ""))
        );
    }

    #[test]
    fn protobuf_has_the_same_endpoint() {
        fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
            [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
        }
        let annotation = [field(1, b"prometheus.io/scrape"), field(2, b"true")].concat();
        let metadata = [field(1, b"web"), field(3, b"shop"), field(12, &annotation)].concat();
        let port = [field(1, b"metrics"), vec![3 << 3, 80]].concat();
        let container = [field(1, b"c"), field(6, &port)].concat();
        let spec = [field(2, &container), vec![11 << 3, 1]].concat();
        let status = [field(1, b"Running"), field(6, b"fd00::7")].concat();
        let bytes = [field(1, &metadata), field(2, &spec), field(3, &status)].concat();
        let pools = Pools::default();
        pools.store_endpoints();
        let pod = WirePod::decode(&bytes).unwrap().convert(&pools).unwrap();
        let endpoint = pod.endpoint().unwrap();
        assert_eq!(endpoint.ip.to_string(), "fd00::7");
        assert!(endpoint.host_network);
        assert_eq!(endpoint.ports[0].number, 80);
        assert_eq!(
            endpoint.annotation("scrape"),
            Some(("prometheus.io/scrape", "true"))
        );
    }
}
