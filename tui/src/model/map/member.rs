//! Finds the group of each pod.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use kubevitals_proto::labels::Labels;

use super::by::MapBy;
use super::group::{Group, GroupKind};
use super::mark::Mark;
use crate::model::amount::Amounts;
use crate::model::name::{Key, Name};
use crate::model::row::{NodeRow, PodRow};
use crate::model::table::Table;
use crate::model::tone::Thresholds;

/// The labels of a node's zone, the current one first.
pub(in crate::model) const ZONE_LABELS: [&str; 2] = [
    "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/zone",
];

/// The most reasons why pods are not scheduled that are counted. Each can be any text.
const MAX_REASONS: usize = 256;

/// Finds the group of each pod, and sums the pods of each group.
pub(super) struct Members<'a> {
    by: &'a MapBy,
    /// Shared copies of label values.
    values: HashMap<&'a str, Name>,
    /// The value of the label, or the zone, of nodes that have one.
    of_nodes: HashMap<&'a str, Name>,
    groups: Vec<Group>,
    /// The index of each group.
    at: HashMap<(GroupKind, Key), usize>,
    /// The number of unscheduled pods for each reason.
    reasons: HashMap<&'a str, u32>,
}

/// The groups of all pods, without their cells.
pub(super) struct Grouped {
    /// The groups in order.
    pub(super) groups: Vec<Group>,
    /// The place of each group, by the index that [`Members::put`] returned.
    pub(super) places: Vec<usize>,
    /// The reasons of unscheduled pods, the most frequent first.
    pub(super) reasons: Vec<(Box<str>, u32)>,
}

impl<'a> Members<'a> {
    /// The groups without pods: by node, every node is one.
    pub(super) fn new(nodes: &'a Table<NodeRow>, by: &'a MapBy, thresholds: Thresholds) -> Self {
        let mut members = Self {
            by,
            values: HashMap::new(),
            of_nodes: HashMap::new(),
            groups: Vec::new(),
            at: HashMap::new(),
            reasons: HashMap::new(),
        };
        for (at, node) in (0_u32..).zip(nodes.rows()) {
            let key = match by {
                MapBy::Node => Key::named(&node.name),
                MapBy::Zone | MapBy::Label(_) => {
                    let Some(value) = value_of(&node.labels, by) else {
                        continue;
                    };
                    let value = members.shared(value);
                    members.of_nodes.insert(&node.name, Arc::clone(&value));
                    Key::named(&value)
                }
                MapBy::Namespace | MapBy::Workload => break,
            };
            if matches!(by, MapBy::Label(_)) {
                // The pods of a node can have another value.
                continue;
            }
            let group = members.group(GroupKind::Alike, key);
            if let Some(group) = members.groups.get_mut(group) {
                group.node = (*by == MapBy::Node).then_some(at);
                group.mark = group.mark.max(Mark::of_node(node, thresholds));
                group.usage = group.usage.plus(node.usage);
                group.requests = group.requests.plus(node.requests);
                group.allocatable = group.allocatable.plus(node.allocatable);
            }
        }
        members
    }

    /// Adds a pod to its group. Returns the index of the group.
    pub(super) fn put(&mut self, pod: &'a PodRow, mark: Mark) -> usize {
        let (kind, key) = self.group_of(pod);
        if kind == GroupKind::Unscheduled {
            let reason = pod.message.as_deref().unwrap_or(&pod.status);
            if self.reasons.len() < MAX_REASONS || self.reasons.contains_key(reason) {
                *self.reasons.entry(reason).or_default() += 1;
            }
        }
        let at = self.group(kind, key);
        if let Some(group) = self.groups.get_mut(at) {
            let is_running = !pod.phase.is_over();
            group.running = group.running.saturating_add(is_running.into());
            group.ready = group.ready.saturating_add(pod.ready.into());
            // The state of a node or zone is that of its nodes, unless a pod fails.
            let has_nodes = group.allocatable != Amounts::default() || group.node.is_some();
            if !has_nodes || mark >= Mark::Failing {
                group.mark = group.mark.max(mark);
            }
            if !has_nodes && is_running {
                group.add(pod);
            }
        }
        at
    }

    /// The groups in order.
    pub(super) fn finish(self) -> Grouped {
        let mut groups: Vec<(usize, Group)> = self.groups.into_iter().enumerate().collect();
        groups.sort_by(|(_, a), (_, b)| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
        let mut places = vec![0; groups.len()];
        for (place, (at, _)) in groups.iter().enumerate() {
            if let Some(slot) = places.get_mut(*at) {
                *slot = place;
            }
        }
        let reasons = self.reasons.into_iter();
        let mut reasons: Vec<(Box<str>, u32)> = reasons
            .map(|(reason, count)| (reason.into(), count))
            .collect();
        reasons.sort_by(|(a, many), (b, more)| (Reverse(many), a).cmp(&(Reverse(more), b)));
        Grouped {
            groups: groups.into_iter().map(|(_, group)| group).collect(),
            places,
            reasons,
        }
    }

    fn group_of(&mut self, pod: &'a PodRow) -> (GroupKind, Key) {
        if pod.node.is_empty() && !pod.phase.is_over() {
            return (GroupKind::Unscheduled, Key::named(&Name::default()));
        }
        let key = match self.by {
            MapBy::Node => Some(Key::named(&pod.node)).filter(|_| !pod.node.is_empty()),
            MapBy::Namespace => Some(Key::named(&pod.namespace)),
            MapBy::Workload => pod.workload.as_ref().map(|workload| Key {
                namespace: Arc::clone(&pod.namespace),
                name: Arc::clone(&workload.name),
                part: Arc::clone(&workload.kind),
            }),
            MapBy::Zone | MapBy::Label(_) => {
                let of_node = || self.of_nodes.get(&*pod.node).cloned();
                let value = match value_of(&pod.labels, self.by).filter(|_| *self.by != MapBy::Zone)
                {
                    Some(value) => Some(self.shared(value)),
                    None => of_node(),
                };
                value.map(|value| Key::named(&value))
            }
        };
        match key {
            Some(key) => (GroupKind::Alike, key),
            None => (GroupKind::Rest, Key::named(&Name::default())),
        }
    }

    /// The index of a group, which is made if there is none.
    fn group(&mut self, kind: GroupKind, key: Key) -> usize {
        let next = self.groups.len();
        let at = *self.at.entry((kind, key.clone())).or_insert(next);
        if at == next {
            self.groups.push(Group {
                kind,
                key,
                node: None,
                pods: 0..0,
                units: 0,
                running: 0,
                ready: 0,
                mark: Mark::Finished,
                usage: Amounts::default(),
                requests: Amounts::default(),
                allocatable: Amounts::default(),
            });
        }
        at
    }

    fn shared(&mut self, value: &'a str) -> Name {
        Arc::clone(
            self.values
                .entry(value)
                .or_insert_with(|| Name::from(value)),
        )
    }
}

/// The value of the label by which pods are grouped.
fn value_of<'a>(labels: &'a Labels, by: &MapBy) -> Option<&'a str> {
    match by {
        MapBy::Zone => ZONE_LABELS.into_iter().find_map(|key| labels.get(key)),
        MapBy::Label(key) => labels.get(key),
        MapBy::Node | MapBy::Namespace | MapBy::Workload => None,
    }
}
