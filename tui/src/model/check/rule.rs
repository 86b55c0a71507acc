//! The rules of a check: their names, and the data that they need.

use crate::model::part::{Part, SourceKind};

/// A rule of a check. The order is that of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A node is not ready.
    NodeNotReady,
    /// An incident is open.
    Incident,
    /// A pod crashes, or cannot start.
    PodBroken,
    /// A probe fails.
    ProbeFailing,
    /// A workload has fewer pods than it should have.
    PodsMissing,
    /// A node reports pressure or another condition.
    NodeCondition,
    /// A node uses much of its CPU.
    NodeCpu,
    /// A node uses much of its memory.
    NodeMemory,
    /// A node's disk is nearly full.
    NodeDisk,
    /// A ready node has no current usage.
    NodeSilent,
    /// A pod has failed or was evicted.
    PodFailed,
    /// A pod is not ready, does not start or does not end.
    PodUnsettled,
    /// A container was killed because it reached its memory limit.
    OomKilled,
    /// A container was restarted.
    Restarted,
    /// A container has used nearly all of its memory limit.
    MemoryLimit,
    /// A container uses all of its CPU limit.
    CpuLimit,
    /// An autoscaler cannot scale, or no further.
    Hpa,
}

/// The data that a rule needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Parts of the source. If the source has none of them, the rule cannot be judged.
    Parts(&'static [Part]),
    /// Usage of nodes or pods beside this part.
    Usage(Part),
    /// The disk of nodes, which only kubevitals.io has.
    Disk,
}

impl Rule {
    /// All rules, in the order of the output.
    pub const ALL: [Self; 17] = [
        Self::NodeNotReady,
        Self::Incident,
        Self::PodBroken,
        Self::ProbeFailing,
        Self::PodsMissing,
        Self::NodeCondition,
        Self::NodeCpu,
        Self::NodeMemory,
        Self::NodeDisk,
        Self::NodeSilent,
        Self::PodFailed,
        Self::PodUnsettled,
        Self::OomKilled,
        Self::Restarted,
        Self::MemoryLimit,
        Self::CpuLimit,
        Self::Hpa,
    ];

    /// The name in flags and outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NodeNotReady => "node-not-ready",
            Self::Incident => "incident",
            Self::PodBroken => "pod-broken",
            Self::ProbeFailing => "probe-failing",
            Self::PodsMissing => "pods-missing",
            Self::NodeCondition => "node-condition",
            Self::NodeCpu => "node-cpu",
            Self::NodeMemory => "node-memory",
            Self::NodeDisk => "node-disk",
            Self::NodeSilent => "node-silent",
            Self::PodFailed => "pod-failed",
            Self::PodUnsettled => "pod-unsettled",
            Self::OomKilled => "oom-killed",
            Self::Restarted => "restarted",
            Self::MemoryLimit => "memory-limit",
            Self::CpuLimit => "cpu-limit",
            Self::Hpa => "hpa",
        }
    }

    /// The rule of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// Whether the rule is about nodes, which are in no namespace.
    #[must_use]
    pub const fn is_of_nodes(self) -> bool {
        matches!(
            self,
            Self::NodeNotReady
                | Self::NodeCondition
                | Self::NodeCpu
                | Self::NodeMemory
                | Self::NodeDisk
                | Self::NodeSilent
        )
    }

    /// The data that the rule needs.
    #[must_use]
    pub const fn needs(self) -> Need {
        match self {
            Self::NodeNotReady | Self::NodeCondition => Need::Parts(&[Part::Nodes]),
            Self::NodeCpu | Self::NodeMemory | Self::NodeSilent => Need::Usage(Part::Nodes),
            Self::NodeDisk => Need::Disk,
            Self::Incident => Need::Parts(&[Part::Incidents]),
            Self::PodBroken
            | Self::ProbeFailing
            | Self::PodFailed
            | Self::PodUnsettled
            | Self::OomKilled
            | Self::Restarted => Need::Parts(&[Part::Pods]),
            Self::MemoryLimit | Self::CpuLimit => Need::Usage(Part::Pods),
            Self::PodsMissing => Need::Parts(&[
                Part::Pods,
                Part::Deployments,
                Part::StatefulSets,
                Part::DaemonSets,
            ]),
            Self::Hpa => Need::Parts(&[Part::Hpas]),
        }
    }

    /// The parts that the rule needs of this kind of source; `None` if such a source never has them.
    #[must_use]
    pub fn parts(self, source: SourceKind) -> Option<Vec<Part>> {
        let parts = match self.needs() {
            Need::Parts(parts) => parts.to_vec(),
            Need::Disk => match source {
                SourceKind::Vitals => vec![Part::Nodes],
                SourceKind::Metrics | SourceKind::None => return None,
            },
            Need::Usage(of) => match (source, of) {
                (SourceKind::None, _) => return None,
                (SourceKind::Vitals, of) => vec![of],
                (SourceKind::Metrics, Part::Nodes) => vec![Part::Nodes, Part::NodeUsage],
                (SourceKind::Metrics, of) => vec![of, Part::Usage],
            },
        };
        let has = Part::of_source(source);
        parts.iter().all(|part| has.contains(part)).then_some(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_its_place() {
        assert!(Rule::ALL.is_sorted());
        for rule in Rule::ALL {
            assert_eq!(Rule::named(rule.name()), Some(rule));
        }
        assert_eq!(Rule::named("pods"), None);
    }

    #[test]
    fn only_kubevitals_io_has_what_all_rules_need() {
        let lacking = |source| -> Vec<&str> {
            let rules = Rule::ALL.into_iter();
            let rules = rules.filter(|rule| rule.parts(source).is_none());
            rules.map(Rule::name).collect()
        };
        assert!(lacking(SourceKind::Vitals).is_empty());
        assert_eq!(lacking(SourceKind::Metrics), ["incident", "node-disk"]);
        assert_eq!(
            lacking(SourceKind::None),
            [
                "incident",
                "node-cpu",
                "node-memory",
                "node-disk",
                "node-silent",
                "memory-limit",
                "cpu-limit"
            ]
        );
    }
}
