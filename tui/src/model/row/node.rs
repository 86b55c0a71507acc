//! Nodes.

use std::borrow::Cow;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;

use super::figures::{Figure, Figures};
use super::{Context, Row, age_text, flag_text, from_seconds, plain_cell, recent_cell, seconds};
use crate::model::amount::{Amounts, Memory};
use crate::model::cell::Cell;
use crate::model::column::Column;
use crate::model::field::{Field, Fields};
use crate::model::format;
use crate::model::name::{Key, Name, no_name};
use crate::model::tone::Tone;

/// A node.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeRow {
    /// Its name.
    pub name: Name,
    /// What kubectl shows under STATUS: `Ready`, `NotReady,SchedulingDisabled`, …
    pub status: Name,
    /// Whether its Ready condition is true.
    pub ready: bool,
    /// Whether its kubelet is not heard of, where the source does not tell what follows for its pods.
    pub lost: bool,
    /// Conditions that are not as they should be: `MemoryPressure`, …
    pub conditions: Box<[Name]>,
    /// Its labels.
    pub labels: Labels,
    /// When it was made, in seconds since the epoch; zero if that is not known.
    pub created_seconds: u32,
    /// When what it uses was measured, in seconds since the epoch; zero if it was not.
    pub measured_seconds: u32,
    /// What it uses, the system included.
    pub usage: Amounts,
    /// Swap it uses.
    pub swap: Memory,
    /// Why it is not known what it uses.
    pub absent: Option<Name>,
    /// What it has.
    pub capacity: Amounts,
    /// What pods can have.
    pub allocatable: Amounts,
    /// What its pods request.
    pub requests: Amounts,
    /// What its pods are limited to.
    pub limits: Amounts,
    /// Pods on it that are not over.
    pub pods: u32,
    /// How many it takes.
    pub pods_most: u32,
    /// Restarts of its containers within the time that is remembered.
    pub restarts: u32,
    /// Bytes of its disk that are used.
    pub disk: Memory,
    /// Bytes of its disk in all.
    pub disk_capacity: Memory,
    /// Bytes a second received and sent.
    pub network: Option<(u64, u64)>,
    /// Pressure stall information.
    pub pressure: Pressure,
}

/// For what part of the last minute, in percent, some tasks waited.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pressure {
    /// For CPU.
    pub cpu: Option<f32>,
    /// For memory.
    pub memory: Option<f32>,
    /// For input or output.
    pub io: Option<f32>,
}

impl Default for NodeRow {
    fn default() -> Self {
        Self {
            name: no_name(),
            status: no_name(),
            ready: false,
            lost: false,
            conditions: Box::default(),
            labels: Labels::default(),
            created_seconds: 0,
            measured_seconds: 0,
            usage: Amounts::default(),
            swap: Memory::NONE,
            absent: None,
            capacity: Amounts::default(),
            allocatable: Amounts::default(),
            requests: Amounts::default(),
            limits: Amounts::default(),
            pods: 0,
            pods_most: 0,
            restarts: 0,
            disk: Memory::NONE,
            disk_capacity: Memory::NONE,
            network: None,
            pressure: Pressure::default(),
        }
    }
}

impl NodeRow {
    /// When it was made.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        from_seconds(self.created_seconds)
    }

    /// When what it uses was measured.
    #[must_use]
    pub fn measured(&self) -> Option<Timestamp> {
        from_seconds(self.measured_seconds)
    }

    /// Its status, and what else is wrong: `Ready MemoryPressure`.
    #[must_use]
    pub fn status_text(&self) -> Cow<'_, str> {
        if self.conditions.is_empty() {
            return (&*self.status).into();
        }
        format!("{} {}", self.status, self.conditions.join(",")).into()
    }

    fn figure(&self, field: Field) -> Option<Figure> {
        let there = self.allocatable;
        Some(match field {
            Field::CpuPercent => Figure::PartOfMost(self.usage.cpu.of(there.cpu)),
            Field::CpuRequested => Figure::Part(self.requests.cpu.of(there.cpu)),
            Field::CpuAllocatable => Figure::Cpu(there.cpu),
            Field::MemoryPercent => Figure::PartOfMost(self.usage.memory.of(there.memory)),
            Field::MemoryRequested => Figure::Part(self.requests.memory.of(there.memory)),
            Field::MemoryAllocatable => Figure::Memory(there.memory),
            Field::CpuTrend => Figure::CpuTrend(self.usage.cpu, there.cpu),
            Field::MemoryTrend => Figure::MemoryTrend(self.usage.memory, there.memory),
            Field::Swap => Figure::Memory(self.swap),
            Field::Disk => Figure::Memory(self.disk),
            Field::DiskPercent => Figure::PartOfMost(self.disk.of(self.disk_capacity)),
            _ => {
                let figures = Figures {
                    usage: self.usage,
                    requests: self.requests,
                    limits: self.limits,
                };
                return figures.of(field);
            }
        })
    }

    /// How grave its status is.
    #[must_use]
    pub fn tone(&self) -> Tone {
        if !self.ready {
            Tone::Bad
        } else if !self.conditions.is_empty() || &*self.status != "Ready" {
            Tone::Warn
        } else {
            Tone::Plain
        }
    }
}

impl Fields for NodeRow {
    fn text(&self, field: Field, now: Timestamp) -> Option<Cow<'_, str>> {
        Some(match field {
            Field::Name | Field::Node => (&*self.name).into(),
            Field::Status => self.status_text(),
            Field::Ready => flag_text(self.ready),
            Field::Message => self.absent.as_deref().unwrap_or_default().into(),
            Field::Pods if self.pods_most > 0 => format!("{}/{}", self.pods, self.pods_most).into(),
            Field::Pods => self.pods.to_string().into(),
            Field::Max => self.pods_most.to_string().into(),
            Field::Network => self
                .network
                .map_or(format::UNKNOWN.into(), |(received, sent)| {
                    format::rate(received.saturating_add(sent)).into()
                }),
            Field::Recent => self.restarts.to_string().into(),
            Field::Age | Field::Measured => age_text(self.time(field), now),
            _ => self.figure(field)?.text(),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "no network is that fast")]
    fn number(&self, field: Field, now: Timestamp) -> Option<f64> {
        match field {
            Field::Ready => Some(f64::from(u8::from(self.ready))),
            Field::Pods => Some(f64::from(self.pods)),
            Field::Max => Some(f64::from(self.pods_most)),
            Field::Network => self
                .network
                .map(|(received, sent)| received.saturating_add(sent) as f64),
            Field::Recent => Some(f64::from(self.restarts)),
            Field::Age | Field::Measured => seconds(self.time(field), now),
            _ => self.figure(field)?.number(),
        }
    }

    fn time(&self, field: Field) -> Option<Timestamp> {
        match field {
            Field::Age => self.created(),
            Field::Measured => self.measured(),
            _ => None,
        }
    }

    fn labels(&self) -> Option<&Labels> {
        Some(&self.labels)
    }

    fn words(&self) -> &'static [Field] {
        &[Field::Name, Field::Status, Field::Message]
    }
}

impl Row for NodeRow {
    fn key(&self) -> Key {
        Key::named(&self.name)
    }

    fn columns() -> &'static [Column] {
        use Column as C;
        const COLUMNS: &[Column] = &[
            C::text(Field::Name, "NAME", 12, 60, 0),
            C::text(Field::Status, "STATUS", 8, 30, 1),
            C::number(Field::Pods, "PODS", 7, 3),
            C::number(Field::Cpu, "CPU", 6, 1),
            C::number(Field::CpuPercent, "CPU%", 5, 1),
            C::number(Field::CpuRequested, "CPU COMMIT", 10, 4),
            C::number(Field::Memory, "MEM", 6, 1),
            C::number(Field::MemoryPercent, "MEM%", 5, 1),
            C::number(Field::MemoryRequested, "MEM COMMIT", 10, 4),
            C::number(Field::Swap, "SWAP", 6, 9),
            C::number(Field::DiskPercent, "DISK", 5, 7),
            C::number(Field::Network, "NET/s", 6, 8),
            C::number(Field::Recent, "RESTARTS 1h", 11, 5),
            C::number(Field::Age, "AGE", 6, 6),
            C::number(Field::CpuAllocatable, "CPU ALLOCATABLE", 15, C::ON_DEMAND),
            C::number(
                Field::MemoryAllocatable,
                "MEM ALLOCATABLE",
                15,
                C::ON_DEMAND,
            ),
            C::number(Field::Disk, "DISK USED", 9, C::ON_DEMAND),
            C::number(Field::Measured, "MEASURED", 8, C::ON_DEMAND),
            C::text(Field::Message, "MESSAGE", 10, 80, C::ON_DEMAND),
            C::trend(Field::CpuTrend, "CPU OVER TIME", 7),
            C::trend(Field::MemoryTrend, "MEM OVER TIME", 10),
        ];
        COLUMNS
    }

    fn exported_with(field: Field) -> &'static [Field] {
        match field {
            Field::Pods => &[Field::Max],
            _ => &[],
        }
    }

    fn cell(&self, field: Field, context: &Context) -> Cell {
        match field {
            Field::Status => Cell::new(self.status_text(), self.tone()),
            Field::Recent => recent_cell(self.restarts),
            _ => self
                .figure(field)
                .and_then(|figure| figure.cell(context))
                .unwrap_or_else(|| plain_cell(self.text(field, context.now).unwrap_or_default())),
        }
    }
}
