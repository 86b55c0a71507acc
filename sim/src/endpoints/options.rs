//! The options of what pods expose.

/// What pods expose about themselves, over real sockets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PodEndpoints {
    /// The port of all pods; 0 picks a free one.
    pub port: u16,
    /// How many series each page has that nobody asks for.
    pub filler: u32,
    /// How many nodes, from the last, have four GPUs, two pods that use one each, and an exporter, beside their other
    /// pods.
    pub gpu_nodes: u32,
    /// Whether the exporter names the pods in `exported_pod` and so on, and itself in `pod`.
    pub exported_labels: bool,
    /// The part of its mean by which the rate of requests of each workload swings, once in twenty minutes.
    pub swing: f64,
}

impl Default for PodEndpoints {
    fn default() -> Self {
        Self {
            port: 0,
            filler: 500,
            gpu_nodes: 0,
            exported_labels: false,
            swing: 0.0,
        }
    }
}
