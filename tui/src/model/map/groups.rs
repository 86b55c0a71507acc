//! Groups of pods: the boxes of the map, with the pods in each.

use std::cmp::Reverse;

use kubevitals_proto::time::Timestamp;

use super::by::MapBy;
use super::group::{Group, GroupKind};
use super::mark::{Counts, Mark};
use super::member::{Grouped, Members};
use super::size::{MapSize, Unit};
use crate::model::name::Name;
use crate::model::table::Version;
use crate::model::tone::Thresholds;
use crate::model::world::World;

/// All inputs of the groups. While they are equal, the groups are up to date.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::model) struct Basis {
    pub(in crate::model) pods: Version,
    pub(in crate::model) nodes: Version,
    pub(in crate::model) by: MapBy,
    pub(in crate::model) size: MapSize,
    pub(in crate::model) namespaces: Vec<Name>,
    pub(in crate::model) thresholds: Thresholds,
    /// The displayed time in minutes: a restart is recent for an hour.
    pub(in crate::model) minute: i64,
}

impl Basis {
    /// Whether the pods of a namespace are shown.
    fn shows(&self, namespace: &Name) -> bool {
        self.namespaces.is_empty() || self.namespaces.contains(namespace)
    }
}

/// The cells of one pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodCells {
    /// The index of the pod in the table.
    pub row: u32,
    /// The position of its first cell in its group.
    pub start: u32,
    /// Its state.
    pub mark: Mark,
}

/// The groups of all pods.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    /// The groups: pods without a node first, then by name, then the rest.
    pub groups: Vec<Group>,
    /// The pods, by group, then in the order of the table.
    pub cells: Vec<PodCells>,
    /// The number of pods in each state.
    pub pods: Counts,
    /// The number of groups in each state.
    pub boxes: Counts,
    /// What one cell stands for, if a pod can take several.
    pub unit: Option<Unit>,
    /// Why pods are not scheduled, the most frequent reason first, with the number of pods.
    pub reasons: Vec<(Box<str>, u32)>,
    /// The indexes of the groups, the worst first.
    pub(super) worst_first: Vec<usize>,
}

impl Groups {
    /// Groups the pods of a cluster.
    #[must_use]
    pub(in crate::model) fn of(world: &World, basis: &Basis, now: Timestamp) -> Self {
        let listed = || {
            let pods = (0_u32..).zip(world.pods.rows());
            pods.filter(|(_, pod)| basis.shows(&pod.namespace))
        };
        let unit = Unit::of(basis.size, listed().map(|(_, pod)| pod));
        let mut members = Members::new(&world.nodes, &basis.by, basis.thresholds);
        // Each pod with its group. Pods of a group stay in the order of the table.
        let mut pods: Vec<(usize, PodCells)> = listed()
            .map(|(row, pod)| {
                let mark = Mark::of_pod(pod, now, basis.thresholds);
                let cells = PodCells {
                    row,
                    start: 0,
                    mark,
                };
                (members.put(pod, mark), cells)
            })
            .collect();
        let Grouped {
            mut groups,
            places,
            reasons,
        } = members.finish();
        for (group, _) in &mut pods {
            *group = places.get(*group).copied().unwrap_or(0);
        }
        pods.sort_by_key(|(group, _)| *group);
        let cells_of = |pod: &PodCells| {
            let row = world.pods.row(pod.row);
            row.zip(unit).map_or(1, |(row, unit)| unit.cells_of(row))
        };
        let mut all = Self {
            unit,
            reasons,
            cells: Vec::with_capacity(pods.len()),
            ..Self::default()
        };
        let mut pods = pods.into_iter().peekable();
        for (at, group) in groups.iter_mut().enumerate() {
            let begin = all.cells.len();
            while let Some((_, mut pod)) = pods.next_if(|(group, _)| *group == at) {
                pod.start = group.units;
                group.units = group.units.saturating_add(cells_of(&pod));
                all.pods.add(pod.mark);
                all.cells.push(pod);
            }
            group.pods = begin..all.cells.len();
            all.boxes.add(group.mark);
        }
        all.worst_first = (0..groups.len()).collect();
        let urgency = |at: &usize| Reverse(groups.get(*at).map(Group::urgency));
        all.worst_first.sort_by_cached_key(urgency);
        all.groups = groups;
        all
    }

    /// The cells of a group's pods.
    #[must_use]
    pub fn cells_of(&self, group: &Group) -> &[PodCells] {
        self.cells.get(group.pods.clone()).unwrap_or_default()
    }

    /// The group of the pod at an index of [`Groups::cells`].
    pub(in crate::model) fn group_of(&self, pod: usize) -> Option<usize> {
        let at = self.groups.partition_point(|group| group.pods.end <= pod);
        (at < self.groups.len()).then_some(at)
    }

    /// Whether the first group has the pods without a node.
    pub(super) fn has_unscheduled(&self) -> bool {
        let first = self.groups.first();
        first.is_some_and(|group| group.kind == GroupKind::Unscheduled)
    }
}
