//! What is scraped of a pod, and why: pure functions of the pod and the config.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use kubevitals_proto::objects::Endpoint;

use super::config::{Config, PortRef, Rule, Scheme, check_path};
use super::explain::{Selected, SelectedBy};
use crate::cluster::{Phase, Pod};

/// What is scraped of a pod.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) by: SelectedBy,
    pub(super) address: SocketAddr,
    pub(super) scheme: Scheme,
    /// The path, with a query if a rule has one.
    pub(super) path: Arc<str>,
    pub(super) rule: Arc<Rule>,
}

impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        // A config that is read again has new rules where they are not the same.
        Arc::ptr_eq(&self.rule, &other.rule)
            && (self.address, self.scheme, &self.path, &self.by)
                == (other.address, other.scheme, &other.path, &other.by)
    }
}

/// Why a pod is not scraped, as a clause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("neither an annotation nor --pod-metrics-config selects the pod")]
    Unselected,
    #[error("the pod's {0} is {1:?}, which turns scrapes off")]
    TurnedOff(&'static str, String),
    #[error("the pod does not run")]
    NotRunning,
    #[error("the pod has no address yet")]
    NoAddress,
    #[error("the pod's {0} is {1:?}: {2}")]
    Invalid(&'static str, String, &'static str),
    #[error("the pod has no container port; set the annotation prometheus.io/port")]
    NoPort,
    #[error("no container of the pod has a port named {0:?}")]
    NoSuchPort(String),
    #[error(
        "the pod has the network of its node (hostNetwork), so only a rule with host_network: true scrapes it"
    )]
    HostNetwork,
    #[error(
        "its address {0} is not one of a pod; allow it with allowed_addresses in --pod-metrics-config"
    )]
    Address(IpAddr),
}

impl Refusal {
    /// Whether somebody wants the pod scraped and has to correct something.
    pub(super) fn is_problem(&self) -> bool {
        !matches!(
            self,
            Self::Unselected | Self::TurnedOff(..) | Self::NotRunning | Self::NoAddress
        )
    }
}

impl Target {
    /// What is scraped of a pod.
    ///
    /// # Errors
    /// Why nothing is. A pod that nothing selects is [`Refusal::Unselected`].
    pub(super) fn of(pod: &Pod, config: &Config) -> Result<Self, Refusal> {
        let endpoint = pod.endpoint();
        let asks = endpoint.and_then(|it| it.annotation("scrape"));
        let asks = asks.filter(|_| config.annotated.is_some());
        let rule = config.rules.iter().find(|rule| rule.selects(pod));
        if let (Some((name, value)), None) = (asks, rule)
            && !is_true(value)
        {
            return Err(Refusal::TurnedOff(name, clipped(value)));
        }
        let by = match (rule, asks) {
            (Some(rule), _) => SelectedBy::Rule(Arc::clone(&rule.name)),
            (None, Some((name, _))) => SelectedBy::Annotation(name),
            (None, None) => return Err(Refusal::Unselected),
        };
        let annotated = config.annotated.as_ref();
        let Some(rule) = rule.or(annotated) else {
            return Err(Refusal::Unselected);
        };
        if pod.phase != Phase::Running {
            return Err(Refusal::NotRunning);
        }
        let endpoint = endpoint.ok_or(Refusal::NoAddress)?;
        if endpoint.host_network && !rule.host_network {
            return Err(Refusal::HostNetwork);
        }
        check_address(endpoint.ip, config)?;
        let of_rule = matches!(by, SelectedBy::Rule(_));
        let (port, path, scheme) = if of_rule {
            let port = port(&rule.port, endpoint)?;
            (port, Arc::clone(&rule.path), rule.scheme)
        } else {
            annotated_endpoint(endpoint, rule)?
        };
        Ok(Self {
            by,
            address: SocketAddr::new(endpoint.ip, port),
            scheme,
            path,
            rule: Arc::clone(rule),
        })
    }

    /// The origin: `http://10.0.0.7:8080`.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// What selects the pod, and what is scraped.
    pub(super) fn selected(&self) -> Selected {
        Selected {
            by: self.by.clone(),
            url: format!("{}{}", self.origin(), self.path),
            interval: self.rule.interval,
        }
    }
}

/// As much of an annotation as an error holds.
fn clipped(value: &str) -> String {
    const MOST: usize = 80;
    let mut clipped: String = value.chars().take(MOST).collect();
    if clipped.len() < value.len() {
        clipped.push('…');
    }
    clipped
}

/// Whether the value of an annotation asks for a scrape.
fn is_true(value: &str) -> bool {
    kubevitals_proto::words::parse_bool(value) == Some(true)
}

/// The metadata services of AWS and Google Cloud in IPv6, where they have no link-local address.
const METADATA: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

/// The IPv4 address that a NAT64 gateway translates an address of its well-known prefix to (RFC 6052).
fn behind_nat64(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.octets() {
        [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => {
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

/// Only the addresses that pods have: a pod whose status has another one must not lead the server elsewhere.
fn check_address(ip: IpAddr, config: &Config) -> Result<(), Refusal> {
    let ip = ip.to_canonical();
    let is_special = |ip: Ipv4Addr| {
        ip.is_loopback()
            || ip.is_link_local()
            || ip.is_unspecified()
            || ip.is_multicast()
            || ip.is_broadcast()
    };
    let special = match ip {
        IpAddr::V4(ip) => is_special(ip),
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unicast_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
                || METADATA.contains(&ip)
                || behind_nat64(ip).is_some_and(is_special)
        }
    };
    if special && !config.allowed.iter().any(|net| net.contains(&ip)) {
        return Err(Refusal::Address(ip));
    }
    Ok(())
}

fn port(port: &PortRef, endpoint: &Endpoint) -> Result<u16, Refusal> {
    let mut ports = endpoint.ports.iter();
    match port {
        PortRef::Number(number) => Ok(*number),
        PortRef::Name(name) => ports
            .find(|port| port.name.as_ref() == Some(name))
            .map(|port| port.number)
            .ok_or_else(|| Refusal::NoSuchPort(name.to_string())),
        PortRef::First => ports.next().map(|port| port.number).ok_or(Refusal::NoPort),
    }
}

/// The port, path and scheme of the annotations; what none says is as in the rule for annotated pods.
fn annotated_endpoint(
    endpoint: &Endpoint,
    rule: &Rule,
) -> Result<(u16, Arc<str>, Scheme), Refusal> {
    let port = match endpoint.annotation("port") {
        None => port(&rule.port, endpoint)?,
        Some((name, value)) => annotated_port(endpoint, name, value)?,
    };
    let path = match endpoint.annotation("path") {
        None => Arc::clone(&rule.path),
        Some((name, value)) => match check_path(value) {
            Ok(()) => value.into(),
            Err(why) => return Err(Refusal::Invalid(name, clipped(value), why)),
        },
    };
    let scheme = match endpoint.annotation("scheme") {
        None => rule.scheme,
        Some((_, "http")) => Scheme::Http,
        Some((_, "https")) => Scheme::Https,
        Some((name, value)) => {
            return Err(Refusal::Invalid(
                name,
                clipped(value),
                "write http or https",
            ));
        }
    };
    Ok((port, path, scheme))
}

fn annotated_port(endpoint: &Endpoint, name: &'static str, value: &str) -> Result<u16, Refusal> {
    let invalid = |why| Refusal::Invalid(name, clipped(value), why);
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = value.parse::<u16>().ok().filter(|port| *port > 0);
        return number.ok_or_else(|| {
            invalid("write a port from 1 to 65535, or the name of a container's port")
        });
    }
    let named = endpoint
        .ports
        .iter()
        .find(|it| it.name.as_deref() == Some(value));
    let named = named.map(|port| port.number);
    named.ok_or_else(|| invalid("no container has a port of this name"))
}
