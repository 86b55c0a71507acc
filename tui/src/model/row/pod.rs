//! Pods.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::objects::{Uid, is_eviction};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals;

use super::gpu::{self, Gpu, HasGpu, PodGpus};
use super::resources::{self, HasResources, RowResources};
use super::vitals::{absent, bounds, labels, memory_stall, probes, uid_hash, usage};
use super::{
    Bounds, Container, ContainerState, Entry, Phase, Probes, Resize, Restarts, Row, Value,
    from_seconds, to_seconds,
};
use crate::model::amount::{Amounts, Memory, Percent};
use crate::model::column::Column;
use crate::model::field::Field;
use crate::model::format;
use crate::model::images::joined;
use crate::model::name::{Key, Name, Names, Workload};
use crate::model::part::Part;
use crate::model::scope::{Limits, Open, Scope};
use crate::model::tone::Tone;
use crate::model::view_info::ViewInfo;

/// A pod.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodRow {
    /// The namespace.
    pub namespace: Name,
    /// The name.
    pub name: Name,
    /// A hash of the UID; zero if unknown.
    pub uid: u64,
    /// The node; empty if the pod is not bound to one.
    pub node: Name,
    /// The STATUS of kubectl.
    pub status: Name,
    /// The message of the status.
    pub message: Option<Box<str>>,
    /// The phase.
    pub phase: Phase,
    /// Whether its Ready condition is true.
    pub ready: bool,
    /// The number of ready containers, including sidecars.
    pub ready_containers: u16,
    /// The number of containers.
    pub total_containers: u16,
    /// The workload that created the pod.
    pub workload: Option<Arc<Workload>>,
    /// The labels.
    pub labels: Labels,
    /// Creation time, in seconds since the epoch; zero if unknown.
    pub created_seconds: u32,
    /// The time of the usage, in seconds since the epoch; zero if unknown.
    pub usage_seconds: u32,
    /// CPU and memory usage.
    pub usage: Amounts,
    /// Whether the usage is provisional: a container has just started.
    pub provisional: bool,
    /// Swap usage.
    pub swap: Memory,
    /// The fraction of the last minute in which processes waited for memory.
    pub memory_stall: Percent,
    /// The fraction of the limit on ephemeral storage that is used.
    pub storage_of_limit: Percent,
    /// Ephemeral storage.
    pub storage: Memory,
    /// Why the usage is unknown.
    pub absent: Option<Name>,
    /// The requests in force.
    pub requests: Amounts,
    /// The limits in force.
    pub limits: Amounts,
    /// The requests and limits for the sums of its node, if they differ and the source sends no such sums.
    pub counted: Option<Box<Bounds>>,
    /// Its GPUs, which few pods have.
    pub gpus: Option<Box<PodGpus>>,
    /// An in-place resize that is not complete, which is rare.
    pub resize: Option<Box<Resize>>,
    /// Restarts of its containers.
    pub restarts: Restarts,
    /// Its probes.
    pub probes: Probes,
    /// Its containers, init containers first, in the order of the spec.
    pub containers: Box<[Container]>,
    /// The images of its containers, which it shares with the pods of its template: see `images::joined`.
    pub images: Name,
}

impl PodRow {
    /// Marks the state of the containers and probes as unknown, because the node is unreachable. Terminated containers
    /// stay.
    pub fn mark_unknown(&mut self) {
        for container in &mut self.containers {
            if container.state != ContainerState::Terminated {
                container.state = ContainerState::Unknown;
            }
            container.mark_probes_unknown();
        }
        self.probes = self.probes.unknown();
    }

    /// What comparisons with later states read of it: no usage, containers or probes.
    #[must_use]
    pub fn compared(&self) -> Self {
        Self {
            namespace: Name::clone(&self.namespace),
            name: Name::clone(&self.name),
            uid: self.uid,
            status: Name::clone(&self.status),
            phase: self.phase,
            workload: self.workload.clone(),
            labels: self.labels.clone(),
            created_seconds: self.created_seconds,
            restarts: Restarts {
                count: self.restarts.count,
                ..Restarts::default()
            },
            images: Name::clone(&self.images),
            ..Self::default()
        }
    }

    /// Whether the state of a container is known.
    #[must_use]
    pub fn has_known_state(&self) -> bool {
        let mut containers = self.containers.iter();
        let open = [ContainerState::Unknown, ContainerState::Terminated];
        containers.any(|container| !open.contains(&container.state))
    }

    /// Sums the probes of the containers.
    pub(super) fn sum_probes(&mut self) {
        let containers = self.containers.iter();
        self.probes = containers.fold(Probes::default(), |all, it| all.plus(it.probes));
    }

    /// Counts readiness probes as failing whose first attempt is over by `now`: the API server does not report when
    /// that is.
    pub fn end_first_attempts(&mut self, now: Timestamp) {
        for container in &mut self.containers {
            container.end_first_attempt(now);
        }
        self.sum_probes();
    }

    /// Derives the recent restarts and the last restart from the containers. The total has a rule of its own, as in
    /// kubectl.
    pub fn sum_restarts(&mut self) {
        let mut all = Restarts {
            count: self.restarts.count,
            ..Restarts::default()
        };
        for container in &self.containers {
            all.recent = all.recent.saturating_add(container.restarts.recent);
            if all.last.is_none() || container.restarts.finished() > all.finished() {
                all.last.clone_from(&container.restarts.last);
            }
        }
        self.restarts = all;
    }

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

    /// The name of the application, from the labels.
    #[must_use]
    pub fn app(&self) -> &str {
        ["app.kubernetes.io/name", "app", "k8s-app"]
            .into_iter()
            .find_map(|label| self.labels.get(label))
            .unwrap_or_default()
    }

    /// The requests and limits for the sums of its node: during a resize more than the pod has, and limits even if a
    /// container has none.
    #[must_use]
    pub fn counted(&self) -> Bounds {
        self.counted.as_deref().copied().unwrap_or(self.bounds())
    }

    /// The requests and limits in force.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds::new(self.requests, self.limits)
    }

    /// Whether the pod is in a scope.
    #[must_use]
    pub fn is_of(&self, scope: &Scope) -> bool {
        match scope {
            Scope::All => true,
            Scope::Node(node) => self.node == *node,
            Scope::Workload(namespace, workload) => {
                self.namespace == *namespace && self.workload.as_ref() == Some(workload)
            }
            Scope::Hpa(hpa, workload) => {
                self.namespace == hpa.namespace && self.workload.as_ref() == Some(workload)
            }
            Scope::Namespace(namespace) => self.namespace == *namespace,
            Scope::Pod(key) => self.name == key.name && self.namespace == key.namespace,
            Scope::Claim(key, pods) => self.namespace == key.namespace && pods.contains(&self.name),
            Scope::Problem(problem) => {
                let found = problem
                    .pods
                    .binary_search_by(|key| self.against(key).reverse());
                found.is_ok()
            }
        }
    }

    /// Whether the kubelet evicted the pod, which still exists.
    #[must_use]
    pub fn is_evicted(&self) -> bool {
        let message = self.message.as_deref();
        &*self.status == "Evicted"
            || self.phase == Phase::Failed && message.is_some_and(is_eviction)
    }

    /// The severity of the status.
    #[must_use]
    pub fn tone(&self) -> Tone {
        match &*self.status {
            "Running" if self.ready => Tone::Plain,
            "Running" | "Terminating" | "Pending" | "ContainerCreating" | "PodInitializing"
            | "NotReady" | "Unknown" | "SchedulingGated" => Tone::Warn,
            "Completed" | "Succeeded" => Tone::Dim,
            // `Init:0/2` makes progress, `Init:Error` does not.
            status
                if status
                    .strip_prefix("Init:")
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) =>
            {
                Tone::Warn
            }
            _ => Tone::Bad,
        }
    }

    /// The text of the column STATUS: with a star during an in-place resize.
    fn status_text(&self) -> Cow<'_, str> {
        match &self.resize {
            None => (&*self.status).into(),
            Some(_) => format!("{}*", self.status).into(),
        }
    }

    /// CPU; provisional usage has a star.
    fn cpu(&self) -> Value<'_> {
        match (self.usage.cpu.get(), self.usage.cpu.number()) {
            (Some(cpu), Some(number)) if self.provisional => {
                Value::Sorted(format!("{}*", format::cpu(cpu)).into(), number)
            }
            _ => resources::cpu(self),
        }
    }

    fn status_tone(&self) -> Tone {
        match (self.tone(), &self.resize) {
            (Tone::Plain, Some(resize)) => resize.tone(),
            (tone, _) => tone,
        }
    }
}

impl HasResources for PodRow {
    fn resources(&self) -> RowResources {
        RowResources {
            usage: self.usage,
            requests: self.requests,
            limits: self.limits,
        }
    }
}

impl HasGpu for PodRow {
    fn gpu(&self) -> Gpu {
        self.gpus
            .as_deref()
            .map(|gpus| gpus.all)
            .unwrap_or_default()
    }
}

type E = Entry<PodRow>;

#[rustfmt::skip] // one entry a line: a table
impl Row for PodRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Namespace, "NAMESPACE", (9, 20), 2, |pod| (&pod.namespace).into()).searched(),
        E::text(Field::Name, "NAME", (12, 63), 0, |pod| (&pod.name).into()).searched(),
        E::number(Field::Ready, "READY", 5, 5, |pod| {
            Value::Ready(pod.ready, pod.ready_containers.into(), pod.total_containers.into())
        })
            .tone(|pod, _| if pod.ready || pod.phase == Phase::Succeeded { Tone::Plain } else { Tone::Warn })
            .exported_with(&[Field::ReadyContainers, Field::Containers]),
        E::text(Field::Status, "STATUS", (9, 18), 1, |pod| (&pod.status).into())
            .with_text(Self::status_text)
            .tone(|pod, _| pod.status_tone())
            .searched(),
        E::text(Field::Probe, "PROBES", (12, 21), 4, |pod| Value::Probes(&pod.probes)).searched(),
        E::text(Field::Restarts, "RESTARTS", (8, 28), 2, |pod| Value::Restarts(&pod.restarts))
            .exported_with(&[Field::Cause, Field::LastRestartAge]),
        E::number(Field::Cpu, "CPU", 6, 1, PodRow::cpu),
        E::number(Field::CpuOfRequest, "CPU %REQ", 8, 7, resources::cpu_of_request),
        E::number(Field::CpuOfLimit, "CPU %LIM", 8, 6, resources::cpu_of_limit),
        E::number(Field::Memory, "MEM", 6, 1, resources::memory),
        E::number(Field::MemoryOfRequest, "MEM %REQ", 8, 7, resources::memory_of_request),
        E::number(Field::MemoryOfLimit, "MEM %LIM", 8, 3, resources::memory_of_limit),
        E::number(Field::Gpus, "GPUS", 4, 13, gpu::number).optional(),
        E::number(Field::Gpu, "GPU", 5, 4, gpu::utilization).optional(),
        E::number(Field::GpuMemory, "GPU MEM", 7, 5, gpu::memory).optional(),
        E::number(Field::GpuMemoryPercent, "GPU MEM%", 8, 14, gpu::memory_part).optional(),
        E::number(Field::Recent, "RESTARTS 1h", 11, Column::ON_DEMAND, |pod| Value::Recent(pod.restarts.recent)),
        E::text(Field::Resize, "RESIZE", (8, 10), Column::ON_DEMAND, |pod| {
            pod.resize.as_deref().map_or("", |resize| resize.state.as_str()).into()
        }),
        E::number(Field::Swap, "SWAP", 6, Column::ON_DEMAND, |pod| pod.swap.into()),
        E::number(Field::CpuRequest, "CPU REQ", 7, Column::ON_DEMAND, resources::cpu_request),
        E::number(Field::CpuLimit, "CPU LIM", 7, Column::ON_DEMAND, resources::cpu_limit),
        E::number(Field::MemoryRequest, "MEM REQ", 7, Column::ON_DEMAND, resources::memory_request),
        E::number(Field::MemoryLimit, "MEM LIM", 7, Column::ON_DEMAND, resources::memory_limit),
        E::number(Field::Storage, "STORAGE", 7, Column::ON_DEMAND, |pod| pod.storage.into()),
        E::number(Field::StorageOfLimit, "STORAGE%LIM", 11, Column::ON_DEMAND, |pod| {
            Value::PartOfLimit(pod.storage_of_limit.part())
        }),
        E::number(Field::MemoryStall, "MEM STALL", 9, 12, |pod| Value::Part(pod.memory_stall.part())).optional(),
        E::text(Field::Node, "NODE", (8, 30), 8, |pod| (&pod.node).into()).searched(),
        E::text(Field::Workload, "WORKLOAD", (8, 40), Column::ON_DEMAND, |pod| {
            pod.workload.as_ref().map_or("".into(), |workload| (&workload.name).into())
        })
            .searched(),
        E::text(Field::App, "APP", (8, 30), Column::ON_DEMAND, |pod| pod.app().into()).searched(),
        E::text(Field::Message, "MESSAGE", (10, 80), Column::ON_DEMAND, |pod| {
            pod.message.as_deref().or(pod.absent.as_deref()).unwrap_or_default().into()
        }),
        E::number(Field::Age, "AGE", 6, 7, |pod| Value::Since(pod.created())),
        E::number(Field::Measured, "MEASURED", 8, Column::ON_DEMAND, |pod| Value::Since(pod.usage_time())),
        E::trend(Field::CpuTrend, "CPU OVER TIME", 9, resources::cpu_trend),
        E::trend(Field::MemoryTrend, "MEM OVER TIME", 10, resources::memory_trend),
        E::hidden(Field::Pod, |pod| (&pod.name).into()),
        E::hidden(Field::Kind, |pod| {
            pod.workload.as_ref().map_or("".into(), |workload| (&workload.kind).into())
        }),
        E::hidden(Field::Phase, |pod| pod.phase.as_str().into()),
        E::hidden(Field::Failing, |pod| Value::Failing(pod.probes.failing.into())),
        E::hidden(Field::ReadyContainers, |pod| u32::from(pod.ready_containers).into()),
        E::hidden(Field::Containers, |pod| u32::from(pod.total_containers).into()),
        E::hidden(Field::LastRestart, |pod| Value::LastRestart(&pod.restarts)).searched(),
        E::hidden(Field::Cause, |pod| pod.restarts.cause().into()),
        E::hidden(Field::LastRestartAge, |pod| Value::Since(pod.restarts.finished())),
    ];

    const VIEW: ViewInfo = ViewInfo::new("Pods", "Pods", "pods", Part::Pods);

    fn key(&self) -> Key {
        Key::new(&self.namespace, &self.name)
    }

    fn is_in(&self, limits: &Limits<'_>) -> bool {
        limits.has_namespace(&self.namespace) && self.is_of(limits.scope)
    }

    fn open(&self) -> Open {
        Scope::Pod(self.key()).into()
    }

    fn reference(&self) -> String {
        format!("pod/{}", self.name)
    }

    fn in_order(&self, other: &Self) -> Ordering {
        (&self.namespace, &self.name).cmp(&(&other.namespace, &other.name))
    }

    fn against(&self, key: &Key) -> Ordering {
        (&*self.namespace, &*self.name, "").cmp(&(&*key.namespace, &*key.name, &*key.part))
    }

    fn labels(&self) -> Option<&Labels> {
        Some(&self.labels)
    }
}

/// The UID of the pod. In objects of old servers it is the UID of the object itself.
fn uid_of_pod(meta: &vitals::Meta) -> &str {
    let owner = meta.owner_references.first();
    owner.map_or(&meta.uid, |owner| &owner.uid)
}

impl PodRow {
    /// The row of a pod.
    #[must_use]
    pub fn from_vitals(pod: &vitals::PodVitals, names: &Names) -> Self {
        let (amounts, swap, usage_seconds) = usage(pod.usage.as_ref());
        Self {
            namespace: names.intern(&pod.metadata.namespace),
            // A pod's name is unique, so interning it saves nothing.
            name: Name::from(pod.metadata.name.as_str()),
            uid: uid_hash(Uid::of(uid_of_pod(&pod.metadata))),
            node: names.intern(&pod.node_name),
            status: names.intern(&pod.status),
            message: (!pod.message.is_empty()).then(|| pod.message.as_str().into()),
            phase: Phase::of(&pod.phase),
            ready: pod.ready,
            ready_containers: u16::try_from(pod.ready_containers).unwrap_or(u16::MAX),
            total_containers: u16::try_from(pod.total_containers).unwrap_or(u16::MAX),
            workload: pod.workload.as_ref().map(|workload| {
                Workload::new(names.intern(&workload.kind), names.intern(&workload.name))
            }),
            labels: labels(&pod.metadata.labels, names),
            created_seconds: to_seconds(pod.metadata.creation_timestamp),
            usage_seconds,
            usage: amounts,
            provisional: pod.usage.as_ref().is_some_and(|usage| usage.provisional),
            swap,
            memory_stall: memory_stall(pod.pressure),
            storage: pod.ephemeral_storage.into(),
            storage_of_limit: Memory::from(pod.ephemeral_storage)
                .of(pod.limits.ephemeral_storage.into())
                .into(),
            absent: absent(pod.absent.as_ref(), names),
            requests: (&pod.requests).into(),
            limits: (&pod.limits).into(),
            counted: None,
            gpus: PodGpus::boxed(
                Gpu::from_vitals(pod.requests.gpu, pod.gpu.as_ref()),
                pod.containers
                    .iter()
                    .map(|it| Gpu::from_vitals(it.requests.gpu, it.gpu.as_ref())),
            ),
            resize: pod.resize.as_ref().map(|resize| {
                let containers = pod.containers.iter().filter_map(|container| {
                    let resize = container.resize.as_ref()?;
                    Some((names.intern(&container.name), bounds(resize)))
                });
                Box::new(Resize {
                    state: resize.state,
                    message: resize.message.as_str().into(),
                    desired: bounds(resize),
                    containers: containers.collect(),
                })
            }),
            restarts: Restarts::from_vitals(&pod.restarts, names),
            probes: probes(pod.probes.iter()),
            containers: pod
                .containers
                .iter()
                .map(|container| Container::from_vitals(container, &pod.probes, names))
                .collect(),
            images: joined(
                pod.containers.iter().map(|it| (&*it.name, &*it.image)),
                names,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(status: &str, ready: bool) -> PodRow {
        PodRow {
            status: status.into(),
            ready,
            ..PodRow::default()
        }
    }

    #[test]
    fn statuses_have_a_severity() {
        for (status, ready, tone) in [
            ("Running", true, Tone::Plain),
            ("Running", false, Tone::Warn),
            ("Completed", false, Tone::Dim),
            ("Init:0/1", false, Tone::Warn),
            ("Init:CrashLoopBackOff", false, Tone::Bad),
            ("CrashLoopBackOff", false, Tone::Bad),
            ("Terminating", true, Tone::Warn),
        ] {
            assert_eq!(pod(status, ready).tone(), tone, "{status}");
        }
    }

    #[test]
    fn rows_are_small() {
        assert!(size_of::<PodRow>() <= 304, "{}", size_of::<PodRow>());
        assert!(size_of::<Container>() <= 152, "{}", size_of::<Container>());
    }

    #[test]
    fn the_uid_is_that_of_the_pod() {
        let of = |json: &str| {
            let pod: vitals::PodVitals = serde_json::from_str(json).unwrap();
            PodRow::from_vitals(&pod, &Names::default()).uid
        };
        let owned = r#"{"metadata":{"name":"web","uid":"v5","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"web","uid":"real"}]}}"#;
        assert_eq!(of(owned), uid_hash(Uid::of("real")));
        assert_eq!(
            of(r#"{"metadata":{"name":"web","uid":"real"}}"#),
            uid_hash(Uid::of("real"))
        );
        assert_eq!(of(r#"{"metadata":{"name":"web"}}"#), 0);
    }
}
