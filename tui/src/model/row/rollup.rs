//! Sums of pods.

use super::gpu::{Gpu, HasGpu as _};
use super::resources::RowResources;
use super::{Bounds, PodRow};
use crate::model::amount::Amounts;

/// Sums of pods, for a workload or a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rollup {
    /// The number of pods.
    pub pods: u32,
    /// Ready pods.
    pub ready: u32,
    /// Terminated pods.
    pub over: u32,
    /// Usage.
    pub usage: Amounts,
    /// GPUs of pods that have not terminated.
    pub gpu: Gpu,
    /// Requests of pods that have not terminated.
    pub requests: Amounts,
    /// Limits of pods that have not terminated.
    pub limits: Amounts,
    /// Restarts since creation.
    pub restarts: u32,
    /// Restarts in the last hour.
    pub recent: u32,
    /// Failing probes.
    pub failing: u32,
}

impl Rollup {
    pub(super) const fn resources(&self) -> RowResources {
        RowResources {
            usage: self.usage,
            requests: self.requests,
            limits: self.limits,
        }
    }

    /// Adds a pod with the requests and limits in force.
    pub fn add(&mut self, pod: &PodRow) {
        self.add_with(pod, pod.bounds());
    }

    /// Adds a pod with the requests and limits for the sums of its node.
    pub fn add_counted(&mut self, pod: &PodRow) {
        self.add_with(pod, pod.counted());
    }

    fn add_with(&mut self, pod: &PodRow, bounds: Bounds) {
        self.pods += 1;
        self.ready += u32::from(pod.ready);
        self.restarts = self.restarts.saturating_add(pod.restarts.count);
        self.recent = self.recent.saturating_add(pod.restarts.recent);
        if pod.phase.is_over() {
            self.over += 1;
            return;
        }
        self.usage = self.usage.plus(pod.usage);
        self.gpu = self.gpu.plus(pod.gpu());
        self.requests = self.requests.plus(bounds.requests);
        self.limits = self.limits.plus(bounds.limits);
        self.failing += u32::from(pod.probes.failing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row::Phase;
    use kubevitals_proto::units::Nanocores;

    #[test]
    fn a_pod_that_is_over_requests_nothing() {
        let mut pod = PodRow {
            phase: Phase::Running,
            ready: true,
            ..PodRow::default()
        };
        pod.requests.cpu = Nanocores(5).into();
        let mut all = Rollup::default();
        all.add(&pod);
        pod.phase = Phase::Succeeded;
        pod.ready = false;
        all.add(&pod);
        assert_eq!((all.pods, all.ready, all.over), (2, 1, 1));
        assert_eq!(all.requests.cpu.get(), Some(Nanocores(5)));
    }
}
