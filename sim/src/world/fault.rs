//! The faults that the simulation injects, and the record of their effects for tests.

use kubevitals_proto::time::Timestamp;

/// Something that goes wrong, of a kind that the schedule picks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    /// A container exits with code 7 again and again, and is backed off.
    CrashLoop,
    /// A container's memory grows until it is killed at its limit.
    OomKill,
    /// A liveness probe fails until the container is killed for it.
    LivenessFailure,
    /// A readiness probe fails for a while.
    ReadinessFailure,
    /// A new pod's startup probe fails until the container is killed for it.
    StartupFailure,
    /// A kubelet is not heard of for some minutes.
    NodeNotReady,
    /// A deployment gets a new template. This is not an error, and must not be reported as one.
    Rollout,
    /// A pod is evicted from a node that is short of memory.
    Eviction,
    /// A new pod's image cannot be pulled for some minutes.
    ImagePullFailure,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::CrashLoop,
        Self::OomKill,
        Self::LivenessFailure,
        Self::ReadinessFailure,
        Self::StartupFailure,
        Self::NodeNotReady,
        Self::Rollout,
        Self::Eviction,
        Self::ImagePullFailure,
    ];
}

/// A fault that applies to a container when it runs: one round for each incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PendingFault {
    pub(crate) fault: Fault,
    pub(crate) rounds: u32,
}

/// One thing that happened because of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// A container ended by itself.
    Exited {
        /// Its exit code.
        exit_code: u8,
    },
    /// A container was killed at its memory limit.
    OomKilled,
    /// A probe failed for the first time. Whether that counts is up to its threshold.
    ProbeFailing {
        /// `Liveness`, `Readiness` or `Startup`.
        probe: &'static str,
    },
    /// A probe that failed succeeds again.
    ProbeRecovered {
        /// `Liveness`, `Readiness` or `Startup`.
        probe: &'static str,
    },
    /// A container ended because it was killed for a failing probe.
    KilledByProbe {
        /// `Liveness` or `Startup`.
        probe: &'static str,
    },
    /// A container was started again.
    Restarted {
        /// Its restart count from then on.
        restarts: u32,
    },
    /// A pod was not ready any more.
    PodNotReady,
    /// A pod was ready again.
    PodReady,
    /// A kubelet stopped answering.
    NodeSilent,
    /// The node controller gave a node up.
    NodeNotReady,
    /// A node was heard of again.
    NodeReady,
    /// A rollout began, or ended.
    RolledOut {
        /// Whether it was the end.
        done: bool,
    },
    /// A pod was evicted.
    Evicted,
    /// An image could not be pulled.
    ImagePullFailing,
    /// The image was pulled after all.
    ImagePulled,
}

/// One thing that happened because of a fault: when, and to which object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InjectedFault {
    /// When, by the cluster's clock.
    pub at: Timestamp,
    /// The fault it is part of; the same number for all that comes of one.
    pub episode: u64,
    /// The kind of fault.
    pub fault: Fault,
    /// What happened.
    pub what: Happening,
    /// The node, or the pod's node; empty for a deployment.
    pub node: String,
    /// The pod's or deployment's namespace; empty for a node.
    pub namespace: String,
    /// The pod's or deployment's name; empty for a node.
    pub name: String,
    /// The container, where it is about one; else empty.
    pub container: String,
}
