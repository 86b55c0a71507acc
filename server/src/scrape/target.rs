//! The addresses and the connections of a node's kubelet.

use std::sync::Arc;

use parking_lot::Mutex;

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

impl Addressing {
    /// The preferred types, separated by commas.
    pub fn types(&self) -> String {
        let types: Vec<String> = self.preferred.iter().map(ToString::to_string).collect();
        types.join(",")
    }
}

/// A node's addresses as URL beginnings (`https://10.0.0.1:10250`), best first.
#[derive(Debug)]
pub(super) struct Target {
    origins: Arc<[String]>,
    metrics_path: Option<Box<str>>,
    /// The node's idle connections, shared with the targets of its pages.
    idle: Arc<Mutex<Idle>>,
    /// The origin of the last success, which is tried first.
    best: usize,
}

/// Idle connections.
#[derive(Debug)]
struct Idle {
    connections: Vec<Connection>,
    /// The capacity: one, or two while requests for pages last beyond the node's next scrape.
    most: usize,
}

impl Target {
    /// The target for a node: its addresses of the preferred types, in the order of the types and then of the
    /// node, each once.
    pub(super) fn of(node: &Node, addressing: &Addressing) -> Self {
        let port = node
            .status_port
            .filter(|_| addressing.use_status_port)
            .unwrap_or(addressing.port);
        let scheme = if addressing.plain { "http" } else { "https" };
        let mut origins: Vec<String> = Vec::new();
        for kind in &addressing.preferred {
            let of_kind = node.addresses.iter().filter(|it| it.kind == *kind);
            for host in of_kind.map(|it| &*it.host).filter(|host| is_host(host)) {
                // An IPv6 address goes in brackets; a host name has no colon.
                let origin = match host.contains(':') && !host.starts_with('[') {
                    true => format!("{scheme}://[{host}]:{port}"),
                    false => format!("{scheme}://{host}:{port}"),
                };
                if !origins.contains(&origin) {
                    origins.push(origin);
                }
            }
        }
        Self {
            origins: origins.into(),
            metrics_path: node.metrics_path.clone(),
            idle: Arc::new(Mutex::new(Idle {
                connections: Vec::new(),
                most: 1,
            })),
            best: 0,
        }
    }

    /// The path of `/metrics/resource`, which the node may override.
    pub(super) fn metrics_path(&self) -> &str {
        self.metrics_path.as_deref().unwrap_or("/metrics/resource")
    }

    /// Whether there is no address.
    pub(super) fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// The origins, the one of the last success first.
    pub(super) fn origins(&self) -> impl Iterator<Item = (usize, &str)> {
        let count = self.origins.len();
        (0..count).filter_map(move |turn| {
            let index = (self.best + turn) % count;
            Some((index, self.origins.get(index)?.as_str()))
        })
    }

    /// The origin that is tried first.
    pub(super) fn best(&self) -> &str {
        self.origin(self.best)
    }

    /// The origin of this index.
    pub(super) fn origin(&self, index: usize) -> &str {
        self.origins.get(index).map_or("none", String::as_str)
    }

    /// The number of origins.
    pub(super) fn len(&self) -> usize {
        self.origins.len()
    }

    /// Tries this origin first from now on.
    pub(super) const fn prefer(&mut self, index: usize) {
        self.best = index;
    }

    /// Stores an idle connection, up to the capacity.
    pub(super) fn put_connection(&self, connection: Option<Connection>) {
        let mut idle = self.idle.lock();
        idle.connections.retain(Connection::is_open);
        if idle.connections.len() < idle.most {
            // Not for four of them.
            idle.connections.reserve_exact(1);
            idle.connections.extend(connection);
        }
    }

    /// Whether there is an idle connection that seems open.
    pub(super) fn is_connected(&self) -> bool {
        self.idle.lock().connections.iter().any(Connection::is_open)
    }

    /// The target for a page, whose request may last beyond the node's next turn. It uses a connection of the node's
    /// only from when it may be sent.
    pub(super) fn for_page(&self) -> Self {
        Self {
            origins: Arc::clone(&self.origins),
            metrics_path: None,
            idle: Arc::clone(&self.idle),
            best: self.best,
        }
    }

    /// Sets the capacity of idle connections to two, or to one.
    pub(super) fn allow_two(&self, two: bool) {
        let mut idle = self.idle.lock();
        idle.most = if two { 2 } else { 1 };
        let most = idle.most;
        idle.connections.truncate(most);
    }

    /// Takes an idle connection.
    pub(super) fn take_connection(&self) -> Option<Connection> {
        self.idle.lock().connections.pop()
    }
}

/// Whether an address is only a host: a character that ends a host in a URL would send the token elsewhere.
fn is_host(host: &str) -> bool {
    !host.is_empty() && !host.contains(['/', '\\', '@', '?', '#', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Address;

    use AddressType::{ExternalDns, ExternalIp, Hostname, InternalIp};

    fn addressing() -> Addressing {
        Addressing {
            preferred: vec![InternalIp, Hostname],
            port: 10250,
            use_status_port: false,
            plain: false,
        }
    }

    fn target(addresses: &[(AddressType, &str)], addressing: &Addressing) -> Target {
        let address = |(kind, host): &(AddressType, &str)| Address {
            kind: *kind,
            host: (*host).into(),
        };
        let node = Node {
            name: Arc::from("n"),
            addresses: addresses.iter().map(address).collect(),
            status_port: Some(10255),
            ready: true,
            ..Node::default()
        };
        Target::of(&node, addressing)
    }

    fn origins(target: &Target) -> Vec<&str> {
        target.origins().map(|(_, origin)| origin).collect()
    }

    #[test]
    fn addresses_come_in_the_order_of_the_types_then_of_the_node_each_once() {
        let addresses = [
            (Hostname, "n"),
            (ExternalIp, "203.0.113.1"),
            (InternalIp, "10.0.0.1"),
            (InternalIp, "fd00::1"),
            (InternalIp, "10.0.0.1"),
        ];
        assert_eq!(
            origins(&target(&addresses, &addressing())),
            [
                "https://10.0.0.1:10250",
                "https://[fd00::1]:10250",
                "https://n:10250"
            ]
        );
    }

    #[test]
    fn the_status_port_and_plain_http_are_options() {
        let addressing = Addressing {
            use_status_port: true,
            plain: true,
            ..addressing()
        };
        let target = target(&[(Hostname, "n")], &addressing);
        assert_eq!(origins(&target), ["http://n:10255"]);
    }

    #[test]
    fn the_address_of_the_last_success_is_first() {
        let addresses = [(InternalIp, "10.0.0.1"), (Hostname, "n")];
        let mut target = target(&addresses, &addressing());
        target.prefer(1);
        assert_eq!(
            origins(&target),
            ["https://n:10250", "https://10.0.0.1:10250"]
        );
    }

    #[test]
    fn an_invalid_host_or_another_type_is_no_address() {
        for host in ["a@b", "a/b", "a?b", "a#b", "a b", ""] {
            let target = target(&[(Hostname, host)], &addressing());
            assert!(target.is_empty(), "{host:?}");
        }
        assert!(target(&[(ExternalDns, "x")], &addressing()).is_empty());
    }
}
