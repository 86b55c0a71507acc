//! The readings of one container or node, and the key of a container.

use crate::kubelet::names::{may_be_container, may_be_pod};
use crate::time::Timestamp;

/// The readings of one container, or of the node, in one scrape; `None` where the line is missing.
///
/// Values are converted as metrics-server converts them: through a double, then truncated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// CPU time consumed since the start, in nanoseconds.
    pub cpu_ns: Option<u64>,
    /// Working set in bytes.
    pub memory: Option<u64>,
    /// The start of the container, in nanoseconds since the Unix epoch.
    pub start: Option<i64>,
    /// Swap in use, in bytes.
    pub swap: Option<u64>,
    /// The time of the kubelet's sample: the timestamp of the last CPU or memory line; `None` if that line has none.
    pub at: Option<Timestamp>,
}

/// The key of a container: the names of the Kubernetes objects. Ordered by namespace, pod, container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ContainerKey<'a> {
    /// The pod's namespace.
    pub namespace: &'a str,
    /// The pod's name.
    pub pod: &'a str,
    /// The container's name within the pod.
    pub container: &'a str,
}

impl ContainerKey<'_> {
    /// Whether Kubernetes allows these names: none is empty or too long.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        may_be_pod(self.namespace, self.pod) && may_be_container(self.container)
    }
}
