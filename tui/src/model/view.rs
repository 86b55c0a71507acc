//! The views there are.

use super::column::{Column, Sort};
use super::field::Field;
use super::row::{
    ContainerRow, HpaRow, IncidentRow, NamespaceRow, NodeRow, PodRow, Row, WorkloadRow,
};

/// A view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// The cluster at a glance, and what wants to be looked at.
    Overview,
    /// Nodes.
    Nodes,
    /// Pods.
    Pods,
    /// Containers.
    Containers,
    /// Deployments, StatefulSets, DaemonSets, Jobs and other owners of pods.
    Workloads,
    /// Namespaces.
    Namespaces,
    /// Horizontal pod autoscalers.
    Hpas,
    /// Incidents.
    Incidents,
    /// One pod.
    Pod,
}

impl View {
    /// Those that can be switched to, in their order.
    pub const SWITCHABLE: [Self; 8] = [
        Self::Overview,
        Self::Nodes,
        Self::Pods,
        Self::Containers,
        Self::Workloads,
        Self::Namespaces,
        Self::Hpas,
        Self::Incidents,
    ];

    /// Its name, as it is shown and as the configuration has it in lower case.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Nodes => "Nodes",
            Self::Pods => "Pods",
            Self::Containers => "Containers",
            Self::Workloads => "Workloads",
            Self::Namespaces => "Namespaces",
            Self::Hpas => "HPAs",
            Self::Incidents => "Incidents",
            Self::Pod => "Pod",
        }
    }

    /// The view of this name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::SWITCHABLE
            .into_iter()
            .find(|view| view.title().eq_ignore_ascii_case(name))
    }

    /// The columns its table can have. The overview's is a short table of pods.
    #[must_use]
    pub fn columns(self) -> Vec<Column> {
        match self {
            Self::Nodes => NodeRow::columns(),
            Self::Overview | Self::Pods => PodRow::columns(),
            Self::Containers | Self::Pod => ContainerRow::columns(),
            Self::Workloads => WorkloadRow::columns(),
            Self::Namespaces => NamespaceRow::columns(),
            Self::Hpas => HpaRow::columns(),
            Self::Incidents => IncidentRow::columns(),
        }
    }

    /// The field of a column that its table is sorted by, if it is to be sorted by `field`: this one, or what comes
    /// nearest to it in such a table. Nothing if there is none.
    #[must_use]
    pub fn sorts_by(self, field: Field) -> Option<Field> {
        let has = |field: &Field| self.columns().iter().any(|column| column.field == *field);
        let nearest = match field {
            Field::Restarts => Field::Recent,
            Field::Name => Field::Pod,
            Field::Age => Field::Began,
            field => field,
        };
        [field, nearest].into_iter().find(has)
    }

    /// How its table is sorted at first.
    #[must_use]
    pub const fn sort(self) -> Sort {
        match self {
            Self::Overview
            | Self::Pods
            | Self::Containers
            | Self::Workloads
            | Self::Namespaces
            | Self::Nodes => Sort {
                field: Field::Cpu,
                descending: true,
            },
            Self::Hpas => Sort {
                field: Field::Namespace,
                descending: false,
            },
            Self::Incidents => Sort {
                field: Field::LastSeen,
                descending: false,
            },
            Self::Pod => Sort {
                field: Field::Container,
                descending: false,
            },
        }
    }
}
