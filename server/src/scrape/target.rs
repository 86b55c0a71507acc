//! Where a node's kubelet is asked.

use std::fmt::Write as _;

use super::connection::Connection;
use crate::cluster::{AddressType, Node};

/// How addresses become URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressing {
    /// `--kubelet-preferred-address-types`, in order.
    pub preferred: Vec<AddressType>,
    /// `--kubelet-port`.
    pub port: u16,
    /// `--kubelet-use-node-status-port`.
    pub use_status_port: bool,
    /// Plain HTTP (`--deprecated-kubelet-completely-insecure`).
    pub plain: bool,
}

/// A node's addresses as URL beginnings (`https://10.0.0.1:10250`), best first.
#[derive(Debug, Default)]
pub struct Target {
    origins: Vec<String>,
    metrics_path: Option<Box<str>>,
    /// The connection that brought the last answer.
    connection: Option<Connection>,
    /// The origin that answered last: it is asked first.
    best: usize,
}

impl Target {
    /// The target for a node: its addresses of the preferred types, in the order of the types and then of the
    /// node, each once.
    pub fn of(node: &Node, addressing: &Addressing) -> Self {
        let port = node
            .status_port
            .filter(|_| addressing.use_status_port)
            .unwrap_or(addressing.port);
        let scheme = if addressing.plain { "http" } else { "https" };
        let mut origins: Vec<String> = Vec::new();
        for kind in &addressing.preferred {
            for address in node
                .addresses
                .iter()
                .filter(|address| address.kind == *kind)
            {
                let host = &address.host;
                let mut origin = format!("{scheme}://");
                // An IPv6 address goes in brackets; a host name has no colon.
                let written = if host.contains(':') && !host.starts_with('[') {
                    write!(origin, "[{host}]:{port}")
                } else {
                    write!(origin, "{host}:{port}")
                };
                if written.is_ok() && is_host(host) && !origins.contains(&origin) {
                    origins.push(origin);
                }
            }
        }
        Self {
            origins,
            metrics_path: node.metrics_path.clone(),
            connection: None,
            best: 0,
        }
    }

    /// The path of `/metrics/resource`, which the node may override.
    pub fn metrics_path(&self) -> &str {
        self.metrics_path.as_deref().unwrap_or("/metrics/resource")
    }

    /// Whether there is an address at all.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// The origins, the one that answered last first.
    pub fn origins(&self) -> impl Iterator<Item = (usize, &str)> {
        let count = self.origins.len();
        (0..count).filter_map(move |turn| {
            let index = (self.best + turn) % count;
            Some((index, self.origins.get(index)?.as_str()))
        })
    }

    /// The origin that is asked first.
    pub fn best(&self) -> &str {
        self.origins().next().map_or("none", |(_, origin)| origin)
    }

    /// Notes which origin answered, and keeps the connection that it answered over.
    pub(super) fn answered(&mut self, index: usize, connection: Option<Connection>) {
        self.best = index;
        self.connection = connection;
    }

    /// Keeps a connection that brought an answer other than the one asked for.
    pub(super) fn keep(&mut self, connection: Option<Connection>) {
        self.connection = connection;
    }

    /// The kept connection, if there is one, to be used.
    pub(super) fn take_connection(&mut self) -> Option<Connection> {
        self.connection.take()
    }
}

/// Whether an address is nothing but a host: what ends one in a URL would send our token elsewhere.
fn is_host(host: &str) -> bool {
    !host.is_empty() && !host.contains(['/', '\\', '@', '?', '#', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Address;
    use std::sync::Arc;

    fn node(addresses: &[(AddressType, &str)]) -> Node {
        Node {
            name: Arc::from("n"),
            labels: Default::default(),
            addresses: addresses
                .iter()
                .map(|(kind, host)| Address {
                    kind: *kind,
                    host: (*host).into(),
                })
                .collect(),
            status_port: Some(10255),
            metrics_path: None,
            ready: true,
            ..Node::default()
        }
    }

    fn addressing() -> Addressing {
        Addressing {
            preferred: vec![AddressType::InternalIp, AddressType::Hostname],
            port: 10250,
            use_status_port: false,
            plain: false,
        }
    }

    fn origins(target: &Target) -> Vec<&str> {
        target.origins().map(|(_, origin)| origin).collect()
    }

    #[test]
    fn addresses_come_in_the_order_of_the_types_then_of_the_node_each_once() {
        let node = node(&[
            (AddressType::Hostname, "n"),
            (AddressType::ExternalIp, "203.0.113.1"),
            (AddressType::InternalIp, "10.0.0.1"),
            (AddressType::InternalIp, "fd00::1"),
            (AddressType::InternalIp, "10.0.0.1"),
        ]);
        assert_eq!(
            origins(&Target::of(&node, &addressing())),
            [
                "https://10.0.0.1:10250",
                "https://[fd00::1]:10250",
                "https://n:10250"
            ]
        );
    }

    #[test]
    fn the_status_port_and_plain_http_are_used_when_asked_for() {
        let addressing = Addressing {
            use_status_port: true,
            plain: true,
            ..addressing()
        };
        assert_eq!(
            origins(&Target::of(
                &node(&[(AddressType::Hostname, "n")]),
                &addressing
            )),
            ["http://n:10255"]
        );
    }

    #[test]
    fn the_address_that_answered_last_is_asked_first() {
        let mut target = Target::of(
            &node(&[
                (AddressType::InternalIp, "10.0.0.1"),
                (AddressType::Hostname, "n"),
            ]),
            &addressing(),
        );
        target.answered(1, None);
        assert_eq!(
            origins(&target),
            ["https://n:10250", "https://10.0.0.1:10250"]
        );
    }

    #[test]
    fn an_address_that_is_more_than_a_host_is_none() {
        for host in ["a@b", "a/b", "a?b", "a#b", "a b", ""] {
            let node = node(&[(AddressType::Hostname, host)]);
            assert!(Target::of(&node, &addressing()).is_empty(), "{host:?}");
        }
    }

    #[test]
    fn a_node_without_a_fitting_address_has_no_target() {
        assert!(Target::of(&node(&[(AddressType::ExternalDns, "x")]), &addressing()).is_empty());
        assert_eq!(Target::default().origins().count(), 0);
    }
}
