//! A rule: the pods that it selects, and how they are scraped.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use kubevitals_proto::selector::LabelSelector;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;

use super::{Bounds, Keep};
use crate::cluster::Pod;
use crate::pod_metrics::GPU_FAMILIES;

/// The timeout of a scrape, if the interval is not shorter.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// The namespaces in which exporters of GPUs usually run. Other namespaces need a rule, because what an exporter says
/// counts for the pods of others.
const EXPORTER_NAMESPACES: [&str; 4] = [
    "gpu-operator",
    "nvidia-gpu-operator",
    "kube-system",
    "monitoring",
];

/// A port of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pod_metrics) enum PortRef {
    /// The number.
    Number(u16),
    /// The name of a container's port.
    Name(Arc<str>),
    /// The first port of the pod.
    First,
}

/// The scheme of a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pod_metrics) enum Scheme {
    Http,
    Https,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// The pod to which a series belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::pod_metrics) enum Attribute {
    /// The scraped pod.
    #[default]
    Itself,
    /// The pod that the labels `namespace` and `pod` of the series name, on the same node.
    Named,
}

/// The credentials and the trust of a rule, read from its files.
#[derive(Clone, Default, PartialEq)]
pub(in crate::pod_metrics) struct Access {
    /// The headers with credentials.
    pub(in crate::pod_metrics) headers: HeaderMap,
    /// How a certificate is verified; none if nothing says how.
    pub(in crate::pod_metrics) tls: Option<Trust>,
    /// The name in the certificate; the address without it.
    pub(in crate::pod_metrics) server_name: Option<ServerName<'static>>,
}

/// How a certificate is verified, and the client's own.
#[derive(Clone)]
pub(in crate::pod_metrics) struct Trust {
    pub(in crate::pod_metrics) config: Arc<ClientConfig>,
    /// The authority and the client's certificate and key that it was made of.
    pub(in crate::pod_metrics) of: [Option<Arc<[u8]>>; 2],
}

impl PartialEq for Trust {
    fn eq(&self, other: &Self) -> bool {
        self.of == other.of
    }
}

impl fmt::Debug for Access {
    // Credentials are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access(…)")
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pod_metrics) struct Rule {
    pub(in crate::pod_metrics) name: Arc<str>,
    /// The namespaces; empty for all.
    pub(in crate::pod_metrics) namespaces: Vec<String>,
    pub(in crate::pod_metrics) selector: LabelSelector,
    pub(in crate::pod_metrics) port: PortRef,
    pub(in crate::pod_metrics) path: Arc<str>,
    pub(in crate::pod_metrics) scheme: Scheme,
    pub(in crate::pod_metrics) interval: Duration,
    pub(in crate::pod_metrics) timeout: Duration,
    pub(in crate::pod_metrics) bounds: Bounds,
    pub(in crate::pod_metrics) keep: Keep,
    pub(in crate::pod_metrics) attribute: Attribute,
    /// Whether the timestamps of samples count.
    pub(in crate::pod_metrics) honor_timestamps: bool,
    /// Whether pods with the address of their node are scraped.
    pub(in crate::pod_metrics) host_network: bool,
    pub(in crate::pod_metrics) access: Access,
}

impl Rule {
    /// How pods are scraped that ask for it by an annotation.
    pub(super) fn annotated(interval: Duration) -> Self {
        Self {
            name: "annotations".into(),
            namespaces: Vec::new(),
            selector: LabelSelector::default(),
            port: PortRef::First,
            path: "/metrics".into(),
            scheme: Scheme::Http,
            interval,
            timeout: TIMEOUT.min(interval),
            bounds: Bounds::default(),
            keep: Keep::default(),
            attribute: Attribute::Itself,
            honor_timestamps: true,
            host_network: false,
            access: Access::default(),
        }
    }

    /// Whether the rule selects a pod.
    pub(in crate::pod_metrics) fn selects(&self, pod: &Pod) -> bool {
        let namespaces = &self.namespaces;
        (namespaces.is_empty() || namespaces.iter().any(|it| **it == *pod.key.namespace))
            && self.selector.matches(&pod.labels)
    }
}

/// The rules that need no file: NVIDIA's DCGM exporter, as its chart and the GPU operator install it.
pub(super) fn built_in(interval: Duration) -> Vec<Arc<Rule>> {
    let dcgm = |label: &str| {
        let selector = label.parse().unwrap_or_default();
        Arc::new(Rule {
            name: "dcgm-exporter (built in)".into(),
            namespaces: EXPORTER_NAMESPACES.map(str::to_owned).into(),
            selector,
            port: PortRef::Name("metrics".into()),
            keep: Keep::new(&GPU_FAMILIES.map(str::to_owned)).unwrap_or_default(),
            attribute: Attribute::Named,
            host_network: true,
            ..Rule::annotated(interval)
        })
    };
    vec![
        dcgm("app=nvidia-dcgm-exporter"),
        dcgm("app.kubernetes.io/name=dcgm-exporter"),
    ]
}
