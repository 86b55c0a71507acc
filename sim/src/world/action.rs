//! The actions that the engine queues.

use super::node::Node;
use super::pod::Pod;
use super::probe::ProbeKind;

/// A slot of a node, and the pod in it. The engine drops an action for a pod that has left its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PodSlot {
    pub(crate) node: usize,
    pub(crate) index: usize,
    pub(crate) seed: u64,
}

impl PodSlot {
    pub(crate) fn new(node: &Node, index: usize, pod: &Pod) -> Self {
        Self {
            node: node.index,
            index,
            seed: pod.seed,
        }
    }
}

/// An action of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    /// The next fault of the schedule.
    NextFault,
    /// A step of a pod.
    Pod(PodSlot, PodStep),
    /// A container of a pod, by its index and incarnation: the engine drops a step for an earlier incarnation.
    Container(PodSlot, usize, u32, Step),
    /// A step of a node.
    Node(usize, NodeStep),
    /// The kubelets renew their leases.
    Heartbeat,
    /// The rates of requests swing on.
    Swing,
    /// A rollout goes on to this pod of the workload.
    Rollout {
        workload: usize,
        ordinal: u32,
        episode: u64,
    },
    /// The retention of an event is over.
    Expire(u64),
}

/// Steps of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PodStep {
    /// The sandbox exists: the first container starts.
    Sandbox,
    /// The containers of a deleted pod have ended.
    Gone,
    /// The fault of the pod is over.
    Calm,
}

/// Steps of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The container starts.
    Start,
    /// The startup probe passes, and the container is ready.
    Up,
    /// The container ends.
    Exit(Exit),
    /// The kubelet reports the back-off before the next start.
    BackOff,
    /// A probe fails, for the n-th time in a row.
    ProbeFails(ProbeKind, u32),
    /// A probe succeeds again.
    ProbeRecovers(ProbeKind),
    /// The image cannot be pulled, or the kubelet waits before it tries again.
    PullFails(u32),
}

/// How a container ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// The process exits with this code.
    Code(u8),
    /// Killed at its memory limit.
    Oom,
    /// Killed for a failing probe.
    Probe(ProbeKind),
}

/// Steps of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NodeStep {
    /// The node controller marks the node unknown.
    Unknown,
    /// The kubelet answers again.
    Back,
    /// Memory is no longer short.
    Relieved,
}
