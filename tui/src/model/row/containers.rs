//! Rows of the table of containers.

use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

use kubevitals_proto::labels::Labels;

use super::gpu::{self, Gpu, HasGpu};
use super::resources::{self, HasResources, RowResources};
use super::{Container, Entry, PodRow, Row, Value};
use crate::model::column::Column;
use crate::model::field::Field;
use crate::model::name::Key;
use crate::model::part::Part;
use crate::model::scope::{Limits, Open};
use crate::model::view_info::ViewInfo;

/// A row of the table of containers. It shares its pod's row.
#[derive(Debug, Clone)]
pub struct ContainerRow {
    /// The pod.
    pub pod: Arc<PodRow>,
    /// The index of the container in the pod.
    pub at: u16,
}

impl ContainerRow {
    /// The rows of a pod's containers, in the order of the pod.
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
        // Rows are only made for existing containers.
        static NONE: LazyLock<Container> = LazyLock::new(Container::default);
        self.pod
            .containers
            .get(usize::from(self.at))
            .unwrap_or(&NONE)
    }
}

impl HasResources for ContainerRow {
    fn resources(&self) -> RowResources {
        let container = self.container();
        RowResources {
            usage: container.usage,
            requests: container.requests,
            limits: container.limits,
        }
    }
}

impl HasGpu for ContainerRow {
    fn gpu(&self) -> Gpu {
        let gpus = self.pod.gpus.as_deref();
        let own = gpus.and_then(|gpus| gpus.containers.get(usize::from(self.at)));
        own.copied().unwrap_or_default()
    }
}

type E = Entry<ContainerRow>;

#[rustfmt::skip] // one entry a line: a table
impl Row for ContainerRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Namespace, "NAMESPACE", (9, 20), 4, |row| (&row.pod.namespace).into()).searched(),
        E::text(Field::Pod, "POD", (12, 60), 0, |row| (&row.pod.name).into()).searched(),
        E::text(Field::Container, "CONTAINER", (9, 30), 0, |row| row.name().into()).searched(),
        E::text(Field::Role, "ROLE", (7, 7), 11, |row| row.container().role_word().into()).searched(),
        E::text(Field::Status, "STATUS", (9, 18), 1, |row| row.container().status().into())
            .tone(|row, _| row.container().tone())
            .searched(),
        E::text(Field::Probe, "PROBES", (12, 21), 6, |row| Value::Probes(&row.container().probes)).searched(),
        E::text(Field::Restarts, "RESTARTS", (8, 28), 5, |row| Value::Restarts(&row.container().restarts))
            .exported_with(&[Field::Cause, Field::LastRestartAge]),
        E::number(Field::Cpu, "CPU", 6, 1, resources::cpu),
        E::number(Field::CpuOfRequest, "CPU %REQ", 8, 7, resources::cpu_of_request),
        E::number(Field::CpuOfLimit, "CPU %LIM", 8, 3, resources::cpu_of_limit),
        E::number(Field::Memory, "MEM", 6, 1, resources::memory),
        E::number(Field::MemoryOfRequest, "MEM %REQ", 8, 7, resources::memory_of_request),
        E::number(Field::MemoryOfLimit, "MEM %LIM", 8, 3, resources::memory_of_limit),
        E::number(Field::Gpus, "GPUS", 4, 12, gpu::number).optional(),
        E::number(Field::Gpu, "GPU", 5, 4, gpu::utilization).optional(),
        E::number(Field::GpuMemory, "GPU MEM", 7, 5, gpu::memory).optional(),
        E::number(Field::GpuMemoryPercent, "GPU MEM%", 8, 13, gpu::memory_part).optional(),
        E::number(Field::Recent, "RESTARTS 1h", 11, Column::ON_DEMAND, |row| {
            Value::Recent(row.container().restarts.recent)
        }),
        E::number(Field::Swap, "SWAP", 6, Column::ON_DEMAND, |row| row.container().swap.into()),
        E::number(Field::CpuRequest, "CPU REQ", 7, Column::ON_DEMAND, resources::cpu_request),
        E::number(Field::CpuLimit, "CPU LIM", 7, Column::ON_DEMAND, resources::cpu_limit),
        E::number(Field::MemoryRequest, "MEM REQ", 7, Column::ON_DEMAND, resources::memory_request),
        E::number(Field::MemoryLimit, "MEM LIM", 7, Column::ON_DEMAND, resources::memory_limit),
        E::text(Field::Node, "NODE", (8, 30), 9, |row| (&row.pod.node).into()).searched(),
        E::text(Field::Workload, "WORKLOAD", (8, 30), Column::ON_DEMAND, |row| {
            row.pod.workload.as_ref().map_or("".into(), |workload| (&workload.name).into())
        })
            .searched(),
        E::number(Field::Age, "SINCE", 6, 8, |row| Value::Since(row.container().since())),
        E::number(Field::Measured, "MEASURED", 8, Column::ON_DEMAND, |row| Value::Since(row.pod.usage_time())),
        E::trend(Field::CpuTrend, "CPU OVER TIME", 6, resources::cpu_trend),
        E::trend(Field::MemoryTrend, "MEM OVER TIME", 7, resources::memory_trend),
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
    ];

    const VIEW: ViewInfo = ViewInfo::new("Containers", "Ctrs", "containers", Part::Pods);

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

    /// `pod/web-1/app`: kubectl has no such resource.
    fn reference(&self) -> String {
        format!("{}/{}", self.pod.reference(), self.name())
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
