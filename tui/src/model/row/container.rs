//! Containers.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Role;

use super::figures::Figures;
use super::{
    Context, PodRow, Probes, Restarts, Row, age_text, flag_text, from_seconds, memory_text,
    plain_cell, recent_cell, seconds,
};
use crate::model::amount::{Amounts, Memory};
use crate::model::cell::Cell;
use crate::model::column::Column;
use crate::model::field::{Field, Fields};
use crate::model::name::{Key, Name};
use crate::model::tone::Tone;

/// A container, as it is kept in its pod's row.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    const fn figures(&self) -> Figures {
        Figures {
            usage: self.usage,
            requests: self.requests,
            limits: self.limits,
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
        self.container().map_or("", |container| &container.name)
    }

    /// The container; there always is one.
    #[must_use]
    pub fn container(&self) -> Option<&Container> {
        self.pod.containers.get(usize::from(self.at))
    }
}

impl Fields for ContainerRow {
    fn text(&self, field: Field, now: Timestamp) -> Option<Cow<'_, str>> {
        let container = self.container()?;
        Some(match field {
            Field::Namespace
            | Field::Node
            | Field::Workload
            | Field::App
            | Field::Phase
            | Field::Kind => {
                return self.pod.text(field, now);
            }
            Field::Pod => (&*self.pod.name).into(),
            Field::Name | Field::Container => (&*container.name).into(),
            Field::Role => role_word(container.role).into(),
            Field::Status => container.status().into(),
            Field::Ready => flag_text(container.ready),
            Field::Probe => container.probes.text(),
            Field::Failing => container.probes.failing.to_string().into(),
            Field::Restarts => container.restarts.text(now),
            Field::Recent => container.restarts.recent.to_string().into(),
            Field::LastRestart => container.restarts.last_text(now),
            Field::Cause => container.restarts.cause(),
            Field::Swap => memory_text(container.swap),
            Field::Age | Field::Measured | Field::LastRestartAge => age_text(self.time(field), now),
            _ => container.figures().of(field)?.text(),
        })
    }

    fn number(&self, field: Field, now: Timestamp) -> Option<f64> {
        let container = self.container()?;
        match field {
            Field::Ready => Some(f64::from(u8::from(container.ready))),
            Field::Failing => Some(f64::from(container.probes.failing)),
            Field::Restarts => Some(f64::from(container.restarts.count)),
            Field::Recent => Some(f64::from(container.restarts.recent)),
            Field::Swap => container.swap.number(),
            Field::Age | Field::Measured | Field::LastRestartAge => seconds(self.time(field), now),
            _ => container.figures().of(field)?.number(),
        }
    }

    fn time(&self, field: Field) -> Option<Timestamp> {
        let container = self.container()?;
        match field {
            Field::Age => container.since(),
            Field::Measured => self.pod.measured(),
            Field::LastRestartAge => container.restarts.last.as_deref()?.finished,
            _ => None,
        }
    }

    fn labels(&self) -> Option<&Labels> {
        Some(&self.pod.labels)
    }

    fn words(&self) -> &'static [Field] {
        &[
            Field::Namespace,
            Field::Pod,
            Field::Container,
            Field::Status,
            Field::Node,
            Field::Workload,
            Field::LastRestart,
            Field::Probe,
            Field::Role,
        ]
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Init => "init",
        Role::Sidecar => "sidecar",
        Role::App => "app",
    }
}

impl Row for ContainerRow {
    fn key(&self) -> Key {
        let key = self.pod.key();
        match self.container() {
            Some(container) => key.part(&container.name),
            None => key,
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

    fn columns() -> &'static [Column] {
        use Column as C;
        const COLUMNS: &[Column] = &[
            C::text(Field::Namespace, "NAMESPACE", 9, 20, 4),
            C::text(Field::Pod, "POD", 12, 60, 0),
            C::text(Field::Container, "CONTAINER", 9, 30, 0),
            C::text(Field::Role, "ROLE", 7, 7, 11),
            C::text(Field::Status, "STATUS", 9, 18, 1),
            C::text(Field::Probe, "PROBES", 12, 21, 6),
            C::text(Field::Restarts, "RESTARTS", 8, 28, 5),
            C::number(Field::Cpu, "CPU", 6, 1),
            C::number(Field::CpuOfRequest, "CPU %REQ", 8, 7),
            C::number(Field::CpuOfLimit, "CPU %LIM", 8, 3),
            C::number(Field::Memory, "MEM", 6, 1),
            C::number(Field::MemoryOfRequest, "MEM %REQ", 8, 7),
            C::number(Field::MemoryOfLimit, "MEM %LIM", 8, 3),
            C::number(Field::Recent, "RESTARTS 1h", 11, C::ON_DEMAND),
            C::number(Field::Swap, "SWAP", 6, C::ON_DEMAND),
            C::number(Field::CpuRequest, "CPU REQ", 7, C::ON_DEMAND),
            C::number(Field::CpuLimit, "CPU LIM", 7, C::ON_DEMAND),
            C::number(Field::MemoryRequest, "MEM REQ", 7, C::ON_DEMAND),
            C::number(Field::MemoryLimit, "MEM LIM", 7, C::ON_DEMAND),
            C::text(Field::Node, "NODE", 8, 30, 9),
            C::text(Field::Workload, "WORKLOAD", 8, 30, C::ON_DEMAND),
            C::number(Field::Age, "SINCE", 6, 8),
            C::number(Field::Measured, "MEASURED", 8, C::ON_DEMAND),
        ];
        COLUMNS
    }

    fn exported_with(field: Field) -> &'static [Field] {
        match field {
            Field::Restarts => &[Field::Cause, Field::LastRestartAge],
            _ => &[],
        }
    }

    fn cell(&self, field: Field, context: &Context) -> Cell {
        let Some(container) = self.container() else {
            return Cell::new("".into(), Tone::Dim);
        };
        match field {
            Field::Status => Cell::new(container.status().into(), container.tone()),
            Field::Probe => container.probes.cell(),
            Field::Restarts => container.restarts.cell(context.now),
            Field::Recent => recent_cell(container.restarts.recent),
            _ => container
                .figures()
                .of(field)
                .and_then(|figure| figure.cell(context))
                .unwrap_or_else(|| plain_cell(self.text(field, context.now).unwrap_or_default())),
        }
    }
}
