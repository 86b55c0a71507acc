//! GPUs: how many an object has, and what they do.

use kubevitals_proto::units::Gpus;
use kubevitals_proto::vitals::GpuUsage;

use super::Value;
use crate::model::amount::{Cpu, Memory, count};

/// The GPUs of an object. Most objects have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gpu {
    /// GPUs that pods request, or that a node has for pods.
    pub count: u32,
    /// The GPUs whose usage is known.
    pub measured: u32,
    /// The GPUs in use, summed, in billionths of a GPU.
    pub busy: Cpu,
    /// The memory that is used.
    pub memory: Memory,
    /// The memory that there is.
    pub capacity: Memory,
}

/// The GPUs of a pod: of all its containers, and of each, in the order of the row's containers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodGpus {
    /// Of the pod.
    pub all: Gpu,
    /// Of each container.
    pub containers: Box<[Gpu]>,
}

impl Gpu {
    /// From amounts of the API.
    pub(super) fn from_vitals(requested: Option<u64>, usage: Option<&GpuUsage>) -> Self {
        let mut gpu = Self {
            count: requested.map_or(0, count),
            ..Self::default()
        };
        if let Some(usage) = usage {
            gpu.measured = count(usage.count);
            gpu.busy = usage.utilization.into();
            gpu.memory = usage.memory.into();
            gpu.capacity = usage.memory_capacity.into();
        }
        gpu
    }

    /// From amounts of an object.
    pub(super) fn requested(gpus: Option<Gpus>) -> Self {
        Self {
            count: gpus.map_or(0, |gpus| gpus.0),
            ..Self::default()
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The sum of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            measured: self.measured.saturating_add(other.measured),
            busy: self.busy.plus(other.busy),
            memory: self.memory.plus(other.memory),
            capacity: self.capacity.plus(other.capacity),
        }
    }

    /// The mean utilization of the measured GPUs: 0.5 is half.
    #[must_use]
    pub fn utilization(&self) -> Option<f64> {
        let busy = self.busy.number().filter(|_| self.measured > 0)?;
        Some(busy / 1e9 / f64::from(self.measured))
    }

    /// `2 GPUs 63 % busy, 34Gi of 80Gi`. `None` without GPUs.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        use crate::model::format;
        if self.is_none() {
            return None;
        }
        let mut text = format::count(self.count.max(self.measured), "GPU");
        if let Some(utilization) = self.utilization() {
            text.push_str(&format!(" {} busy", format::percent(utilization)));
        }
        if let Some(memory) = self.memory.get() {
            text.push_str(&format!(", {}", format::bytes(memory)));
        }
        if let Some(capacity) = self.capacity.get() {
            text.push_str(&format!(" of {}", format::bytes(capacity)));
        }
        Some(text)
    }
}

impl PodGpus {
    /// The GPUs of a pod whose containers have these; none without any.
    pub(super) fn boxed(all: Gpu, containers: impl Iterator<Item = Gpu>) -> Option<Box<Self>> {
        (!all.is_none()).then(|| {
            Box::new(Self {
                all,
                containers: containers.collect(),
            })
        })
    }
}

/// A row of an object that can have GPUs.
pub(super) trait HasGpu {
    fn gpu(&self) -> Gpu;
}

pub(super) fn number<R: HasGpu>(row: &R) -> Value<'_> {
    match row.gpu().count {
        0 => Value::Part(None),
        count => count.into(),
    }
}

pub(super) fn utilization<R: HasGpu>(row: &R) -> Value<'_> {
    Value::Part(row.gpu().utilization())
}

pub(super) fn memory<R: HasGpu>(row: &R) -> Value<'_> {
    row.gpu().memory.into()
}

pub(super) fn memory_part<R: HasGpu>(row: &R) -> Value<'_> {
    let gpu = row.gpu();
    Value::PartOfLimit(gpu.memory.of(gpu.capacity))
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::units::{Bytes, Nanocores};

    use super::*;

    #[test]
    fn gpus_are_summed_and_their_utilization_is_the_mean() {
        let one = Gpu {
            count: 1,
            measured: 1,
            busy: Nanocores(900_000_000).into(),
            memory: Bytes(1 << 30).into(),
            capacity: Bytes(4 << 30).into(),
        };
        let idle = Gpu {
            busy: Nanocores(0).into(),
            ..one
        };
        let both = one.plus(idle).plus(Gpu::default());
        assert_eq!(both.utilization(), Some(0.45));
        assert_eq!(both.text().unwrap(), "2 GPUs 45% busy, 2Gi of 8Gi");
        let unmeasured = Gpu::requested(Some(Gpus(1)));
        assert_eq!(unmeasured.utilization(), None);
        assert_eq!(unmeasured.text().unwrap(), "1 GPU");
        assert_eq!(Gpu::default().text(), None);
        assert_eq!(PodGpus::boxed(Gpu::default(), std::iter::empty()), None);
    }
}
