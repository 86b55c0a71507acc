//! Containers.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{ProbeKind, ProbeStatus, Role};

use super::{Probes, Restarts, from_seconds};
use crate::model::amount::{Amounts, Memory};
use crate::model::name::Name;
use crate::model::tone::Tone;

/// A container, as it is kept in its pod's row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Container {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub role: Role,
    /// What it is doing.
    pub state: ContainerState,
    /// Why: `CrashLoopBackOff`, `Completed`, …; empty if nothing says.
    pub reason: Name,
    /// Since when, in seconds since the epoch; zero if that is not known.
    pub since_seconds: u32,
    /// Whether it counts as ready.
    pub ready: bool,
    /// Its probes.
    pub probes: Probes,
    /// From when on its readiness probe fails unless it has passed, in seconds since the epoch; zero if it does not wait
    /// for its first attempt.
    pub failing_from_seconds: u32,
    /// What it uses.
    pub usage: Amounts,
    /// Swap it uses.
    pub swap: Memory,
    /// The requests in force.
    pub requests: Amounts,
    /// The limits in force.
    pub limits: Amounts,
    /// Its restarts.
    pub restarts: Restarts,
}

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContainerState {
    /// It has not started, or is to start again.
    Waiting,
    /// It runs.
    Running,
    /// It has ended.
    Terminated,
    /// Its node is not heard of.
    #[default]
    Unknown,
}

impl ContainerState {
    /// Its word, as Kubernetes has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Running => "Running",
            Self::Terminated => "Terminated",
            Self::Unknown => "Unknown",
        }
    }
}

impl Container {
    /// The reason, or else what it is doing.
    #[must_use]
    pub fn status(&self) -> &str {
        if self.reason.is_empty() {
            self.state.word()
        } else {
            &self.reason
        }
    }

    /// Since when it is doing that.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        from_seconds(self.since_seconds)
    }

    /// Whether its readiness probe waited for its first attempt, and that is over by `now`.
    #[must_use]
    pub fn is_first_attempt_over(&self, now: Timestamp) -> bool {
        from_seconds(self.failing_from_seconds).is_some_and(|from| now >= from)
    }

    pub(super) fn end_first_attempt(&mut self, now: Timestamp) {
        if self.is_first_attempt_over(now) {
            self.failing_from_seconds = 0;
            self.probes.waiting = self.probes.waiting.saturating_sub(1);
            self.probes
                .count(ProbeKind::Readiness, ProbeStatus::Failing);
        }
    }

    pub(crate) fn tone(&self) -> Tone {
        match (self.state, self.status()) {
            (ContainerState::Running, _) if self.ready || self.role == Role::Init => Tone::Plain,
            (ContainerState::Running, _) => Tone::Warn,
            (ContainerState::Terminated, "Completed") => Tone::Dim,
            (ContainerState::Waiting, "ContainerCreating" | "PodInitializing" | "Waiting") => {
                Tone::Warn
            }
            (ContainerState::Unknown, _) => Tone::Warn,
            _ => Tone::Bad,
        }
    }
}
