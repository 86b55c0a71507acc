//! Containers.

use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{ProbeKind, ProbeStatus, Role};

use super::figures::{self, Figures, HasFigures};
use super::{Entry, PodRow, Probes, Restarts, Row, Value, from_seconds};
use crate::model::amount::{Amounts, Memory};
use crate::model::column::{Column, Sort};
use crate::model::field::Field;
use crate::model::name::{Key, Name};
use crate::model::part::Part;
use crate::model::scope::{Limits, Open};
use crate::model::tone::Tone;
use crate::model::view_info::ViewInfo;

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

/// A container in a table: it shares its pod's row.
#[derive(Debug, Clone)]
pub struct ContainerRow {
    /// Its pod.
    pub pod: Arc<PodRow>,
    /// Which of the pod's containers it is.
    pub at: u16,
}

impl ContainerRow {
    /// The containers of a pod, in the pod's order.
    pub fn all(pod: &Arc<PodRow>) -> impl Iterator<Item = Self> + '_ {
        let count = u16::try_from(pod.containers.len()).unwrap_or(u16::MAX);
        (0..count).map(|at| Self {
            pod: Arc::clone(pod),
            at,
        })
    }

    fn name(&self) -> &str {
        &self.container().name
    }

    /// The container.
    #[must_use]
    pub fn container(&self) -> &Container {
        // Rows are only made of containers that there are.
        static NONE: LazyLock<Container> = LazyLock::new(Container::default);
        self.pod
            .containers
            .get(usize::from(self.at))
            .unwrap_or(&NONE)
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Init => "init",
        Role::Sidecar => "sidecar",
        Role::App => "app",
    }
}

impl HasFigures for ContainerRow {
    fn figures(&self) -> Figures {
        let container = self.container();
        Figures {
            usage: container.usage,
            requests: container.requests,
            limits: container.limits,
        }
    }
}

type E = Entry<ContainerRow>;

#[rustfmt::skip] // one entry a line: a table
impl Row for ContainerRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Namespace, "NAMESPACE", (9, 20), 4, |row| (&row.pod.namespace).into()).searched(),
        E::text(Field::Pod, "POD", (12, 60), 0, |row| (&row.pod.name).into()).searched(),
        E::text(Field::Container, "CONTAINER", (9, 30), 0, |row| row.name().into()).searched(),
        E::text(Field::Role, "ROLE", (7, 7), 11, |row| role_word(row.container().role).into()).searched(),
        E::text(Field::Status, "STATUS", (9, 18), 1, |row| row.container().status().into())
            .tone(|row, _| row.container().tone())
            .searched(),
        E::text(Field::Probe, "PROBES", (12, 21), 6, |row| Value::Probes(&row.container().probes)).searched(),
        E::text(Field::Restarts, "RESTARTS", (8, 28), 5, |row| Value::Restarts(&row.container().restarts))
            .exported_with(&[Field::Cause, Field::LastRestartAge]),
        E::number(Field::Cpu, "CPU", 6, 1, figures::cpu),
        E::number(Field::CpuOfRequest, "CPU %REQ", 8, 7, figures::cpu_of_request),
        E::number(Field::CpuOfLimit, "CPU %LIM", 8, 3, figures::cpu_of_limit),
        E::number(Field::Memory, "MEM", 6, 1, figures::memory),
        E::number(Field::MemoryOfRequest, "MEM %REQ", 8, 7, figures::memory_of_request),
        E::number(Field::MemoryOfLimit, "MEM %LIM", 8, 3, figures::memory_of_limit),
        E::number(Field::Recent, "RESTARTS 1h", 11, Column::ON_DEMAND, |row| {
            Value::Recent(row.container().restarts.recent)
        }),
        E::number(Field::Swap, "SWAP", 6, Column::ON_DEMAND, |row| row.container().swap.into()),
        E::number(Field::CpuRequest, "CPU REQ", 7, Column::ON_DEMAND, figures::cpu_request),
        E::number(Field::CpuLimit, "CPU LIM", 7, Column::ON_DEMAND, figures::cpu_limit),
        E::number(Field::MemoryRequest, "MEM REQ", 7, Column::ON_DEMAND, figures::memory_request),
        E::number(Field::MemoryLimit, "MEM LIM", 7, Column::ON_DEMAND, figures::memory_limit),
        E::text(Field::Node, "NODE", (8, 30), 9, |row| (&row.pod.node).into()).searched(),
        E::text(Field::Workload, "WORKLOAD", (8, 30), Column::ON_DEMAND, |row| {
            row.pod.workload.as_ref().map_or("".into(), |workload| (&workload.name).into())
        })
            .searched(),
        E::number(Field::Age, "SINCE", 6, 8, |row| Value::Since(row.container().since())),
        E::number(Field::Measured, "MEASURED", 8, Column::ON_DEMAND, |row| Value::Since(row.pod.measured())),
        E::hidden(Field::Name, |row| row.name().into()),
        E::hidden(Field::App, |row| row.pod.app().into()),
        E::hidden(Field::Kind, |row| {
            row.pod.workload.as_ref().map_or("".into(), |workload| (&workload.kind).into())
        }),
        E::hidden(Field::Phase, |row| row.pod.phase.as_str().into()),
        E::hidden(Field::Ready, |row| row.container().ready.into()),
        E::hidden(Field::Failing, |row| Value::Failing(row.container().probes.failing.into())),
        E::hidden(Field::LastRestart, |row| Value::LastRestart(&row.container().restarts)).searched(),
        E::hidden(Field::Cause, |row| row.container().restarts.cause().into()),
        E::hidden(Field::LastRestartAge, |row| Value::Since(row.container().restarts.finished())),
        E::hidden(Field::CpuTrend, figures::cpu_trend),
        E::hidden(Field::MemoryTrend, figures::memory_trend),
    ];

    const VIEW: ViewInfo = ViewInfo {
        title: "Containers",
        brief: "Ctrs",
        id: "containers",
        help: "containers",
        rows: "containers",
        sort: Sort { field: Field::Cpu, descending: true },
        part: Part::Pods,
        also: &[],
    };

    fn key(&self) -> Key {
        self.pod.key().part(&self.container().name)
    }

    fn is_in(&self, limits: &Limits<'_>) -> bool {
        self.pod.is_in(limits)
    }

    fn open(&self) -> Open {
        Open {
            container: Some(Arc::clone(&self.container().name)),
            ..self.pod.open()
        }
    }

    fn in_order(&self, other: &Self) -> Ordering {
        let pods = if Arc::ptr_eq(&self.pod, &other.pod) {
            Ordering::Equal
        } else {
            self.pod.in_order(&other.pod)
        };
        pods.then_with(|| self.name().cmp(other.name()))
    }

    fn against(&self, key: &Key) -> Ordering {
        let pod = &*self.pod;
        (&*pod.namespace, &*pod.name, self.name()).cmp(&(&*key.namespace, &*key.name, &*key.part))
    }

    fn labels(&self) -> Option<&Labels> {
        Some(&self.pod.labels)
    }
}
