//! The states of a workload, and times in them.

use super::time::Second;

/// The state of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// A pod is ready, and no pod that was ready has stopped being so.
    Up = 0,
    /// A pod is ready, and another that was ready is not.
    Degraded = 1,
    /// The workload should run, and no pod is ready.
    Down = 2,
    /// No pod is ready because a rollout or a scale-up replaces them or starts them.
    Deliberate = 3,
    /// The workload has no pods on purpose: scaled to zero, or deleted.
    Off = 4,
    /// The server did not watch.
    Unknown = 5,
}

impl State {
    /// All states, by number.
    pub(super) const ALL: [Self; 6] = [
        Self::Up,
        Self::Degraded,
        Self::Down,
        Self::Deliberate,
        Self::Off,
        Self::Unknown,
    ];

    /// Whether a pod is ready.
    pub(super) fn is_up(self) -> bool {
        matches!(self, Self::Up | Self::Degraded)
    }
}

/// A change of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transition {
    pub(super) at: Second,
    pub(super) state: State,
}

/// A time in one state, from `begin` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) begin: Second,
    pub(super) end: Second,
    pub(super) state: State,
}
