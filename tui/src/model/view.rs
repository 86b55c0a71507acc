//! The views there are: the one place that tells them apart by hand.

use super::any_table::AnyTable;
use super::column::{Column, Sort};
use super::field::Field;
use super::part::Part;
use super::row::{
    ContainerRow, HpaRow, IncidentRow, NamespaceRow, NodeRow, PodRow, Row, WorkloadRow,
};
use super::view_info::ViewInfo;
use super::world::World;

/// A view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// The cluster at a glance, and the pods that need attention.
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

/// The overview lists the pods that need attention.
static OVERVIEW: ViewInfo = ViewInfo {
    title: "Overview",
    brief: "Over",
    id: "overview",
    help: "overview",
    rows: "unhealthy pods",
    also: &[Part::Incidents, Part::History],
    ..PodRow::VIEW
};

/// The page of a pod.
static POD: ViewInfo = ViewInfo {
    title: "Pod",
    brief: "Pod",
    id: "pod",
    help: "pod",
    rows: "pod",
    sort: Sort {
        field: Field::Container,
        descending: false,
    },
    also: &[Part::Incidents, Part::Events, Part::History],
    ..PodRow::VIEW
};

/// What there is to know of a view.
struct Definition {
    info: &'static ViewInfo,
    columns: fn() -> Vec<Column>,
    table: fn(&World) -> &dyn AnyTable,
    /// Works out its table, where that follows from others.
    derive: fn(&mut World),
}

impl Definition {
    /// Of a table of such rows.
    fn of<R: Row>(table: fn(&World) -> &dyn AnyTable) -> Self {
        Self {
            info: &R::VIEW,
            columns: R::columns,
            table,
            derive: |_| {},
        }
    }
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

    fn definition(self) -> Definition {
        let pods = Definition::of::<PodRow>(|world| &world.pods);
        match self {
            Self::Overview => Definition {
                info: &OVERVIEW,
                ..pods
            },
            Self::Pods => pods,
            // The page lists the pod's containers.
            Self::Pod => Definition {
                info: &POD,
                columns: ContainerRow::columns,
                ..pods
            },
            Self::Nodes => Definition::of::<NodeRow>(|world| &world.nodes),
            Self::Containers => Definition {
                derive: World::derive_containers,
                ..Definition::of::<ContainerRow>(|world| &world.containers)
            },
            Self::Workloads => Definition {
                derive: World::derive_workloads,
                ..Definition::of::<WorkloadRow>(|world| &world.workloads)
            },
            Self::Namespaces => Definition {
                derive: World::derive_namespaces,
                ..Definition::of::<NamespaceRow>(|world| &world.namespaces)
            },
            Self::Hpas => Definition::of::<HpaRow>(|world| &world.hpas),
            Self::Incidents => Definition::of::<IncidentRow>(|world| &world.incidents),
        }
    }

    /// What it is called and which parts it shows.
    #[must_use]
    pub fn info(self) -> &'static ViewInfo {
        self.definition().info
    }

    /// Its name, as it is shown and as the configuration has it in lower case.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.info().title
    }

    /// The view of this name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::SWITCHABLE
            .into_iter()
            .find(|view| view.title().eq_ignore_ascii_case(name))
    }

    /// Whether it shows a part. Figures of the cluster are above every view.
    #[must_use]
    pub fn shows(self, part: Part) -> bool {
        let info = self.info();
        match part {
            Part::Cluster | Part::Nodes | Part::Pods | Part::Usage | Part::NodeUsage => true,
            Part::OtherPods => info.is_of_pods(),
            part => info.part == part || info.also.contains(&part),
        }
    }

    /// The columns its table can have. The overview's is a short table of pods.
    #[must_use]
    pub fn columns(self) -> Vec<Column> {
        (self.definition().columns)()
    }

    /// The field of a column that its table is sorted by, if it is to be sorted by `field`: this one, or what comes
    /// nearest to it in such a table. Nothing if there is none.
    #[must_use]
    pub fn sorts_by(self, field: Field) -> Option<Field> {
        let columns = self.columns();
        let has = |field: &Field| columns.iter().any(|column| column.field == *field);
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
    pub fn sort(self) -> Sort {
        self.info().sort
    }
}

impl World {
    /// The table of a view.
    #[must_use]
    pub fn table(&self, view: View) -> &dyn AnyTable {
        (view.definition().table)(self)
    }

    /// Works out what a view shows of pods, if that has not been done since they changed.
    pub fn derive(&mut self, view: View, sums_of_nodes: bool) {
        self.derive_sums(sums_of_nodes);
        (view.definition().derive)(self);
    }
}
