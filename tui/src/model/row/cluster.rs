//! The cluster as a whole: what the header shows.

use kubevitals_proto::time::Timestamp;

use super::{NodeRow, Phase, PodRow};
use crate::model::amount::Amounts;

/// The cluster as a whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClusterRow {
    /// What the nodes use.
    pub usage: Amounts,
    /// What pods request.
    pub requests: Amounts,
    /// What pods are limited to.
    pub limits: Amounts,
    /// What pods can have.
    pub allocatable: Amounts,
    /// Nodes.
    pub nodes: u32,
    /// Nodes that are ready.
    pub nodes_ready: u32,
    /// Nodes of which it is known what they use.
    pub nodes_reporting: u32,
    /// Pods by phase, in the order of [`Phase::ALL`].
    pub phases: [u32; 5],
    /// Pods that are ready.
    pub pods_ready: u32,
    /// Probes that fail.
    pub probes_failing: u32,
    /// Restarts within the time that is remembered.
    pub restarts: u32,
    /// Incidents that are not over, where the source knows of incidents.
    pub incidents_open: Option<u32>,
    /// When the newest usage was measured.
    pub measured: Option<Timestamp>,
    /// The oldest time that can be shown.
    pub oldest: Option<Timestamp>,
}

impl ClusterRow {
    /// How many pods there are.
    #[must_use]
    pub fn pods(&self) -> u32 {
        self.phases.iter().sum()
    }

    /// How many pods are in a phase.
    #[must_use]
    pub fn in_phase(&self, phase: Phase) -> u32 {
        let at = Phase::ALL.iter().position(|other| *other == phase);
        at.and_then(|at| self.phases.get(at)).copied().unwrap_or(0)
    }

    /// What its nodes and pods come to. Where it is not known of any node what it uses, it is what pods use.
    pub fn of<'a>(
        nodes: impl Iterator<Item = &'a NodeRow>,
        pods: impl Iterator<Item = &'a PodRow>,
    ) -> Self {
        let mut all = Self::default();
        for node in nodes {
            all.nodes += 1;
            all.nodes_ready += u32::from(node.ready);
            all.nodes_reporting += u32::from(node.usage.cpu.is_known());
            all.usage = all.usage.plus(node.usage);
            all.allocatable = all.allocatable.plus(node.allocatable);
            all.measured = all.measured.max(node.measured());
        }
        let nodes_told = all.nodes_reporting > 0;
        for pod in pods {
            if !nodes_told && pod.usage.cpu.is_known() {
                all.usage = all.usage.plus(pod.usage);
                all.measured = all.measured.max(pod.measured());
            }
            if let Some(count) = Phase::ALL
                .iter()
                .position(|phase| *phase == pod.phase)
                .and_then(|at| all.phases.get_mut(at))
            {
                *count += 1;
            }
            all.pods_ready += u32::from(pod.ready);
            all.probes_failing += u32::from(pod.probes.failing);
            all.restarts = all.restarts.saturating_add(pod.restarts.recent);
            if !pod.phase.is_over() {
                let counted = pod.counted();
                all.requests = all.requests.plus(counted.requests);
                all.limits = all.limits.plus(counted.limits);
            }
        }
        all
    }
}
