//! The parts from which the rows of a view follow.

use super::part::{Part, SourceKind};
use super::view::View;

/// The parts from which the rows of a view follow, for each kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    vitals: &'static [Part],
    others: &'static [Part],
}

impl Needs {
    /// The parts of a kind of source.
    #[must_use]
    pub const fn of(self, kind: SourceKind) -> &'static [Part] {
        match kind {
            SourceKind::Vitals => self.vitals,
            SourceKind::Metrics | SourceKind::None => self.others,
        }
    }
}

impl View {
    /// The parts from which the rows follow. A vitals-server joins pods, nodes and usage; for other sources nodes say
    /// which pods are lost, and Jobs which CronJob a pod belongs to.
    #[must_use]
    pub fn needs(self) -> Needs {
        use Part::{
            Claims, DaemonSets, Deployments, Hpas, Incidents, Jobs, NodeUsage, Nodes, Pods,
            StatefulSets, Usage, Volumes,
        };
        let (vitals, others): (&[Part], &[Part]) = match self {
            Self::Pods | Self::Containers | Self::Probes => (&[Pods], &[Pods, Usage, Nodes, Jobs]),
            Self::Workloads => (
                &[Pods, Deployments, StatefulSets, DaemonSets],
                &[
                    Pods,
                    Usage,
                    Nodes,
                    Jobs,
                    Deployments,
                    StatefulSets,
                    DaemonSets,
                ],
            ),
            Self::Namespaces => (&[Pods], &[Pods, Usage, Nodes]),
            Self::Nodes => (&[Nodes], &[Nodes, Pods, NodeUsage]),
            Self::Hpas => (&[Hpas], &[Hpas]),
            Self::Incidents => (&[Incidents], &[Incidents]),
            // The loop derives them from the states of the clusters.
            Self::Clusters | Self::AllIncidents => (&[], &[]),
            Self::Volumes => (&[Claims, Volumes], &[Claims]),
            Self::Overview | Self::Map | Self::Pod | Self::Forecasts | Self::Changes => (
                Part::followed(SourceKind::Vitals),
                Part::followed(SourceKind::Metrics),
            ),
        };
        Needs { vitals, others }
    }
}
