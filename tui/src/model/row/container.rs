//! Containers.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{self, ProbeKind, ProbeStatus, Role};

use super::vitals::{probes, usage};
use super::{Probe, Probes, Restarts, from_seconds, to_seconds};
use crate::model::amount::{Amounts, Memory};
use crate::model::name::{Name, Names};
use crate::model::tone::Tone;

/// A container of a pod's row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Container {
    /// The name.
    pub name: Name,
    /// The role.
    pub role: Role,
    /// The state.
    pub state: ContainerState,
    /// The reason of the state: `CrashLoopBackOff`, `Completed`, …; may be empty.
    pub reason: Name,
    /// Since when it is in this state, in seconds since the epoch; zero if unknown.
    pub since_seconds: u32,
    /// Whether it is ready.
    pub ready: bool,
    /// The number of its probes in each state.
    pub probes: Probes,
    /// Its probes.
    pub each_probe: Box<[Probe]>,
    /// From when on its readiness probe counts as failing, in seconds since the epoch; zero unless it waits for its
    /// first attempt.
    pub failing_from_seconds: u32,
    /// CPU and memory usage.
    pub usage: Amounts,
    /// Swap usage.
    pub swap: Memory,
    /// The requests in force.
    pub requests: Amounts,
    /// The limits in force.
    pub limits: Amounts,
    /// Its restarts.
    pub restarts: Restarts,
}

/// The state of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContainerState {
    /// It has not started, or waits for a restart.
    Waiting,
    /// It is running.
    Running,
    /// It has terminated.
    Terminated,
    /// Its node is unreachable.
    #[default]
    Unknown,
}

impl ContainerState {
    /// The name in the Kubernetes API.
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
    /// The reason, or else the state.
    #[must_use]
    pub fn status(&self) -> &str {
        if self.reason.is_empty() {
            self.state.word()
        } else {
            &self.reason
        }
    }

    /// The role in lower case.
    pub(crate) const fn role_word(&self) -> &'static str {
        match self.role {
            Role::Init => "init",
            Role::Sidecar => "sidecar",
            Role::App => "app",
        }
    }

    /// The beginning of the state.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        from_seconds(self.since_seconds)
    }

    /// Whether its readiness probe waited for its first attempt, which is over by `now`.
    #[must_use]
    pub fn is_first_attempt_over(&self, now: Timestamp) -> bool {
        from_seconds(self.failing_from_seconds).is_some_and(|from| now >= from)
    }

    /// Marks its probes as unknown.
    pub(super) fn mark_probes_unknown(&mut self) {
        self.probes = self.probes.unknown();
        for probe in &mut self.each_probe {
            probe.status = ProbeStatus::Unknown;
        }
    }

    pub(super) fn end_first_attempt(&mut self, now: Timestamp) {
        if self.is_first_attempt_over(now) {
            self.failing_from_seconds = 0;
            for probe in &mut self.each_probe {
                if probe.kind == ProbeKind::Readiness {
                    probe.status = ProbeStatus::Failing;
                }
            }
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

impl Container {
    /// Converts a container; `all_probes` are those of the whole pod.
    #[must_use]
    pub fn from_vitals(
        container: &vitals::ContainerVitals,
        all_probes: &[vitals::Probe],
        names: &Names,
    ) -> Self {
        let (amounts, swap, _) = usage(container.usage.as_ref());
        let own = all_probes.iter();
        let own = own.filter(|probe| probe.container == container.name);
        Self {
            name: names.intern(&container.name),
            role: container.role,
            state: match container.state.state.as_str() {
                "Waiting" => ContainerState::Waiting,
                "Running" => ContainerState::Running,
                "Terminated" => ContainerState::Terminated,
                _ => ContainerState::Unknown,
            },
            reason: names.intern(&container.state.reason),
            since_seconds: to_seconds(container.state.since),
            ready: container.ready,
            probes: probes(own.clone()),
            each_probe: own.map(|probe| Probe::from_vitals(probe, names)).collect(),
            failing_from_seconds: 0,
            usage: amounts,
            swap,
            requests: (&container.requests).into(),
            limits: (&container.limits).into(),
            restarts: Restarts::from_vitals(&container.restarts, names),
        }
    }
}
