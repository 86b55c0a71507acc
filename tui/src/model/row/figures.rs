//! What is used, requested and allowed, by field: the same for pods, containers, nodes and what pods come to together.

use std::borrow::Cow;

use super::{Context, cpu_text, memory_text, part_cell, part_text, percent};
use crate::model::amount::{Amounts, Cpu, Memory};
use crate::model::cell::{Cell, Resource};
use crate::model::field::Field;

/// What a row uses, requests and may use.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Figures {
    pub(super) usage: Amounts,
    pub(super) requests: Amounts,
    pub(super) limits: Amounts,
}

/// One of them, or a part of one of another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Figure {
    /// CPU.
    Cpu(Cpu),
    /// Memory or storage.
    Memory(Memory),
    /// A part of something.
    Part(Option<f64>),
    /// A part of what it must not exceed: it is grave when it is near.
    PartOfMost(Option<f64>),
    /// CPU, drawn over time against the second amount.
    CpuTrend(Cpu, Cpu),
    /// Memory, drawn over time against the second amount.
    MemoryTrend(Memory, Memory),
}

impl Figures {
    /// A field; none if it is another's.
    pub(super) fn of(&self, field: Field) -> Option<Figure> {
        let Self {
            usage,
            requests,
            limits,
        } = self;
        Some(match field {
            Field::Cpu => Figure::Cpu(usage.cpu),
            Field::CpuRequest => Figure::Cpu(requests.cpu),
            Field::CpuLimit => Figure::Cpu(limits.cpu),
            Field::CpuOfRequest => Figure::Part(usage.cpu.of(requests.cpu)),
            Field::CpuOfLimit => Figure::PartOfMost(usage.cpu.of(limits.cpu)),
            Field::CpuTrend => Figure::CpuTrend(usage.cpu, limits.cpu.or(requests.cpu)),
            Field::Memory => Figure::Memory(usage.memory),
            Field::MemoryRequest => Figure::Memory(requests.memory),
            Field::MemoryLimit => Figure::Memory(limits.memory),
            Field::MemoryOfRequest => Figure::Part(usage.memory.of(requests.memory)),
            Field::MemoryOfLimit => Figure::PartOfMost(usage.memory.of(limits.memory)),
            Field::MemoryTrend => {
                Figure::MemoryTrend(usage.memory, limits.memory.or(requests.memory))
            }
            _ => return None,
        })
    }
}

impl Figure {
    /// As a table shows it.
    pub(super) fn text(self) -> Cow<'static, str> {
        match self {
            Self::Cpu(cpu) | Self::CpuTrend(cpu, _) => cpu_text(cpu),
            Self::Memory(memory) | Self::MemoryTrend(memory, _) => memory_text(memory),
            Self::Part(part) | Self::PartOfMost(part) => part_text(part),
        }
    }

    /// In its field's unit.
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Self::Cpu(cpu) | Self::CpuTrend(cpu, _) => cpu.number(),
            Self::Memory(memory) | Self::MemoryTrend(memory, _) => memory.number(),
            Self::Part(part) | Self::PartOfMost(part) => percent(part),
        }
    }

    /// Its cell, where that is more than its text.
    pub(super) fn cell(self, context: &Context) -> Option<Cell> {
        match self {
            Self::PartOfMost(part) => Some(part_cell(part, context)),
            Self::CpuTrend(_, full) => Some(Cell::Trend {
                resource: Resource::Cpu,
                full: full.get().map(|cpu| cpu.0),
            }),
            Self::MemoryTrend(_, full) => Some(Cell::Trend {
                resource: Resource::Memory,
                full: full.get().map(|memory| memory.0),
            }),
            Self::Cpu(_) | Self::Memory(_) | Self::Part(_) => None,
        }
    }
}
