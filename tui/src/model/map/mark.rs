//! The states of cells on the map.

use kubevitals_proto::time::Timestamp;

use crate::model::attention::{Attention, state_attention};
use crate::model::cell::Resource;
use crate::model::row::{ContainerState, NodeRow, Phase, PodRow};
use crate::model::tone::{Thresholds, Tone};

/// The state of a pod or a node, the most urgent last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// All containers of the pod ended without an error.
    Finished,
    /// Nothing is wrong.
    Well,
    /// The pod is ready, but was restarted in the last hour.
    Restarted,
    /// The pod is being deleted.
    Terminating,
    /// The node accepts no new pods.
    Cordoned,
    /// The containers of the pod are being started.
    Starting,
    /// Usage is over the first threshold of a limit; of a node, of what is allocatable.
    NearLimit,
    /// The pod has no node.
    Pending,
    /// The pod is not ready.
    NotReady,
    /// Nobody has reported the state of the pod: its node cannot be reached.
    Unknown,
    /// The node has a condition that reports a problem, such as `MemoryPressure`.
    Pressure,
    /// As [`Mark::NearLimit`], over the second threshold.
    AtLimit,
    /// A probe of the pod is failing.
    Failing,
    /// The pod crashes, was evicted or cannot start.
    Broken,
    /// The node is not ready.
    Down,
}

impl Mark {
    /// All states, in order.
    pub const ALL: [Self; 15] = [
        Self::Finished,
        Self::Well,
        Self::Restarted,
        Self::Terminating,
        Self::Cordoned,
        Self::Starting,
        Self::NearLimit,
        Self::Pending,
        Self::NotReady,
        Self::Unknown,
        Self::Pressure,
        Self::AtLimit,
        Self::Failing,
        Self::Broken,
        Self::Down,
    ];

    /// The severity.
    #[must_use]
    pub const fn tone(self) -> Tone {
        match self {
            Self::Finished | Self::Terminating => Tone::Dim,
            Self::Well => Tone::Plain,
            Self::Restarted
            | Self::Cordoned
            | Self::Starting
            | Self::NearLimit
            | Self::Pending
            | Self::NotReady
            | Self::Unknown
            | Self::Pressure => Tone::Warn,
            Self::AtLimit | Self::Failing | Self::Broken | Self::Down => Tone::Bad,
        }
    }

    /// The state of a pod.
    #[must_use]
    pub fn of_pod(pod: &PodRow, now: Timestamp, thresholds: Thresholds) -> Self {
        let by_usage = || {
            let parts = RESOURCES.map(|resource| pod.usage.part_of(pod.limits, resource));
            of_usage(parts, thresholds)
        };
        match state_attention(pod, now) {
            Some(Attention::Broken) => Self::Broken,
            _ if pod.tone() == Tone::Dim => Self::Finished,
            _ if &*pod.status == "Terminating" => Self::Terminating,
            _ if pod.node.is_empty() && pod.phase == Phase::Pending => Self::Pending,
            Some(Attention::Failing) => Self::Failing,
            _ if is_unknown(pod) => Self::Unknown,
            Some(Attention::Unsettled) if pod.phase == Phase::Pending => Self::Starting,
            Some(Attention::Unsettled) => Self::NotReady,
            Some(Attention::Recent) => by_usage().unwrap_or(Self::Restarted),
            Some(Attention::NearLimit) | None => by_usage().unwrap_or(Self::Well),
        }
    }

    /// The state of a node.
    #[must_use]
    pub fn of_node(node: &NodeRow, thresholds: Thresholds) -> Self {
        if !node.ready {
            return Self::Down;
        }
        let parts = RESOURCES.map(|resource| node.usage.part_of(node.allocatable, resource));
        let of_status = if !node.conditions.is_empty() {
            Self::Pressure
        } else if is_cordoned(node) {
            Self::Cordoned
        } else {
            Self::Well
        };
        of_status.max(of_usage(parts, thresholds).unwrap_or(Self::Well))
    }
}

const RESOURCES: [Resource; 2] = [Resource::Cpu, Resource::Memory];

/// Whether a node accepts no new pods.
fn is_cordoned(node: &NodeRow) -> bool {
    node.status.contains("SchedulingDisabled")
}

/// The state that follows from the fractions of the limits that are used, if one of them reaches a threshold.
fn of_usage(parts: [Option<f64>; 2], thresholds: Thresholds) -> Option<Mark> {
    let tones = parts
        .into_iter()
        .flatten()
        .map(|part| thresholds.tone(part));
    match tones.max()? {
        Tone::Bad => Some(Mark::AtLimit),
        Tone::Warn => Some(Mark::NearLimit),
        Tone::Plain | Tone::Dim => None,
    }
}

/// Whether nobody has reported the state of any container.
fn is_unknown(pod: &PodRow) -> bool {
    let mut containers = pod.containers.iter();
    let is_known = containers.any(|container| container.state != ContainerState::Unknown);
    &*pod.status == "Unknown" || (!pod.containers.is_empty() && !is_known)
}

/// The number of pods or boxes in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts([u32; Mark::ALL.len()]);

impl Counts {
    /// Counts a state.
    pub(super) fn add(&mut self, mark: Mark) {
        if let Some(count) = self.0.get_mut(mark as usize) {
            *count = count.saturating_add(1);
        }
    }

    /// The states that occur and their numbers, the most urgent first.
    pub fn iter(&self) -> impl Iterator<Item = (Mark, u32)> + '_ {
        let marks = Mark::ALL.into_iter().zip(self.0).rev();
        marks.filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row::Container;
    use kubevitals_proto::units::{Bytes, Nanocores};

    const NOW: Timestamp = Timestamp::from_secs(10_000);

    fn running() -> PodRow {
        PodRow {
            node: "node-1".into(),
            status: "Running".into(),
            phase: Phase::Running,
            ready: true,
            ..PodRow::default()
        }
    }

    #[test]
    fn a_pod_has_the_state_that_its_row_reports() {
        type Change = fn(&mut PodRow);
        let cases: [(&str, Change, Mark); 15] = [
            ("well", |_| {}, Mark::Well),
            ("not ready", |pod| pod.ready = false, Mark::NotReady),
            (
                "finished",
                |pod| {
                    pod.status = "Completed".into();
                    pod.phase = Phase::Succeeded;
                },
                Mark::Finished,
            ),
            ("evicted", |pod| pod.status = "Evicted".into(), Mark::Broken),
            (
                "crashing",
                |pod| pod.status = "CrashLoopBackOff".into(),
                Mark::Broken,
            ),
            (
                "deleted",
                |pod| {
                    pod.status = "Terminating".into();
                    pod.probes.failing = 1;
                },
                Mark::Terminating,
            ),
            (
                "not scheduled",
                |pod| {
                    pod.status = "Pending".into();
                    pod.phase = Phase::Pending;
                    pod.node = "".into();
                },
                Mark::Pending,
            ),
            (
                "starting",
                |pod| {
                    pod.status = "ContainerCreating".into();
                    pod.phase = Phase::Pending;
                },
                Mark::Starting,
            ),
            ("failing", |pod| pod.probes.failing = 1, Mark::Failing),
            (
                "on a lost node",
                |pod| {
                    pod.containers = [Container::default()].into();
                    pod.mark_unknown();
                },
                Mark::Unknown,
            ),
            ("restarted", |pod| pod.restarts.recent = 1, Mark::Restarted),
            ("a little CPU", |pod| usage(pod, 69, 0), Mark::Well),
            ("much CPU", |pod| usage(pod, 70, 0), Mark::NearLimit),
            ("much memory", |pod| usage(pod, 70, 95), Mark::AtLimit),
            (
                "restarted with much memory",
                |pod| {
                    usage(pod, 0, 80);
                    pod.restarts.recent = 1;
                },
                Mark::NearLimit,
            ),
        ];
        for (what, change, expected) in cases {
            let mut pod = running();
            change(&mut pod);
            let mark = Mark::of_pod(&pod, NOW, Thresholds::default());
            assert_eq!(mark, expected, "{what}");
        }
    }

    /// Sets usage in percent of the limits.
    fn usage(pod: &mut PodRow, cpu: u64, memory: u64) {
        pod.usage.cpu = Nanocores(cpu).into();
        pod.usage.memory = Bytes(memory).into();
        pod.limits.cpu = Nanocores(100).into();
        pod.limits.memory = Bytes(100).into();
    }

    #[test]
    fn a_node_has_its_worst_state() {
        type Change = fn(&mut NodeRow);
        let cases: [(Change, Mark); 6] = [
            (|_| {}, Mark::Well),
            (|node| node.ready = false, Mark::Down),
            (
                |node| node.status = "Ready,SchedulingDisabled".into(),
                Mark::Cordoned,
            ),
            (
                |node| node.conditions = ["DiskPressure".into()].into(),
                Mark::Pressure,
            ),
            (
                |node| {
                    node.usage.memory = Bytes(75).into();
                    node.allocatable.memory = Bytes(100).into();
                    node.status = "Ready,SchedulingDisabled".into();
                },
                Mark::NearLimit,
            ),
            (
                |node| {
                    node.usage.cpu = Nanocores(95).into();
                    node.allocatable.cpu = Nanocores(100).into();
                    node.conditions = ["DiskPressure".into()].into();
                },
                Mark::AtLimit,
            ),
        ];
        for (change, expected) in cases {
            let mut node = NodeRow {
                ready: true,
                status: "Ready".into(),
                ..NodeRow::default()
            };
            change(&mut node);
            assert_eq!(Mark::of_node(&node, Thresholds::default()), expected);
        }
    }

    #[test]
    fn all_states_are_in_order() {
        assert!(Mark::ALL.is_sorted());
        for (at, mark) in Mark::ALL.into_iter().enumerate() {
            assert_eq!(mark as usize, at);
        }
    }
}
