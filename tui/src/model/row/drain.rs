//! The drain of a node: which pods are left on it.

use std::fmt;

use super::PodRow;
use crate::model::tone::Tone;

/// The pods of a node, as far as a drain is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drain {
    /// Pods that a drain evicts: neither of a DaemonSet, nor static, nor terminated.
    pub left: u32,
    /// Those of them that are being deleted.
    pub ending: u32,
    /// Pods that the kubelet evicted and that still exist.
    pub evicted: u32,
}

impl Drain {
    /// Adds a pod of the node.
    pub fn add(&mut self, pod: &PodRow) {
        self.evicted += u32::from(pod.is_evicted());
        let kind = pod.workload.as_deref().map(|workload| &*workload.kind);
        if pod.phase.is_over() || matches!(kind, Some("DaemonSet" | "Node")) {
            return;
        }
        self.left += 1;
        self.ending += u32::from(&*pod.status == "Terminating");
    }
}

/// How far the drain of a cordoned node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrainState {
    /// The node is cordoned. The number of pods that a drain would evict, if it is known.
    Cordoned(Option<u32>),
    /// Pods are being deleted; so many are left.
    Draining(u32),
    /// No pod is left that a drain evicts.
    Drained,
}

impl DrainState {
    /// The state of a cordoned node.
    #[must_use]
    pub const fn of(drain: Option<Drain>) -> Self {
        match drain {
            None => Self::Cordoned(None),
            Some(Drain { left: 0, .. }) => Self::Drained,
            Some(Drain {
                left, ending: 0, ..
            }) => Self::Cordoned(Some(left)),
            Some(Drain { left, .. }) => Self::Draining(left),
        }
    }

    /// The place in the order of the table: the pods that are left.
    #[must_use]
    pub fn order(self) -> f64 {
        match self {
            Self::Drained | Self::Cordoned(None) => 0.0,
            Self::Draining(left) | Self::Cordoned(Some(left)) => left.into(),
        }
    }

    /// The severity: a drained node waits for what it was drained for.
    #[must_use]
    pub const fn tone(self) -> Tone {
        match self {
            Self::Drained => Tone::Plain,
            Self::Cordoned(_) | Self::Draining(_) => Tone::Warn,
        }
    }
}

impl fmt::Display for DrainState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cordoned(None) => f.write_str("cordoned"),
            Self::Cordoned(Some(left)) => write!(f, "cordoned, {left} left"),
            Self::Draining(left) => write!(f, "draining, {left} left"),
            Self::Drained => f.write_str("drained"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Workload;
    use crate::model::row::Phase;

    fn pod(status: &str, kind: &str, phase: Phase) -> PodRow {
        PodRow {
            status: status.into(),
            workload: Some(Workload::new(kind, "web")),
            phase,
            ..PodRow::default()
        }
    }

    #[test]
    fn a_drain_is_told_by_the_pods_that_are_left() {
        let running = || pod("Running", "Deployment", Phase::Running);
        let daemon = || pod("Running", "DaemonSet", Phase::Running);
        let fixed = || pod("Running", "Node", Phase::Running);
        let ending = || pod("Terminating", "StatefulSet", Phase::Running);
        let done = || pod("Completed", "Job", Phase::Succeeded);
        let evicted = || pod("Evicted", "Deployment", Phase::Failed);
        for (pods, text, evictions) in [
            (vec![running(), running(), daemon()], "cordoned, 2 left", 0),
            (vec![running(), ending()], "draining, 2 left", 0),
            (vec![ending(), daemon()], "draining, 1 left", 0),
            (vec![daemon(), fixed(), done(), evicted()], "drained", 1),
            (vec![], "drained", 0),
        ] {
            let mut drain = Drain::default();
            for pod in &pods {
                drain.add(pod);
            }
            let state = DrainState::of(Some(drain));
            assert_eq!((&*state.to_string(), drain.evicted), (text, evictions));
        }
        assert_eq!(DrainState::of(None).to_string(), "cordoned");
    }
}
