//! Rows of workloads: sums of their pods.

use std::sync::Arc;

use kubevitals_proto::vitals::AvailabilityState;

use super::availability::{self, AvailabilityCells};
use super::gpu::{self, Gpu, HasGpu};
use super::resources::{self, HasResources, RowResources};
use super::rollup::Rollup;
use super::{Entry, Row, Value, Workload};
use crate::model::column::Column;
use crate::model::field::Field;
use crate::model::name::{Key, Name};
use crate::model::part::Part;
use crate::model::scope::{Limits, Open, Scope};
use crate::model::tone::Tone;
use crate::model::view_info::ViewInfo;

/// A Deployment, StatefulSet, DaemonSet, Job or other owner of pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadRow {
    /// Its namespace.
    pub namespace: Name,
    /// Kind and name.
    pub workload: Arc<Workload>,
    /// The sums of the pods.
    pub all: Rollup,
    /// The number of nodes with such pods.
    pub nodes: u32,
    /// The largest number of such pods on one node.
    pub max_per_node: u32,
    /// The replicas from the workload's status, if it can be read.
    pub replicas: Option<Replicas>,
    /// The availability, if the source has it.
    pub availability: Option<AvailabilityCells>,
}

/// Replicas from the status of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replicas {
    /// Desired.
    pub desired: u32,
    /// Ready.
    pub ready: u32,
}

impl WorkloadRow {
    /// The replicas from the workload's status, or else from its pods.
    fn replicas(&self) -> Replicas {
        self.replicas.unwrap_or(Replicas {
            desired: self.all.pods.saturating_sub(self.all.over),
            ready: self.all.ready,
        })
    }

    fn ready(&self) -> Value<'_> {
        let Replicas { desired, ready } = self.replicas();
        Value::Ready(self.is_ready(), ready, desired)
    }

    fn is_ready(&self) -> bool {
        let Replicas { desired, ready } = self.replicas();
        ready >= desired
    }

    /// A workload that is down is marked.
    fn availability_tone(&self) -> Tone {
        match self.availability.map(|it| it.state) {
            Some(AvailabilityState::Down) => Tone::Bad,
            Some(AvailabilityState::Degraded) => Tone::Warn,
            Some(_) => Tone::Plain,
            None => Tone::Dim,
        }
    }

    fn spread_text(&self) -> String {
        match (self.nodes, self.max_per_node) {
            (0, _) => String::new(),
            (1, _) => "1 node".to_owned(),
            (nodes, 0 | 1) => format!("{nodes} nodes, 1 each"),
            (nodes, most) => format!("{nodes} nodes, up to {most}"),
        }
    }
}

impl HasResources for WorkloadRow {
    fn resources(&self) -> RowResources {
        self.all.resources()
    }
}

/// The resource of a kind, as `kubectl get -o name` prints it: `deployment.apps`.
fn resource(kind: &str) -> String {
    let group = match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => ".apps",
        "Job" | "CronJob" => ".batch",
        _ => "",
    };
    kind.to_ascii_lowercase() + group
}

impl HasGpu for WorkloadRow {
    fn gpu(&self) -> Gpu {
        self.all.gpu
    }
}

type E = Entry<WorkloadRow>;

#[rustfmt::skip] // one entry a line: a table
impl Row for WorkloadRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Namespace, "NAMESPACE", (9, 20), 3, |row| (&row.namespace).into()).searched(),
        E::text(Field::Kind, "KIND", (8, 12), 4, |row| (&row.workload.kind).into()).searched(),
        E::text(Field::Name, "NAME", (12, 63), 0, |row| (&row.workload.name).into()).searched(),
        E::number(Field::Ready, "READY", 7, 1, Self::ready)
            .tone(|row, _| if row.is_ready() { Tone::Plain } else { Tone::Warn })
            .exported_with(&[Field::PodsReady, Field::Desired]),
        E::text(Field::Nodes, "NODES", (8, 18), 6, |row| {
            Value::Sorted(row.spread_text().into(), row.nodes.into())
        })
            .searched(),
        E::number(Field::Failing, "FAILING", 7, 5, |row| Value::Failing(row.all.failing)),
        E::number(Field::Restarts, "RESTARTS", 8, Column::ON_DEMAND, |row| row.all.restarts.into()),
        E::number(Field::Recent, "RESTARTS 1h", 11, 3, |row| Value::Recent(row.all.recent)),
        E::number(Field::Cpu, "CPU", 6, 1, resources::cpu),
        E::number(Field::CpuOfRequest, "CPU %REQ", 8, 2, resources::cpu_of_request),
        E::number(Field::CpuOfLimit, "CPU %LIM", 8, 7, resources::cpu_of_limit),
        E::number(Field::Memory, "MEM", 6, 1, resources::memory),
        E::number(Field::MemoryOfRequest, "MEM %REQ", 8, 2, resources::memory_of_request),
        E::number(Field::MemoryOfLimit, "MEM %LIM", 8, 7, resources::memory_of_limit),
        E::number(Field::Gpus, "GPUS", 4, 9, gpu::number).optional(),
        E::number(Field::Gpu, "GPU", 5, 4, gpu::utilization).optional(),
        E::number(Field::GpuMemory, "GPU MEM", 7, 5, gpu::memory).optional(),
        E::number(Field::GpuMemoryPercent, "GPU MEM%", 8, 10, gpu::memory_part).optional(),
        E::number(Field::Pods, "PODS", 5, Column::ON_DEMAND, |row| row.all.pods.into()),
        E::number(Field::CpuRequest, "CPU REQ", 7, 8, resources::cpu_request),
        E::number(Field::MemoryRequest, "MEM REQ", 7, 8, resources::memory_request),
        E::number(Field::CpuLimit, "CPU LIM", 7, Column::ON_DEMAND, resources::cpu_limit),
        E::number(Field::MemoryLimit, "MEM LIM", 7, Column::ON_DEMAND, resources::memory_limit),
        E::number(Field::Availability, "AVAIL 24h", 9, 9, |row| availability::part(row.availability))
            .tone(|row, _| row.availability_tone())
            .optional(),
        E::number(Field::Down, "DOWN", 6, Column::ON_DEMAND, |row| availability::down(row.availability)),
        E::number(Field::Outages, "OUTAGES", 7, Column::ON_DEMAND, |row| availability::outages(row.availability)),
        E::number(Field::Mttr, "MTTR", 6, Column::ON_DEMAND, |row| availability::mttr(row.availability)),
        E::number(Field::Mtbf, "MTBF", 6, Column::ON_DEMAND, |row| availability::mtbf(row.availability)),
        E::number(Field::Unknown, "UNKNOWN", 7, Column::ON_DEMAND, |row| availability::unknown(row.availability)),
        E::trend(Field::CpuTrend, "CPU OVER TIME", 6, resources::cpu_trend),
        E::trend(Field::MemoryTrend, "MEM OVER TIME", 7, resources::memory_trend),
        E::hidden(Field::Workload, |row| (&row.workload.name).into()),
        E::hidden(Field::PodsReady, |row| row.replicas().ready.into()),
        E::hidden(Field::Desired, |row| row.replicas().desired.into()),
    ];

    const VIEW: ViewInfo = ViewInfo {
        also: &[Part::Deployments, Part::StatefulSets, Part::DaemonSets, Part::Jobs],
        ..ViewInfo::new("Workloads", "Wklds", "workloads", Part::Pods)
    };

    fn key(&self) -> Key {
        Key::new(&self.namespace, &self.workload.name).part(&self.workload.kind)
    }

    fn is_in(&self, limits: &Limits<'_>) -> bool {
        limits.has_object_of(&self.namespace)
    }

    fn open(&self) -> Open {
        Scope::Workload(Name::clone(&self.namespace), Arc::clone(&self.workload)).into()
    }

    fn reference(&self) -> String {
        format!("{}/{}", resource(&self.workload.kind), self.workload.name)
    }
}
