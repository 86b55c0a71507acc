//! The part of the cluster that is read from the engine.

/// What of the cluster is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastScope<'a> {
    /// Only pods of this namespace.
    pub namespace: Option<&'a str>,
    /// Only the pod of this name.
    pub pod: Option<&'a str>,
    /// Whether nodes are read.
    pub nodes: bool,
}

impl PastScope<'_> {
    /// All nodes, and all pods.
    pub const CLUSTER: Self = Self {
        namespace: None,
        pod: None,
        nodes: true,
    };
}
