//! The views there are.

use super::column::Column;
use super::field::{Field, Unit};
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
    pub fn columns(self) -> &'static [Column] {
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

/// By what a table is sorted. Ties stay in the order of the rows' keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub field: Field,
    /// Largest or last first. What is not known is last in both directions.
    pub descending: bool,
}

impl Sort {
    /// As one would want it first: numbers largest first, texts and ages from the beginning.
    #[must_use]
    pub const fn by(field: Field) -> Self {
        Self {
            field,
            descending: !matches!(field.unit(), Unit::Text | Unit::Seconds | Unit::Flag),
        }
    }

    /// The other way round.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self {
            field: self.field,
            descending: !self.descending,
        }
    }
}
