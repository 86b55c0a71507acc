//! The cluster's totals, for the header.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals;

use super::vitals::usage;
use super::{NodeRow, Phase, PodRow};
use crate::model::amount::{Amounts, count};
use crate::model::cell::Resource;

/// The cluster's totals.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClusterRow {
    /// Usage of the nodes that report.
    pub usage: Amounts,
    /// Requests of pods.
    pub requests: Amounts,
    /// Limits of pods.
    pub limits: Amounts,
    /// Allocatable amounts of all nodes.
    pub allocatable: Amounts,
    /// Allocatable amounts of the nodes that report. Percentages of usage refer to these.
    pub reporting: Amounts,
    /// Nodes.
    pub nodes: u32,
    /// Nodes that are ready.
    pub nodes_ready: u32,
    /// Nodes that report usage.
    pub nodes_reporting: u32,
    /// Pods by phase, in the order of [`Phase::ALL`].
    pub phases: [u32; 5],
    /// Pods that are ready.
    pub pods_ready: u32,
    /// Pods with a failing probe: as many as the filter `probe=failing` selects.
    pub probes_failing: u32,
    /// Restarts in the last hour.
    pub restarts: u32,
    /// Open incidents, if the source reports incidents.
    pub incidents_open: Option<u32>,
    /// The time of the oldest usage that is included.
    pub usage_time: Option<Timestamp>,
    /// The oldest time in the history that the source has in memory.
    pub oldest: Option<Timestamp>,
    /// Whether the source reads what is older from an engine.
    pub has_engine: bool,
}

impl ClusterRow {
    /// The number of pods.
    #[must_use]
    pub fn pods(&self) -> u32 {
        self.phases.iter().sum()
    }

    /// The number of pods in a phase.
    #[must_use]
    pub fn in_phase(&self, phase: Phase) -> u32 {
        let at = Phase::ALL.iter().position(|other| *other == phase);
        at.and_then(|at| self.phases.get(at)).copied().unwrap_or(0)
    }

    /// Usage as a fraction of the allocatable amount of the nodes that report, so that other nodes do not change it.
    #[must_use]
    pub fn used(&self, resource: Resource) -> Option<f64> {
        self.usage.part_of(self.reporting, resource)
    }

    /// Usage of all nodes, if the nodes that do not report used the same fraction. Charts of it do not drop when a node
    /// is lost.
    #[must_use]
    pub fn estimate(&self) -> Amounts {
        Amounts::by(|resource| {
            let amounts = [self.usage, self.reporting, self.allocatable];
            match amounts.map(|amounts| amounts.get(resource)) {
                [Some(used), Some(of), Some(all)] if of > 0 => {
                    let whole = u128::from(used) * u128::from(all) / u128::from(of);
                    Some(u64::try_from(whole).unwrap_or(u64::MAX))
                }
                [used, ..] => used,
            }
        })
    }

    /// The sums of nodes and pods. With `by_pods`, the usage of pods replaces that of nodes if no node reports.
    pub fn of<'a>(
        nodes: impl Iterator<Item = &'a NodeRow>,
        pods: impl Iterator<Item = &'a PodRow>,
        by_pods: bool,
    ) -> Self {
        let mut all = Self::default();
        for node in nodes {
            all.nodes += 1;
            all.nodes_ready += u32::from(node.ready);
            all.allocatable = all.allocatable.plus(node.allocatable);
            if node.usage.cpu.is_known() {
                all.nodes_reporting += 1;
                all.reporting = all.reporting.plus(node.allocatable);
                all.add_usage(node.usage, node.usage_time());
            }
        }
        let by_pods = by_pods && all.nodes_reporting == 0;
        if by_pods {
            all.reporting = all.allocatable;
        }
        for pod in pods {
            if by_pods && pod.usage.cpu.is_known() {
                all.add_usage(pod.usage, pod.usage_time());
            }
            if let Some(count) = Phase::ALL
                .iter()
                .position(|phase| *phase == pod.phase)
                .and_then(|at| all.phases.get_mut(at))
            {
                *count += 1;
            }
            all.pods_ready += u32::from(pod.ready);
            all.probes_failing += u32::from(pod.probes.failing > 0);
            all.restarts = all.restarts.saturating_add(pod.restarts.recent);
            if !pod.phase.is_over() {
                let counted = pod.counted();
                all.requests = all.requests.plus(counted.requests);
                all.limits = all.limits.plus(counted.limits);
            }
        }
        all
    }

    /// Adds usage.
    pub fn add_usage(&mut self, usage: Amounts, usage_time: Option<Timestamp>) {
        self.usage = self.usage.plus(usage);
        self.usage_time = match (self.usage_time, usage_time) {
            (Some(oldest), Some(usage_time)) => Some(oldest.min(usage_time)),
            (oldest, usage_time) => oldest.or(usage_time),
        };
    }
}

impl ClusterRow {
    /// Converts the cluster's totals.
    #[must_use]
    pub fn from_vitals(cluster: &vitals::ClusterVitals) -> Self {
        let (amounts, _, _) = usage(cluster.usage.as_ref());
        let pods = &cluster.pods;
        let in_phase = |phase: Phase| pods.by_phase.get(phase.as_str()).copied();
        let reporting = cluster.allocatable_reporting.as_ref();
        Self {
            usage: amounts,
            requests: (&cluster.requests).into(),
            limits: (&cluster.limits).into(),
            allocatable: (&cluster.allocatable).into(),
            reporting: reporting.unwrap_or(&cluster.allocatable).into(),
            nodes: count(cluster.nodes.total),
            nodes_ready: count(cluster.nodes.ready),
            nodes_reporting: count(cluster.nodes.reporting),
            phases: Phase::ALL.map(|phase| count(in_phase(phase).unwrap_or(0))),
            pods_ready: count(pods.ready),
            // For past times only the count from incidents is known.
            probes_failing: count(pods.probes_failing.unwrap_or(cluster.probes_failing)),
            restarts: count(cluster.restarts),
            incidents_open: Some(count(cluster.incidents.open)),
            usage_time: cluster.usage.as_ref().and_then(|usage| usage.timestamp),
            oldest: cluster.history.oldest,
            has_engine: cluster.history.engine,
        }
    }
}
