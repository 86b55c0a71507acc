//! Nodes.

use std::borrow::Cow;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::Bytes;
use kubevitals_proto::vitals;

use super::gpu::{self, Gpu, HasGpu};
use super::resources::{self, HasResources, RowResources};
use super::vitals::{absent, labels, memory_stall, usage};
use super::{Drain, DrainState, Entry, Row, Value, from_seconds, to_seconds};
use crate::model::amount::{Amounts, Memory, Percent, count};
use crate::model::column::Column;
use crate::model::field::Field;
use crate::model::name::{Key, Name, Names};
use crate::model::part::Part;
use crate::model::scope::{Limits, Open, Scope};
use crate::model::tone::Tone;
use crate::model::view_info::ViewInfo;

/// A node.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeRow {
    /// The name.
    pub name: Name,
    /// What kubectl shows under STATUS: `Ready`, `NotReady,SchedulingDisabled`, …
    pub status: Name,
    /// Whether its Ready condition is true.
    pub ready: bool,
    /// Whether its kubelet is unreachable, from a source that does not mark the node's pods itself.
    pub lost: bool,
    /// Conditions that report a problem: `MemoryPressure`, …
    pub conditions: Box<[Name]>,
    /// The labels.
    pub labels: Labels,
    /// Creation time, in seconds since the epoch; zero if unknown.
    pub created_seconds: u32,
    /// The time of the usage, in seconds since the epoch; zero if unknown.
    pub usage_seconds: u32,
    /// GPUs that pods can have, and the use of those that they have.
    pub gpu: Gpu,
    /// Usage, including the system's.
    pub usage: Amounts,
    /// Swap usage.
    pub swap: Memory,
    /// Why the usage is unknown.
    pub absent: Option<Name>,
    /// All amounts, including those for the system.
    pub capacity: Amounts,
    /// Taints, separated by commas.
    pub taints: Option<Name>,
    /// The version of the kubelet.
    pub kubelet_version: Option<Name>,
    /// The container runtime.
    pub runtime: Option<Name>,
    /// The operating system.
    pub os_image: Option<Name>,
    /// The version of the kernel.
    pub kernel: Option<Name>,
    /// The number of images; zero if unknown.
    pub images: u32,
    /// The size of the images.
    pub image_bytes: Memory,
    /// Its pods, as far as a drain is concerned; `None` if not all of them are in memory.
    pub drain: Option<Drain>,
    /// Allocatable amounts.
    pub allocatable: Amounts,
    /// Requests of its pods.
    pub requests: Amounts,
    /// Limits of its pods.
    pub limits: Amounts,
    /// Pods on the node that have not terminated.
    pub pods: u32,
    /// The largest number of pods; zero if unknown.
    pub max_pods: u32,
    /// Restarts of its containers in the last hour.
    pub restarts: u32,
    /// Used bytes of its disk.
    pub disk: Memory,
    /// Bytes of its disk.
    pub disk_capacity: Memory,
    /// The fraction of the disk of images that is used, if that is a disk of its own.
    pub image_disk: Percent,
    /// Bytes received and sent per second.
    pub network: Option<(u64, u64)>,
    /// The fraction of the last minute in which processes waited for memory.
    pub memory_stall: Percent,
}

impl NodeRow {
    /// The creation time.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        from_seconds(self.created_seconds)
    }

    /// The time of the usage.
    #[must_use]
    pub fn usage_time(&self) -> Option<Timestamp> {
        from_seconds(self.usage_seconds)
    }

    /// The status and the conditions that report a problem: `Ready MemoryPressure`.
    #[must_use]
    pub fn status_text(&self) -> Cow<'_, str> {
        if self.conditions.is_empty() {
            return (&*self.status).into();
        }
        format!("{} {}", self.status, self.conditions.join(",")).into()
    }

    /// The zone, from the labels.
    #[must_use]
    pub fn zone(&self) -> &str {
        self.label([
            "topology.kubernetes.io/zone",
            "failure-domain.beta.kubernetes.io/zone",
        ])
    }

    /// The instance type, from the labels.
    #[must_use]
    pub fn instance_type(&self) -> &str {
        self.label([
            "node.kubernetes.io/instance-type",
            "beta.kubernetes.io/instance-type",
        ])
    }

    fn label(&self, names: [&str; 2]) -> &str {
        let mut values = names.into_iter().filter_map(|name| self.labels.get(name));
        values.next().unwrap_or_default()
    }

    /// How far a drain is. `None` if the node is not cordoned.
    #[must_use]
    pub fn drain_state(&self) -> Option<DrainState> {
        let is_cordoned = self.status.contains("SchedulingDisabled");
        is_cordoned.then(|| DrainState::of(self.drain))
    }

    /// The severity of the status.
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

impl HasResources for NodeRow {
    fn resources(&self) -> RowResources {
        RowResources {
            usage: self.usage,
            requests: self.requests,
            limits: self.limits,
        }
    }
}

/// The fraction of a disk that is used; none of a disk of no size.
fn used(disk: &vitals::Disk) -> Option<f64> {
    Memory::from(disk.used).of(disk.capacity.into())
}

impl HasGpu for NodeRow {
    fn gpu(&self) -> Gpu {
        self.gpu
    }
}

type E = Entry<NodeRow>;

#[rustfmt::skip] // one entry a line: a table
impl Row for NodeRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Name, "NAME", (12, 60), 0, |node| (&node.name).into()).searched(),
        E::text(Field::Status, "STATUS", (8, 30), 1, |node| node.status_text().into())
            .tone(|node, _| node.tone())
            .searched(),
        E::number(Field::Pods, "PODS", 7, 3, |node| match node.max_pods {
            0 => node.pods.into(),
            most => Value::Of(node.pods, most),
        })
            .exported_with(&[Field::Max]),
        E::number(Field::Cpu, "CPU", 6, 1, resources::cpu),
        E::number(Field::CpuPercent, "CPU%", 5, 1, |node| Value::PartOfLimit(node.usage.cpu.of(node.allocatable.cpu))),
        E::number(Field::CpuRequested, "CPU COMMIT", 10, 4, |node| Value::Part(node.requests.cpu.of(node.allocatable.cpu))),
        E::number(Field::Memory, "MEM", 6, 1, resources::memory),
        E::number(Field::MemoryPercent, "MEM%", 5, 1, |node| {
            Value::PartOfLimit(node.usage.memory.of(node.allocatable.memory))
        }),
        E::number(Field::MemoryRequested, "MEM COMMIT", 10, 4, |node| {
            Value::Part(node.requests.memory.of(node.allocatable.memory))
        }),
        E::number(Field::Gpus, "GPUS", 4, 6, gpu::number).optional(),
        E::number(Field::Gpu, "GPU", 5, 4, gpu::utilization).optional(),
        E::number(Field::GpuMemory, "GPU MEM", 7, 5, gpu::memory).optional(),
        E::number(Field::GpuMemoryPercent, "GPU MEM%", 8, 13, gpu::memory_part).optional(),
        E::number(Field::Swap, "SWAP", 6, 9, |node| node.swap.into()),
        E::number(Field::MemoryStall, "MEM STALL", 9, 11, |node| Value::Part(node.memory_stall.part())).optional(),
        E::number(Field::DiskPercent, "DISK", 5, 7, |node| Value::PartOfLimit(node.disk.of(node.disk_capacity))),
        E::number(Field::ImageDiskPercent, "IMG DISK", 8, 9, |node| Value::PartOfLimit(node.image_disk.part())).optional(),
        E::number(Field::Network, "NET/s", 6, 8, |node| {
            Value::Rate(node.network.map(|(received, sent)| received.saturating_add(sent)))
        }),
        E::number(Field::Recent, "RESTARTS 1h", 11, 5, |node| Value::Recent(node.restarts)),
        E::number(Field::Age, "AGE", 6, 6, |node| Value::Since(node.created())),
        E::text(Field::Drain, "DRAIN", (8, 18), 10, |node| match node.drain_state() {
            Some(state) => Value::Sorted(state.to_string().into(), state.order()),
            None => "".into(),
        })
            .tone(|node, _| node.drain_state().map_or(Tone::Plain, DrainState::tone))
            .optional(),
        E::number(Field::Evicted, "EVICTED", 7, 10, |node| match node.drain {
            Some(Drain { evicted: 1.., .. }) => Value::Recent(node.drain.map_or(0, |drain| drain.evicted)),
            _ => Value::Part(None),
        })
            .optional(),
        E::text(Field::Zone, "ZONE", (6, 20), 12, |node| node.zone().into()).searched(),
        E::text(Field::InstanceType, "TYPE", (6, 20), 13, |node| node.instance_type().into()).searched(),
        E::text(Field::KubeletVersion, "KUBELET", (8, 20), 14, |node| (&node.kubelet_version).into()).searched(),
        E::text(Field::Taints, "TAINTS", (8, 40), 15, |node| (&node.taints).into()).searched(),
        E::text(Field::Conditions, "CONDITIONS", (10, 40), Column::ON_DEMAND, |node| node.conditions.join(",").into())
            .tone(|_, _| Tone::Warn),
        E::text(Field::Runtime, "RUNTIME", (8, 24), Column::ON_DEMAND, |node| (&node.runtime).into()).searched(),
        E::text(Field::OsImage, "OS", (8, 32), Column::ON_DEMAND, |node| (&node.os_image).into()).searched(),
        E::text(Field::Kernel, "KERNEL", (8, 24), Column::ON_DEMAND, |node| (&node.kernel).into()).searched(),
        E::number(Field::Images, "IMAGES", 6, Column::ON_DEMAND, |node| node.images.into()),
        E::number(Field::ImageBytes, "IMAGE SIZE", 10, Column::ON_DEMAND, |node| node.image_bytes.into()),
        E::number(Field::CpuCapacity, "CPU CAPACITY", 12, Column::ON_DEMAND, |node| node.capacity.cpu.into()),
        E::number(Field::MemoryCapacity, "MEM CAPACITY", 12, Column::ON_DEMAND, |node| node.capacity.memory.into()),
        E::number(Field::CpuAllocatable, "CPU ALLOCATABLE", 15, Column::ON_DEMAND, |node| node.allocatable.cpu.into()),
        E::number(Field::MemoryAllocatable, "MEM ALLOCATABLE", 15, Column::ON_DEMAND, |node| {
            node.allocatable.memory.into()
        }),
        E::number(Field::Disk, "DISK USED", 9, Column::ON_DEMAND, |node| node.disk.into()),
        E::number(Field::Measured, "MEASURED", 8, Column::ON_DEMAND, |node| Value::Since(node.usage_time())),
        E::text(Field::Message, "MESSAGE", (10, 80), Column::ON_DEMAND, |node| (&node.absent).into()).searched(),
        E::trend(Field::CpuTrend, "CPU OVER TIME", 7, |node| Value::CpuTrend(node.usage.cpu, node.allocatable.cpu)),
        E::trend(Field::MemoryTrend, "MEM OVER TIME", 10, |node| {
            Value::MemoryTrend(node.usage.memory, node.allocatable.memory)
        }),
        E::hidden(Field::Node, |node| (&node.name).into()),
        E::hidden(Field::Ready, |node| node.ready.into()),
        E::hidden(Field::Max, |node| node.max_pods.into()),
        E::hidden(Field::CpuRequest, resources::cpu_request),
        E::hidden(Field::CpuLimit, resources::cpu_limit),
        E::hidden(Field::CpuOfRequest, resources::cpu_of_request),
        E::hidden(Field::CpuOfLimit, resources::cpu_of_limit),
        E::hidden(Field::MemoryRequest, resources::memory_request),
        E::hidden(Field::MemoryLimit, resources::memory_limit),
        E::hidden(Field::MemoryOfRequest, resources::memory_of_request),
        E::hidden(Field::MemoryOfLimit, resources::memory_of_limit),
    ];

    const VIEW: ViewInfo = ViewInfo::new("Nodes", "Nodes", "nodes", Part::Nodes);

    fn key(&self) -> Key {
        Key::named(&self.name)
    }

    fn is_in(&self, _: &Limits<'_>) -> bool {
        true
    }

    fn open(&self) -> Open {
        Scope::Node(Name::clone(&self.name)).into()
    }

    fn reference(&self) -> String {
        format!("node/{}", self.name)
    }

    fn labels(&self) -> Option<&Labels> {
        Some(&self.labels)
    }
}

impl NodeRow {
    /// The row of a node.
    #[must_use]
    pub fn from_vitals(node: &vitals::NodeVitals, names: &Names) -> Self {
        let (amounts, swap, usage_seconds) = usage(node.usage.as_ref());
        let system = node.system.clone().unwrap_or_default();
        let word = |text: &str| (!text.is_empty()).then(|| names.intern(text));
        Self {
            name: names.intern(&node.metadata.name),
            status: names.intern(&node.status),
            ready: node.ready,
            lost: false,
            conditions: node
                .conditions
                .iter()
                .map(|condition| names.intern(&condition.kind))
                .collect(),
            labels: labels(&node.metadata.labels, names),
            created_seconds: to_seconds(node.metadata.creation_timestamp),
            usage_seconds,
            gpu: Gpu::from_vitals(node.allocatable.gpu, node.gpu.as_ref()),
            usage: amounts,
            swap,
            absent: absent(node.absent.as_ref(), names),
            capacity: (&node.capacity).into(),
            taints: (!node.taints.is_empty()).then(|| names.intern(&node.taints.join(","))),
            kubelet_version: word(&system.kubelet_version),
            runtime: word(&system.container_runtime),
            os_image: word(&system.os_image),
            kernel: word(&system.kernel_version),
            images: node.images.map_or(0, |images| images.count),
            image_bytes: node.images.map(|images| Bytes(images.bytes)).into(),
            drain: None,
            allocatable: (&node.allocatable).into(),
            requests: (&node.requests).into(),
            limits: (&node.limits).into(),
            pods: count(node.pods.count),
            max_pods: count(node.pods.capacity),
            restarts: count(node.restarts),
            disk: node.disk.as_ref().map(|disk| disk.used).into(),
            disk_capacity: node.disk.as_ref().map(|disk| disk.capacity).into(),
            image_disk: node.image_disk.as_ref().and_then(used).into(),
            network: node
                .network
                .map(|network| (network.rx_bytes_per_second, network.tx_bytes_per_second)),
            memory_stall: memory_stall(node.pressure),
        }
    }
}
