//! Rows of groups: sums of the pods or containers with the same property.

use super::gpu::{self, Gpu, HasGpu};
use super::resources::{self, HasResources, RowResources};
use super::{ContainerRow, ContainerState, Entry, PodRow, Rollup, Row, Value};
use crate::model::column::{Column, Sort};
use crate::model::field::Field;
use crate::model::name::Key;
use crate::model::part::Part;
use crate::model::scope::{Limits, Open, Scope};
use crate::model::view_info::ViewInfo;

/// A group of pods or containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    key: Key,
    all: Rollup,
    containers: u32,
}

impl GroupRow {
    /// An empty group.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self {
            key,
            all: Rollup::default(),
            containers: 0,
        }
    }

    /// Adds a pod.
    pub fn add_pod(&mut self, pod: &PodRow) {
        self.all.add(pod);
        self.containers += u32::from(pod.total_containers);
    }

    /// Adds a container; `is_first` says whether it is the first one of its pod. A terminated container requests
    /// nothing.
    pub fn add_container(&mut self, row: &ContainerRow, is_first: bool) {
        let (all, container) = (&mut self.all, row.container());
        self.containers += 1;
        if is_first {
            all.pods += 1;
            all.ready += u32::from(row.pod.ready);
        }
        all.restarts = all.restarts.saturating_add(container.restarts.count);
        all.recent = all.recent.saturating_add(container.restarts.recent);
        all.usage = all.usage.plus(container.usage);
        all.gpu = all.gpu.plus(row.gpu());
        if container.state != ContainerState::Terminated {
            all.requests = all.requests.plus(container.requests);
            all.limits = all.limits.plus(container.limits);
            all.failing += u32::from(container.probes.failing);
        }
    }
}

impl HasResources for GroupRow {
    fn resources(&self) -> RowResources {
        self.all.resources()
    }
}

impl HasGpu for GroupRow {
    fn gpu(&self) -> Gpu {
        self.all.gpu
    }
}

type E = Entry<GroupRow>;

#[rustfmt::skip] // one entry a line: a table
impl Row for GroupRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Namespace, "NAMESPACE", (9, 20), 4, |row| (&row.key.namespace).into()),
        E::text(Field::Kind, "KIND", (4, 20), 5, |row| (&row.key.part).into()),
        E::text(Field::Name, "NAME", (12, 63), 0, |row| (&row.key.name).into()),
        E::number(Field::Pods, "PODS", 5, 1, |row| row.all.pods.into()),
        E::number(Field::PodsReady, "READY", 5, 2, |row| row.all.ready.into()),
        E::number(Field::Containers, "CONTAINERS", 10, 6, |row| row.containers.into()),
        E::number(Field::Failing, "FAILING", 7, 4, |row| Value::Failing(row.all.failing)),
        E::number(Field::Restarts, "RESTARTS", 8, Column::ON_DEMAND, |row| row.all.restarts.into()),
        E::number(Field::Recent, "RESTARTS 1h", 11, 3, |row| Value::Recent(row.all.recent)),
        E::number(Field::Cpu, "CPU", 6, 1, resources::cpu),
        E::number(Field::CpuRequest, "CPU REQ", 7, 5, resources::cpu_request),
        E::number(Field::CpuOfRequest, "CPU %REQ", 8, 3, resources::cpu_of_request),
        E::number(Field::CpuLimit, "CPU LIM", 7, 7, resources::cpu_limit),
        E::number(Field::CpuOfLimit, "CPU %LIM", 8, 8, resources::cpu_of_limit),
        E::number(Field::Memory, "MEM", 6, 1, resources::memory),
        E::number(Field::MemoryRequest, "MEM REQ", 7, 5, resources::memory_request),
        E::number(Field::MemoryOfRequest, "MEM %REQ", 8, 3, resources::memory_of_request),
        E::number(Field::MemoryLimit, "MEM LIM", 7, 7, resources::memory_limit),
        E::number(Field::MemoryOfLimit, "MEM %LIM", 8, 8, resources::memory_of_limit),
        E::number(Field::Gpus, "GPUS", 4, 9, gpu::number).optional(),
        E::number(Field::Gpu, "GPU", 5, 4, gpu::utilization).optional(),
        E::number(Field::GpuMemory, "GPU MEM", 7, 5, gpu::memory).optional(),
        E::number(Field::GpuMemoryPercent, "GPU MEM%", 8, 10, gpu::memory_part).optional(),
    ];

    const VIEW: ViewInfo = ViewInfo {
        sort: Sort::by(Field::Name),
        ..ViewInfo::new("Groups", "Groups", "groups", Part::Pods)
    };

    fn key(&self) -> Key {
        self.key.clone()
    }

    fn is_in(&self, _: &Limits<'_>) -> bool {
        true
    }

    fn open(&self) -> Open {
        Scope::All.into()
    }

    fn reference(&self) -> String {
        self.key.name.to_string()
    }
}
