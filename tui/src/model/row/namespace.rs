//! Rows of namespaces: sums of their pods.

use super::gpu::{self, Gpu, HasGpu};
use super::resources::{self, HasResources, RowResources};
use super::rollup::Rollup;
use super::{Entry, Row, Value};
use crate::model::column::Column;
use crate::model::field::Field;
use crate::model::name::{Key, Name};
use crate::model::part::Part;
use crate::model::scope::{Limits, Open, Scope};
use crate::model::view_info::ViewInfo;

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceRow {
    /// The name.
    pub name: Name,
    /// The sums of the pods.
    pub all: Rollup,
}

impl HasResources for NamespaceRow {
    fn resources(&self) -> RowResources {
        self.all.resources()
    }
}

impl HasGpu for NamespaceRow {
    fn gpu(&self) -> Gpu {
        self.all.gpu
    }
}

type E = Entry<NamespaceRow>;

#[rustfmt::skip] // one entry a line: a table
impl Row for NamespaceRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Name, "NAME", (12, 63), 0, |row| (&row.name).into()).searched(),
        E::number(Field::Pods, "PODS", 5, 1, |row| row.all.pods.into()),
        E::number(Field::PodsReady, "READY", 5, 2, |row| row.all.ready.into()),
        E::number(Field::Failing, "FAILING", 7, 4, |row| Value::Failing(row.all.failing)),
        E::number(Field::Restarts, "RESTARTS", 8, Column::ON_DEMAND, |row| row.all.restarts.into()),
        E::number(Field::Recent, "RESTARTS 1h", 11, 3, |row| Value::Recent(row.all.recent)),
        E::number(Field::Cpu, "CPU", 6, 1, resources::cpu),
        E::number(Field::CpuRequest, "CPU REQ", 7, 5, resources::cpu_request),
        E::number(Field::CpuOfRequest, "CPU %REQ", 8, 3, resources::cpu_of_request),
        E::number(Field::CpuLimit, "CPU LIM", 7, 7, resources::cpu_limit),
        E::number(Field::Memory, "MEM", 6, 1, resources::memory),
        E::number(Field::MemoryRequest, "MEM REQ", 7, 5, resources::memory_request),
        E::number(Field::MemoryOfRequest, "MEM %REQ", 8, 3, resources::memory_of_request),
        E::number(Field::MemoryLimit, "MEM LIM", 7, 7, resources::memory_limit),
        E::number(Field::Gpus, "GPUS", 4, 8, gpu::number).optional(),
        E::number(Field::Gpu, "GPU", 5, 4, gpu::utilization).optional(),
        E::number(Field::GpuMemory, "GPU MEM", 7, 5, gpu::memory).optional(),
        E::number(Field::GpuMemoryPercent, "GPU MEM%", 8, 9, gpu::memory_part).optional(),
        E::trend(Field::CpuTrend, "CPU OVER TIME", 6, resources::cpu_trend),
        E::trend(Field::MemoryTrend, "MEM OVER TIME", 7, resources::memory_trend),
        E::hidden(Field::Namespace, |row| (&row.name).into()),
        E::hidden(Field::CpuOfLimit, resources::cpu_of_limit),
        E::hidden(Field::MemoryOfLimit, resources::memory_of_limit),
    ];

    const VIEW: ViewInfo = ViewInfo::new("Namespaces", "NS", "namespaces", Part::Pods);

    fn key(&self) -> Key {
        Key::named(&self.name)
    }

    fn is_in(&self, limits: &Limits<'_>) -> bool {
        limits.has_namespace(&self.name)
    }

    fn open(&self) -> Open {
        Scope::Namespace(Name::clone(&self.name)).into()
    }

    fn reference(&self) -> String {
        format!("namespace/{}", self.name)
    }
}
