//! The views, and their tables.

use super::any_table::AnyTable;
use super::column::{Column, Sort};
use super::field::Field;
use super::part::Part;
use super::row::{
    ChangeRow, ContainerRow, ForecastRow, HpaRow, IncidentRow, MemberIncidentRow, MemberRow,
    NamespaceRow, NodeRow, PodRow, ProbeRow, ProblemRow, Row, VolumeRow, WorkloadRow,
};
use super::view_info::ViewInfo;
use super::world::World;

/// A view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// The cluster in brief: its problems, what runs out, what changed.
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
    /// The cluster as boxes of pods.
    Map,
    /// PersistentVolumeClaims and how full their volumes are.
    Volumes,
    /// Probes that are not passing.
    Probes,
    /// One pod.
    Pod,
    /// Several clusters, a row for each.
    Clusters,
    /// The incidents of several clusters.
    AllIncidents,
    /// What runs out: a pane of the overview.
    Forecasts,
    /// What has changed: a pane of the overview.
    Changes,
}

/// The map has the same pods as their table.
static MAP: ViewInfo = ViewInfo {
    title: "Map",
    brief: "Map",
    id: "map",
    help: "map of nodes and pods",
    also: &[Part::OtherPods],
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

/// The properties of a view.
struct Definition {
    info: &'static ViewInfo,
    columns: fn() -> Vec<Column>,
    table: fn(&World) -> &dyn AnyTable,
    /// Derives the table, if it follows from other tables.
    derive: fn(&mut World),
}

impl Definition {
    /// The definition of a view of these rows.
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
    /// The views that the user can switch to, in order.
    pub const SWITCHABLE: [Self; 11] = [
        Self::Overview,
        Self::Nodes,
        Self::Pods,
        Self::Containers,
        Self::Workloads,
        Self::Namespaces,
        Self::Hpas,
        Self::Incidents,
        Self::Map,
        Self::Volumes,
        Self::Probes,
    ];

    fn definition(self) -> Definition {
        let pods = Definition::of::<PodRow>(|world| &world.pods);
        match self {
            // The rows are made with the list, because they depend on its filter.
            Self::Overview => Definition::of::<ProblemRow>(|world| &world.problems),
            Self::Pods => pods,
            Self::Map => Definition { info: &MAP, ..pods },
            // The page lists the pod's containers.
            Self::Pod => Definition {
                info: &POD,
                columns: ContainerRow::columns,
                ..pods
            },
            Self::Nodes => Definition {
                derive: World::derive_nodes,
                ..Definition::of::<NodeRow>(|world| &world.nodes)
            },
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
            Self::Forecasts => Definition::of::<ForecastRow>(|world| &world.forecasts),
            Self::Changes => Definition::of::<ChangeRow>(|world| &world.changes),
            Self::Incidents => Definition::of::<IncidentRow>(|world| &world.incidents),
            Self::Clusters => Definition::of::<MemberRow>(|world| &world.members),
            Self::AllIncidents => {
                Definition::of::<MemberIncidentRow>(|world| &world.member_incidents)
            }
            Self::Volumes => Definition {
                derive: World::derive_volumes,
                ..Definition::of::<VolumeRow>(|world| &world.volumes)
            },
            Self::Probes => Definition {
                derive: World::derive_probes,
                ..Definition::of::<ProbeRow>(|world| &world.probes)
            },
        }
    }

    /// Names, first order and parts.
    #[must_use]
    pub fn info(self) -> &'static ViewInfo {
        self.definition().info
    }

    /// The title. In lower case it is the name in the configuration.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.info().title
    }

    /// The view with this title. Case is ignored.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::SWITCHABLE
            .into_iter()
            .find(|view| view.title().eq_ignore_ascii_case(name))
    }

    /// Whether the view shows a part. The cluster's totals are above every view.
    #[must_use]
    pub fn shows(self, part: Part) -> bool {
        let info = self.info();
        match part {
            _ if self.is_of_several_clusters() => part == info.part,
            Part::Cluster | Part::Nodes | Part::Pods | Part::Usage | Part::NodeUsage => true,
            Part::OtherPods => info.is_of_pods(),
            part => info.part == part || info.also.contains(&part),
        }
    }

    /// Whether the view shows several clusters.
    #[must_use]
    pub const fn is_of_several_clusters(self) -> bool {
        matches!(self, Self::Clusters | Self::AllIncidents)
    }

    /// The columns that the table can have.
    #[must_use]
    pub fn columns(self) -> Vec<Column> {
        (self.definition().columns)()
    }

    /// The field by which the table is sorted if the user sorts by `field`: the same, or the nearest one that the table
    /// has.
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

    /// The first order of the table.
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

    /// Derives the sums and the table of a view, if pods or nodes have changed.
    pub fn derive(&mut self, view: View, sums_of_nodes: bool) {
        self.derive_sums(sums_of_nodes);
        (view.definition().derive)(self);
    }
}
