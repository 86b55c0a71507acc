//! The actions that the engine queues.

use super::probe::ProbeKind;

/// A place where a pod is, and which pod is meant: a step for one that is no longer there is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PodAt {
    pub(crate) node: usize,
    pub(crate) slot: usize,
    pub(crate) seed: u64,
}

/// An action of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    /// The next fault of the schedule.
    NextFault,
    /// A step of a pod.
    Pod(PodAt, PodStep),
    /// A container of a pod, by its index and incarnation: as for pods, a step for an earlier one is forgotten.
    Container(PodAt, usize, u32, Step),
    /// A step of a node.
    Node(usize, NodeStep),
    /// The kubelets renew their leases.
    Heartbeat,
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
    /// Its sandbox is there: the first container starts.
    Sandbox,
    /// Its containers have ended after it was deleted.
    Gone,
    /// Nothing more comes of the fault it suffered from.
    Calm,
}

/// Steps of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// It is started.
    Start,
    /// It is up: its startup probe passes, it is ready.
    Up,
    /// It ends.
    Exit(Exit),
    /// The kubelet says that it waits before starting it again.
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
    /// By itself, with this code.
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
