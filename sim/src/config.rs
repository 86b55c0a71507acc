//! The options of a cluster.

use std::net::{Ipv4Addr, SocketAddr};

use crate::clock::SimClock;
use crate::endpoints::PodEndpoints;
use crate::replay::Replay;

/// What goes wrong in the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Faults {
    /// Nothing.
    None,
    /// One thing after the other, as the seed will have it.
    #[default]
    Scheduled,
}

/// What becomes of the HorizontalPodAutoscalers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Autoscaler {
    /// They stay as they are.
    #[default]
    None,
    /// A controller acts on them when [`Cluster::autoscale`](crate::Cluster::autoscale) is called.
    Stepped,
    /// A controller acts on them every 15 seconds.
    Running,
}

/// A simulated cluster.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many nodes.
    pub nodes: u32,
    /// How many pods each of them has.
    pub pods_per_node: u32,
    /// Which of all clusters of this size. The same seed and size give the same cluster.
    pub seed: u64,
    /// How many simulated seconds pass in a real one. Ignored with a `clock`.
    pub speed: f64,
    /// What goes wrong.
    pub faults: Faults,
    /// Instead of a simulation: kubelets that answer from files. Nodes, pods, seed and faults are ignored then.
    pub replay: Option<Replay>,
    /// Where the API server listens; port 0 picks a free one.
    pub api_listen: SocketAddr,
    /// The port of all kubelets; 0 picks a free one.
    pub kubelet_port: u16,
    /// The server to which `/apis/metrics.k8s.io` and `/apis/kubevitals.io` are forwarded, if it exists already.
    pub aggregated: Option<SocketAddr>,
    /// What pods expose about themselves, if they do.
    pub pod_endpoints: Option<PodEndpoints>,
    /// What becomes of the HorizontalPodAutoscalers.
    pub autoscaler: Autoscaler,
    /// The cluster's time, if it is not to be the machine's.
    pub clock: Option<SimClock>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            nodes: 3,
            pods_per_node: 10,
            seed: 1,
            speed: 1.0,
            faults: Faults::default(),
            replay: None,
            api_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            kubelet_port: 0,
            aggregated: None,
            pod_endpoints: None,
            autoscaler: Autoscaler::None,
            clock: None,
        }
    }
}
